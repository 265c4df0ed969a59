#!/bin/sh
# Checks the protocol of the replicas, and that each step taken out is found. Usage: run.sh SOURCE_ROOT. Exits 77 without spin.
cd "$1/tests/model" || exit 2
command -v spin >/dev/null || { echo "spin is missing: ./dev deps installs it"; [ "$CI" = true ] && exit 1; exit 77; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
model=$PWD/replicas.pml

# search NAME DEFINES FLAGS...: prints how many errors spin found
search() {
    name=$1 defines=$2
    shift 2
    (mkdir "$work/$name" && cd "$work/$name" && cp "$model" . &&
        # shellcheck disable=SC2086
        spin -a $defines replicas.pml >spin.log 2>&1 && cc -O2 -DNFAIR=3 -w "$@" -o pan pan.c && ./pan $flags -m100000 >pan.log 2>&1
    ) || { cat "$work/$name"/*.log; return 1; }
    sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$work/$name/pan.log"
}

bad=0
want() { # want FOUND-OR-0 NAME DEFINES FLAGS CC-FLAGS...
    wanted=$1 label=$2 defines=$3 flags=$4
    shift 4
    errors=$(search "$label" "$defines" "$@") || bad=1
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$work/$label/pan.log" | head -1)
    echo "$label: $errors errors, $states states"
    if [ "$wanted" = 0 ] && [ "$errors" != 0 ]; then bad=1; tail -5 "$work/$label/pan.log"; fi
    if [ "$wanted" != 0 ] && [ "$errors" = 0 ]; then bad=1; echo "$label: nothing was found"; fi
}

want 0 safe-2 "-DN=2" "" -DSAFETY -DNOCLAIM
want 0 safe-3 "-DN=3 -DEPOCHS=3" "" -DSAFETY -DNOCLAIM -DCOLLAPSE
want 0 told-2 "-DN=2" "-a -f" -DNOREDUCE
want 1 no-epoch "-DN=2 -DNO_EPOCH" "" -DSAFETY -DNOCLAIM
want 1 no-fence "-DN=2 -DNO_FENCE" "" -DSAFETY -DNOCLAIM
want 1 no-expiry "-DN=2 -DNO_EXPIRY" "-a -f" -DNOREDUCE
want 1 no-memory "-DN=2 -DNO_MEMORY" "-a -f" -DNOREDUCE
exit $bad
