package schema

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// officialField is one field of the vendor's schema.
type officialField struct {
	path     string
	typ      string
	required bool
	nullable bool
	open     bool
	unique   bool // keys or set: elements of the list are told apart
	format   string
	pattern  string
	minimum  string
	maximum  string
	def      string
	enum     []string
	children []*officialField
}

// name is the last step of the path: ".name", "[]" or "{}".
func (f *officialField) name() string {
	if strings.HasSuffix(f.path, "[]") || strings.HasSuffix(f.path, "{}") {
		return f.path[len(f.path)-2:]
	}
	return f.path[strings.LastIndex(f.path, "."):]
}

// loadOfficial reads testdata/fields.txt into one tree for each "kind/version".
func loadOfficial(t *testing.T) map[string]*officialField {
	t.Helper()
	raw, err := os.ReadFile("testdata/fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string][]string{} // "kind X v" or "shape s" → its lines
	section := ""
	for _, line := range strings.Split(string(raw), "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "kind ") || strings.HasPrefix(line, "shape "):
			section = line
		default:
			sections[section] = append(sections[section], line)
		}
	}
	out := map[string]*officialField{}
	for title := range sections {
		if kind, isKind := strings.CutPrefix(title, "kind "); isKind {
			root := &officialField{typ: "object"}
			grow(t, root, sections, title)
			out[strings.ReplaceAll(kind, " ", "/")] = root
		}
	}
	if len(out) != 5 {
		t.Fatalf("%d kinds and versions in the list, want 5", len(out))
	}
	return out
}

// grow hangs the fields of a section below root.
func grow(t *testing.T, root *officialField, sections map[string][]string, title string) {
	t.Helper()
	lines, ok := sections[title]
	if !ok {
		t.Fatalf("no section %q", title)
	}
	byPath := map[string]*officialField{"": root}
	for _, line := range lines {
		path, rest, _ := strings.Cut(line, " ")
		f := &officialField{path: root.path + path}
		shape := parse(t, f, strings.Fields(rest))
		byPath[path] = f
		parent, ok := byPath[strings.TrimSuffix(path, f.name())]
		if !ok {
			t.Fatalf("%s: no parent", path)
		}
		parent.children = append(parent.children, f)
		if shape != "" {
			grow(t, f, sections, "shape "+shape)
		}
	}
}

// parse reads the words after the path and returns the name of the shape, if there is one.
func parse(t *testing.T, f *officialField, words []string) string {
	t.Helper()
	f.typ = words[0]
	shape := ""
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "required":
			f.required = true
		case "nullable":
			f.nullable = true
		case "open":
			f.open = true
		case "keys", "set":
			f.unique = true
		case "format":
			f.format = value
		case "pattern":
			f.pattern = value
		case "minimum":
			f.minimum = value
		case "maximum":
			f.maximum = value
		case "default":
			f.def = value
		case "shape":
			shape = value
		case "enum":
			if err := json.Unmarshal([]byte(value), &f.enum); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("%s: unknown word %q", f.path, word)
		}
	}
	return shape
}
