#!/bin/sh
# What the program is linked with, and that it says nothing of where it was built. Usage: hardening.sh SOURCE_ROOT PROGRAM.
command -v readelf >/dev/null || exit 77
failed=0
must() { grep -qE "$2" "$dir/$1" || { echo "$3"; failed=1; }; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
readelf -dW "$2" >"$dir/dynamic"
readelf -lW "$2" >"$dir/segments"
readelf -sW --dyn-syms "$2" >"$dir/symbols"
must dynamic 'FLAGS_1.*NOW.*PIE' 'not linked with -z now, or not position independent'
must segments 'GNU_STACK .* RW ' 'the stack can be executed'
must segments GNU_RELRO 'what is relocated stays writable'
must symbols __memcpy_chk 'not compiled with _FORTIFY_SOURCE'
must symbols __stack_chk_fail 'not compiled with -fstack-protector-strong'
if grep -aq -e "$1/" "$2"; then
    echo "it has the path of its source: $(strings -a "$2" | grep -m1 -F "$1/")"
    failed=1
fi
exit $failed
