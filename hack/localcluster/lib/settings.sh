# Names, places and addresses. Everything the cluster writes is under STATE.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$HERE/../.." && pwd)
BIN=${LOCALCLUSTER_BIN:-$ROOT/bin}
STATE=${LOCALCLUSTER_STATE:-$ROOT/.local}
KUBELOCAL=$BIN/kubelocal

KUBERNETES_VERSION=1.35.4

NODE_NAME=local
HOST_INTERFACE=localkube0
CGROUP=localkube # the name of our control group

# The host and the node talk over a pair of interfaces in a network of their own.
HOST_IP=10.90.0.1
NODE_IP=10.90.0.2
POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
BALANCER_CIDR=10.97.0.0/24 # for Services of type LoadBalancer; who gives them an address is another matter
API_SERVICE_IP=10.96.0.1

# Inside the node's mount namespace /run is its own, and these are mounted there.
# A path that does not depend on where the project lies lets the configuration be plain files.
NODE_DIR=/run/localkube
CONTAINERD_SOCKET=/run/containerd/containerd.sock

# Exit code for "this machine cannot run a node", as opposed to "something went wrong".
EXIT_UNABLE=3
