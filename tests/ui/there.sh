# Whether Node and the packages of src/ui are there; sourced. Usage: . there.sh FOLDER
cd "$1" || exit 2
skip() { echo "$1"; exit 77; }
[ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] || skip "Node 20 is wanted"
[ -d node_modules/esbuild ] || skip "packages are missing: ./dev ui"
