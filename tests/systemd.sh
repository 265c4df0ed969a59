#!/bin/sh
# Checks the unit file with systemd-analyze, and how much it exposes. Usage: systemd.sh SOURCE_ROOT PROGRAM. Exits 77 (skipped) without systemd.
command -v systemd-analyze >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sed "s|/usr/bin/tocsin|$2|" "$1/contrib/systemd/tocsin.service" >"$dir/tocsin.service"
systemd-analyze verify --man=no "$dir/tocsin.service" 2>&1 | tee "$dir/said"
[ ! -s "$dir/said" ] || exit 1 # it says what it ignores, and exits with 0
# The exposure, times ten: 1.3 is what a service that talks to the network, and renders with a JIT, can have.
systemd-analyze security --offline=true --threshold=13 "$dir/tocsin.service" >"$dir/exposure" 2>&1 ||
    { tail -1 "$dir/exposure"; exit 1; }
