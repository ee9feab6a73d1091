package lifecycle

import (
	"context"
	"fmt"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/scorecard/static"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

// Kinds that the operator owns.
const (
	group            = static.Group
	clusterKind      = "RedisEnterpriseCluster"
	databaseKind     = "RedisEnterpriseDatabase"
	remoteKind       = "RedisEnterpriseRemoteCluster"
	activeActiveKind = "RedisEnterpriseActiveActiveDatabase"
)

// shownNamespace is where the examples say that the operator is.
const shownNamespace = "redis-enterprise"

// smallMemory is enough for every example on emulated nodes.
const smallMemory = "200MB"

// examples are those that an installed release shows, fit for this cluster.
func (s *stage) examples(ctx context.Context, version string) ([]*unstructured.Unstructured, error) {
	var csv v1alpha1.ClusterServiceVersion
	if err := s.Get(ctx, s.Key(s.csv(version)), &csv); err != nil {
		return nil, err
	}
	list, err := static.Examples(&csv)
	if err != nil {
		return nil, err
	}
	for _, example := range list {
		example.SetNamespace(s.Cluster.Namespace)
		if err := s.fit(example); err != nil {
			return nil, fmt.Errorf("%s %s: %w", example.GetKind(), example.GetName(), err)
		}
	}
	return list, nil
}

// ofKind picks the examples of one kind.
func ofKind(list []*unstructured.Unstructured, kind string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, example := range list {
		if example.GetKind() == kind {
			out = append(out, example)
		}
	}
	return out
}

// fit makes an example run on emulated nodes, of which three have to find room on one machine. With the vendor's nodes an
// example is what it is. Where there are Routes, a cluster asks for one. A remote cluster in the namespace that is shown is one
// in the operator's.
func (s *stage) fit(example *unstructured.Unstructured) error {
	node, err := s.node()
	if err != nil {
		return err
	}
	if example.GetKind() == clusterKind && s.serves(routeKind) {
		if err := unstructured.SetNestedMap(example.Object, routed(example.GetName(), s.Cluster.Namespace), "spec", "ingressOrRouteSpec"); err != nil {
			return err
		}
	}
	if namespace, _, _ := unstructured.NestedString(example.Object, "spec", "recNamespace"); namespace == shownNamespace {
		return unstructured.SetNestedField(example.Object, s.Cluster.Namespace, "spec", "recNamespace")
	}
	if node.Repository == "" {
		return nil
	}
	switch example.GetKind() {
	case clusterKind:
		small, err := smallSpec(s.Cluster, node)
		if err != nil {
			return err
		}
		small["licenseSecretName"] = licenseOf(example.GetName())
		for field, value := range small {
			if err := unstructured.SetNestedField(example.Object, value, "spec", field); err != nil {
				return err
			}
		}
	case databaseKind:
		return unstructured.SetNestedField(example.Object, smallMemory, "spec", "memorySize")
	}
	return nil
}

// smallSpec is what the small cluster of the demo says of its nodes: everything but their number.
func smallSpec(c *scenario.Cluster, node scenario.Image) (map[string]any, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.SmallCluster(node))
	if err != nil {
		return nil, err
	}
	spec, _, err := unstructured.NestedMap(content, "spec")
	delete(spec, "nodes")
	return spec, err
}

func licenseOf(cluster string) string { return cluster + "-license" }

// host is the name under which a cluster is reached from outside.
func host(cluster, namespace string) string {
	return "api-" + cluster + "-" + namespace + ".apps.example.com"
}

func routed(cluster, namespace string) map[string]any {
	return map[string]any{"method": "openShiftRoute", "apiFqdnUrl": host(cluster, namespace), "dbFqdnSuffix": "-db-" + cluster + "-" + namespace + ".apps.example.com"}
}

// smallCluster is a cluster like that of the demo, for stages that need any.
func (s *stage) smallCluster() (*appv1.RedisEnterpriseCluster, error) {
	node, err := s.node()
	if err != nil {
		return nil, err
	}
	rec := s.SmallCluster(node)
	if node.Repository == "" {
		rec.Spec.RedisEnterpriseImageSpec, rec.Spec.LicenseSecretName = nil, ""
	}
	return rec, nil
}

// license gives a cluster of emulated nodes a licence; the vendor's nodes run with their trial.
func (s *stage) license(ctx context.Context, cluster, secret string) error {
	if s.NodeImage == "" {
		return nil
	}
	return s.EnsureLicense(ctx, cluster, secret)
}

// conditionOf finds a condition of any of our kinds; nil when it is not there.
func conditionOf(u *unstructured.Unstructured, name string) *metav1.Condition {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, one := range list {
		content, isMap := one.(map[string]any)
		if !isMap || content["type"] != name {
			continue
		}
		var c metav1.Condition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &c); err == nil {
			return &c
		}
	}
	return nil
}

// routeKind and monitorKind are kinds that some clusters have.
var (
	routeKind   = schema.GroupVersionKind{Group: "route.openshift.io", Version: "v1", Kind: "Route"}
	monitorKind = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"}
)
