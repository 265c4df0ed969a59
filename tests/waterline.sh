#!/bin/sh
# What is below the waterline of tests/layers.txt touches no system: no file, socket, clock, randomness, thread, process or
# environment, and nothing of a higher folder. Usage: waterline.sh SOURCE_ROOT OBJECT_FOLDER
cd "$1" || exit 2
objects=$2
below=$(awk '/waterline/ { exit } /^[0-9]/ { for (i = 2; i <= NF; i++) print $i }' tests/layers.txt)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# What standard functions it may call: text, memory, arithmetic, calendars, and how a bug ends.
cat >"$work/allowed" <<'END'
^(mem(chr|cmp|cpy|move|set|mem|rchr)|str(chr|cmp|len|ncmp|rchr|spn|cspn|casecmp|ncasecmp|nlen|tod|tol|toul|error|str))$
^_*((v?snprintf|mem(cpy|move|set)|strtod|strtol|fprintf|vfprintf|stack_chk|fdelt)_?(chk|fail|l)?|isoc.*_strto.*)$
^(malloc|calloc|realloc|free|reallocarray|abort|qsort(_r)?|bsearch|gmtime_r|strftime|strerror_r|stderr|fputs|fputc|fwrite|fflush|open_memstream)$
^(a?(cos|sin|tan)h?|atan2|exp|exp2|expm1|log|log10|log1p|log2|pow|sqrt|cbrt|floor|ceil|round|trunc|rint|nearbyint|fmod|modf|ldexp|frexp|fabs|fma|hypot|l?lrint|l?lround|signbit|nextafter|fmin|fmax|sincos)$
^(__errno_location|__assert_fail|__ctype_(b|tolower|toupper)_loc|_GLOBAL_OFFSET_TABLE_|__tls_get_addr)$
^__(asan|ubsan|sanitizer|cpu|stack|gcov|tsan|popcount|udivti|umodti|divti|modti|multi|float|fix|letf|getf|add|sub|mul)
^(pcre2_|yaml_|EVP_(Digest|md5)$)
END
for folder in $below; do
    for source in src/"$folder"/*.c; do
        nm "$objects/$source.o" | sed "s|^|$folder |" # of what stands here: an object of a file that has moved may be left
    done
done >"$work/symbols"
[ -s "$work/symbols" ] || { echo "no objects below $objects"; exit 1; }
awk '$(NF - 1) ~ /^[TDRBVWC]$/ { print $NF }' "$work/symbols" | sort -u >"$work/defined"
awk '$(NF - 1) == "U" { print $1, $NF }' "$work/symbols" | sort -u >"$work/wanted"
awk 'NR == FNR { own[$1]; next } !($2 in own)' "$work/defined" "$work/wanted" |
    awk 'NR == FNR { allowed[n++] = $0; next }
         { for (i = 0; i < n; i++) if ($2 ~ allowed[i]) next; print "src/" $1 " calls " $2; bad = 1 }
         END { exit bad }' "$work/allowed" -
