# Builds the programs from Go modules. A build without changes takes a second or two.
# shellcheck shell=bash

command_build() {
  command -v go >/dev/null || die "there is no go on the PATH"
  mkdir -p "$BIN" "$STATE/log"
  case ${1:-all} in
    kube) build_kubernetes ;;
    all)
      build_kubernetes
      build_one coredns "$BIN/coredns"
      build_one provisioner "$BIN/provisioner"
      build_node_images
      ;;
    *) die "build knows only kube" ;;
  esac
}

build_kubernetes() {
  local version=k8s.io/component-base/version
  if [ ! -x "$KUBELOCAL" ]; then
    say "the first build of Kubernetes takes 5 to 10 minutes"
  fi
  build_one kube "$KUBELOCAL" -ldflags "-s -w \
    -X $version.gitVersion=v$KUBERNETES_VERSION -X $version.gitTreeState=clean \
    -X $version.gitMajor=1 -X $version.gitMinor=$(echo "$KUBERNETES_VERSION" | cut -d. -f2)"
  ln -sf kubelocal "$BIN/kubectl"
}

# build_one MODULE OUTPUT FLAGS...
build_one() {
  local module=$1 output=$2
  shift 2
  [ $# -gt 0 ] || set -- -ldflags "-s -w"
  with_progress "building $(basename "$output")" "$STATE/log/build-$module.log" \
    go_build "$HERE/$module" -o "$output" "$@"
}

go_build() {
  local folder=$1
  shift
  # Debug information would be stripped anyway, and the compiler is done sooner when it collects less garbage.
  (cd "$folder" && GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 GOGC=${GOGC:-300} \
    go build -trimpath -gcflags=all=-dwarf=false -buildvcs=false "$@" .)
}

build_node_images() {
  with_progress "building the node's images" "$STATE/log/build-images.log" go_images
}

go_images() {
  (cd "$ROOT" && go run ./hack/images node --coredns "$BIN/coredns" --bin "$BIN")
}
