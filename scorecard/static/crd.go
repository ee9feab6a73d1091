package static

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// CRDChanges lists the changes of CRDs that a catalog must not make: the old operator runs with the new schemas until its
// own upgrade is let through, and resources of the old release must stay valid.
func CRDChanges(before, now []*apiextensions.CustomResourceDefinition) []string {
	heads := map[string]*apiextensions.CustomResourceDefinition{}
	for _, crd := range now {
		heads[crd.Name] = crd
	}
	var out []string
	for _, old := range before {
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
	out = append(out, compareRules(path, old, now)...)
	for name, child := range old.Properties {
		next, there := now.Properties[name]
		if !there {
			add("field %s is gone", name)
			continue
		}
		out = append(out, compareSchema(path+"."+name, child, next)...)
	}
	if before, after := elements(old), elements(now); before != nil && after != nil {
		out = append(out, compareSchema(path+"[]", *before, *after)...)
	}
	return append(out, compareOthers(path, old, now)...)
}

func elements(s apiextensions.JSONSchemaProps) *apiextensions.JSONSchemaProps {
	if s.Items == nil {
		return nil
	}
	return s.Items.Schema
}

// compareOthers compares what is said of the keys that a schema does not list, as those of a map.
func compareOthers(path string, old, now apiextensions.JSONSchemaProps) []string {
	before, after := old.AdditionalProperties, now.AdditionalProperties
	switch {
	case before == nil || !before.Allows && before.Schema == nil:
		return nil
	case after == nil || !after.Allows && after.Schema == nil:
		return []string{path + ": keys of one's own are not allowed any more"}
	case before.Schema == nil && after.Schema != nil:
		return []string{path + ": not every value is allowed any more"}
	case before.Schema == nil || after.Schema == nil:
		return nil
	}
	return compareSchema(path+"{}", *before.Schema, *after.Schema)
}

// compareRules lists what is asked of a value beyond its type that was not asked before.
func compareRules(path string, old, now apiextensions.JSONSchemaProps) []string {
	var out []string
	add := func(is bool, format string, arguments ...any) {
		if is {
			out = append(out, path+": "+fmt.Sprintf(format, arguments...))
		}
	}
	for _, rule := range now.XValidations {
		known := slices.ContainsFunc(old.XValidations, func(r apiextensions.ValidationRule) bool { return r.Rule == rule.Rule })
		add(!known, "the rule %q was added", rule.Rule)
	}
	add(old.Nullable && !now.Nullable, "null is not allowed any more")
	add(now.Format != "" && now.Format != old.Format, "the format changed from %q to %q", old.Format, now.Format)
	add(now.ExclusiveMinimum && !old.ExclusiveMinimum || now.ExclusiveMaximum && !old.ExclusiveMaximum, "a limit itself is not allowed any more")
	add(now.MultipleOf != nil && asJSON(now.MultipleOf) != asJSON(old.MultipleOf), "only multiples of %s are allowed", asJSON(now.MultipleOf))
	add(ptr.Deref(old.XPreserveUnknownFields, false) && !ptr.Deref(now.XPreserveUnknownFields, false), "unknown fields are dropped")
	add(asJSON(old.XListType) != asJSON(now.XListType) || !slices.Equal(old.XListMapKeys, now.XListMapKeys) || asJSON(old.XMapType) != asJSON(now.XMapType),
		"lists or maps are merged in another way")
	for name, parts := range map[string][2]any{
		"allOf": {old.AllOf, now.AllOf}, "anyOf": {old.AnyOf, now.AnyOf}, "oneOf": {old.OneOf, now.OneOf}, "not": {old.Not, now.Not},
	} {
		add(asJSON(parts[0]) != asJSON(parts[1]) && asJSON(parts[1]) != "null", "%s changed", name)
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

// UpgradeSafety checks that a bundle changes no CRD of the release before it in a way that a catalog must not.
func UpgradeSafety(t report.T, now Bundle, before Release) {
	t.Helper()
	for _, change := range CRDChanges(before.CRDs, now.V1CRDs) {
		t.Error(change)
	}
}

// StoredVersions checks that each kind is stored in one version, and that a cluster has both that releases of the vendor's
// operator have stored it in: they are in status.storedVersions, and OLM lets no CRD in that lacks one of them.
func StoredVersions(t report.T, v Bundle) {
	t.Helper()
	if len(v.V1CRDs) == 0 {
		t.Error("the bundle has no CRDs")
	}
	for _, crd := range v.V1CRDs {
		var names []string
		stored := 0
		for _, version := range crd.Spec.Versions {
			names = append(names, version.Name)
			if version.Storage {
				stored++
			}
		}
		if stored != 1 {
			t.Errorf("%s has %d storage versions", crd.Name, stored)
		}
		slices.Sort(names)
		if crd.Spec.Names.Kind == "RedisEnterpriseCluster" && !slices.Equal(names, []string{"v1", "v1alpha1"}) {
			t.Errorf("versions %v", names)
		}
	}
}
