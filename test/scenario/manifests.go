package scenario

import (
	"context"
	_ "embed" // the manifests
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

var (
	//go:embed manifests/cluster.yaml
	clusterManifest []byte
	//go:embed manifests/orders.yaml
	ordersManifest []byte
	//go:embed manifests/cache.yaml
	cacheManifest []byte
)

// Image is an image name and a tag.
type Image struct{ Repository, Tag string }

// String is the image as a container names it.
func (i Image) String() string { return i.Repository + ":" + i.Tag }

// SmallCluster is an REC of three small nodes that run the image.
func (c *Cluster) SmallCluster(node Image) *appv1.RedisEnterpriseCluster {
	rec := read(clusterManifest, &appv1.RedisEnterpriseCluster{})
	rec.Namespace = c.Namespace
	rec.Spec.RedisEnterpriseImageSpec = &appv1.ImageSpec{Repository: node.Repository, VersionTag: node.Tag}
	return rec
}

// Orders is a database that survives the loss of a node: two shards, replicas, AOF.
func (c *Cluster) Orders() *appv1alpha1.RedisEnterpriseDatabase {
	db := read(ordersManifest, &appv1alpha1.RedisEnterpriseDatabase{})
	db.Namespace = c.Namespace
	return db
}

// Cache is a database of one shard that is only in memory.
func (c *Cluster) Cache() *appv1alpha1.RedisEnterpriseDatabase {
	db := read(cacheManifest, &appv1alpha1.RedisEnterpriseDatabase{})
	db.Namespace = c.Namespace
	return db
}

// read decodes a manifest that is part of the program.
func read[T any](manifest []byte, into T) T {
	if err := yaml.UnmarshalStrict(manifest, into); err != nil {
		panic(fmt.Sprintf("scenario: a manifest of ours: %v", err))
	}
	return into
}

// ApplyObject applies an object as kubectl apply --server-side does; its status is left out.
func (c *Cluster) ApplyObject(ctx context.Context, obj client.Object) error {
	gvk, err := c.GroupVersionKindFor(obj)
	if err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(gvk)
	object.SetManagedFields(nil)
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	return c.apply(ctx, object)
}

// MergePatch changes a few fields of an object, as kubectl patch --type merge does.
func (c *Cluster) MergePatch(ctx context.Context, obj client.Object, patch string) error {
	return c.admitted(ctx, obj.GetName(), func() error {
		return c.Patch(ctx, obj, client.RawPatch("application/merge-patch+json", []byte(patch)), client.FieldOwner(FieldOwner))
	})
}
