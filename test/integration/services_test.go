package integration

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// TestNET17_ServicesOfACluster changes types and annotations of the cluster's Services while it runs.
func TestNET17_ServicesOfACluster(t *testing.T) {
	s := newScene(t)
	rec := s.cluster()
	services := []string{"rec", "rec-ui", "rec-prom"}

	t.Run("NET-16 annotations of others stay, and those for one Service win", func(t *testing.T) {
		for _, name := range services {
			patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"theirs":"1","both":"theirs"}}}`))
			if err := world.Client.Patch(t.Context(), &corev1.Service{ObjectMeta: s.meta(name)}, patch, client.FieldOwner("somebody")); err != nil {
				t.Fatal(err)
			}
		}
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
			r.Spec.Services = &appv1.Services{ServicesAnnotations: map[string]string{"team": "all", "both": "ours"}}
			r.Spec.UIAnnotations = map[string]string{"team": "ui"}
		})
		for _, name := range services {
			s.annotated(name, "team", map[bool]string{true: "ui", false: "all"}[name == "rec-ui"])
			s.annotated(name, "theirs", "1")
			s.annotated(name, "both", "theirs")
		}
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.Services, r.Spec.UIAnnotations = nil, nil })
		for _, name := range services {
			s.annotated(name, "team", "")
			s.annotated(name, "theirs", "1")
			s.annotated(name, "both", "theirs")
		}
	})
	for _, kind := range []corev1.ServiceType{corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName, corev1.ServiceTypeNodePort, corev1.ServiceTypeClusterIP} {
		t.Run("NET-17 the console as "+string(kind), func(*testing.T) {
			edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.UIServiceType = kind })
			s.served(rec, "rec-ui", kind)
		})
	}
	for _, kind := range []corev1.ServiceType{corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeClusterIP} {
		t.Run("NET-17 the API as "+string(kind), func(*testing.T) {
			edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
				r.Spec.Services = &appv1.Services{APIService: &appv1.APIService{Type: kind}}
			})
			s.served(rec, "rec", kind)
		})
	}
}

// served waits until a Service has a type with all that belongs to it and nothing of another type, and its cluster is
// ready.
func (s *scene) served(rec *appv1.RedisEnterpriseCluster, name string, kind corev1.ServiceType) {
	s.t.Helper()
	s.eventually(limitEntrance, fmt.Sprintf("service %s of type %s", name, kind), func(ctx context.Context) string {
		service := &corev1.Service{}
		if err := world.Client.Get(ctx, s.key(name), service); err != nil {
			return err.Error()
		}
		spec := service.Spec
		named, ported := kind == corev1.ServiceTypeExternalName, kind == corev1.ServiceTypeNodePort || kind == corev1.ServiceTypeLoadBalancer
		if spec.Type != kind || named != (spec.ExternalName != "") || named != (spec.ClusterIP == "") || ported != (spec.Ports[0].NodePort != 0) {
			return fmt.Sprintf("%+v", spec)
		}
		return ""
	})
	s.ready(rec, limitEntrance)
}
