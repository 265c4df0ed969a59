#!/bin/sh
# Checks the unit file with systemd-analyze. Usage: systemd.sh SOURCE_ROOT PROGRAM. Exits 77 (skipped) without systemd.
command -v systemd-analyze >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sed "s|/usr/bin/tocsin|$2|" "$1/contrib/systemd/tocsin.service" >"$dir/tocsin.service"
systemd-analyze verify --man=no "$dir/tocsin.service" 2>&1 | tee "$dir/said"
[ ! -s "$dir/said" ] # it says what it ignores, and exits with 0
