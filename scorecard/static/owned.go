package static

import (
	"slices"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// DescriptorsOnTheirKind checks that the fields of one kind are described there.
func DescriptorsOnTheirKind(t report.T, v Bundle) {
	t.Helper()
	byKind := map[string][]string{}
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		for _, d := range owned.SpecDescriptors {
			byKind[owned.Kind] = append(byKind[owned.Kind], d.Path)
		}
	}
	if slices.Contains(byKind["RedisEnterpriseRemoteCluster"], "nodes") || !slices.Contains(byKind["RedisEnterpriseCluster"], "nodes") {
		t.Error("the nodes of a cluster are described on another kind")
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
