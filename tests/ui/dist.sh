#!/bin/sh
# src/ui/dist is what the sources make: built anew beside it, and compared. Usage: dist.sh FOLDER
. "$(dirname "$0")/there.sh"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
TOCSIN_UI_OUT=$out node build.mjs || exit 1
diff -r dist "$out" >/dev/null || { diff -rq dist "$out"; echo "src/ui/dist is not what src/ui/src makes: run ./dev ui and commit"; exit 1; }
! grep -q '"resolved"' package-lock.json || { echo "package-lock.json names a registry"; exit 1; }
