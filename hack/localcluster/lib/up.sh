# Starting the node: prepare its files, start it in namespaces of its own, wait for it.
# shellcheck shell=bash

# Settings of the whole machine that the kubelet changes or pods need more of.
MACHINE_SYSCTLS=(
  vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes fs/inotify/max_user_instances
)
INOTIFY_INSTANCES=8192

command_up() {
  require_able_machine
  mkdir -p "$STATE/log"
  take_lock
  if ! is_up; then
    remove_leftovers
    require_alone
    command_install
    command_build
    start_node
  fi
  wait_for_node
  say "kubeconfig: $STATE/kubeconfig"
}

take_lock() {
  exec 9>"$STATE/lock"
  # Waiting a little is for what a killed "up" was just doing.
  flock --timeout 15 9 || die "another up or down is at work on $STATE"
}

# is_up: the process we started is there, and still is the first of its own namespace.
is_up() {
  local pid namespace
  [ -e "$STATE/run/node" ] || return 1
  read -r pid namespace <"$STATE/run/node" || return 1
  [ "$(readlink "/proc/$pid/ns/pid" 2>/dev/null)" = "$namespace" ]
}

node_pid() { cut -d' ' -f1 "$STATE/run/node"; }

# node_run runs a command with the node's files and network.
node_run() { nsenter --target "$(node_pid)" --mount --net --wd=/ -- "$@"; }

start_node() {
  prepare_state
  make_pki
  record_sysctls
  load_kernel_modules
  make_cgroups
  launch
  connect_host
  install -m 600 "$STATE/pki/admin.kubeconfig" "$STATE/kubeconfig"
}

# require_alone: names and addresses on the host are fixed, so there is one local cluster at a time.
require_alone() {
  ! ip link show "$HOST_INTERFACE" >/dev/null 2>&1 \
    || die "there is an interface $HOST_INTERFACE already: a local cluster of another checkout runs on this machine"
}

prepare_state() {
  local folder
  rm -rf "$STATE/etc/certs.d"
  mkdir -p "$STATE/run" "$STATE/etc/cni" "$STATE/etc/certs.d"
  chmod 755 "$STATE"
  for folder in etcd kubelet containerd cni volumes; do
    mkdir -p "$STATE/node/$folder"
  done
  rm -rf "$STATE"/log/{pods,containers}
  find "$STATE/log" -maxdepth 1 -name '*.log' ! -name 'build-*' ! -name 'apt.log' -delete
  mkdir -p "$STATE"/log/{pods,containers}
  cp "$HERE"/node/{kubelet.yaml,kube-proxy.yaml,resolv.conf} "$STATE/etc/"
  cp "$HERE/node/cni.conflist" "$STATE/etc/cni/10-local.conflist"
  sed -e "s|@CNI_FOLDER@|$(cni_folder)|" -e "s|@SNAPSHOTTER@|$(snapshotter)|" \
    "$HERE/node/containerd.toml" >"$STATE/etc/containerd.toml"
}

# snapshotter: an overlay cannot lie on an overlay, as in a container's own file system.
snapshotter() {
  local probe=$STATE/run/overlay
  mkdir -p "$probe"/{lower,upper,work,merged}
  if unshare --mount mount -t overlay overlay \
    -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" "$probe/merged" 2>/dev/null; then
    echo overlayfs
  else
    echo native
  fi
  rm -rf "$probe"
}

record_sysctls() {
  local name
  for name in "${MACHINE_SYSCTLS[@]}"; do
    [ ! -r "/proc/sys/$name" ] || echo "$name $(cat "/proc/sys/$name")"
  done >"$STATE/run/sysctl.before"
  if [ "$(cat /proc/sys/fs/inotify/max_user_instances)" -lt $INOTIFY_INSTANCES ]; then
    echo $INOTIFY_INSTANCES >/proc/sys/fs/inotify/max_user_instances || say "inotify instances cannot be raised; many pods may run out of them"
  fi
}

# load_kernel_modules: a kernel that has them built in, or a container, knows no modprobe.
load_kernel_modules() {
  local module
  command -v modprobe >/dev/null || return 0
  for module in overlay br_netfilter veth bridge nf_conntrack; do
    modprobe "$module" 2>/dev/null || true
  done
}

launch() {
  local parent child namespace
  say "starting the node in namespaces of its own"
  setsid unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc \
    "$HERE/node/init" "$STATE" "$BIN" >"$STATE/log/node.log" 2>&1 </dev/null 9>&- &
  parent=$!
  echo "$parent" >"$STATE/run/parent"
  wait_quietly 10 first_child "$parent" || die "the node did not start, see $STATE/log/node.log"
  child=$(first_child "$parent")
  wait_quietly 10 own_namespaces "$child" || die "the node did not start, see $STATE/log/node.log"
  namespace=$(readlink "/proc/$child/ns/pid")
  echo "$child $namespace" >"$STATE/run/node"
}

first_child() {
  local child
  read -r child _ <"/proc/$1/task/$1/children" || true # the line has no end
  [ -n "$child" ] && echo "$child"
}

own_namespaces() {
  [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] \
    && [ "$(readlink "/proc/$1/ns/pid")" != "$(readlink /proc/self/ns/pid)" ]
}

# connect_host gives host and node an interface each. The routes let the host reach pods, services
# and load balancers by their addresses; they go when the interface goes.
connect_host() {
  local route
  ip link add "$HOST_INTERFACE" type veth peer name eth0 netns "$(node_pid)"
  ip address add "$HOST_IP/24" dev "$HOST_INTERFACE"
  ip link set "$HOST_INTERFACE" up
  for route in "$POD_CIDR" "$SERVICE_CIDR" "$BALANCER_CIDR"; do
    ip route add "$route" via "$NODE_IP" 2>/dev/null || say "this machine has a route for $route already: it cannot reach the cluster's own addresses"
  done
}

import_image() {
  node_run ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io images import - <"$1" >>"$STATE/log/import.log"
}

kubectl() { "$KUBELOCAL" kubectl --kubeconfig "$STATE/kubeconfig" "$@"; }

wait_for_node() {
  wait_for "API server ready" 120 kubectl --request-timeout=5s get --raw /readyz
  kubectl apply --server-side --force-conflicts --filename "$HERE/node/manifests" >"$STATE/log/addons.log" 2>&1 \
    || die "the add-ons do not apply, see $STATE/log/addons.log"
  wait_for "node ready" 120 node_ready
  wait_for "cluster DNS ready" 120 kubectl --namespace kube-system rollout status deployment/coredns --timeout=5s
  wait_for "default service account there" 60 kubectl --namespace default get serviceaccount default
}

# node_ready: after a restart with old state the node still looks ready from before, so its
# heartbeat has to be newer than the start of this kubelet.
node_ready() {
  local status heartbeat started
  started=$(stat -c %Y "$STATE/run/kubelet.started") || return 1
  read -r status heartbeat < <(kubectl --request-timeout=5s get node "$NODE_NAME" --output \
    'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{"\n"}{end}')
  [ "$status" = True ] && [ "$(date -d "$heartbeat" +%s)" -ge "$started" ]
}
