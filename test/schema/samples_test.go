package schema

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

const samplesDir = "../../config/samples"

// TestSamples checks that each sample is accepted as it is, is understood by the Go types, and is listed for kustomize,
// and that there is one for each kind.
func TestSamples(t *testing.T) {
	all := loadServed(t)
	var listed struct{ Resources []string }
	raw, err := os.ReadFile(filepath.Join(samplesDir, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &listed); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(samplesDir, "app_*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if !slices.Contains(listed.Resources, filepath.Base(file)) {
				t.Error("not listed in kustomization.yaml")
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			obj := object(t, raw)
			s := servedFor(t, all, obj)
			shown[s.crd.Spec.Names.Kind] = true
			if got := s.admit(obj); len(got.errors) > 0 || len(got.unknown) > 0 {
				t.Errorf("refused %v, dropped %v", got.errors, got.unknown)
			}
			if err := yaml.UnmarshalStrict(raw, typed(s.crd.Spec.Names.Kind+"/"+s.version.Name)); err != nil {
				t.Error(err)
			}
		})
	}
	for _, kind := range kinds {
		if !shown[kind] {
			t.Errorf("no sample of %s", kind)
		}
	}
}

// typed returns an empty Go object of a "kind/version".
func typed(name string) any {
	switch name {
	case "RedisEnterpriseCluster/v1":
		return &appv1.RedisEnterpriseCluster{}
	case "RedisEnterpriseCluster/v1alpha1":
		return &appv1alpha1.RedisEnterpriseCluster{}
	case "RedisEnterpriseDatabase/v1alpha1":
		return &appv1alpha1.RedisEnterpriseDatabase{}
	case "RedisEnterpriseRemoteCluster/v1alpha1":
		return &appv1alpha1.RedisEnterpriseRemoteCluster{}
	case "RedisEnterpriseActiveActiveDatabase/v1alpha1":
		return &appv1alpha1.RedisEnterpriseActiveActiveDatabase{}
	default:
		return nil
	}
}
