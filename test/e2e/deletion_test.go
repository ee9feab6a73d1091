//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// gone is how long a deletion may take in any order.
const gone = 2 * time.Minute

// deletion deletes in each order that people use.
func deletion(t *testing.T, s *suite) {
	if *keep {
		t.Log("left out: -keep")
		return
	}
	t.Run("INST-28 databases first", func(t *testing.T) {
		s.deleteAll(t, databases, clusters)
	})
	t.Run("REC-116 the cluster first", func(t *testing.T) {
		must(t, s.Prepare(t.Context(), s.node))
		s.deleteAll(t, clusters, databases)
	})
	t.Run("INST-28 the namespace at once", func(t *testing.T) {
		must(t, s.Prepare(t.Context(), s.node))
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace}}
		must(t, s.Delete(t.Context(), ns))
		must(t, s.AwaitGone(t.Context(), ns, gone))
	})
}

// deleteAll deletes all objects of one kind and, without waiting, of the next.
func (s *suite) deleteAll(t *testing.T, order ...schema.GroupVersionResource) {
	t.Helper()
	ctx := t.Context()
	for _, resource := range order {
		must(t, s.dynamic.Resource(resource).Namespace(s.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	}
	must(t, s.Await(ctx, "what is left", gone, func() (bool, string, error) {
		left, err := s.left(ctx)
		return err == nil && len(left) == 0, few(left), err
	}))
	s.removeClaims(t)
}

// passedOver are claims, which stay; events, which end by themselves; and the old form of endpointslices.
var passedOver = []string{"persistentvolumeclaims", "events", "endpoints"}

// left is everything in the namespace that belongs to a cluster, apart from its volume claims.
func (s *suite) left(ctx context.Context) ([]string, error) {
	return s.find(ctx, s.Namespace, func(group string, object *unstructured.Unstructured) bool {
		return object.GetLabels()[names.LabelCluster] != "" || group == clusters.Group || strings.HasPrefix(object.GetName(), "redb-")
	})
}

// find lists the objects of a namespace, of all kinds but those passed over.
func (s *suite) find(ctx context.Context, namespace string, wanted func(group string, object *unstructured.Unstructured) bool) ([]string, error) {
	lists, err := s.Core.Discovery().ServerPreferredNamespacedResources()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || slices.Contains(passedOver, resource.Name) {
				continue
			}
			found, err := s.dynamic.Resource(gv.WithResource(resource.Name)).Namespace(namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", resource.Name, err)
			}
			for i := range found.Items {
				if wanted(gv.Group, &found.Items[i]) {
					all = append(all, resource.Name+"/"+found.Items[i].GetName())
				}
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// removeClaims removes what a deleted cluster leaves behind on purpose, and checks that it did.
func (s *suite) removeClaims(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	var claims corev1.PersistentVolumeClaimList
	must(t, s.List(ctx, &claims, client.InNamespace(s.Namespace), client.MatchingLabels(names.ClusterLabels(rec))))
	if len(claims.Items) < 3 {
		t.Errorf("only %d volume claims are left; the data of a deleted cluster must stay", len(claims.Items))
	}
	for i := range claims.Items {
		s.remove(t, &claims.Items[i])
	}
}

// clean removes what an earlier run, or the demo, left behind.
func (s *suite) clean(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	options := []client.DeleteAllOfOption{client.InNamespace(s.Namespace)}
	must(t, s.DeleteAllOf(ctx, &appv1alpha1.RedisEnterpriseDatabase{}, options...))
	must(t, s.DeleteAllOf(ctx, &appv1.RedisEnterpriseCluster{}, options...))
	must(t, s.Await(ctx, "what an earlier run left", gone, func() (bool, string, error) {
		left, err := s.left(ctx)
		return err == nil && len(left) == 0, few(left), err
	}))
	must(t, s.DeleteAllOf(ctx, &corev1.PersistentVolumeClaim{}, append(options, client.MatchingLabels(names.ClusterLabels(rec)))...))
	must(t, s.Await(ctx, "volume claims", gone, func() (bool, string, error) {
		var claims corev1.PersistentVolumeClaimList
		err := s.List(ctx, &claims, client.InNamespace(s.Namespace), client.MatchingLabels(names.ClusterLabels(rec)))
		return err == nil && len(claims.Items) == 0, fmt.Sprintf("%d left", len(claims.Items)), err
	}))
}

// few names the first of many.
func few(all []string) string {
	const shown = 4
	if len(all) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:shown], ", "), len(all)-shown)
	}
	return strings.Join(all, ", ")
}
