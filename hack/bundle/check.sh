#!/bin/bash
# Lets the published tools judge bundle and catalog. A warning fails, but for those that say nothing about the bundle.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

readonly tolerated='the .?operatorhub.? validator|operatorhub validator is deprecated|unable to inspect the image|Container tool set'
failed=0

# judge NAME COMMAND... runs a tool and shows what it complains about.
judge() {
  local name=$1 output status=0
  shift
  output=$("$@" 2>&1) || status=$?
  if ((status != 0)) || grep -iE 'warn|error' <<<"$output" | grep -qivE "$tolerated"; then
    printf '%s\n%s\n' "FAIL $name" "$output"
    failed=1
  else
    echo "ok   $name"
  fi
}

community=$(mktemp -d)
trap 'rm -rf "$community"' EXIT
go run -C hack/bundle . -root "$PWD" -variant community -out "$community/bundle"

for folder in bundle "$community/bundle" catalog/released/1.0.0; do
  for selection in suite=operatorframework name=operatorhubv2 name=operatorhub name=good-practices name=capabilities name=categories; do
    judge "operator-sdk $selection $folder" bin/operator-sdk bundle validate "$folder" --select-optional "$selection" --optional-values=k8s-version=1.35
  done
  judge "operator-sdk alpha-deprecated-apis $folder" bin/operator-sdk bundle validate "$folder" --select-optional name=alpha-deprecated-apis --optional-values=k8s-version=1.26
  judge "operator-sdk multiarch $folder" bin/operator-sdk bundle validate "$folder" --select-optional name=multiarch --optional-values=container-tools=none
done
judge "opm validate" bin/opm validate catalog/open-redis-enterprise-operator
exit $failed
