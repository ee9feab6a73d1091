# The programs that come from the distribution: the container runtime and network tools.
# shellcheck shell=bash

# COMMAND=PACKAGE, as Debian and its relatives name them.
NEEDED_COMMANDS=(
  containerd=containerd ctr=containerd runc=runc
  iptables=iptables conntrack=conntrack nft=nftables
  ip=iproute2 ethtool=ethtool nsenter=util-linux mount=mount openssl=openssl
)
CNI_FOLDERS=(/usr/lib/cni /opt/cni/bin)

missing_commands() {
  local entry missing=()
  for entry in "${NEEDED_COMMANDS[@]}"; do
    command -v "${entry%%=*}" >/dev/null || missing+=("${entry%%=*}")
  done
  cni_folder >/dev/null || missing+=(bridge-cni-plugin)
  echo "${missing[*]}"
}

missing_packages() {
  local entry
  for entry in "${NEEDED_COMMANDS[@]}"; do
    command -v "${entry%%=*}" >/dev/null || echo "${entry##*=}"
  done
  cni_folder >/dev/null || echo containernetworking-plugins
}

missing_packages_can_be_had() { [ -z "$(missing_commands)" ] || command -v apt-get >/dev/null; }

# cni_folder prints where the CNI plugins are.
cni_folder() {
  local folder
  for folder in "${CNI_FOLDERS[@]}"; do
    if [ -x "$folder/bridge" ] && [ -x "$folder/host-local" ]; then
      echo "$folder"
      return
    fi
  done
  return 1
}

command_install() {
  local packages
  mapfile -t packages < <(missing_packages | sort -u)
  [ ${#packages[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: ${packages[*]}"
  mkdir -p "$STATE/log"
  with_progress "installing ${packages[*]}" "$STATE/log/apt.log" apt_install "${packages[@]}"
}

# apt_install tries with the package lists at hand, and only then with fresh ones.
# Nothing may start by being installed: our containerd is not the machine's.
apt_install() {
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    # shellcheck disable=SC2064 # this very file
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@")
  "${install[@]}" || { apt-get update && "${install[@]}"; }
}
