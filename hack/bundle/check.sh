#!/bin/bash
# Lets the published tools judge bundle and catalog. A warning fails, but for those that say nothing about the bundle.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

readonly tolerated='the .{0,2}operatorhub.{0,2} validator is deprecated|unable to inspect the image|\[.?"error/error|Container tool set'
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

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go run -C hack/bundle . -root "$PWD" -variant community -out "$scratch/community"
go run -C hack/bundle . -root "$PWD" -make catalog -variant community -out "$scratch/catalog"

for folder in bundle "$scratch/community" catalog/released/1.0.0; do
  for selection in suite=operatorframework name=operatorhubv2 name=operatorhub name=good-practices name=capabilities name=categories; do
    judge "operator-sdk $selection $folder" bin/operator-sdk bundle validate "$folder" --select-optional "$selection" --optional-values=k8s-version=1.35
  done
  judge "operator-sdk alpha-deprecated-apis $folder" bin/operator-sdk bundle validate "$folder" --select-optional name=alpha-deprecated-apis --optional-values=k8s-version=1.26
  judge "operator-sdk multiarch $folder" bin/operator-sdk bundle validate "$folder" --select-optional name=multiarch --optional-values=container-tools=none
done

catalog=catalog/open-redis-enterprise-operator
judge "opm validate" bin/opm validate "$catalog"
judge "opm validate community" bin/opm validate "$scratch/catalog"
# shellcheck disable=SC2317 # judge calls it
# rendered FOLDER VERSION compares what opm makes of a bundle with what the catalog holds.
rendered() {
  bin/opm render "$1" -o yaml --alpha-image-ref-template "quay.io/open-redis-enterprise/operator-bundle:v$2" \
    --migrate-level bundle-object-to-csv-metadata 2>"$scratch/render.log" | diff - "$catalog/bundles/open-redis-enterprise-operator.v$2.yaml"
}
# opm reads no registry here, but asks for a policy all the same.
mkdir -p "$scratch/.config/containers"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$scratch/.config/containers/policy.json"
export HOME=$scratch
judge "opm render 1.0.0" rendered catalog/released/1.0.0 1.0.0
judge "opm render head" rendered bundle "$(sed -n 's/^version: //p' config/manifests/release.yaml)"
judge "opm serve" bin/opm serve "$catalog" --cache-dir "$scratch/cache" --cache-only --pprof-addr ""
exit $failed
