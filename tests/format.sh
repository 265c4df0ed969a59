#!/bin/sh
# Checks the layout of all C files. Usage: format.sh SOURCE_ROOT. Exits 77 (skipped) without clang-format-14, but not in CI.
cd "$1" || exit 2
command -v clang-format-14 >/dev/null || { echo "clang-format-14 is missing: ./dev fmt installs it"; [ "$CI" = true ] && exit 1; exit 77; }
find src receivers include tests -name '*.[ch]' -exec clang-format-14 --dry-run --Werror {} + 2>&1 | grep -a 'error:' |
    cut -d: -f1 | sort | uniq -c >"${TMPDIR:-/tmp}/format.$$"
[ -s "${TMPDIR:-/tmp}/format.$$" ]
bad=$?
cat "${TMPDIR:-/tmp}/format.$$"
rm -f "${TMPDIR:-/tmp}/format.$$"
[ $bad = 1 ] || { echo "run ./dev fmt"; exit 1; }
