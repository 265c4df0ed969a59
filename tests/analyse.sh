#!/bin/sh
# Static analysis of src/ and receivers/ with cppcheck and clang-tidy, by hand: analyse.sh [BUILD]. Not part of ./dev
# test. What is suppressed: style remarks that clang-format and the warnings of the compilers settle.
cd "$(dirname "$0")/.." || exit 2
build=${1:-build/release}
cppcheck --project="$build/compile_commands.json" --enable=warning,performance,portability --inline-suppr --quiet \
    --std=c11 -j "$(nproc)" -i tests --suppress='*:tests/*' --suppress=normalCheckLevelMaxBranches \
    --suppress=missingIncludeSystem
find src receivers -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 8 clang-tidy -p "$build" --quiet \
    --extra-arg=-Wno-unknown-warning-option 2>/dev/null
