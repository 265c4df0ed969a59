#!/bin/sh
# Checks the unit files with systemd-analyze, and how much they expose. Usage: systemd.sh SOURCE_ROOT PROGRAM. Exits 77 (skipped) without systemd.
command -v systemd-analyze >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# check UNIT THRESHOLD: the exposure, times ten.
check() {
    sed "s|/usr/bin/tocsin|$program|" "$root/contrib/systemd/$1.service" >"$dir/$1.service"
    systemd-analyze verify --man=no "$dir/$1.service" 2>&1 | tee "$dir/said"
    [ ! -s "$dir/said" ] || exit 1 # it says what it ignores, and exits with 0
    systemd-analyze security --offline=true --threshold="$2" "$dir/$1.service" >"$dir/exposure" 2>&1 ||
        { tail -1 "$dir/exposure"; exit 1; }
}
root=$1 program=$2
check tocsin 13         # what a service that talks to the network, and renders with a JIT, can have
check tocsin-collect 25 # devices, processes and mounts are what it is for
