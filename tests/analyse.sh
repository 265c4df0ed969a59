#!/bin/sh
# Static analysis of src/ and receivers/: analyse.sh [BUILD [BASE]]. Prints what cppcheck and clang-tidy remark and exits 1 if
# there is anything. With BASE only of what has changed since that commit (a header: the file of its name), as ./dev check
# does; without it of everything, with gcc's analyser, too, which takes ten minutes.
cd "$(dirname "$0")/.." || exit 2
build=${1:-build/release} base=${2:-}
remarks=$(mktemp) files=$(mktemp)
trap 'rm -f "$remarks" "$files"' EXIT
find src receivers -name '*.c' >"$files"
if [ -n "$base" ]; then
    git diff --name-only "$base" -- src receivers | sed -n 's/\.[ch]$/.c/p' | sort -u | grep -Fxf - "$files" >"$files.of"
    mv "$files.of" "$files"
fi
[ -s "$files" ] || { echo "nothing has changed"; exit 0; }
cppcheck --file-list="$files" -Isrc -Iinclude -D_GNU_SOURCE '-DTOCSIN_VERSION="0"' -D__x86_64__ -D__linux__ \
    '-D__BYTE_ORDER__=1' '-D__ORDER_LITTLE_ENDIAN__=1' --enable=warning,performance,portability --inline-suppr --quiet \
    --std=c11 -j "$(nproc)" --suppress=normalCheckLevelMaxBranches --suppress=missingIncludeSystem 2>>"$remarks"
tidy=clang-tidy
command -v $tidy >/dev/null || tidy=clang-tidy-14
xargs -P "$(nproc)" -n 8 $tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option \
    <"$files" >>"$remarks" 2>/dev/null
[ -n "$base" ] || xargs -P "$(nproc)" -n 1 gcc -std=gnu17 -O1 -fanalyzer -c -o /dev/null -D_GNU_SOURCE \
    '-DTOCSIN_VERSION="0"' -Isrc -Iinclude <"$files" 2>>"$remarks"
cat "$remarks"
! [ -s "$remarks" ]
