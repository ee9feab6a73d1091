# Control groups: the node gets one group of its own, in version 1 one per controller.
# shellcheck shell=bash

CGROUPS=/sys/fs/cgroup
CGROUP_CONTROLLERS=(cpu cpuset memory pids)

cgroup_version() {
  if [ -e "$CGROUPS/cgroup.controllers" ]; then
    echo 2
  elif [ -d "$CGROUPS/memory" ]; then
    echo 1
  else
    echo none
  fi
}

# cgroup_mounts prints the folder of every hierarchy.
cgroup_mounts() {
  if [ "$(cgroup_version)" = 2 ]; then
    echo "$CGROUPS"
    return
  fi
  local folder
  for folder in "$CGROUPS"/*/; do
    [ ! -e "${folder}cgroup.procs" ] || readlink -f "$folder"
  done | sort -u
}

cgroups_writable() {
  local probe
  probe=$(cgroup_mounts | head -n 1)/"$CGROUP".probe.$$
  mkdir "$probe" 2>/dev/null && rmdir "$probe"
}

make_cgroups() {
  local folder
  for folder in $(cgroup_mounts); do
    mkdir -p "$folder/$CGROUP"
    if [ -e "$folder/cpuset.cpus" ] && [ "$(cgroup_version)" = 1 ]; then
      # A new group of this controller is empty, and nothing can run in it.
      cat "$folder/cpuset.cpus" >"$folder/$CGROUP/cpuset.cpus"
      cat "$folder/cpuset.mems" >"$folder/$CGROUP/cpuset.mems"
    fi
  done
  [ "$(cgroup_version)" = 1 ] || delegate_controllers
}

# delegate_controllers lets version 2 groups below the root have controllers. In a container the
# root we see is an ordinary group, and those may not have both processes and controllers:
# then the processes move down, and back up again when the cluster goes.
delegate_controllers() {
  local controller before
  before=$(cat "$CGROUPS/cgroup.subtree_control")
  echo "$before" >"$STATE/run/cgroup.delegated"
  if [ -e "$CGROUPS/cgroup.type" ]; then
    mkdir -p "$CGROUPS/$CGROUP.rest"
    move_processes "$CGROUPS" "$CGROUPS/$CGROUP.rest"
  fi
  for controller in "${CGROUP_CONTROLLERS[@]}"; do
    echo "+$controller" >"$CGROUPS/cgroup.subtree_control"
    echo "+$controller" >"$CGROUPS/$CGROUP/cgroup.subtree_control"
  done
}

# undelegate_controllers also takes back the controllers that the runtime added to ours.
undelegate_controllers() {
  [ -e "$STATE/run/cgroup.delegated" ] || return 0
  local controller controllers
  read -r -a controllers <"$CGROUPS/cgroup.subtree_control" || true
  for controller in "${controllers[@]}"; do
    grep -qw "$controller" "$STATE/run/cgroup.delegated" \
      || echo "-$controller" >"$CGROUPS/cgroup.subtree_control" || true
  done
  if [ -d "$CGROUPS/$CGROUP.rest" ]; then
    move_processes "$CGROUPS/$CGROUP.rest" "$CGROUPS"
    rmdir "$CGROUPS/$CGROUP.rest"
  fi
}

# move_processes FROM TO: some end while we look, and kernel threads stay; neither matters.
move_processes() {
  local pid
  while read -r pid; do
    echo "$pid" >"$2/cgroup.procs" || true
  done <"$1/cgroup.procs" 2>/dev/null
}

# cgroup_groups lists our groups, the innermost first.
cgroup_groups() {
  local folder
  for folder in $(cgroup_mounts); do
    [ ! -d "$folder/$CGROUP" ] || find "$folder/$CGROUP" -depth -type d
  done
}

cgroups_gone() {
  cgroup_groups | while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
  [ -z "$(cgroup_groups)" ]
}

remove_cgroups() {
  wait_quietly 10 cgroups_gone || say "some control groups are still in use: $(cgroup_groups | head -n 3)"
  [ "$(cgroup_version)" != 2 ] || undelegate_controllers
}
