package schema

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	namevalidation "k8s.io/apimachinery/pkg/api/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

const bases = "../../config/crd/bases"

// kinds lists what the project serves.
var kinds = []string{
	"RedisEnterpriseCluster",
	"RedisEnterpriseDatabase",
	"RedisEnterpriseRemoteCluster",
	"RedisEnterpriseActiveActiveDatabase",
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// served is one version of one kind, ready to take objects in.
type served struct {
	crd        *apiextv1.CustomResourceDefinition
	version    apiextv1.CustomResourceDefinitionVersion
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// verdict is what an API server makes of an object.
type verdict struct {
	unknown []string        // paths that are dropped
	errors  field.ErrorList // why it is refused
}

// admit takes an object in as an API server does when it is created. The object is changed.
func (s *served) admit(obj map[string]any) verdict {
	var v verdict
	v.unknown = pruning.PruneWithOptions(obj, s.structural, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(obj, s.structural)
	defaulting.Default(obj, s.structural)
	v.errors = append(v.errors, nameErrors(obj)...)
	v.errors = append(v.errors, validation.ValidateCustomResource(nil, obj, s.validator)...)
	v.errors = append(v.errors, listtype.ValidateListSetsAndMaps(nil, s.structural, obj)...)
	ruleErrors, _ := s.rules.Validate(context.Background(), nil, s.structural, obj, nil, celconfig.RuntimeCELCostBudget)
	v.errors = append(v.errors, ruleErrors...)
	return v
}

func nameErrors(obj map[string]any) field.ErrorList {
	path := field.NewPath("metadata", "name")
	metadata, _ := obj["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	var out field.ErrorList
	for _, message := range namevalidation.NameIsDNSSubdomain(name, false) {
		out = append(out, field.Invalid(path, name, message))
	}
	return out
}

// loadCRDs reads the generated CRDs by kind.
func loadCRDs(t *testing.T) map[string]*apiextv1.CustomResourceDefinition {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(bases, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*apiextv1.CustomResourceDefinition{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(raw, crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[crd.Spec.Names.Kind] = crd
	}
	return out
}

// internalCRD converts a CRD as the API server does before it validates it.
func internalCRD(t *testing.T, crd *apiextv1.CustomResourceDefinition) *apiextensions.CustomResourceDefinition {
	t.Helper()
	defaulted := crd.DeepCopy()
	apiextv1.SetDefaults_CustomResourceDefinition(defaulted)
	apiextv1.SetDefaults_CustomResourceDefinitionSpec(&defaulted.Spec)
	out := &apiextensions.CustomResourceDefinition{}
	if err := apiextv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(defaulted, out, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

// loadServed prepares all versions of all kinds, by "kind/version".
func loadServed(t *testing.T) map[string]*served {
	t.Helper()
	out := map[string]*served{}
	for kind, crd := range loadCRDs(t) {
		for _, version := range crd.Spec.Versions {
			if version.Served {
				out[kind+"/"+version.Name] = newServed(t, crd, version)
			}
		}
	}
	return out
}

func newServed(t *testing.T, crd *apiextv1.CustomResourceDefinition, version apiextv1.CustomResourceDefinitionVersion) *served {
	t.Helper()
	props := &apiextensions.JSONSchemaProps{}
	if err := apiextv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, props, nil); err != nil {
		t.Fatal(err)
	}
	structural, err := structuralschema.NewStructural(props)
	if err != nil {
		t.Fatal(err)
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		t.Fatal(err)
	}
	return &served{
		crd: crd, version: version, structural: structural, validator: validator,
		rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}
}

// object parses a manifest the way a client sends it: numbers keep their kind.
func object(t *testing.T, manifest []byte) map[string]any {
	t.Helper()
	raw, err := yaml.YAMLToJSON(manifest)
	if err != nil {
		t.Fatal(err)
	}
	obj := map[string]any{}
	if err := utiljson.Unmarshal(raw, &obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

// servedFor finds the version that a manifest names.
func servedFor(t *testing.T, all map[string]*served, obj map[string]any) *served {
	t.Helper()
	kind, _ := obj["kind"].(string)
	apiVersion, _ := obj["apiVersion"].(string)
	for _, s := range all {
		if s.crd.Spec.Names.Kind == kind && s.crd.Spec.Group+"/"+s.version.Name == apiVersion {
			return s
		}
	}
	t.Fatalf("no served version for %s %s", apiVersion, kind)
	return nil
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
