package static

import (
	"slices"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// DescriptorsOnTheirKind checks that a field that one kind alone has is described there, and on no other kind.
func DescriptorsOnTheirKind(t report.T, v Bundle) {
	t.Helper()
	owners := map[string][]string{} // of each field of a spec
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		schema, _ := v.Schema(owned.Kind, owned.Version)
		for field := range schema.Properties["spec"].Properties {
			if !slices.Contains(owners[field], owned.Kind) {
				owners[field] = append(owners[field], owned.Kind)
			}
		}
	}
	if len(owners) == 0 {
		t.Fatal("no owned kind has a field")
	}
	described := map[string][]string{}
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		for _, d := range owned.SpecDescriptors {
			if !slices.Contains(described[d.Path], owned.Kind) {
				described[d.Path] = append(described[d.Path], owned.Kind)
			}
		}
	}
	for field, kinds := range owners {
		if len(kinds) == 1 && !slices.Equal(described[field], kinds) {
			t.Errorf("%s is a field of %s and is described on %v", field, kinds[0], described[field])
		}
	}
}

// OwnedResources checks that every owned kind names what is made for it.
func OwnedResources(t report.T, v Bundle) {
	t.Helper()
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		if len(owned.Resources) == 0 {
			t.Errorf("%s %s names none", owned.Kind, owned.Version)
		}
		for _, r := range owned.Resources {
			if r.Kind == "" || r.Version == "" {
				t.Errorf("%s %s names %+v", owned.Kind, owned.Version, r)
			}
		}
	}
}
