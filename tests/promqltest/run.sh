#!/bin/sh
# Runs promqltest on every .test file of a folder. Usage: run.sh FOLDER PROMQLTEST [OPTION]
set -e
folder=$1
shift
if [ ! -d "$folder" ]; then
    echo "no conformance data in $folder"
    [ "$CI" != true ] || exit 1
    exit 77
fi
exec "$@" "$folder"/*.test
