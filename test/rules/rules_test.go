// Package rules holds the list of rules that tests name against the tests.
package rules

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var (
	// inFunction finds the ids in TestREC42_NET8_What, inText those in "REC-42 what".
	inFunction = regexp.MustCompile(`([A-Z]{2,4})([0-9]+[a-z]?)(?:_|[A-Z]|$)`)
	inText     = regexp.MustCompile(`\b([A-Z]{2,4})-([0-9]+[a-z]?)\b`)
	listed     = regexp.MustCompile(`^([A-Z]{2,4}-[0-9]+[a-z]?) (\S.*)$`)
)

// TestEveryListedRuleIsNamedByATest fails when a rule has lost its last test, or when a new one is listed without.
func TestEveryListedRuleIsNamedByATest(t *testing.T) {
	rules, named := list(t), map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(path, "_test.go") {
			return names(path, named)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		if len(named[rule]) == 0 {
			t.Errorf("%s (%s) is named by no test", rule, rules[rule])
		}
	}
	t.Logf("%d rules are named by tests, %d of them are listed", len(named), len(rules))
}

// list reads the rules and what they are about.
func list(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rules := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := listed.FindStringSubmatch(line)
		if parts == nil || rules[parts[1]] != "" {
			t.Fatalf("rules.txt: %q is no rule, or listed twice", line)
		}
		rules[parts[1]] = parts[2]
	}
	if err := lines.Err(); err != nil || len(rules) == 0 {
		t.Fatalf("rules.txt: %d rules, %v", len(rules), err)
	}
	return rules
}

// names notes the rules that a file of tests names: in the names of its functions, and in texts that are no complaints.
// A complaint is seen only when the test fails.
func names(path string, named map[string][]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	note := func(pattern *regexp.Regexp, text string) {
		for _, id := range pattern.FindAllStringSubmatch(text, -1) {
			named[id[1]+"-"+id[2]] = append(named[id[1]+"-"+id[2]], path)
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncDecl:
			if name, ok := strings.CutPrefix(n.Name.Name, "Test"); ok {
				note(inFunction, name)
			}
		case *ast.CallExpr:
			return !complains(n)
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				note(inText, n.Value)
			}
		}
		return true
	})
	return nil
}

func complains(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf"}, method.Sel.Name)
}

func TestNamesAreFoundWhereTheyCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x_test.go")
	source := "package x\n\n// REC-1 in a comment\nfunc TestREC2_NET3_Two(t *testing.T) {\n\tt.Run(\"REC-4 a subtest\", nil)\n\tt.Errorf(\"REC-5 %v\", f(\"REC-6\"))\n" +
		"\tfor range []struct{ name string }{{\"INST-25a in a table\"}} {\n\t}\n}\n"
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	named := map[string][]string{}
	if err := names(path, named); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(named)), " "); got != "INST-25a NET-3 REC-2 REC-4" {
		t.Errorf("%s", got)
	}
}
