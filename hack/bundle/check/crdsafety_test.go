package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// crdChanges lists the changes of CRDs that a catalog must not make: the old operator runs with the new schemas until its
// own upgrade is let through, and resources of the old release must stay valid.
func crdChanges(before, now variant) []string {
	heads := map[string]*apiextensions.CustomResourceDefinition{}
	for _, crd := range now.V1CRDs {
		heads[crd.Name] = crd
	}
	var out []string
	for _, old := range before.V1CRDs {
		if heads[old.Name] == nil {
			out = append(out, old.Name+" is gone")
			continue
		}
		out = append(out, compareCRD(old, heads[old.Name])...)
	}
	sort.Strings(out)
	return out
}

func compareCRD(old, now *apiextensions.CustomResourceDefinition) []string {
	var out []string
	if old.Spec.Scope != now.Spec.Scope {
		out = append(out, old.Name+": the scope changed")
	}
	versions := map[string]apiextensions.CustomResourceDefinitionVersion{}
	for _, v := range now.Spec.Versions {
		versions[v.Name] = v
	}
	for _, v := range old.Spec.Versions {
		next, there := versions[v.Name]
		switch {
		case !there:
			out = append(out, fmt.Sprintf("%s: version %s is gone, resources may be stored in it", old.Name, v.Name))
		case v.Served && !next.Served:
			out = append(out, fmt.Sprintf("%s: version %s is not served any more", old.Name, v.Name))
		default:
			out = append(out, compareSchema(old.Name+"/"+v.Name, *v.Schema.OpenAPIV3Schema, *next.Schema.OpenAPIV3Schema)...)
		}
	}
	return out
}

func compareSchema(path string, old, now apiextensions.JSONSchemaProps) []string {
	var out []string
	add := func(format string, arguments ...any) { out = append(out, path+": "+fmt.Sprintf(format, arguments...)) }
	if old.Type != now.Type || old.XIntOrString != now.XIntOrString {
		add("the type changed from %q to %q", old.Type, now.Type)
	}
	if a, b := asJSON(old.Default), asJSON(now.Default); a != b {
		add("the default changed from %s to %s", a, b)
	}
	for _, name := range now.Required {
		if !slices.Contains(old.Required, name) {
			add("%s became required", name)
		}
	}
	if len(old.Enum) == 0 && len(now.Enum) > 0 {
		add("an enum was added")
	}
	for _, value := range old.Enum {
		if len(now.Enum) > 0 && !slices.ContainsFunc(now.Enum, func(v apiextensions.JSON) bool { return string(v.Raw) == string(value.Raw) }) {
			add("the value %s is not allowed any more", value.Raw)
		}
	}
	out = append(out, compareBounds(path, old, now)...)
	for name, child := range old.Properties {
		next, there := now.Properties[name]
		if !there {
			add("field %s is gone", name)
			continue
		}
		out = append(out, compareSchema(path+"."+name, child, next)...)
	}
	if old.Items != nil && now.Items != nil && old.Items.Schema != nil && now.Items.Schema != nil {
		out = append(out, compareSchema(path+"[]", *old.Items.Schema, *now.Items.Schema)...)
	}
	return out
}

// bound is a limit; sign is 1 where a larger number allows less.
type bound struct {
	name     string
	sign     float64
	old, now *float64
}

func compareBounds(path string, old, now apiextensions.JSONSchemaProps) []string {
	var out []string
	for _, b := range []bound{
		{"minimum", 1, old.Minimum, now.Minimum}, {"maximum", -1, old.Maximum, now.Maximum},
		{"minLength", 1, number(old.MinLength), number(now.MinLength)}, {"maxLength", -1, number(old.MaxLength), number(now.MaxLength)},
		{"minItems", 1, number(old.MinItems), number(now.MinItems)}, {"maxItems", -1, number(old.MaxItems), number(now.MaxItems)},
		{"minProperties", 1, number(old.MinProperties), number(now.MinProperties)}, {"maxProperties", -1, number(old.MaxProperties), number(now.MaxProperties)},
	} {
		switch {
		case b.now == nil:
		case b.old == nil:
			out = append(out, fmt.Sprintf("%s: %s was added", path, b.name))
		case *b.now*b.sign > *b.old*b.sign:
			out = append(out, fmt.Sprintf("%s: %s allows less than before", path, b.name))
		}
	}
	if now.Pattern != "" && now.Pattern != old.Pattern {
		out = append(out, path+": the pattern changed")
	}
	return out
}

func number(n *int64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

func asJSON(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func TestCRDsUpgradeSafely(t *testing.T) {
	for _, change := range crdChanges(previous(t), head(t)) {
		t.Error(change)
	}
	for _, v := range []variant{previous(t), head(t)} {
		for _, crd := range v.V1CRDs {
			stored := 0
			for _, version := range crd.Spec.Versions {
				if version.Storage {
					stored++
				}
			}
			if stored != 1 {
				t.Errorf("%s: %s has %d storage versions", v.name, crd.Name, stored)
			}
		}
	}
}

// TestCRDsOfTheVendorsReleasesStayStored: clusters that ran the vendor's operator have both versions of a cluster in
// status.storedVersions; OLM lets no CRD in that lacks one of them.
func TestCRDsOfTheVendorsReleasesStayStored(t *testing.T) {
	for _, crd := range head(t).V1CRDs {
		if crd.Spec.Names.Kind != "RedisEnterpriseCluster" {
			continue
		}
		var names []string
		for _, version := range crd.Spec.Versions {
			names = append(names, version.Name)
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"v1", "v1alpha1"}) {
			t.Errorf("versions %v", names)
		}
		return
	}
	t.Error("the bundle has no clusters")
}

// TestTheCheckOfCRDsFails proves that each kind of change is found.
func TestTheCheckOfCRDsFails(t *testing.T) {
	one, two := 1.0, 2.0
	field := func(p apiextensions.JSONSchemaProps) apiextensions.JSONSchemaProps {
		return apiextensions.JSONSchemaProps{Properties: map[string]apiextensions.JSONSchemaProps{"f": p}}
	}
	value := func(text string) apiextensions.JSON { return apiextensions.JSON{Raw: []byte(text)} }
	str := apiextensions.JSONSchemaProps{Type: "string"}
	for name, pair := range map[string][2]apiextensions.JSONSchemaProps{
		"gone":           {field(str), {}},
		"type":           {field(str), field(apiextensions.JSONSchemaProps{Type: "integer"})},
		"default":        {field(str), field(apiextensions.JSONSchemaProps{Type: "string", Default: &apiextensions.JSON{Raw: []byte(`"x"`)}})},
		"required":       {{}, {Required: []string{"f"}}},
		"enum":           {field(str), field(apiextensions.JSONSchemaProps{Type: "string", Enum: []apiextensions.JSON{value(`"a"`)}})},
		"enum value":     {{Enum: []apiextensions.JSON{value(`"a"`), value(`"b"`)}}, {Enum: []apiextensions.JSON{value(`"a"`)}}},
		"minimum":        {{Minimum: &one}, {Minimum: &two}},
		"maximum":        {{Maximum: &two}, {Maximum: &one}},
		"bound added":    {{}, {Maximum: &two}},
		"pattern":        {{}, {Pattern: "x"}},
		"element's type": {{Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &str}}, {Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &apiextensions.JSONSchemaProps{Type: "integer"}}}},
	} {
		if got := compareSchema("x", pair[0], pair[1]); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := compareSchema("x", apiextensions.JSONSchemaProps{}, field(str)); len(got) > 0 {
		t.Errorf("a new optional field is refused: %q", got)
	}
}
