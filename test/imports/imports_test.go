// Package imports keeps the arrows between packages honest.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/open-redis-enterprise/operator/"

// allowed says what of ours a package may import, besides itself. Kinds must not import each other.
var allowed = map[string][]string{
	"apis":                  {"apis"},
	"internal/names":        {},
	"internal/board":        {"internal/names"},
	"internal/outcome":      {"internal/names", "apis"},
	"internal/kube":         {"internal/names", "apis"},
	"internal/platform":     {"internal/names", "apis"},
	"internal/tlsprofile":   {"internal/platform"},
	"internal/rest":         {"internal/rest"},
	"internal/link":         {"internal/rest"},
	"internal/lookout":      {},
	"internal/reach":        {"internal/lookout"},
	"internal/upgradeable":  {"internal/names", "apis"},
	"internal/bdb":          {"internal/rest", "internal/names", "internal/outcome", "apis"},
	"internal/ingress":      {"internal/names", "internal/outcome", "apis"},
	"internal/alert":        {},
	"internal/children":     {"config/grafana", "internal/names", "internal/platform", "internal/ingress", "internal/alert", "apis"},
	"internal/rigger":       {"internal/names", "internal/rest", "internal/kube", "internal/board", "internal/ingress", "internal/platform"},
	"internal/bootstrapper": {"internal/names", "internal/rest", "internal/board"},
	"internal/admission":    {"internal/names", "internal/kube"},
	"internal/metrics":      {"internal/names", "internal/outcome", "internal/rest", "internal/link", "internal/admission", "apis"},
	"internal/trace":        {"internal/outcome", "internal/rest"},
	"internal/emulator":     {"internal/emulator"},
	"cmd/emulator":          {"internal/emulator"},
}

// kinds are the packages of the custom resources; they share what lies below them.
var kinds = []string{"internal/cluster", "internal/database", "internal/remotecluster", "internal/activeactive"}

var belowKinds = []string{"apis", "internal/names", "internal/board", "internal/outcome", "internal/kube", "internal/platform", "internal/tlsprofile",
	"internal/rest", "internal/link", "internal/trace", "internal/bdb", "internal/children", "internal/ingress", "internal/reach", "internal/lookout", "internal/admission"}

// standardOnly are packages that must not need anything but the standard library and themselves.
var standardOnly = []string{"internal/rest"}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	for _, k := range kinds {
		allowed[k] = belowKinds
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		rule, found := ruleFor(name)
		if !found {
			continue
		}
		for _, imported := range p.Imports {
			ours, isOurs := strings.CutPrefix(imported, module)
			switch {
			case isOurs && !within(ours, append(slices.Clone(allowed[rule]), rule)):
				t.Errorf("%s imports %s", name, ours)
			case !isOurs && within(name, standardOnly) && strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
				t.Errorf("%s imports %s; it lives on the standard library", name, imported)
			}
		}
	}
}

func ruleFor(name string) (string, bool) {
	for rule := range allowed {
		if within(name, []string{rule}) {
			return rule, true
		}
	}
	return "", false
}

func within(name string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return name == root || strings.HasPrefix(name, root+"/") })
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages listed", len(all))
	}
	return all
}
