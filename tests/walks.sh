#!/bin/sh
# Every `folder/file.c` `function()` of docs/walks.md is there. Usage: walks.sh SOURCE_ROOT
cd "$1" || exit 2
grep -oE '`[a-z0-9_/]+\.[ch]`( `[a-z0-9_]+\(\)`)?' docs/walks.md | tr -d '`()' | sort -u | {
    bad=0 n=0
    while read -r file name; do
        n=$((n + 1))
        if [ ! -f "src/$file" ]; then
            echo "docs/walks.md: src/$file is not there"
            bad=1
        elif [ -n "$name" ] && ! grep -qE "^[a-z].*[ *]$name\(" "src/$file"; then
            echo "docs/walks.md: src/$file does not define $name()"
            bad=1
        fi
    done
    [ "$n" -gt 20 ] || { echo "docs/walks.md: names hardly anything"; bad=1; }
    exit $bad
}
