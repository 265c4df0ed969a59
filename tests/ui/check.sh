#!/bin/sh
# Types, layout and lint, unit tests. Usage: check.sh FOLDER
. "$(dirname "$0")/there.sh"
npx --no-install tsc --noEmit && npx --no-install biome check src test build.mjs && npx --no-install vitest run
