#!/bin/bash
# Builds the operator's image for every architecture that the bundle names and writes the digest of all of them into config/manifests/release.yaml. This is
# the last step before a release is cut; make bundle catalog follows.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

version=$(sed -n 's/^version: //p' config/manifests/release.yaml)
archives=()
architectures=$(sed -n 's#^ *operatorframework.io/arch\.\([a-z0-9]*\): supported$#\1#p' config/manifests/clusterserviceversion.yaml)
for arch in $architectures; do
  go run ./hack/images operator -version "$version" -ldflags "-X main.version=$version" -arch "$arch" -bin "bin/release/$arch"
  archives+=("bin/release/$arch/images/operator.tar")
done
go run ./hack/pin "${archives[@]}"
