#!/bin/bash
# The demo, the cluster it runs on, and the end-to-end suite on the same cluster: see docs/demo.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

export VERSION=${VERSION:-1.1.0} NODE_TAG=${NODE_TAG:-8.2.0-46.13} NEXT_TAG=${NEXT_TAG:-8.2.1-10.1}
export IMAGE=${IMAGE:-quay.io/open-redis-enterprise/operator:$VERSION} EMULATOR=${EMULATOR:-quay.io/open-redis-enterprise/emulator}
NAMESPACE=redis-enterprise
DEPLOYMENT=redis-enterprise-operator
LOCALCLUSTER=hack/localcluster/cluster
LOCAL_KUBECONFIG=$PWD/.local/kubeconfig
RELEASED=quay.io/open-redis-enterprise/operator:1.1.0 # the image that config/default names
EXIT_UNABLE=3                                         # what "cluster check" says of a machine that cannot run a node

usage() {
  cat >&2 <<TEXT
usage: demo.sh COMMAND [local|existing] [ARGS]
  up        prepare the cluster and run the demo
  cluster   only prepare the cluster: start it (local), bring the images there (local), deploy the operator
  e2e ARGS  prepare the cluster and run the end-to-end suite; ARGS go to the suite. On the local cluster real proxies
            and a real Prometheus are built for it as well
  down      remove what the other commands made, and the local cluster with it
TEXT
  exit 2
}

say() { printf '\n== %s\n' "$*"; }

# part WHAT COMMAND...: runs one part and says how long it took.
part() {
  local what=$1 began=$SECONDS
  shift
  say "$what"
  "$@"
  printf '   %s: %ds\n' "$what" $((SECONDS - began))
}

# choose_cluster sets KUBECONFIG and KUBECTL.
choose_cluster() {
  case $cluster in
    local)
      export KUBECONFIG=$LOCAL_KUBECONFIG
      KUBECTL=bin/kubectl
      ;;
    existing)
      KUBECTL=$(type -P kubectl || echo bin/kubectl) # not the function of that name
      if [ ! -x "$KUBECTL" ]; then
        echo "no kubectl on the PATH: building one"
        $LOCALCLUSTER build kube
      fi
      ;;
    *) usage ;;
  esac
}

# prepare brings the operator onto the cluster.
prepare() {
  part "building the images" hack/demo/images.sh
  if [ "$cluster" = local ]; then
    part "starting the local Kubernetes" $LOCALCLUSTER up
    part "loading the images" load_images
  else
    echo "   $(kubectl config current-context) has to find $IMAGE and $EMULATOR: docs/demo.md says how to bring them there"
  fi
  part "deploying the operator" deploy
}

kubectl() { "$KUBECTL" "$@"; }

load_images() {
  load bin/images/operator.tar "bin/images/emulator-$NODE_TAG.tar" "bin/images/emulator-$NEXT_TAG.tar"
}

# load ARCHIVE... loads what this cluster does not have yet. The notes live and die with the node's own state.
load() {
  local archive noted=.local/node/loaded
  mkdir -p $noted
  for archive in "$@"; do
    if cmp -s "$archive.stamp" "$noted/$(basename "$archive")"; then
      echo "   $(basename "$archive") is there already"
      continue
    fi
    $LOCALCLUSTER load "$archive"
    cp "$archive.stamp" "$noted/$(basename "$archive")"
    [ "$archive" != bin/images/operator.tar ] || operator_changed=yes
  done
}

deploy() {
  local was_there
  ensure_namespace
  was_there=$(kubectl -n $NAMESPACE get deployment/$DEPLOYMENT --ignore-not-found -o name)
  manifests | kubectl apply --server-side --force-conflicts -f - | grep -v 'serverside-applied$' || true
  if [ -n "$was_there" ] && [ "${operator_changed:-no}" = yes ]; then # the same tag with new content: running pods have to be told
    kubectl -n $NAMESPACE rollout restart deployment -l app=redis-enterprise >/dev/null
  fi
  kubectl -n $NAMESPACE rollout status deployment/$DEPLOYMENT --timeout=180s
  kubectl wait --for=condition=Established crd/redisenterpriseclusters.app.redislabs.com crd/redisenterprisedatabases.app.redislabs.com --timeout=60s >/dev/null
}

# manifests are config/default as it is; only IMAGE, when given, replaces the released image.
manifests() {
  kubectl kustomize config/default | if [ "$IMAGE" = "$RELEASED" ]; then cat; else sed "s|$RELEASED|$IMAGE|"; fi
}

ensure_namespace() {
  kubectl get namespace $NAMESPACE >/dev/null 2>&1 && return
  kubectl create namespace $NAMESPACE
  kubectl label namespace $NAMESPACE pod-security.kubernetes.io/enforce=restricted open-redis-enterprise.io/demo=true >/dev/null
}

# require_node falls back to the demo without a node where the machine cannot run one.
require_node() {
  [ "$cluster" = local ] || return 0
  local status=0
  $LOCALCLUSTER check || status=$?
  case $status in
    0) return 0 ;;
    "$EXIT_UNABLE")
      [ "$command" = up ] || exit "$status"
      echo "Running the demo without a node instead: make demo-lite"
      exec make demo-lite
      ;;
    *) exit "$status" ;;
  esac
}

up() {
  require_node
  prepare
  part "the demo" go run ./hack/demo --emulator "$EMULATOR" --tag "$NODE_TAG" --kubectl "$(shown_kubectl)"
  printf '\nmake demo: %ds\n' $SECONDS
}

# shown_kubectl is how the user can call kubectl afterwards.
shown_kubectl() {
  if [ "$cluster" = local ]; then echo "$LOCALCLUSTER kubectl"; else echo "$KUBECTL"; fi
}

e2e() {
  require_node
  prepare
  if [ "$cluster" = local ]; then
    part "building proxies and Prometheus" build_parts
    part "loading proxies and Prometheus" load bin/images/parts/*.tar
    set -- -parts "$@"
    export NODE_EXEC="$PWD/$LOCALCLUSTER exec" # how the suite changes the node's packet filter
  fi
  say "the end-to-end suite"
  EMULATOR=$EMULATOR KUBECTL=$(realpath --no-symlinks "$(type -P "$KUBECTL")") REDIS_CLI=$PWD/bin/redis/redis-cli go test -tags e2e -timeout 45m -count=1 -v ./test/e2e -args "$@"
}

# build_parts makes what the suite puts beside the operator, and a redis-cli that runs on this machine.
build_parts() {
  go run ./hack/images parts
  go run ./hack/images redis
}

down() {
  if [ "$cluster" = local ]; then
    $LOCALCLUSTER down
    return
  fi
  local kind
  for kind in redisenterprisedatabases redisenterpriseclusters; do
    kubectl -n $NAMESPACE delete "$kind.app.redislabs.com" --all --ignore-not-found --timeout=120s || true
  done
  kubectl -n $NAMESPACE delete persistentvolumeclaims,pods -l 'app in (redis-enterprise, demo-client)' --ignore-not-found
  for kind in webhook manager rbac; do
    kubectl -n $NAMESPACE delete --ignore-not-found -k config/$kind
  done
  if [ -n "$(kubectl get redisenterpriseclusters.app.redislabs.com -A -o name)" ]; then
    echo "other namespaces have clusters: the CRDs stay"
  else
    kubectl delete --ignore-not-found -k config/crd
  fi
  kubectl delete namespace -l open-redis-enterprise.io/demo=true --ignore-not-found
}

[ $# -gt 0 ] || usage
command=$1 cluster=${2:-local}
shift $(($# < 2 ? $# : 2))
choose_cluster
case $command in
  up | down | e2e) "$command" "$@" ;;
  cluster)
    require_node
    prepare
    ;;
  *) usage ;;
esac
