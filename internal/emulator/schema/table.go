package schema

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables/*.txt
var tableFiles embed.FS

// shape is the JSON type of a field.
type shape string

const (
	shapeInt    shape = "int"
	shapeNumber shape = "number"
	shapeFloat  shape = "float" // a number that the product always prints with a decimal point
	shapeText   shape = "text"
	shapeBool   shape = "bool"
	shapeObject shape = "object"
	shapeList   shape = "list"
	shapeMap    shape = "map"
	shapeAny    shape = "any"
)

// field is one line of a table.
type field struct {
	name       string
	shape      shape
	of         string // element or nested type: the name of a type, or a scalar shape
	readOnly   bool
	writeOnly  bool
	createOnly bool
	required   bool
	nullable   bool
	extended   bool
	min, max   *float64
	maxLen     int
	oneOf      []string
	fallback   any // default; nil when there is none
}

// objectType is a table: the fields of one object, in order.
type objectType struct {
	name   string
	fields []*field
	byName map[string]*field
	open   bool // unknown fields are welcome
}

var types = sync.OnceValue(func() map[string]*objectType {
	all, err := parseTables()
	if err != nil {
		panic(err) // the tables are part of the binary; a test reads them all
	}
	return all
})

func parseTables() (map[string]*objectType, error) {
	entries, err := tableFiles.ReadDir("tables")
	if err != nil {
		return nil, err
	}
	all := map[string]*objectType{}
	for _, e := range entries {
		text, err := tableFiles.ReadFile(path.Join("tables", e.Name()))
		if err != nil {
			return nil, err
		}
		if err := parseTable(string(text), all); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	return all, checkReferences(all)
}

func parseTable(text string, all map[string]*objectType) error {
	var current *objectType
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "object "):
			current = &objectType{name: strings.TrimPrefix(line, "object "), byName: map[string]*field{}}
			if all[current.name] != nil {
				return fmt.Errorf("line %d: %s is there twice", i+1, current.name)
			}
			all[current.name] = current
		case current == nil:
			return fmt.Errorf("line %d: a field before the first object", i+1)
		case strings.HasPrefix(line, "* "):
			current.open = true
		default:
			f, err := parseField(line)
			if err != nil {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
			current.fields = append(current.fields, f)
			current.byName[f.name] = f
		}
	}
	return nil
}

func parseField(line string) (*field, error) {
	head, value, hasDefault := strings.Cut(line, " =")
	words := strings.Fields(head)
	if len(words) < 2 {
		return nil, fmt.Errorf("%q has no type", line)
	}
	f := &field{name: words[0]}
	f.shape, f.of = parseShape(words[1])
	for _, w := range words[2:] {
		if err := f.setAttribute(w); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if hasDefault {
		if err := json.Unmarshal([]byte(value), &f.fallback); err != nil {
			return nil, fmt.Errorf("default of %s: %w", f.name, err)
		}
		f.fallback = wholeNumbers(f.fallback)
	}
	return f, nil
}

func parseShape(word string) (shape, string) {
	name, of, _ := strings.Cut(strings.TrimSuffix(word, ")"), "(")
	return shape(name), of
}

func (f *field) setAttribute(word string) error {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "ro":
		f.readOnly = true
	case "wo":
		f.writeOnly = true
	case "create":
		f.createOnly = true
	case "req":
		f.required = true
	case "null":
		f.nullable = true
	case "ext":
		f.extended = true
	case "in":
		f.oneOf = strings.Split(value, "|")
	case "min", "max", "len":
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		switch key {
		case "min":
			f.min = &n
		case "max":
			f.max = &n
		default:
			f.maxLen = int(n)
		}
	default:
		return fmt.Errorf("unknown attribute %q", word)
	}
	return nil
}

// wholeNumbers turns the float64 of encoding/json into int64 where no fraction is lost.
func wholeNumbers(v any) any {
	switch t := v.(type) {
	case float64:
		if n, ok := Int(t); ok {
			return n
		}
	case []any:
		for i := range t {
			t[i] = wholeNumbers(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = wholeNumbers(t[k])
		}
	}
	return v
}

func checkReferences(all map[string]*objectType) error {
	for _, t := range all {
		for _, f := range t.fields {
			switch f.shape {
			case shapeInt, shapeNumber, shapeFloat, shapeText, shapeBool, shapeAny:
			case shapeObject, shapeList, shapeMap:
				if f.of != "" && all[f.of] == nil && !isScalar(f.of) {
					return fmt.Errorf("%s.%s refers to %s, which no table has", t.name, f.name, f.of)
				}
			default:
				return fmt.Errorf("%s.%s has unknown type %s", t.name, f.name, f.shape)
			}
		}
	}
	return nil
}

func isScalar(name string) bool {
	switch shape(name) {
	case shapeInt, shapeNumber, shapeFloat, shapeText, shapeBool, shapeAny:
		return true
	}
	return false
}

// Names lists the types that have a table.
func Names() []string {
	names := make([]string, 0, len(types()))
	for n := range types() {
		names = append(names, n)
	}
	return names
}
