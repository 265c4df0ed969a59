#!/bin/sh
# Runs promqltest on every .test file of a folder. Usage: run.sh PROMQLTEST FOLDER
set -e
if [ ! -d "$2" ]; then
    echo "no conformance data in $2"
    [ "$CI" != true ] || exit 1
    exit 77
fi
exec "$1" "$2"/*.test
