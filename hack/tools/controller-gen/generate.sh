#!/bin/sh
# Generates DeepCopy functions and CRDs from the Go types.
#
#   generate.sh          writes apis/*/*/zz_generated.deepcopy.go and config/crd/bases
#   generate.sh --check  writes nothing; fails and shows the difference when something is not current
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
bin=$root/bin

mkdir -p "$bin"
go build -C "$here" -o "$bin/" sigs.k8s.io/controller-tools/cmd/controller-gen ./crdtrim

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The tool writes DeepCopy functions beside the types, whatever it is told; so each package gets its own directory.
cd "$root"
for package in apis/*/*/; do
	mkdir -p "$scratch/$package"
	"$bin/controller-gen" object paths="./$package" output:dir="$scratch/$package"
done
"$bin/controller-gen" crd paths=./apis/... output:crd:dir="$scratch/config/crd/bases"
"$bin/crdtrim" "$scratch"/config/crd/bases/*.yaml

stale=0
for file in $(cd "$scratch" && find . -type f | sort); do
	cmp -s "$scratch/$file" "$file" && continue
	if [ "${1:-}" = --check ]; then
		diff -u "$file" "$scratch/$file" | head -40 || true
		stale=1
	else
		mkdir -p "$(dirname "$file")"
		cp "$scratch/$file" "$file"
		echo "wrote ${file#./}"
	fi
done
if [ $stale -ne 0 ]; then
	echo "generated files are not current: run make generate manifests" >&2
	exit 1
fi
