package check

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
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
	told := map[string]bool{} // the roles for people share a rule
	for _, rule := range rulesOf(rolesIn(t, filepath.Join(root, "config/rbac"))) {
		want := row(rule)
		if told[want] {
			continue
		}
		told[want] = true
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

func rulesOf(roles []rbacv1.ClusterRole) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, role := range roles {
		out = append(out, role.Rules...)
	}
	return out
}

// rolesIn reads all roles, and all else that has rules, of a folder.
func rolesIn(t *testing.T, folder string) []rbacv1.ClusterRole {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var out []rbacv1.ClusterRole
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
			out = append(out, role)
		}
	}
	return out
}

// people are the three roles of each kind: which built-in role they join, and what they may do.
var people = []struct {
	suffix, joins string
	verbs         []string
}{
	{"-admin-role", "admin", []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}},
	{"-editor-role", "edit", []string{"create", "delete", "get", "list", "patch", "update", "watch"}},
	{"-viewer-role", "view", []string{"get", "list", "watch"}},
}

// TestEveryKindHasRolesForPeople: in a plain installation and in the bundle alike.
func TestEveryKindHasRolesForPeople(t *testing.T) {
	for from, folder := range map[string]string{"config/rbac": filepath.Join(root, "config/rbac"), "the bundle": filepath.Join(root, "bundle/manifests")} {
		roles := map[string]rbacv1.ClusterRole{}
		for _, role := range rolesIn(t, folder) {
			if role.Kind == "ClusterRole" {
				roles[role.Name] = role
			}
		}
		for _, crd := range source(t).CRDs {
			for _, p := range people {
				role, there := roles[crd.Spec.Names.Singular+p.suffix]
				want := []rbacv1.PolicyRule{
					{APIGroups: []string{crd.Spec.Group}, Resources: []string{crd.Spec.Names.Plural}, Verbs: p.verbs},
					{APIGroups: []string{crd.Spec.Group}, Resources: []string{crd.Spec.Names.Plural + "/status"}, Verbs: []string{"get"}},
				}
				if !there || !reflect.DeepEqual(role.Rules, want) || role.Labels["rbac.authorization.k8s.io/aggregate-to-"+p.joins] != "true" {
					t.Errorf("%s: %s%s is %+v", from, crd.Spec.Names.Singular, p.suffix, role)
				}
			}
		}
	}
}
