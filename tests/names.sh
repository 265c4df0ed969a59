#!/bin/sh
# Every function and every struct of src/ and receivers/ has a name of its own, so that a search finds it and nothing else.
# Exempt: main, and types that a header only names, because each implementation of its port has its own. Usage: names.sh SOURCE_ROOT
cd "$1" || exit 2
command -v ctags >/dev/null || { echo "there is no ctags: ./dev deps"; exit 77; }
find src receivers -name '*.[ch]' | sort | xargs ctags -f - -n --c-kinds=fs -D 'FUNC(x)=bool x(void)' -D 'FUNC_SHARED(x)=bool x(void)' |
    awk -F '\t' '
BEGIN { split("main storage_selector transfer", e, " "); for (i in e) exempt[e[i]] = 1 }
/^!/ || ($1 in exempt) { next }
{
    line = $3; sub(/;"/, "", line)
    key = $4 " " $1
    if (key in file && file[key] != $2) { print $2 ":" line ": " ($4 == "f" ? "function" : "struct") " " $1 " is also in " file[key]; bad = 1 }
    else file[key] = $2
}
END { exit bad }'
