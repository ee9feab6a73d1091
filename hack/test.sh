#!/bin/bash
# All tests of the module with the race detector, in two parts: first what needs little, whose packages are compiled on
# the way, then the suites that run whole clusters. Those watch clocks: beside a compiler, or more than two at once, they
# would measure the machine. make lint vets all of it; to do so here would type-check every dependency once more. PACKAGES
# limits both parts; TESTFLAGS are added. BESIDE is a command that may take what processor time the second part leaves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

GO=${GO:-go}
export GOGC=${GOGC:-400} # the compiler, too, is done sooner when it collects less garbage
# No debugger looks at these programs, and the checks of unsafe pointers cost a tenth of the time for code that has none.
raced="${GOFLAGS:-} '-gcflags=all=-dwarf=false -d=checkptr=0'"
heavy=(./test/integration ./internal/emulator ./test/crash ./test/tlsprofile ./hack/lite)

# shellcheck disable=SC2086 # a list of patterns
mapfile -t all < <($GO list ${PACKAGES:-./...})
mapfile -t whole < <($GO list "${heavy[@]}")
light=() clusters=()
for p in "${all[@]}"; do
  [[ " ${whole[*]} " == *" $p "* ]] || light+=("$p")
done
for p in "${whole[@]}"; do # the longest begins first, whatever its name
  if [[ " ${all[*]} " == *" $p "* ]]; then clusters+=("$p"); fi
done

failed=0 times=""
part() { # name, flags, packages
  local name=$1 flags=$2 start=$SECONDS
  shift 2
  (($# == 0)) && return
  # shellcheck disable=SC2086 # both are lists of flags
  CGO_ENABLED=1 GOFLAGS=$raced $GO test -race -vet=off -timeout 20m $flags ${TESTFLAGS:-} "$@" || failed=1
  times+=$(printf '\n  %-16s %5d s' "$name" $((SECONDS - start)))
}

part "packages" "" "${light[@]}"

# The clusters wait for more than half of their time, and at this priority a compiler hardly holds them up.
said=$(mktemp)
nice -n 10 ${BESIDE:-true} >"$said" 2>&1 &
beside=$!
trap 'kill $beside 2>/dev/null || true; rm -f "$said"' EXIT
part "whole clusters" "-p 2" "${clusters[@]}"
start=$SECONDS
wait $beside || failed=1
times+=$(printf '\n  %-16s %5d s' "beside them" $((SECONDS - start)))
cat "$said"
echo "make test: $SECONDS s$times"
exit $failed
