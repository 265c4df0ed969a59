#!/bin/sh
# Static analysis of src/ and receivers/, by hand: analyse.sh [BUILD]. Prints what cppcheck, clang-tidy and gcc's
# analyser remark and exits 1 if there is anything. Not part of ./dev test: it takes ten minutes.
cd "$(dirname "$0")/.." || exit 2
build=${1:-build/release}
remarks=$(mktemp)
trap 'rm -f "$remarks"' EXIT
cppcheck --project="$build/compile_commands.json" --enable=warning,performance,portability --inline-suppr --quiet \
    --std=c11 -j "$(nproc)" -i tests --suppress='*:tests/*' --suppress=normalCheckLevelMaxBranches \
    --suppress=missingIncludeSystem 2>>"$remarks"
find src receivers -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 8 clang-tidy -p "$build" --quiet \
    --extra-arg=-Wno-unknown-warning-option >>"$remarks" 2>/dev/null
find src receivers -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 1 gcc -std=gnu17 -O1 -fanalyzer -c -o /dev/null \
    -D_GNU_SOURCE '-DTOCSIN_VERSION="0"' -Isrc -Iinclude 2>>"$remarks"
cat "$remarks"
! [ -s "$remarks" ]
