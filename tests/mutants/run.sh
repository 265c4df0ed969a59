#!/bin/sh
# run.sh SOURCE BUILD [NAME...]: applies each patch here to a copy of the sources, one by one, and plays random scenarios
# until one tells. A mutant that lives, or a patch that does not apply any more, is a failure. The first line of a patch says
# what it breaks. BUILD is kept, so that a second run builds little.
set -eu
source=$(cd "$1" && pwd)
mkdir -p "$2"
build=$(cd "$2" && pwd)
shift 2
seeds=398
here=$source/tests/mutants
[ $# != 0 ] || set -- $(cd "$here" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')

# Only what differs is copied: what was built stays.
copy=$build/source
mkdir -p "$copy"
(cd "$source" && find CMakeLists.txt cmake include receivers src tests/CMakeLists.txt tests/sim -type f) >"$build/files"
while read -r file; do
    cmp -s "$source/$file" "$copy/$file" && continue
    mkdir -p "$copy/$(dirname "$file")"
    cp "$source/$file" "$copy/$file"
done <"$build/files"
mkdir -p "$copy/tests/unit" "$copy/tests/fuzz"
cp "$source/tests/fuzz/CMakeLists.txt" "$copy/tests/fuzz/"
cmake -S "$copy" -B "$build/out" -G Ninja -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=-O1 -g" \
    "-DTOCSIN_SHARED=${TOCSIN_SHARED:-$source/../shared}" >"$build/cmake.log" 2>&1 ||
    { cat "$build/cmake.log"; exit 1; }

compile() {
    cmake --build "$build/out" --target sim >"$build/build.log" 2>&1
}

# Freed memory is filled, so that who uses it is seen.
export MALLOC_PERTURB_=165

# play: the seed that tells, or nothing. One that hangs or crashes tells, too.
play() {
    if timeout 900 "$build/out/tests/sim" --find 1 $seeds >"$build/play.log" 2>&1; then
        return 1
    fi
    told=$(grep -m 1 -E '^seed [0-9]+: |BUG|bug' "$build/play.log" || echo "it crashes or hangs")
}

failed=0
compile || { tail -20 "$build/build.log"; exit 1; }
told=""
if play; then
    echo "without a patch: $told"
    exit 1
fi
printf '%-24s %-62s %s\n' mutant "what it breaks" "what tells"
for name; do
    patch=$here/$name.patch
    if ! (cd "$copy" && patch -s -p1 <"$patch" >"$build/patch.log" 2>&1); then
        told="FAILED: the patch does not apply"
        failed=$((failed + 1))
    elif ! compile; then
        told="FAILED: it does not compile: $(grep -m 1 error "$build/build.log")"
        failed=$((failed + 1))
    elif ! play; then
        told="FAILED: nothing in $seeds seeds"
        failed=$((failed + 1))
    fi
    printf '%-24s %-62s %.120s\n' "$name" "$(head -1 "$patch")" "$told"
    for file in $(sed -n 's|^+++ b/||p' "$patch"); do
        cp "$source/$file" "$copy/$file"
        rm -f "$copy/$file.orig" "$copy/$file.rej"
    done
done
[ $failed = 0 ]
