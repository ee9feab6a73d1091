package integration

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

const clusterCRD = "redisenterpriseclusters.app.redislabs.com"

func definition() *unstructured.Unstructured {
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	crd.SetName(clusterCRD)
	return crd
}

// TestClustersStoredByAnOlderOperatorAreRead: where the vendor's operator ran for long, clusters were once stored as v1alpha1, and
// Kubernetes remembers that. Our CRD replaces the one that is there, and the clusters are read in both versions.
func TestClustersStoredByAnOlderOperatorAreRead(t *testing.T) {
	s := stage(t)
	crd := definition()
	if err := world.Client.Get(t.Context(), client.ObjectKeyFromObject(crd), crd); err != nil {
		t.Fatal(err)
	}
	before := crd.DeepCopy()
	if err := unstructured.SetNestedStringSlice(crd.Object, []string{"v1alpha1", "v1"}, "status", "storedVersions"); err != nil {
		t.Fatal(err)
	}
	if err := world.Client.Status().Patch(t.Context(), crd, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	old := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"nodes": int64(3)}}}
	old.SetAPIVersion("app.redislabs.com/v1alpha1")
	old.SetKind("RedisEnterpriseCluster")
	old.SetNamespace(s.namespace)
	old.SetName("rec")
	s.create(old)

	raw, err := os.ReadFile(filepath.Join("..", "..", "config/crd/bases/app.redislabs.com_redisenterpriseclusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ours := definition()
	if err := yaml.Unmarshal(raw, &ours.Object); err != nil {
		t.Fatal(err)
	}
	if err := world.Client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(ours), client.FieldOwner("olm"), client.ForceOwnership); err != nil {
		t.Fatalf("the CRD is refused: %v", err)
	}
	s.eventually(limitWord, "both versions", func(ctx context.Context) string {
		now := definition()
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(now), now); err != nil {
			return err.Error()
		}
		stored, _, err := unstructured.NestedStringSlice(now.Object, "status", "storedVersions")
		if err != nil || !slices.Contains(stored, "v1alpha1") || !slices.Contains(stored, "v1") {
			t.Fatalf("stored versions %v, %v", stored, err)
		}
		rec := &appv1.RedisEnterpriseCluster{}
		if err := world.Client.Get(ctx, s.key("rec"), rec); err != nil {
			return err.Error()
		}
		if rec.Spec.NodeCount() != 3 {
			t.Errorf("%d nodes", rec.Spec.NodeCount())
		}
		return ""
	})
}
