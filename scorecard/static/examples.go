package static

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// Examples are the resources that a CSV shows.
func Examples(csv *v1alpha1.ClusterServiceVersion) ([]*unstructured.Unstructured, error) {
	var contents []map[string]any
	if err := utiljson.Unmarshal([]byte(csv.Annotations["alm-examples"]), &contents); err != nil {
		return nil, err
	}
	out := make([]*unstructured.Unstructured, 0, len(contents))
	for _, content := range contents {
		out = append(out, &unstructured.Unstructured{Object: content})
	}
	return out, nil
}

// ExamplesComplete checks that every owned version is shown, each example once, with a description, described fields and no status.
func ExamplesComplete(t report.T, v Bundle) {
	t.Helper()
	examples, err := Examples(v.CSV)
	if err != nil {
		t.Fatal(err)
	}
	var metadata map[string]struct{ Description string }
	if err := json.Unmarshal([]byte(v.CSV.Annotations["alm-examples-metadata"]), &metadata); err != nil {
		t.Fatal(err)
	}
	shown, names := map[string]bool{}, map[string]bool{}
	for _, e := range examples {
		kind, name := e.GetKind(), e.GetName()
		shown[e.GetAPIVersion()+"/"+kind] = true
		spec, _, _ := unstructured.NestedMap(e.Object, "spec")
		if names[kind+name] || metadata[name].Description == "" || len(spec) == 0 || e.Object["status"] != nil {
			t.Errorf("%s %s: a second one, without description or spec, or with a status", kind, name)
		}
		names[kind+name] = true
		for key := range spec {
			if !described(v, kind, key) {
				t.Errorf("%s: spec.%s has no descriptor", kind, key)
			}
		}
	}
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		if !shown[Group+"/"+owned.Version+"/"+owned.Kind] {
			t.Errorf("no example of %s %s", owned.Kind, owned.Version)
		}
	}
	t.Logf("%d examples", len(examples))
}

func described(v Bundle, kind, path string) bool {
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		if owned.Kind == kind && slices.ContainsFunc(owned.SpecDescriptors, func(d v1alpha1.SpecDescriptor) bool { return d.Path == path }) {
			return true
		}
	}
	return false
}

// ExamplesValid checks that each example is what its CRD allows: known fields, types, and the rules written in CEL.
func ExamplesValid(t report.T, v Bundle) {
	t.Helper()
	examples, err := Examples(v.CSV)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range examples {
		_, version, _ := strings.Cut(e.GetAPIVersion(), "/")
		props, there := v.Schema(e.GetKind(), version)
		if !there {
			t.Errorf("%s %s: the bundle has no such kind", e.GetKind(), e.GetName())
			continue
		}
		problems, err := faults(props, e.Object)
		if err != nil {
			t.Fatalf("%s %s: %v", e.GetKind(), e.GetName(), err)
		}
		for _, problem := range problems {
			t.Errorf("%s %s: %s", e.GetKind(), e.GetName(), problem)
		}
	}
}

// faults lists what the API server would complain about.
func faults(props apiextensionsv1.JSONSchemaProps, object map[string]any) ([]string, error) {
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&props, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, problem := range validation.ValidateCustomResource(nil, object, validator) {
		out = append(out, problem.Error())
	}
	if rules := cel.NewValidator(structural, true, celconfig.PerCallLimit); rules != nil {
		found, _ := rules.Validate(context.Background(), nil, structural, object, nil, celconfig.RuntimeCELCostBudget)
		for _, problem := range found {
			out = append(out, problem.Error())
		}
	}
	for _, path := range pruning.PruneWithOptions(runtime.DeepCopyJSON(object), structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, path+" is unknown")
	}
	return out, nil
}
