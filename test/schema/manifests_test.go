package schema

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// expectation is what the comment lines at the top of a manifest say should become of it.
type expectation struct {
	refused []string // fields that errors must name; none means accepted
	dropped []string // unknown fields
}

// TestManifests takes in one manifest for each shape that documentation and older releases show. The first lines of
// each say what must happen: accepted, refused: <paths>, dropped: <paths>.
func TestManifests(t *testing.T) {
	all := loadServed(t)
	files, err := filepath.Glob("testdata/manifests/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := expected(t, string(raw))
			obj := object(t, raw)
			got := servedFor(t, all, obj).admit(obj)
			slices.Sort(got.unknown)
			if !slices.Equal(got.unknown, want.dropped) {
				t.Errorf("dropped %v, want %v", got.unknown, want.dropped)
			}
			var refused []string
			for _, e := range got.errors {
				refused = append(refused, e.Field)
			}
			slices.Sort(refused)
			if !slices.Equal(refused, want.refused) {
				t.Errorf("refused for %v, want %v: %v", refused, want.refused, got.errors)
			}
		})
	}
}

func expected(t *testing.T, manifest string) expectation {
	t.Helper()
	var out expectation
	known := false
	for _, line := range strings.Split(manifest, "\n") {
		comment, isComment := strings.CutPrefix(line, "# ")
		if !isComment {
			break
		}
		verdict, paths, _ := strings.Cut(comment, ": ")
		switch verdict {
		case "accepted":
			known = true
		case "refused":
			known, out.refused = true, strings.Fields(paths)
		case "dropped":
			known, out.dropped = true, strings.Fields(paths)
		}
	}
	if !known {
		t.Fatal("the manifest does not say what is expected")
	}
	slices.Sort(out.refused)
	slices.Sort(out.dropped)
	return out
}
