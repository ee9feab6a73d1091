package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheLevelIsExplained: docs/capabilities.md explains the level that the bundle claims, and every test it cites is there.
func TestTheLevelIsExplained(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/capabilities.md")
	if err != nil {
		t.Fatal(err)
	}
	if level := head(t).CSV.Annotations["capabilities"]; !strings.Contains(string(page), "claims **"+level+"**") {
		t.Errorf("the page does not explain %s", level)
	}
	cited := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1)
	if len(cited) == 0 {
		t.Error("the page cites no test")
	}
	there := tests(t)
	for _, c := range cited {
		if !there[c[1]] {
			t.Errorf("there is no %s", c[1])
		}
	}
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// tests are the names of all tests of the repository.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range testFunction.FindAllStringSubmatch(string(text), -1) {
			names[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
