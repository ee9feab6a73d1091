package check

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The console shows at least so many samples of each kind, and quick starts in all.
const (
	leastSamples     = 2
	leastQuickStarts = 4
)

func ofKind(v variant, kind string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, object := range v.Objects {
		if object.GetKind() == kind {
			out = append(out, object)
		}
	}
	return out
}

func text(object *unstructured.Unstructured, fields ...string) string {
	value, _, _ := unstructured.NestedString(object.Object, fields...)
	return value
}

func TestConsoleSamples(t *testing.T) {
	v := head(t)
	shown, names := map[string]int{}, map[string]bool{}
	for _, sample := range ofKind(v, "ConsoleYAMLSample") {
		name, kind, version := sample.GetName(), text(sample, "spec", "targetResource", "kind"), text(sample, "spec", "targetResource", "apiVersion")
		if names[name] || text(sample, "spec", "title") == "" || text(sample, "spec", "description") == "" {
			t.Errorf("%s: a second one of that name, or without title or description", name)
		}
		names[name] = true
		var body map[string]any
		if err := yaml.UnmarshalStrict([]byte(text(sample, "spec", "yaml")), &body); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		spec := body
		if snippet, _, _ := unstructured.NestedBool(sample.Object, "spec", "snippet"); !snippet {
			if body["kind"] != kind || body["apiVersion"] != version {
				t.Errorf("%s shows %v, its target is %s %s", name, body["kind"], version, kind)
			}
			shown[kind]++
			spec, _ = body["spec"].(map[string]any)
		}
		if unknown := unknownFields(specSchema(t, v, kind, version), spec, "spec"); len(unknown) > 0 || len(spec) == 0 {
			t.Errorf("%s: unknown fields %v", name, unknown)
		}
	}
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		if shown[owned.Kind] < leastSamples {
			t.Errorf("%d samples of %s", shown[owned.Kind], owned.Kind)
		}
	}
}

func specSchema(t *testing.T, v variant, kind, apiVersion string) apiextensions.JSONSchemaProps {
	t.Helper()
	_, version, _ := strings.Cut(apiVersion, "/")
	schema, there := v.Schema(kind, version)
	if !there {
		t.Fatalf("%s of %s is not owned", version, kind)
	}
	return schema.Properties["spec"]
}

// unknownFields lists the fields of a value that its schema does not know.
func unknownFields(schema apiextensions.JSONSchemaProps, value any, path string) []string {
	var out []string
	switch v := value.(type) {
	case map[string]any:
		if schema.AdditionalProperties != nil || len(schema.Properties) == 0 {
			return nil
		}
		for name, child := range v {
			if known, there := schema.Properties[name]; there {
				out = append(out, unknownFields(known, child, path+"."+name)...)
			} else {
				out = append(out, path+"."+name)
			}
		}
	case []any:
		for i, child := range v {
			if schema.Items != nil && schema.Items.Schema != nil {
				out = append(out, unknownFields(*schema.Items.Schema, child, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	}
	return out
}

func TestConsoleQuickStarts(t *testing.T) {
	starts := ofKind(head(t), "ConsoleQuickStart")
	names := map[string]bool{}
	for _, start := range starts {
		names[start.GetName()] = true
	}
	for _, start := range starts {
		minutes, _, _ := unstructured.NestedInt64(start.Object, "spec", "durationMinutes")
		if float, isFloat, _ := unstructured.NestedFloat64(start.Object, "spec", "durationMinutes"); isFloat {
			minutes = int64(float)
		}
		if n := len(text(start, "spec", "description")); n == 0 || n > 256 || minutes < 1 || text(start, "spec", "displayName") == "" || text(start, "spec", "introduction") == "" {
			t.Errorf("%s: %d minutes, a description of %d characters", start.GetName(), minutes, n)
		}
		if access, _, _ := unstructured.NestedSlice(start.Object, "spec", "accessReviewResources"); len(access) == 0 {
			t.Errorf("%s is shown to people who cannot follow it", start.GetName())
		}
		next, _, _ := unstructured.NestedStringSlice(start.Object, "spec", "nextQuickStart")
		for _, n := range next {
			if !names[n] {
				t.Errorf("%s leads to %s, which is not there", start.GetName(), n)
			}
		}
		checkTasks(t, start)
	}
	if len(starts) < leastQuickStarts {
		t.Errorf("%d quick starts", len(starts))
	}
}

func checkTasks(t *testing.T, start *unstructured.Unstructured) {
	t.Helper()
	tasks, _, _ := unstructured.NestedSlice(start.Object, "spec", "tasks")
	if len(tasks) == 0 {
		t.Errorf("%s has no tasks", start.GetName())
	}
	for _, task := range tasks {
		one, isMap := task.(map[string]any)
		review, _ := one["review"].(map[string]any)
		if !isMap || one["title"] == "" || one["description"] == "" || review["instructions"] == nil || review["failedTaskHelp"] == nil {
			t.Errorf("%s: task %v is not complete", start.GetName(), one["title"])
		}
	}
}

// TestVariantsDifferInConsoleKindsOnly: both variants are the same release.
func TestVariantsDifferInConsoleKindsOnly(t *testing.T) {
	a, b := head(t), community(t)
	kinds := func(v variant) map[string]bool {
		out := map[string]bool{}
		for _, object := range v.Objects {
			if !strings.HasPrefix(object.GetKind(), "Console") {
				out[object.GetKind()+"/"+object.GetName()] = true
			}
		}
		return out
	}
	if a.CSV.Name != b.CSV.Name || fmt.Sprint(kinds(a)) != fmt.Sprint(kinds(b)) || len(ofKind(b, "ConsoleYAMLSample")) > 0 {
		t.Errorf("%s with %v, %s with %v", a.CSV.Name, kinds(a), b.CSV.Name, kinds(b))
	}
}
