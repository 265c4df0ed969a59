#!/bin/sh
# apply.sh SOURCE: each mutant is a patch of the sources as they are.
set -eu
cd "$1"
failed=0
for patch in tests/mutants/*.patch; do
    patch -s -p1 --dry-run <"$patch" >/dev/null || { echo "$patch does not apply"; failed=1; }
done
exit $failed
