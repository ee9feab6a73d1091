package imports

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// root is the folder of the project.
const root = "../.."

// right is one verb on one kind of resource.
type right struct{ group, resource, verb string }

func (r right) String() string { return fmt.Sprintf("%s %s in group %q", r.verb, r.resource, r.group) }

// needsNoMarker are rights that code outside this module asks for, or that are for whoever installs the operator.
func needsNoMarker(r right) bool {
	switch {
	case r.group == "app.redislabs.com" && r.resource == "*":
		return true // its own kinds as a whole, subresources included
	case r.group == "coordination.k8s.io":
		return true // leader election, by controller-runtime
	}
	return false
}

// TestRBACMarkersAgreeWithTheRole compares what the code says it needs, in markers beside it, with what the Role gives.
func TestRBACMarkersAgreeWithTheRole(t *testing.T) {
	asked, given := markedRights(t), roleRights(t)
	for _, r := range slices.SortedFunc(maps.Keys(asked), compareRights) {
		if !given[r] && !given[right{r.group, "*", r.verb}] {
			t.Errorf("config/rbac/role.yaml lacks %s, which %s asks for", r, asked[r])
		}
	}
	for _, r := range slices.SortedFunc(maps.Keys(given), compareRights) {
		if asked[r] == "" && !needsNoMarker(r) {
			t.Errorf("config/rbac/role.yaml gives %s, and no marker asks for it", r)
		}
	}
}

func compareRights(a, b right) int { return strings.Compare(a.String(), b.String()) }

// markedRights are the rights that +kubebuilder:rbac markers name, and the file of one marker of each.
func markedRights(t *testing.T) map[right]string {
	t.Helper()
	const marker = "+kubebuilder:rbac:"
	rights := map[right]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(content)) {
			comment, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
			text, marked := strings.CutPrefix(strings.TrimSpace(comment), marker)
			if !ok || !marked {
				continue
			}
			for _, r := range rightsOf(text) {
				rights[r] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rights) == 0 {
		t.Fatal("no markers were found")
	}
	return rights
}

// rightsOf reads a marker such as groups=apps,resources=deployments;statefulsets,verbs=get;list. Cluster-wide rights,
// which carry a name of the resource or none in a namespace, are not the Role's.
func rightsOf(marker string) []right {
	fields := map[string][]string{}
	for _, part := range strings.Split(marker, ",") {
		key, value, _ := strings.Cut(part, "=")
		fields[key] = strings.Split(strings.Trim(value, `"`), ";")
	}
	var rights []right
	for _, group := range fields["groups"] {
		for _, resource := range fields["resources"] {
			for _, verb := range fields["verbs"] {
				rights = append(rights, right{strings.Trim(group, `"`), resource, verb})
			}
		}
	}
	return rights
}

func roleRights(t *testing.T) map[right]bool {
	t.Helper()
	rights := map[right]bool{}
	for _, role := range append(rolesIn(t, "role.yaml", "Role"), rolesIn(t, "tls_profile.yaml", "ClusterRole")...) {
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						rights[right{group, resource, verb}] = true
					}
				}
			}
		}
	}
	if len(rights) == 0 {
		t.Fatal("the Role gives nothing")
	}
	return rights
}

// rolesIn reads the roles of one kind from a file of config/rbac. What counts of a role is the same for both kinds.
func rolesIn(t *testing.T, file, kind string) []rbacv1.Role {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "config", "rbac", file))
	if err != nil {
		t.Fatal(err)
	}
	var roles []rbacv1.Role
	for _, document := range strings.Split(string(raw), "\n---") {
		var role rbacv1.Role
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind == kind {
			roles = append(roles, role)
		}
	}
	return roles
}
