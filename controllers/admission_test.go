package controllers

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/admission"
)

func TestADM4_ClustersAreCheckedInBothVersions(t *testing.T) {
	const meta = `"kind":"RedisEnterpriseCluster","metadata":{"name":"rec","namespace":"ns"},`
	cases := []struct {
		name, version, object, old, want string
	}{
		{"v1, three nodes", "v1", `{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":3}}`, "", ""},
		{"v1, two nodes", "v1", `{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":2}}`, "", "spec.nodes"},
		{"v1alpha1, two nodes", "v1alpha1", `{"apiVersion":"app.redislabs.com/v1alpha1",` + meta + `"spec":{"nodes":2}}`, "", "spec.nodes"},
		{"fewer than there are", "v1", `{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":3}}`,
			`{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":5}}`, "spec.nodes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := admission.Request{Operation: admission.Create, Resource: "redisenterpriseclusters", Version: c.version, Object: []byte(c.object)}
			if c.old != "" {
				request.Operation, request.Old = admission.Update, []byte(c.old)
			}
			verdict, err := reviewOfClusters(t).Review(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(verdict.Denials, "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("denials %q, want %q", got, c.want)
			}
		})
	}
}

// reviewOfClusters is what the admission server asks about clusters, beside those that objects are.
func reviewOfClusters(t *testing.T, objects ...client.Object) admission.Kind {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(appv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	for _, kind := range Admission(Shared{Manager: clientOnly{client: c}, Namespace: "ns"}) {
		if kind.Resource() == "redisenterpriseclusters" {
			return kind
		}
	}
	t.Fatal("nobody is asked about clusters")
	return nil
}

func TestADM4_TheServerAsksAllRulesOfClusters(t *testing.T) {
	request := admission.Request{Operation: admission.Create, Resource: "redisenterpriseclusters", Version: "v1", Namespace: "ns",
		Object: []byte(`{"apiVersion":"app.redislabs.com/v1","kind":"RedisEnterpriseCluster","metadata":{"name":"second","namespace":"ns"},"spec":{"clusterRecovery":true}}`)}
	verdict, err := reviewOfClusters(t).Review(t.Context(), request)
	if err != nil || len(verdict.Denials) > 0 || !strings.Contains(strings.Join(verdict.Warnings, "; "), "spec.clusterRecovery: not acted on") {
		t.Errorf("%+v, %v", verdict, err)
	}
	first := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "first"}}
	verdict, err = reviewOfClusters(t, first).Review(t.Context(), request)
	if err != nil || !strings.Contains(strings.Join(verdict.Denials, "; "), "already has the cluster first") {
		t.Errorf("INST-3 %+v, %v", verdict, err)
	}
}

// clientOnly is a manager that has a client and nothing else.
type clientOnly struct {
	manager.Manager
	client client.Client
}

func (m clientOnly) GetClient() client.Client    { return m.client }
func (m clientOnly) GetAPIReader() client.Reader { return m.client }

func TestMNS7_AClusterElsewhereIsLetThroughWithAWarning(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := errors.Join(appv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	kinds := Admission(Shared{Manager: clientOnly{client: fake.NewClientBuilder().WithScheme(scheme).Build()}, Namespace: "redis"})
	for _, c := range []struct {
		name, resource, namespace string
		operation                 admission.Operation
		warns                     bool
	}{
		{"a cluster beside the operator", "redisenterpriseclusters", "redis", admission.Create, false},
		{"a cluster elsewhere", "redisenterpriseclusters", "shop", admission.Create, true},
		{"told once", "redisenterpriseclusters", "shop", admission.Update, false},
		{"a remote cluster beside the operator", "redisenterpriseremoteclusters", "redis", admission.Create, false},
		{"a remote cluster elsewhere", "redisenterpriseremoteclusters", "shop", admission.Create, true},
		{"a database elsewhere is served", "redisenterprisedatabases", "shop", admission.Create, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := []byte(`{"metadata":{"name":"x","namespace":"` + c.namespace + `"},"spec":{"recName":"a","recNamespace":"b","apiFqdnUrl":"c.example.com"}}`)
			request := admission.Request{Operation: c.operation, Resource: c.resource, Namespace: c.namespace, Name: "x", Object: object}
			if c.operation == admission.Update {
				request.Old = []byte(`{"metadata":{"name":"x"},"spec":{}}`)
			}
			for _, kind := range kinds {
				if kind.Resource() != c.resource {
					continue
				}
				verdict, err := kind.Review(t.Context(), request)
				if err != nil || c.resource != "redisenterprisedatabases" && len(verdict.Denials) > 0 {
					t.Fatalf("%+v, %v", verdict, err)
				}
				if told := strings.Contains(strings.Join(verdict.Warnings, "; "), "looks after no "+c.resource+" in shop"); told != c.warns {
					t.Errorf("warnings %q", verdict.Warnings)
				}
			}
		})
	}
}
