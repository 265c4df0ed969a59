#!/bin/sh
# Checks every #include below src/ and receivers/ against tests/layers.txt. Usage: layers.sh SOURCE_ROOT
cd "$1" || exit 2
awk '
FILENAME == "tests/layers.txt" {
    if ($0 ~ /^#/ || NF == 0) next
    if ($2 == "->") { arrow[$1 " " $3] = 1; next }
    for (i = 2; i <= NF; i++) layer[$i] = $1 + 0
    next
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    match($0, /"[^"]*"/); inc = substr($0, RSTART + 1, RLENGTH - 2)
    n = split(FILENAME, part, "/")
    from = part[1] == "receivers" ? "receivers" : part[2]
    if (!(from in layer) && from != "receivers") { print FILENAME ": folder \"" from "\" is in no layer"; bad = 1; next }
    split(inc, ip, "/"); to = ip[1]
    if (to == "tocsin" || inc !~ /\//) next
    if (from == "receivers") { print FILENAME ":" FNR ": a receiver may include only tocsin/ headers, not " inc; bad = 1; next }
    if (!(to in layer)) { print FILENAME ":" FNR ": \"" inc "\" is in no layer"; bad = 1; next }
    if (to == from || layer[to] < layer[from] || arrow[from " " to]) next
    print FILENAME ":" FNR ": " from " (layer " layer[from] ") must not include " inc " (layer " layer[to] ")"; bad = 1
}
END { exit bad }
' tests/layers.txt $(find src receivers -name '*.[ch]' | sort)
