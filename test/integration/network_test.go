package integration

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

// limitEntrance is how long a kind may take to be noticed and a way in to be tried.
const limitEntrance = 60 * time.Second

// foreign installs the CRDs whose file has one of the words in its name.
func (s *scene) foreign(words ...string) {
	s.t.Helper()
	all, err := testenv.ForeignCRDs(s.t.Context(), filepath.Join("..", ".."))
	if err != nil {
		s.t.Fatal(err)
	}
	wanted := slices.DeleteFunc(all, func(file string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(file, word) })
	})
	if len(wanted) == 0 {
		s.t.Fatalf("no CRDs of %v among %v", words, all)
	}
	if err := world.Env.InstallCRDs(s.t.Context(), wanted...); err != nil {
		s.t.Fatal(err)
	}
}

// by asks for a method; the Gateway API is asked for by annotation.
func (s *scene) by(rec *appv1.RedisEnterpriseCluster, method appv1.ExposureMethod, gateway string) {
	s.t.Helper()
	edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
		r.Annotations = map[string]string{}
		if gateway != "" {
			r.Annotations[names.AnnotationGateway] = gateway
		}
		r.Spec.IngressOrRouteSpec = &appv1.IngressOrRouteSpec{Method: method, APIFQDNURL: "api-rec.apps.example.com",
			DBFQDNSuffix: "-db.apps.example.com", IngressAnnotations: map[string]string{ingress.ClassAnnotation: "haproxy"}}
	})
}

// waysIn lists all objects that lead in, as kind/name.
func (s *scene) waysIn(ctx context.Context) string {
	var found []string
	for _, kind := range ingress.AllKinds() {
		list := ingress.Lists([]schema.GroupVersionKind{kind})[0]
		if err := world.Client.List(ctx, list, client.InNamespace(s.namespace)); err != nil {
			continue // not served
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return err.Error()
		}
		for _, item := range items {
			found = append(found, kind.Kind+"/"+item.(client.Object).GetName())
		}
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

// reached waits until the cluster has been reached by a method, and exactly these objects lead in.
func (s *scene) reached(rec *appv1.RedisEnterpriseCluster, method, objects string) {
	s.t.Helper()
	s.eventually(limitEntrance, "NET-9 reached by "+method, func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); err != nil {
			return err.Error()
		}
		is := meta.FindStatusCondition(rec.Status.Conditions, appv1.ConditionIngressReady)
		if is == nil || is.Status != metav1.ConditionTrue || is.ObservedGeneration != rec.Generation || rec.Status.IngressOrRouteMethodStatus != method {
			return rec.Status.IngressOrRouteMethodStatus + ": " + describe(is)
		}
		if found := s.waysIn(ctx); found != objects {
			return "objects: " + found
		}
		return ""
	})
}

func describe(c *metav1.Condition) string {
	if c == nil {
		return "no condition"
	}
	return c.Reason + ": " + c.Message
}

// unserved waits until the cluster says that the kind of its method is missing, and is ready all the same.
func (s *scene) unserved(rec *appv1.RedisEnterpriseCluster, kind string) {
	s.t.Helper()
	s.eventually(limitEntrance, kind+" is not served", func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); err != nil {
			return err.Error()
		}
		is := meta.FindStatusCondition(rec.Status.Conditions, appv1.ConditionIngressReady)
		if is == nil || is.Reason != appv1.ReasonKindNotServed || !strings.Contains(is.Message, kind) || rec.Status.IngressOrRouteMethodStatus != "" {
			return describe(is)
		}
		if !meta.IsStatusConditionTrue(rec.Status.Conditions, appv1.ConditionReady) {
			return "the cluster is not ready"
		}
		return ""
	})
}

// TestNET1_WaysInFromOutside goes through the methods with the CRDs that their owners publish, which come and go while
// the operator runs. It is one test, because the kinds are those of the whole API server.
func TestNET1_WaysInFromOutside(t *testing.T) {
	outside := newRouter(t)
	s := newScene(t, func(s *scene) { s.dial, outside.namespace = outside.dial, s.namespace })
	t.Cleanup(s.removeForeign)
	rec := s.cluster()
	db := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("orders"), Spec: appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", TLSMode: appv1alpha1.TLSEnabled}}
	db.Annotations = map[string]string{names.AnnotationExpose: "true"}
	s.create(db)
	s.condition(db, appv1alpha1.ConditionExposed, metav1.ConditionFalse, limitEntrance)

	t.Run("NET-4 method ingress needs nothing installed", func(*testing.T) {
		s.by(rec, appv1.ExposureIngress, "")
		s.reached(rec, "ingress", "Ingress/orders Ingress/rec")
		s.condition(db, appv1alpha1.ConditionExposed, metav1.ConditionTrue, limitEntrance)
	})
	t.Run("NET-6 a kind that appears is picked up without a restart", func(*testing.T) {
		s.by(rec, appv1.ExposureOpenShiftRoute, "")
		s.unserved(rec, "Route (route.openshift.io/v1)")
		s.event("rec", corev1.EventTypeWarning, names.EventIngressNotReady, "route.openshift.io/v1")
		s.foreign("openshift")
		s.reached(rec, "openShiftRoute", "Route/orders Route/rec")
		s.event("rec", corev1.EventTypeNormal, names.EventIngressReady, "openShiftRoute")
	})
	t.Run("NET-6 what is deleted is made again", func(t *testing.T) {
		for _, list := range ingress.Lists(ingress.Kinds(ingress.Route)) {
			if err := world.Client.List(t.Context(), list, client.InNamespace(s.namespace)); err != nil {
				t.Fatal(err)
			}
			if err := meta.EachListItem(list, func(o runtime.Object) error { return world.Client.Delete(t.Context(), o.(client.Object)) }); err != nil {
				t.Fatal(err)
			}
		}
		s.reached(rec, "openShiftRoute", "Route/orders Route/rec")
	})
	t.Run("NET-7 istio", func(*testing.T) {
		s.foreign("istio.io/api")
		s.by(rec, appv1.ExposureIstio, "")
		s.reached(rec, "istio", "Gateway/rec Gateway/rec-databases VirtualService/orders VirtualService/rec")
	})
	t.Run("NET-1 the Gateway API", func(*testing.T) {
		s.foreign("gateway-api")
		s.by(rec, appv1.ExposureIngress, "infra/edge")
		s.reached(rec, "gateway", "TLSRoute/orders TLSRoute/rec")
	})
	t.Run("at rest nothing is written", func(*testing.T) {
		s.ready(rec, limitEntrance)
		s.quietFor(5 * time.Second)
	})
	t.Run("a kind that vanishes wedges nothing", func(t *testing.T) {
		s.removeCRD("tlsroutes.gateway.networking.k8s.io")
		s.unserved(rec, "TLSRoute (gateway.networking.k8s.io/v1)")
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
			r.Spec.Services = &appv1.Services{ServicesAnnotations: map[string]string{"still": "alive"}}
		})
		s.annotated("rec", "still", "alive")
		s.foreign("gateway-api")
		s.reached(rec, "gateway", "TLSRoute/orders TLSRoute/rec")
		if t.Failed() {
			return
		}
		s.by(rec, appv1.ExposureOpenShiftRoute, "")
		s.reached(rec, "openShiftRoute", "Route/orders Route/rec")
	})
	t.Run("NET-3 a host that DNS cannot carry is refused with its length", func(t *testing.T) {
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
			r.Spec.IngressOrRouteSpec.APIFQDNURL = strings.Repeat("a", 64) + ".apps.example.com"
		})
		stalled := s.condition(rec, appv1.ConditionStalled, metav1.ConditionTrue, limitEntrance)
		if !strings.Contains(stalled.Message, "64 characters") || !strings.Contains(stalled.Message, "spec.ingressOrRouteSpec.apiFqdnUrl") || rec.Status.SpecStatus != appv1.SpecInvalid {
			t.Errorf("%s: %s", rec.Status.SpecStatus, stalled.Message)
		}
		s.event("rec", corev1.EventTypeWarning, names.EventInvalidConfiguration, "64 characters")
		s.webhook()
		other := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("second"), Spec: appv1.RedisEnterpriseClusterSpec{IngressOrRouteSpec: rec.Spec.IngressOrRouteSpec}}
		s.denied(other, stalled.Message)
	})
	t.Run("NET-2 without the block nothing is left", func(*testing.T) {
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.IngressOrRouteSpec = nil })
		s.eventually(limitEntrance, "no way in", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); err != nil {
				return err.Error()
			}
			if is := meta.FindStatusCondition(rec.Status.Conditions, appv1.ConditionIngressReady); is != nil || rec.Status.IngressOrRouteMethodStatus != "" {
				return rec.Status.IngressOrRouteMethodStatus + ": " + describe(is)
			}
			return s.waysIn(ctx)
		})
		s.condition(db, appv1alpha1.ConditionExposed, metav1.ConditionFalse, limitEntrance)
	})
}

// annotated waits for an annotation of a Service.
func (s *scene) annotated(service, annotation, value string) {
	s.t.Helper()
	s.eventually(limitEntrance, "annotation "+annotation+" of "+service, func(ctx context.Context) string {
		object := &corev1.Service{}
		if err := world.Client.Get(ctx, s.key(service), object); err != nil {
			return err.Error()
		}
		if object.Annotations[annotation] != value {
			return object.Annotations[annotation]
		}
		return ""
	})
}

// quietFor fails when the operator writes to Kubernetes in a while in which nothing happens.
func (s *scene) quietFor(pause time.Duration) {
	s.t.Helper()
	s.eventually(limitEntrance, "a quiet while", func(context.Context) string {
		s.traffic.reset()
		timer := time.NewTimer(pause)
		defer timer.Stop()
		<-timer.C // what is looked for is that nothing happens
		return strings.Join(s.traffic.writes(kubernetesSide), "\n")
	})
}

// removeForeign deletes all kinds that are not ours, so that the test may run again on the same API server.
func (s *scene) removeForeign() {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinitionList"})
	if err := world.Client.List(context.Background(), list); err != nil {
		s.t.Error(err)
	}
	for i := range list.Items {
		if strings.HasSuffix(list.Items[i].GetName(), "."+appv1.GroupVersion.Group) {
			continue
		}
		if err := world.Client.Delete(context.Background(), &list.Items[i]); client.IgnoreNotFound(err) != nil {
			s.t.Error(err)
		}
	}
}

// removeCRD deletes a kind with all of its objects.
func (s *scene) removeCRD(name string) {
	s.t.Helper()
	crd := &unstructured.Unstructured{}
	crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	crd.SetName(name)
	if err := world.Client.Delete(s.t.Context(), crd); err != nil {
		s.t.Fatal(err)
	}
	s.eventually(limitEntrance, name+" is gone", func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(crd), crd); !apierrors.IsNotFound(err) {
			return "still there"
		}
		return ""
	})
}
