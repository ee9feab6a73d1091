package build

import (
	"fmt"
	"sort"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/open-redis-enterprise/operator/hack/bundle/descriptor"
)

// owned describes every served version of every CRD.
func (s *Source) owned() ([]v1alpha1.CRDDescription, error) {
	var out []v1alpha1.CRDDescription
	rank := map[string]int{}
	for _, crd := range s.CRDs {
		for _, version := range crd.Spec.Versions {
			if !version.Served {
				continue
			}
			key := version.Name + "/" + crd.Spec.Names.Kind
			marker, marked := s.Markers[key]
			if !marked || len(marker.Resources) == 0 {
				return nil, fmt.Errorf("the Go type of %s needs a marker %sdisplayName=...,order=...,resources={...}", key, markerPrefix)
			}
			description := describe(crd, version, marker)
			rank[description.Name+description.Version] = marker.Order
			out = append(out, description)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return rank[out[i].Name+out[i].Version] < rank[out[j].Name+out[j].Version] })
	return out, nil
}

func describe(crd apiextensions.CustomResourceDefinition, version apiextensions.CustomResourceDefinitionVersion, marker Marker) v1alpha1.CRDDescription {
	kind := crd.Spec.Names.Kind
	root := version.Schema.OpenAPIV3Schema
	text := oneLine(root.Description)
	if version.Deprecated {
		text = "Deprecated, use the newer version. " + text
	}
	return v1alpha1.CRDDescription{
		Name: crd.Name, Version: version.Name, Kind: kind, DisplayName: marker.Title, Description: text, Resources: marker.Resources,
		SpecDescriptors:   descriptor.Spec(kind, root.Properties["spec"]),
		StatusDescriptors: descriptor.Status(kind, root.Properties["status"]),
	}
}
