# Output: one line per step, with the seconds since the start.
# shellcheck shell=bash

STARTED=$(date +%s)

say() { printf '[%4ds] %s\n' "$(($(date +%s) - STARTED))" "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# wait_for WHAT SECONDS COMMAND...: asks until the answer is yes.
wait_for() {
  local what=$1 end=$(($(date +%s) + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$(date +%s)" -ge "$end" ]; then
      say "gave up waiting for: $what (logs are in $STATE/log)"
      return 1
    fi
    sleep 0.2
  done
  say "$what"
}

# with_progress LABEL LOG COMMAND...: runs it with its output in LOG, and shows that time passes.
with_progress() {
  local label=$1 log=$2 began pid
  shift 2
  began=$(date +%s)
  say "$label ..."
  # A group of its own, so that all of it can be ended: a background job does not hear Ctrl-C.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  # shellcheck disable=SC2064 # this very process
  trap "kill -TERM -- -$pid 2>/dev/null; exit 130" INT TERM
  local shown=0 spent
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.5
    spent=$(($(date +%s) - began))
    if [ $((spent - shown)) -ge 30 ]; then
      shown=$spent
      say "$label ... ${spent}s"
    fi
  done
  trap - INT TERM
  if ! wait "$pid"; then
    tail -n 20 "$log" >&2
    die "$label failed; all of its output is in $log"
  fi
  say "$label: done in $(($(date +%s) - began))s"
}

# wait_quietly SECONDS COMMAND...: the same without words.
wait_quietly() {
  local end=$(($(date +%s) + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.1
  done
}
