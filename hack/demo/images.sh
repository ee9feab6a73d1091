#!/bin/bash
# Builds the images of operator and emulator into bin/images, without a container engine. The emulator's image is made
# under two tags, which report two versions, so that an upgrade can be tried.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

VERSION=${VERSION:-1.1.0}
EMULATOR=${EMULATOR:-quay.io/open-redis-enterprise/emulator}
NODE_TAG=${NODE_TAG:-8.2.0-46.13}
NEXT_TAG=${NEXT_TAG:-8.2.1-10.1}

command -v go >/dev/null || { echo "Go is needed: https://go.dev/doc/install" >&2; exit 1; }
go run ./hack/images operator --version "$VERSION" --ldflags "-X main.version=$VERSION"
go run ./hack/images emulator --repository "$EMULATOR" --version "$NODE_TAG" --version "$NEXT_TAG"
