# Stopping the node. Its first process takes all others, all mounts and all interfaces with it;
# what is left to do is what lies outside of its namespaces.
# shellcheck shell=bash

command_down() {
  local keep=no
  case ${1:-} in
    '') ;;
    --keep) keep=yes ;;
    *) die "down knows only --keep" ;;
  esac
  [ -d "$STATE" ] || return 0
  [ "$(id -u)" = 0 ] || die "stopping the node needs root"
  take_lock
  if is_up; then
    say "stopping the node"
    kill -KILL "$(node_pid)"
    wait_quietly 30 node_gone || die "the node's first process does not end"
  fi
  remove_leftovers
  [ "$keep" = yes ] || forget_state
  say "down"
}

node_gone() { ! is_up; }

# remove_leftovers also repairs what an "up" or "down" that was itself killed left behind.
remove_leftovers() {
  [ -d "$STATE/run" ] || return 0
  kill_half_started
  ip link delete "$HOST_INTERFACE" 2>/dev/null || true
  remove_cgroups
  restore_sysctls
  rm -rf "$STATE/run"
}

# kill_half_started ends a node whose "up" was interrupted before it was noted as up. The parent
# takes the node with it; its number may belong to somebody else by now.
kill_half_started() {
  local parent
  [ -e "$STATE/run/parent" ] || return 0
  read -r parent <"$STATE/run/parent" || true
  if tr '\0' ' ' <"/proc/$parent/cmdline" 2>/dev/null | grep -qF "$HERE/node/init $STATE"; then
    kill -KILL "$parent" || true
  fi
}

restore_sysctls() {
  local name value
  [ -e "$STATE/run/sysctl.before" ] || return 0
  while read -r name value; do
    [ "$(cat "/proc/sys/$name")" = "$value" ] || echo "$value" >"/proc/sys/$name" || true
  done <"$STATE/run/sysctl.before"
}

# forget_state keeps only what makes the next start quick or explains this one: certificates and logs.
forget_state() {
  rm -rf "${STATE:?}"/{node,etc,kubeconfig}
}
