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

// TestEachTestFails proves that each test of the suite notices a bundle that it is there to refuse, with each of its checks.
func TestEachTestFails(t *testing.T) {
	for _, test := range Tests {
		t.Run(test.Name, func(t *testing.T) {
			if len(damages[test.Name]) != len(test.Checks) {
				t.Fatalf("%d checks, and %d of them are proved to fail", len(test.Checks), len(damages[test.Name]))
			}
			for i, check := range test.Checks {
				if len(damages[test.Name][i]) == 0 {
					t.Errorf("nothing proves that check %d can fail", i)
				}
				for _, d := range damages[test.Name][i] {
					t.Run(d.finding, func(t *testing.T) {
						t.Parallel()
						d.isFound(t, check)
					})
				}
			}
		})
	}
}

func (d damage) isFound(t *testing.T, check Check) {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(head)); err != nil {
		t.Fatal(err)
	}
	d.do(t, folder)
	b, err := Read("damaged", folder)
	if err != nil {
		t.Fatal(err)
	}
	result := report.Result("check", func(r report.T) { check(r, b) })
	if result.State != scorecard.FailState || !strings.Contains(strings.Join(result.Errors, "\n"), d.finding) {
		t.Errorf("state %s, findings %q, want %q among them", result.State, result.Errors, d.finding)
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

// file puts a file into a bundle.
func file(name, content string) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
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
