package static

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"

	"github.com/open-redis-enterprise/operator/catalog/released"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

const head = "../../bundle"

// TestSuite runs the suite redis-static as the pods do.
func TestSuite(t *testing.T) {
	b, err := Read("bundle", head)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range Tests {
		t.Run(test.Name, func(t *testing.T) { test.Run(t, b) })
	}
}

// TestEachTestFails proves that each test of the suite notices a bundle that it is there to refuse.
func TestEachTestFails(t *testing.T) {
	const csv = "manifests/open-redis-enterprise-operator.clusterserviceversion.yaml"
	const databases = "manifests/app.redislabs.com_redisenterprisedatabases.yaml"
	damages := map[string]damage{
		"descriptors-complete":  {"memorySizes does not exist", replace(csv, "path: memorySize\n", "path: memorySizes\n")},
		"examples-valid":        {"spec.nodes", replace(csv, `"nodes": 3`, `"nodes": "three"`)},
		"images-pinned":         {"containerImage is docker.io", replace(csv, "containerImage: quay.io/", "containerImage: docker.io/")},
		"certified-annotations": {"csi is", replace(csv, `features.operators.openshift.io/csi: "false"`, "features.operators.openshift.io/csi: ”false”")},
		"pod-security":          {"not restricted", replace(csv, "runAsNonRoot: true", "runAsNonRoot: false")},
		"rbac-least-privilege":  {"wildcard", replace(csv, "- routes/custom-host", "- '*'")},
		"upgrade-graph":         {"skipRange", replace(csv, "'>=1.0.0 <1.1.0'", "'>=1.0.1 <1.1.0'")},
		"crd-upgrade-safety":    {"field memorySize is gone", replace(databases, "memorySize:\n", "memory:\n")},
		"webhooks-sane":         {"sideEffects", replace(csv, "sideEffects: None", "sideEffects: Some")},
		"olmv1-compatible":      {"AllNamespaces is not supported", replace(csv, "supported: true\n    type: AllNamespaces", "supported: false\n    type: AllNamespaces")},
		"budget":                {"bytes packed", noise},
	}
	for _, test := range Tests {
		t.Run(test.Name, func(t *testing.T) {
			d, there := damages[test.Name]
			if !there {
				t.Fatal("nothing proves that it can fail")
			}
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(head)); err != nil {
				t.Fatal(err)
			}
			d.do(t, folder)
			b, err := Read("damaged", folder)
			if err != nil {
				t.Fatal(err)
			}
			result := report.Result(test.Name, func(r report.T) { test.Run(r, b) })
			if result.State != scorecard.FailState || !strings.Contains(strings.Join(result.Errors, "\n"), d.finding) {
				t.Errorf("state %s, findings %q, want %q among them", result.State, result.Errors, d.finding)
			}
		})
	}
}

// damage is what is done to a bundle, and what is then found.
type damage struct {
	finding string
	do      func(t *testing.T, folder string)
}

func replace(file, from, to string) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		t.Helper()
		path := filepath.Join(folder, file)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(raw), from, to)
		if text == string(raw) {
			t.Fatalf("%s does not hold %q", file, from)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// noise puts a file into a bundle that cannot be packed.
func noise(t *testing.T, folder string) {
	t.Helper()
	content := make([]byte, 2*mostPacked)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "metadata", "noise.bin"), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReadRelease checks that a release is found by the name of its CSV, and one that is not there is an error.
func TestReadRelease(t *testing.T) {
	r, err := ReadRelease(released.Bundles, "open-redis-enterprise-operator.v1.0.0")
	if err != nil || len(r.CRDs) != 4 || r.CSV.Spec.Version.String() != "1.0.0" {
		t.Errorf("%d CRDs of %s, %v", len(r.CRDs), r.CSV.Spec.Version, err)
	}
	for _, name := range []string{"open-redis-enterprise-operator.v0.1.0", "other.v1.0.0", "nothing"} {
		if _, err := ReadRelease(released.Bundles, name); err == nil {
			t.Errorf("%s was found", name)
		}
	}
}
