#!/bin/sh
# run.sh SOURCE BUILD [NAME...]: applies each patch here to a copy of the sources, one by one, and plays random scenarios
# until one tells. A mutant that lives, or a patch that does not apply any more, is a failure. The first line of a patch says
# what it breaks. One that begins with "explain" breaks what is foreseen, and the scenarios of explain are to tell; one that
# begins with "scenario" needs what seeds do not draw in so few, and those written by hand are. BUILD is kept, so that a second
# run builds little.
set -eu
source=$(cd "$1" && pwd)
mkdir -p "$2"
build=$(cd "$2" && pwd)
exec 9>"$build/lock" # two runs would build over each other
flock -n 9 || { echo "another run uses $build"; exit 1; }
shift 2
seeds=${SEEDS:-2000} explained=200 block=100
here=$source/tests/mutants
[ $# != 0 ] || set -- $(cd "$here" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')

# Only what differs is copied: what was built stays; what the sources no longer have goes.
copy=$build/source
mkdir -p "$copy"
(cd "$source" && find CMakeLists.txt cmake include receivers src tests/CMakeLists.txt tests/sim -type f) >"$build/files"
while read -r file; do
    cmp -s "$source/$file" "$copy/$file" && continue
    mkdir -p "$copy/$(dirname "$file")"
    cp "$source/$file" "$copy/$file"
done <"$build/files"
(cd "$copy" && find . -type f | sed 's|^\./||' | grep -vxFf "$build/files" | xargs -r rm -f)
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

# play KIND FIRST COUNT: what tells, the first line of each seed. One that hangs or crashes tells, too. Those of explain have
# two hours each on their clock. All written ones are one.
play() {
    if [ "$1" = scenario ]; then
        timeout 300 "$build/out/tests/sim" "$source"/tests/sim/*.scn 2>&1 >/dev/null | sed 's|^.*/tests/sim/|seed |'
        return
    fi
    hours=$([ "$1" = random ] || echo 2)
    timeout 300 "$build/out/tests/sim" "--$1" "$2" "$3" $hours >"$build/play.log" 2>&1 && return
    grep -E '^seed [0-9]+: ' "$build/play.log" | awk '!seen[$2]++' || true
    tail -1 "$build/play.log" | grep -q ' failed$' || echo "seed $2 or later: it crashes or hangs"
}

# NAME: by which kind of scenarios it is to be found; KIND: in how many of them
kind_of() {
    case $(head -1 "$here/$1.patch") in
    explain*) echo explain ;;
    scenario*) echo scenario ;;
    *) echo random ;;
    esac
}

most_of() {
    case $1 in random) echo "$seeds" ;; explain) echo "$explained" ;; scenario) echo 1 ;; esac
}

# find_it KIND: in blocks, until a seed tells that does not without a patch.
find_it() {
    first=1
    while [ $first -le "$(most_of "$1")" ]; do
        told=$(play "$1" $first $block | grep -v -F -f "$build/known.$1" | head -1)
        [ -z "$told" ] || return 0
        first=$((first + block))
    done
    return 1
}

failed=0
compile || { tail -20 "$build/build.log"; exit 1; }
for kind in $(for name; do kind_of "$name"; done | sort -u); do
    play "$kind" 1 "$(most_of "$kind")" >"$build/base"
    grep -v '^seed [0-9]*: ' "$build/base" && exit 1
    # what tells as it is, too, says nothing of a mutant
    { echo "seed none"; sed 's/^\(seed [0-9]*: \).*/\1/' "$build/base"; } >"$build/known.$kind"
    echo "without a patch $(grep -c . "$build/base" || true) of $(most_of "$kind") seeds of $kind tell"
done
printf '%-24s %-62s %s\n' mutant "what it breaks" "what tells"
for name; do
    patch=$here/$name.patch
    if ! (cd "$copy" && patch -s -p1 <"$patch" >"$build/patch.log" 2>&1); then
        told="FAILED: the patch does not apply"
        failed=$((failed + 1))
    elif ! compile; then
        told="FAILED: it does not compile: $(grep -m 1 error "$build/build.log")"
        failed=$((failed + 1))
    elif ! find_it "$(kind_of "$name")"; then
        told="FAILED: nothing in $(most_of "$(kind_of "$name")") seeds"
        failed=$((failed + 1))
    fi
    printf '%-24s %-62s %.120s\n' "$name" "$(head -1 "$patch")" "$told"
    for file in $(sed -n 's|^+++ b/||p' "$patch"); do
        cp "$source/$file" "$copy/$file"
        rm -f "$copy/$file.orig" "$copy/$file.rej"
    done
done
[ $failed = 0 ]
