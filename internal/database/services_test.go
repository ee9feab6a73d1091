package database

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestREDB3_ANameWhoseServiceIsTaken(t *testing.T) {
	service := func(name string, change ...func(*corev1.Service)) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		for _, f := range change {
			f(s)
		}
		return s
	}
	ofRigger := func(s *corev1.Service) {
		s.Labels, s.Annotations = names.ClusterLabels("rec"), map[string]string{names.AnnotationManager: names.ManagerRigger}
	}
	ofCluster := func(s *corev1.Service) {
		s.Labels, s.Annotations = names.ClusterLabels("rec"), map[string]string{names.AnnotationManager: names.ManagerOperator}
	}
	balanced := runningCluster()
	balanced.Spec.ServicesRiggerSpec = &appv1.ServicesRiggerSpec{DatabaseServiceType: "load_balancer"}
	byPort := runningCluster()
	byPort.Spec.ServicesRiggerSpec = &appv1.ServicesRiggerSpec{ServiceNaming: appv1.ServiceNamingPort}
	for _, c := range []struct {
		name    string
		cluster *appv1.RedisEnterpriseCluster
		there   *corev1.Service
		want    string
	}{
		{"somebody else's", runningCluster(), service("orders"), "namespace ns has a Service orders already"},
		{"that of the webhook", runningCluster(), service("orders-headless", func(s *corev1.Service) { s.Labels = map[string]string{names.LabelApp: names.AppValue} }), "Service orders-headless already"},
		{"the cluster's own", runningCluster(), service("orders", ofCluster), "cluster rec itself has a Service orders"},
		{"a database's, from before", runningCluster(), service("orders", ofRigger), ""},
		{"one that this database does not ask for", balanced, service("orders"), ""},
		{"the one that it asks for", balanced, service("orders-load-balancer"), "Service orders-load-balancer already"},
		{"where Services are named after ports", byPort, service("orders"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			denied := strings.Join(ask(t, reviewer(t, c.cluster, c.there), nil, database()).Denials, "; ")
			if c.want == "" && denied != "" || !strings.Contains(denied, c.want) {
				t.Errorf("the webhook says %q", denied)
			}
			w := newWorld(t, c.cluster, database(), c.there)
			if c.want == "" {
				w.settle()
				return
			}
			for range 4 {
				if err := w.pass(); err == nil {
					t.Fatal("no complaint")
				}
			}
			db := w.db()
			if db.Status.SpecStatus != appv1.SpecInvalid || !w.told(names.EventInvalidConfiguration, c.want) || len(w.cluster.written()) != 0 {
				t.Errorf("specStatus %q, events %v", db.Status.SpecStatus, w.events)
			}
			if err := w.client.Delete(t.Context(), c.there); err != nil {
				t.Fatal(err)
			}
			if db := w.settle(); db.Status.SpecStatus != appv1.SpecValid {
				t.Errorf("not healed: %+v", db.Status)
			}
		})
	}
	t.Run("a database that is there goes on", func(t *testing.T) {
		w := newWorld(t, runningCluster(), database())
		w.settle()
		if err := w.client.Create(t.Context(), client.Object(service("orders"))); err != nil {
			t.Fatal(err)
		}
		w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
		w.settle()
	})
}
