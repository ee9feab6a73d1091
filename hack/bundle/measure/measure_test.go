package measure

import (
	"os"
	"strings"
	"testing"
)

const small = `
metadata:
  name: x.v1.0.0
  annotations:
    capabilities: Basic Install
    alm-examples: '[{"kind":"A"},{"kind":"B"}]'
    features.operators.openshift.io/disconnected: "true"
    features.operators.openshift.io/cnf: “false”
spec:
  customresourcedefinitions:
    owned:
    - {name: as.x, kind: A, version: v1, specDescriptors: [{path: a}, {path: a}], statusDescriptors: [{path: s}]}
    - {name: bs.x, kind: B, version: v1, resources: [{kind: Pod, version: v1}]}
  installModes: [{type: OwnNamespace, supported: true}, {type: AllNamespaces, supported: false}]
  relatedImages: [{name: a, image: "x:1"}, {name: b, image: "x@sha256:1"}]
  webhookdefinitions: [{admissionReviewVersions: [v1beta1]}]
  install:
    strategy: deployment
    spec:
      deployments:
      - name: d
        spec:
          template:
            spec:
              containers:
              - name: c
                env: [{name: RELATED_IMAGE_X, value: y}]
                livenessProbe: {httpGet: {path: /a, port: 1}}
                readinessProbe: {exec: {command: ["true"]}}
`

func TestRow(t *testing.T) {
	row, err := Row([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	want := "x.v1.0.0,Basic Install,2,1,2,1,1,2,1,2,1,1,1/2,v1beta1,-,1"
	if got := strings.Join(row, ","); got != want || len(row) != len(Columns) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestPageShowsOurRow: the row of this bundle in docs/bundle-comparison.md is measured, not written.
func TestPageShowsOurRow(t *testing.T) {
	const root = "../../.."
	manifest, err := os.ReadFile(root + "/bundle/manifests/open-redis-enterprise-operator.clusterserviceversion.yaml")
	if err != nil {
		t.Fatal(err)
	}
	row, err := Row(manifest)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(root + "/docs/bundle-comparison.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{Line(Columns), Line(row)} {
		if !strings.Contains(string(page), line+"\n") {
			t.Errorf("docs/bundle-comparison.md lacks the line\n%s", line)
		}
	}
}
