package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"sigs.k8s.io/yaml"
)

// TestOfficialFieldsAreDeclared compares our schema with the vendor's, field by field: the same types and defaults, and
// no limit that the vendor's does not have.
func TestOfficialFieldsAreDeclared(t *testing.T) {
	ours := loadServed(t)
	for name, root := range loadOfficial(t) {
		t.Run(name, func(t *testing.T) {
			fields := 0
			var walk func(want *officialField, got *structuralschema.Structural)
			walk = func(want *officialField, got *structuralschema.Structural) {
				fields++
				if got == nil {
					t.Errorf("%s is missing", want.path)
					return
				}
				for _, difference := range compare(want, got) {
					t.Errorf("%s: %s", want.path, difference)
				}
				for _, child := range want.children {
					walk(child, find(got, child.name()))
				}
			}
			walk(root, ours[name].structural)
			t.Logf("%d fields compared", fields)
		})
	}
}

// find returns what our schema has for a child of a node.
func find(s *structuralschema.Structural, name string) *structuralschema.Structural {
	switch name {
	case "[]":
		return s.Items
	case "{}":
		if s.AdditionalProperties == nil {
			return nil
		}
		return s.AdditionalProperties.Structural
	default:
		child, ok := s.Properties[strings.TrimPrefix(name, ".")]
		if !ok {
			return nil
		}
		return &child
	}
}

// compare lists the differences at one field that a user could notice.
func compare(want *officialField, got *structuralschema.Structural) []string {
	var out []string
	note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	same := func(what, want, got string) {
		if want != got {
			note("%s is %q, want %q", what, got, want)
		}
	}
	same("type", want.typ, typeOf(got))
	same("default", want.def, text(got.Default.Object))
	if got.Nullable != want.nullable {
		note("nullable is %v", got.Nullable)
	}
	if got.XPreserveUnknownFields != want.open {
		note("keeps unknown fields: %v", got.XPreserveUnknownFields)
	}
	if list := got.XListType; list != nil && *list != "atomic" && !want.unique {
		note("elements must be unique")
	}
	limits := got.ValueValidation
	if limits == nil {
		limits = &structuralschema.ValueValidation{}
	}
	same("format", want.format, limits.Format)
	same("minimum", want.minimum, number(limits.Minimum))
	same("maximum", want.maximum, number(limits.Maximum))
	if !got.XIntOrString {
		same("pattern", want.pattern, limits.Pattern)
	}
	return append(append(out, compareEnum(want, limits)...), compareRequired(want, limits)...)
}

func compareEnum(want *officialField, limits *structuralschema.ValueValidation) []string {
	var got []string
	for _, value := range limits.Enum {
		got = append(got, fmt.Sprint(value.Object))
	}
	wanted := slices.Clone(want.enum)
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		return []string{fmt.Sprintf("allowed values are %v, want %v", got, wanted)}
	}
	return nil
}

func compareRequired(want *officialField, limits *structuralschema.ValueValidation) []string {
	var out []string
	for _, name := range limits.Required {
		optional := !slices.ContainsFunc(want.children, func(child *officialField) bool {
			return child.required && child.name() == "."+name
		})
		if optional {
			out = append(out, fmt.Sprintf("requires %s, which was optional", name))
		}
	}
	return out
}

func typeOf(s *structuralschema.Structural) string {
	if s.XIntOrString {
		return "int-or-string"
	}
	return s.Type
}

func number(value *float64) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(*value)
}

// text prints a default as the list of fields has it.
func text(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return `"` + value + `"`
	default:
		return fmt.Sprint(value)
	}
}

// TestOfficialFieldsAreAccepted sends an object for every field and every allowed value through our CRDs: nothing may
// be refused, nothing dropped, and our Go types must understand what is stored.
func TestOfficialFieldsAreAccepted(t *testing.T) {
	ours := loadServed(t)
	for name, root := range loadOfficial(t) {
		t.Run(name, func(t *testing.T) {
			kind, version, _ := strings.Cut(name, "/")
			objects := 0
			everyPath(root, nil, func(path []*officialField) {
				for _, value := range samples(path[len(path)-1]) {
					objects++
					obj := build(path, value)
					obj["apiVersion"], obj["kind"] = "app.redislabs.com/"+version, kind
					obj["metadata"] = map[string]any{"name": "sample"}
					got := ours[name].admit(obj)
					if len(got.errors) > 0 || len(got.unknown) > 0 {
						t.Errorf("%s = %v: refused %v, dropped %v", path[len(path)-1].path, value, got.errors, got.unknown)
					}
					if err := yaml.UnmarshalStrict(mustJSON(t, obj), typed(name)); err != nil && !isOpen(path) {
						t.Errorf("%s = %v: %v", path[len(path)-1].path, value, err)
					}
				}
			})
			t.Logf("%d objects accepted", objects)
		})
	}
}

// everyPath calls visit for each field with the fields above it, outermost first.
func everyPath(f *officialField, above []*officialField, visit func([]*officialField)) {
	for _, child := range f.children {
		path := append(slices.Clone(above), child)
		if child.path != ".apiVersion" && child.path != ".kind" && child.path != ".metadata" {
			visit(path)
			everyPath(child, path, visit)
		}
	}
}

// isOpen tells whether a field or one above it keeps unknown fields, which Go types do not hold.
func isOpen(path []*officialField) bool {
	return slices.ContainsFunc(path, func(f *officialField) bool { return f.open })
}

// build makes an object that has a value at the end of a path, and else only what is required.
func build(path []*officialField, value any) map[string]any {
	for i := len(path) - 1; i >= 0; i-- {
		child := path[i]
		if i == 0 {
			return map[string]any{strings.TrimPrefix(child.name(), "."): value}
		}
		value = wrap(path[i-1], child, value)
	}
	return nil
}

// wrap makes a value for parent that holds the value of one of its children.
func wrap(parent, child *officialField, value any) any {
	switch child.name() {
	case "[]":
		return []any{value}
	case "{}":
		return map[string]any{"key": value}
	default:
		out := minimal(parent)
		out[strings.TrimPrefix(child.name(), ".")] = value
		return out
	}
}

// minimal makes an object with the required fields only.
func minimal(f *officialField) map[string]any {
	out := map[string]any{}
	for _, child := range f.children {
		if child.required {
			out[strings.TrimPrefix(child.name(), ".")] = samples(child)[0]
		}
	}
	return out
}

// samples returns values that the vendor's schema allows at a field.
func samples(f *officialField) []any {
	switch {
	case len(f.enum) > 0:
		var out []any
		for _, value := range f.enum {
			out = append(out, value)
		}
		return out
	case f.pattern != "":
		return []any{addressFor(f.name())}
	case f.nullable:
		return []any{int64(1), nil}
	}
	switch f.typ {
	case "object":
		if f.open {
			return []any{map[string]any{"anything": []any{int64(1), "two", 3.5}}}
		}
		return []any{minimal(f)}
	case "array":
		return []any{[]any{}}
	case "boolean":
		return []any{true, false}
	case "integer":
		return []any{int64(1), int64(0)}
	case "int-or-string":
		return []any{int64(1), "1"}
	default:
		return []any{"text"}
	}
}

func addressFor(name string) string {
	switch name {
	case ".url":
		return "ftp://user:secret@ftp.example.com/backups"
	case ".sftp_url":
		return "sftp://user@sftp.example.com:22/backups"
	default:
		return "https://keystone.example.com:5000/v3"
	}
}

// TestCheckNoticesDifferences proves that the tests above would notice: an unknown field, a wrong type, a value that is
// not allowed, a required field that is absent.
func TestCheckNoticesDifferences(t *testing.T) {
	database := loadServed(t)["RedisEnterpriseDatabase/v1alpha1"]
	cases := map[string]struct {
		spec    map[string]any
		unknown bool
	}{
		"an unknown field":        {map[string]any{"moduleList": []any{}}, true},
		"a wrong type":            {map[string]any{"shardCount": "two"}, false},
		"a value not allowed":     {map[string]any{"persistence": "sometimes"}, false},
		"a missing field":         {map[string]any{"backup": map[string]any{"s3": map[string]any{}}}, false},
		"an address of its own":   {map[string]any{"backup": map[string]any{"ftp": map[string]any{"url": "http://x"}}}, false},
		"a number out of bounds":  {map[string]any{"rofRamRatio": int64(101)}, false},
		"a list instead of a map": {map[string]any{"tags": []any{"a"}}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := database.admit(map[string]any{
				"apiVersion": "app.redislabs.com/v1alpha1", "kind": "RedisEnterpriseDatabase",
				"metadata": map[string]any{"name": "sample"}, "spec": c.spec,
			})
			if c.unknown != (len(got.unknown) > 0) || c.unknown == (len(got.errors) > 0) {
				t.Errorf("dropped %v, refused %v", got.unknown, got.errors)
			}
		})
	}
	wrong := &officialField{path: ".spec.shardCount", typ: "string", def: `"1"`, enum: []string{"1"}, minimum: "1"}
	spec := database.structural.Properties["spec"]
	if got := compare(wrong, find(&spec, ".shardCount")); len(got) != 4 {
		t.Errorf("four differences, noticed %v", got)
	}
}
