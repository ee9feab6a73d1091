package static

import (
	"slices"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestTheCheckOfDescriptorsFails proves that each fault is found.
func TestTheCheckOfDescriptorsFails(t *testing.T) {
	schema := apiextensions.JSONSchemaProps{Properties: map[string]apiextensions.JSONSchemaProps{
		"mode": {Type: "string", Enum: []apiextensions.JSON{{Raw: []byte(`"a"`)}, {Raw: []byte(`"b"`)}}},
		"list": {Type: "array", Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &apiextensions.JSONSchemaProps{
			Properties: map[string]apiextensions.JSONSchemaProps{"name": {Type: "string"}}}}},
	}}
	for path, want := range map[string]bool{"mode": true, "list[0].name": true, "list.name": false, "list[0].other": false, "mode[0]": false, "x": false} {
		if _, got := resolve(schema, path); got != want {
			t.Errorf("%s resolves: %v", path, got)
		}
	}
	for widget, want := range map[string]bool{
		"urn:alm:descriptor:com.tectonic.ui:text": true, "urn:alm:descriptor:com.tectonic.ui:label": false,
		"urn:alm:descriptor:com.tectonic.ui:select:a": true, "urn:alm:descriptor:io.kubernetes:Secret": true,
		"urn:alm:descriptor:io.kubernetes:Widget": false, "urn:alm:descriptor:text": false,
	} {
		if isKnown("spec", widget) != want {
			t.Errorf("%s known: %v", widget, !want)
		}
	}
	if got := enum(schema.Properties["mode"]); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("enum is %v", got)
	}
}

// TestTheCheckOfCRDsFails proves that each kind of change is found.
func TestTheCheckOfCRDsFails(t *testing.T) {
	one, two := 1.0, 2.0
	field := func(p apiextensions.JSONSchemaProps) apiextensions.JSONSchemaProps {
		return apiextensions.JSONSchemaProps{Properties: map[string]apiextensions.JSONSchemaProps{"f": p}}
	}
	value := func(text string) apiextensions.JSON { return apiextensions.JSON{Raw: []byte(text)} }
	str := apiextensions.JSONSchemaProps{Type: "string"}
	set, yes := "set", true
	others := func(p *apiextensions.JSONSchemaProps) apiextensions.JSONSchemaProps {
		return apiextensions.JSONSchemaProps{AdditionalProperties: &apiextensions.JSONSchemaPropsOrBool{Allows: true, Schema: p}}
	}
	rule := apiextensions.ValidationRules{{Rule: "self > 1"}}
	for name, pair := range map[string][2]apiextensions.JSONSchemaProps{
		"gone":             {field(str), {}},
		"type":             {field(str), field(apiextensions.JSONSchemaProps{Type: "integer"})},
		"default":          {field(str), field(apiextensions.JSONSchemaProps{Type: "string", Default: &apiextensions.JSON{Raw: []byte(`"x"`)}})},
		"required":         {{}, {Required: []string{"f"}}},
		"enum":             {field(str), field(apiextensions.JSONSchemaProps{Type: "string", Enum: []apiextensions.JSON{value(`"a"`)}})},
		"enum value":       {{Enum: []apiextensions.JSON{value(`"a"`), value(`"b"`)}}, {Enum: []apiextensions.JSON{value(`"a"`)}}},
		"minimum":          {{Minimum: &one}, {Minimum: &two}},
		"maximum":          {{Maximum: &two}, {Maximum: &one}},
		"bound added":      {{}, {Maximum: &two}},
		"pattern":          {{}, {Pattern: "x"}},
		"map value's type": {others(&str), others(&apiextensions.JSONSchemaProps{Type: "integer"})},
		"map value's rule": {others(&str), others(&apiextensions.JSONSchemaProps{Type: "string", XValidations: rule})},
		"map closed":       {others(&str), {}},
		"map values":       {others(nil), others(&str)},
		"rule":             {field(str), field(apiextensions.JSONSchemaProps{Type: "string", XValidations: rule})},
		"null":             {{Nullable: true}, {}},
		"format":           {{}, {Format: "date-time"}},
		"exclusive":        {{Minimum: &one}, {Minimum: &one, ExclusiveMinimum: true}},
		"multiples":        {{}, {MultipleOf: &two}},
		"unknown fields":   {{XPreserveUnknownFields: &yes}, {}},
		"list type":        {{}, {XListType: &set}},
		"alternatives":     {{}, {AnyOf: []apiextensions.JSONSchemaProps{str}}},
		"forbidden":        {{}, {Not: &str}},
		"element's type":   {{Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &str}}, {Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &apiextensions.JSONSchemaProps{Type: "integer"}}}},
	} {
		if got := compareSchema("x", pair[0], pair[1]); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := compareSchema("x", apiextensions.JSONSchemaProps{}, field(str)); len(got) > 0 {
		t.Errorf("a new optional field is refused: %q", got)
	}
	for name, pair := range map[string][2]apiextensions.JSONSchemaProps{
		"a rule that is gone":         {{XValidations: rule}, {}},
		"null that is allowed now":    {{}, {Nullable: true}},
		"a format that is gone":       {{Format: "date-time"}, {}},
		"keys that are allowed now":   {{}, others(&str)},
		"alternatives that are gone":  {{AnyOf: []apiextensions.JSONSchemaProps{str}}, {}},
		"unknown fields kept now":     {{}, {XPreserveUnknownFields: &yes}},
		"values that may be anything": {others(&str), others(nil)},
	} {
		if got := compareSchema("x", pair[0], pair[1]); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
