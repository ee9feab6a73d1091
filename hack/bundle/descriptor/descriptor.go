// Package descriptor derives from a CRD what the console shows for each of its fields.
//
// The schema says almost everything: a boolean is a switch, an enum a choice, a field that ends in SecretName refers to a
// Secret. So a new field has its descriptor from the day it exists; what the schema cannot say is in the table of
// exceptions.
package descriptor

import (
	"sort"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// field is a field of spec or status.
type field struct {
	path   string
	schema apiextensions.JSONSchemaProps
}

// Spec lists the descriptors of all fields of the spec that are our own, in the order of the form.
func Spec(kind string, spec apiextensions.JSONSchemaProps) []v1alpha1.SpecDescriptor {
	var out []v1alpha1.SpecDescriptor
	for _, f := range fields(spec) {
		out = append(out, v1alpha1.SpecDescriptor{
			Path: f.path, DisplayName: title(kind, f.path), Description: sentence(f.schema.Description), XDescriptors: specWidgets(kind, f),
		})
	}
	order(kind, out, func(d v1alpha1.SpecDescriptor) string { return d.Path })
	return out
}

// Status lists the descriptors of the fields of the status. Elements of lists have none: the console shows a list whole.
func Status(kind string, status apiextensions.JSONSchemaProps) []v1alpha1.StatusDescriptor {
	var out []v1alpha1.StatusDescriptor
	for _, f := range fields(status) {
		if strings.Contains(f.path, "[") {
			continue
		}
		out = append(out, v1alpha1.StatusDescriptor{
			Path: f.path, DisplayName: title(kind, f.path), Description: sentence(f.schema.Description), XDescriptors: statusWidgets(f),
		})
	}
	order(kind, out, func(d v1alpha1.StatusDescriptor) string { return d.Path })
	return out
}

// fields walks a schema in alphabetical order. It stops at types that Kubernetes documents itself.
func fields(schema apiextensions.JSONSchemaProps) []field {
	var out []field
	var walk func(prefix string, s apiextensions.JSONSchemaProps)
	walk = func(prefix string, s apiextensions.JSONSchemaProps) {
		for _, name := range sorted(s.Properties) {
			child := s.Properties[name]
			path := prefix + name
			out = append(out, field{path, child})
			if embedded[name] {
				continue
			}
			walk(path+".", child)
			if child.Items != nil && child.Items.Schema != nil {
				walk(path+"[0].", *child.Items.Schema)
			}
		}
	}
	walk("", schema)
	return out
}

func sorted(properties map[string]apiextensions.JSONSchemaProps) []string {
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// order moves what a user looks for first to the front; everything else stays alphabetical.
func order[T any](kind string, all []T, path func(T) string) {
	rank := func(p string) int {
		for i, wanted := range first[kind] {
			if p == wanted || strings.HasPrefix(p, wanted+".") || strings.HasPrefix(p, wanted+"[") {
				return i
			}
		}
		return len(first[kind])
	}
	sort.SliceStable(all, func(i, j int) bool { return rank(path(all[i])) < rank(path(all[j])) })
}

// sentence is the first sentence of a description, and the one about the default if it follows.
func sentence(description string) string {
	text := strings.Join(strings.Fields(description), " ")
	head, rest := cut(text)
	for rest != "" {
		var next string
		next, rest = cut(rest)
		if strings.HasPrefix(next, "Default") {
			return head + " " + next
		}
	}
	return head
}

// cut splits behind the first full stop that ends a sentence: one followed by a capital letter.
func cut(text string) (string, string) {
	for i := 0; i+2 < len(text); i++ {
		if text[i] == '.' && text[i+1] == ' ' && text[i+2] >= 'A' && text[i+2] <= 'Z' {
			return text[:i+1], text[i+2:]
		}
	}
	return text, ""
}
