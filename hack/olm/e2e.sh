#!/bin/bash
# A real OLM on the local Kubernetes, and the suite that drives it: see docs/olm.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

export NODE_TAG=${NODE_TAG:-8.2.0-46.13} NEXT_TAG=${NEXT_TAG:-8.2.1-10.1}
export EMULATOR=${EMULATOR:-quay.io/open-redis-enterprise/emulator} KUBECONFIG=$PWD/.local/kubeconfig
LOCALCLUSTER=hack/localcluster/cluster
HEAD_VERSION=$(sed -n 's/^version: //p' config/manifests/release.yaml)
# What the catalog says about the published release: its version, and the commit its image was built from.
RELEASED=$(sed -n 's/.*image of \([0-9.]*\) was built from commit .*/\1/p' catalog/template.yaml)
COMMIT=$(sed -n 's/.*was built from commit \([0-9a-f]*\).*/\1/p' catalog/template.yaml)

# part WHAT COMMAND...: runs one part and says how long it took.
part() {
  local what=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$what"
  "$@"
  printf '   %s: %ds\n' "$what" $((SECONDS - began))
}

# operators builds both releases: the published one of its own sources, head of these.
operators() {
  local source=bin/released/$RELEASED
  if ! git cat-file -e "$COMMIT^{commit}" 2>/dev/null; then
    echo "commit $COMMIT, which $RELEASED was built from, is not in this clone (git fetch --unshallow)" >&2
    exit 1
  fi
  rm -rf "$source"
  mkdir -p "$source"
  git archive "$COMMIT" | tar -x -C "$source"
  go run ./hack/images operator --version "$RELEASED" --ldflags "-X main.version=$RELEASED" --source "$source" --archive "operator-$RELEASED"
  go run ./hack/images operator --version "$HEAD_VERSION" --ldflags "-X main.version=$HEAD_VERSION" --archive operator-head
}

emulator() {
  go run ./hack/images emulator --repository "$EMULATOR" --version "$NODE_TAG" --version "$NEXT_TAG"
}

suite() {
  go test -tags e2eolm -timeout 90m -count=1 -v ./test/e2eolm -args "$@"
}

$LOCALCLUSTER check
part "building the operators" operators
part "building the nodes' emulator" emulator
part "building OLM and the tools in its cluster" go run ./hack/images olm
part "building opm, operator-sdk and the scorecard" make --no-print-directory bin/opm bin/operator-sdk scorecard-image
part "starting the local Kubernetes" $LOCALCLUSTER up
part "the suite" suite "$@"
printf '\nmake e2e-olm: %ds\n' $SECONDS
