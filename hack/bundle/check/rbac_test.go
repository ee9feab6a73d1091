package check

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// row is a rule as docs/rbac.md writes it.
func row(rule rbacv1.PolicyRule) string {
	group := rule.APIGroups[0]
	if group == "" {
		group = "core"
	}
	resources := strings.Join(rule.Resources, ", ")
	if len(rule.ResourceNames) > 0 {
		resources += " named " + strings.Join(rule.ResourceNames, ", ")
	}
	return "| " + group + " | " + resources + " | " + strings.Join(rule.Verbs, " ") + " |"
}

func TestEveryRuleHasItsReason(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) == 4 && strings.Contains(line, ".") {
			if reason := strings.TrimSuffix(cells[3], " |"); len(reason) < 10 {
				t.Errorf("no reason: %s", line)
			}
			written = append(written, strings.Join(cells[:3], " | ")+" |")
		}
	}
	for _, rule := range rulesIn(t, filepath.Join(root, "config/rbac")) {
		want := row(rule)
		if i := slices.Index(written, want); i >= 0 {
			written = slices.Delete(written, i, i+1)
		} else {
			t.Errorf("docs/rbac.md lacks: %s reason |", want)
		}
	}
	for _, rest := range written {
		t.Errorf("docs/rbac.md explains a rule that is not there: %s", rest)
	}
}

func rulesIn(t *testing.T, folder string) []rbacv1.PolicyRule {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var out []rbacv1.PolicyRule
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
		for {
			var role rbacv1.ClusterRole
			if err := decoder.Decode(&role); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			out = append(out, role.Rules...)
		}
	}
	return out
}
