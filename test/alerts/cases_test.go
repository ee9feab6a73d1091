package alerts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// ruleTests is what we need to know of a file of promtool's rule tests.
type ruleTests struct {
	Tests []struct {
		Name   string `json:"name"`
		Series []struct {
			Series string `json:"series"`
		} `json:"input_series"`
		Exprs []struct {
			Samples []struct {
				Labels string `json:"labels"`
			} `json:"exp_samples"`
		} `json:"promql_expr_test"`
	} `json:"tests"`
}

// TestEveryAlertFiresAndDoesNotInATest reads the cases that promtool runs: each alert must be expected by one, and each
// metric it looks at must be given by one in which nothing fires.
func TestEveryAlertFiresAndDoesNotInATest(t *testing.T) {
	files, err := filepath.Glob("testdata/*.test.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	var fires string
	quiet := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all ruleTests
		if err := yaml.Unmarshal(raw, &all); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, test := range all.Tests {
			expected := 0
			for _, e := range test.Exprs {
				for _, s := range e.Samples {
					fires += s.Labels + "\n"
					expected++
				}
			}
			for _, s := range test.Series {
				if name, _, _ := strings.Cut(s.Series, "{"); expected == 0 {
					quiet[name] = true
				}
			}
		}
	}
	for _, a := range all() {
		if !strings.Contains(fires, `alertname="`+a.Name+`", severity="`+string(a.Severity)+`"`) {
			t.Errorf("no test lets %s (%s) fire", a.Name, a.Severity)
		}
		for _, name := range metricsIn(a.Expr) {
			if !quiet[name] {
				t.Errorf("no test shows %s (%s) with %s and quiet", a.Name, a.Severity, name)
			}
		}
	}
}
