# Can this machine run a node? Says why not, with an exit code of its own.
# shellcheck shell=bash

require_able_machine() {
  local reason
  if ! reason=$(why_unable); then
    say "this machine cannot run a Kubernetes node: $reason"
    exit "$EXIT_UNABLE"
  fi
}

# why_unable prints the first reason against this machine and fails, or succeeds silently.
why_unable() {
  [ "$(uname -s)" = Linux ] || { echo "it runs $(uname -s), and a node needs Linux"; return 1; }
  [ "$(id -u)" = 0 ] || { echo "a node needs root (you are $(id -un))"; return 1; }
  grep -qE '^ *0 +0 +4294967295$' /proc/self/uid_map || { echo "you are root of a user namespace only"; return 1; }
  [ -e /dev/kmsg ] || { echo "there is no /dev/kmsg, which the kubelet reads (in a container it has to be passed in)"; return 1; }
  command -v unshare >/dev/null || { echo "there is no unshare (package util-linux)"; return 1; }
  unshare --mount --net --pid --ipc --uts --fork --mount-proc true 2>/dev/null \
    || { echo "the kernel does not let us make mount, network and process namespaces"; return 1; }
  case $(cgroup_version) in
    none) echo "no cgroups are mounted on /sys/fs/cgroup"; return 1 ;;
    1) for c in cpu cpuacct cpuset memory pids; do
         [ -d "/sys/fs/cgroup/$c" ] || { echo "there is no cgroup controller $c"; return 1; }
       done ;;
    2) for c in cpu cpuset memory pids; do
         grep -qw "$c" /sys/fs/cgroup/cgroup.controllers || { echo "there is no cgroup controller $c"; return 1; }
       done ;;
  esac
  cgroups_writable || { echo "cgroups cannot be made (/sys/fs/cgroup is read-only)"; return 1; }
  missing_packages_can_be_had || { echo "these commands are missing and there is no apt-get to install them: $(missing_commands)"; return 1; }
}
