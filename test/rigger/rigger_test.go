package rigger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

func database(uid int, name string, crdt bool, tags ...string) map[string]any {
	list := []map[string]any{}
	for i := 0; i+1 < len(tags); i += 2 {
		list = append(list, map[string]any{"key": tags[i], "value": tags[i+1]})
	}
	return map[string]any{"uid": uid, "name": name, "crdt": crdt, "port": 12000 + uid, "tags": list,
		"endpoints": []map[string]any{{"port": 12000 + uid, "addr": []string{"127.0.0.1"}}}}
}

// way is one method, as a user asks for it.
type way struct {
	name        string
	method      v1.ExposureMethod
	annotations map[string]string
	crd         string // part of the name of the file with its kinds
	objects     int    // for two databases
	hosts       func(client.Object) []string
}

var ways = []way{
	{"ingress", v1.ExposureIngress, nil, "", 2, func(o client.Object) []string {
		in := o.(*networkingv1.Ingress)
		if ptr.Deref(in.Spec.IngressClassName, "") != in.Annotations[ingress.ClassAnnotation] { // rule NET-5
			return nil
		}
		return []string{in.Spec.Rules[0].Host}
	}},
	{"openShiftRoute", v1.ExposureOpenShiftRoute, nil, "openshift/api", 2, func(o client.Object) []string { return []string{o.(*routev1.Route).Spec.Host} }},
	{"istio", v1.ExposureIstio, nil, "istio.io", 3, func(o client.Object) []string {
		if g, ok := o.(*istiov1.Gateway); ok {
			return g.Spec.Servers[0].Hosts
		}
		return o.(*istiov1.VirtualService).Spec.Tls[0].Match[0].SniHosts
	}},
	{"gateway", v1.ExposureIngress, map[string]string{names.AnnotationGateway: "infra/public"}, "gateway-api", 2, func(o client.Object) []string {
		return []string{string(o.(*gatewayv1.TLSRoute).Spec.Hostnames[0])}
	}},
}

func (w *world) ask(way way) ingress.Settings {
	w.t.Helper()
	w.rec.Annotations = way.annotations
	w.rec.Spec.IngressOrRouteSpec = &v1.IngressOrRouteSpec{Method: way.method, APIFQDNURL: "api.example.com", DBFQDNSuffix: "-db.example.com",
		IngressAnnotations: map[string]string{ingress.ClassAnnotation: "haproxy"}}
	s, err := ingress.SettingsOf(w.rec)
	w.must(err)
	return s
}

// objects are what leads in by one method.
func (w *world) objects(m ingress.Method) []client.Object {
	w.t.Helper()
	var found []client.Object
	for _, list := range ingress.Lists(ingress.Kinds(m)) {
		err := w.client.List(w.t.Context(), list, client.InNamespace(w.rec.Namespace))
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			continue // this Kubernetes does not have the kind yet
		}
		w.must(err)
		items, err := meta.ExtractList(list)
		w.must(err)
		for _, item := range items {
			found = append(found, item.(client.Object))
		}
	}
	return found
}

// versions are all objects of the rigger and when they were written last.
func (w *world) versions(m ingress.Method) map[string]string {
	w.t.Helper()
	found := map[string]string{}
	var services corev1.ServiceList
	w.must(w.client.List(w.t.Context(), &services, client.InNamespace(w.rec.Namespace)))
	for _, s := range services.Items {
		found["Service "+s.Name] = s.ResourceVersion
	}
	for _, o := range w.objects(m) {
		found[fmt.Sprintf("%T %s", o, o.GetName())] = o.GetResourceVersion()
	}
	return found
}

// TestNET8_EachMethodWithItsOwnRights goes from method to method, as a user does who changes the spec. The operator's part
// is played: rights, a new rigger once the old one is gone, and removing what the old method has left.
func TestNET8_EachMethodWithItsOwnRights(t *testing.T) {
	w := newWorld(t, "methods")
	crds, err := testenv.ForeignCRDs(t.Context(), root)
	w.must(err)
	var before []client.Object
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := w.in(t)
			s := w.ask(way)
			all := []map[string]any{database(1, "global", true), database(2, "asked", false, names.TagExpose, "asked.example.org"), database(3, "plain", false)}
			w.set(all...)
			stop := w.run()
			if way.crd != "" {
				w.eventually("Services do without the kind", func() string { return missing(w.versions(s.Method), "Service global") })
				w.must(env.InstallCRDs(t.Context(), slices.DeleteFunc(slices.Clone(crds), func(file string) bool { return !strings.Contains(file, way.crd) })...))
			}
			w.eventually("ways in", func() string {
				if got := w.objects(s.Method); len(got) != way.objects {
					return fmt.Sprintf("%d objects: %v", len(got), got)
				}
				return ""
			})
			w.checkHosts(way, s)
			w.prune(s, before)
			w.checkQuiet(s)

			w.set(all[1:]...)
			w.eventually("a database is gone", func() string {
				for name := range w.versions(s.Method) {
					if strings.Contains(name, "global") {
						return name + " is still there"
					}
				}
				return ""
			})
			log := stop()
			if strings.Contains(log, "forbidden") {
				t.Errorf("rights are missing:\n%s", log)
			}
			before = w.objects(s.Method)
			if len(before) == 0 {
				t.Error("what the rigger has made goes with it")
			}
		})
	}
}

func missing(have map[string]string, name string) string {
	if have[name] == "" {
		return fmt.Sprintf("%s is not among %v", name, slices.Sorted(maps.Keys(have)))
	}
	return ""
}

func (w *world) checkHosts(way way, s ingress.Settings) {
	w.t.Helper()
	for _, o := range w.objects(s.Method) {
		want := map[string]string{"global": "global-db.example.com", "asked": "asked.example.org", "rec-databases": "global-db.example.com asked.example.org"}[o.GetName()]
		if got := strings.Join(way.hosts(o), " "); got != want {
			w.t.Errorf("%T %s leads from %q, not %q", o, o.GetName(), got, want)
		}
	}
}

// prune removes what the method before has left, and nothing comes back.
func (w *world) prune(s ingress.Settings, left []client.Object) {
	w.t.Helper()
	writer := kube.Writer{Client: w.client, Manager: names.ManagerRigger}
	for _, obj := range left {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			w.t.Errorf("%s went without the operator, who alone may remove it: %v", obj.GetName(), err)
		}
	}
	for _, list := range ingress.Lists(ingress.OtherKinds(s.Method)) {
		_, err := writer.Prune(w.t.Context(), w.rec, names.ClusterLabels(w.rec.Name), []client.ObjectList{list}, nil)
		if !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
			w.must(err)
		}
	}
	w.looked()
	for _, each := range ways {
		if m := ingress.Method(each.name); m != s.Method {
			if got := w.objects(m); len(got) != 0 {
				w.t.Errorf("%s has left %v", m, got)
			}
		}
	}
}

func (w *world) checkQuiet(s ingress.Settings) {
	w.t.Helper()
	was := w.versions(s.Method)
	w.looked()
	if is := w.versions(s.Method); !maps.Equal(was, is) {
		w.t.Errorf("written without need:\n%v\n%v", was, is)
	}
}

func TestNET6_NoRightBeyondTheMethod(t *testing.T) {
	w := newWorld(t, "rights")
	w.ask(ways[1])
	mine, err := client.New(w.account(), client.Options{Scheme: w.client.Scheme()})
	w.must(err)
	in := ingress.Objects(ingress.Settings{Method: ingress.Ingress}, ingress.Entry{Namespace: w.rec.Namespace, Name: "a", Host: "a.example.com", Service: "a", PortName: "redis"})[0]
	if err := mine.Create(t.Context(), in); !apierrors.IsForbidden(err) {
		t.Errorf("an Ingress: %v", err)
	}
	if err := mine.List(t.Context(), &networkingv1.IngressList{}, client.InNamespace(w.rec.Namespace)); !apierrors.IsForbidden(err) {
		t.Errorf("all Ingresses: %v", err)
	}
	w.ask(ways[0])
	w.account()
	w.eventually("the method's own kind", func() string {
		if err := mine.Create(t.Context(), in.DeepCopyObject().(client.Object)); err != nil {
			return err.Error()
		}
		return ""
	})
}

func TestRIG2_AServiceOfSomebodyElse(t *testing.T) {
	w := newWorld(t, "others")
	w.ask(ways[0])
	theirs := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.rec.Namespace, Name: "cache"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "theirs"}, Ports: []corev1.ServicePort{{Name: "redis", Port: 6379}}}}
	w.must(w.client.Create(t.Context(), theirs))
	w.set(database(1, "cache", false), database(2, "orders", false))
	stop := w.run()
	w.eventually("the Services of the other database, and one of this", func() string {
		for _, name := range []string{"orders", "orders-headless", "cache-headless"} {
			if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.rec.Namespace, Name: name}, &corev1.Service{}); err != nil {
				return err.Error()
			}
		}
		return ""
	})
	w.looked()
	live := &corev1.Service{}
	w.must(w.client.Get(t.Context(), client.ObjectKeyFromObject(theirs), live))
	if live.ResourceVersion != theirs.ResourceVersion {
		t.Errorf("it was written: %+v", live)
	}
	w.eventually("an event on the cluster", func() string {
		var events corev1.EventList
		w.must(w.client.List(t.Context(), &events, client.InNamespace(w.rec.Namespace)))
		for _, e := range events.Items {
			if e.InvolvedObject.Kind == "RedisEnterpriseCluster" && e.InvolvedObject.Name == "rec" && e.Reason == names.EventLeftOut && strings.Contains(e.Message, "Service cache") {
				return ""
			}
		}
		return fmt.Sprintf("%d events", len(events.Items))
	})
	if log := stop(); !strings.Contains(log, "Service cache is there already") {
		t.Errorf("the log: %s", log)
	}
}

// An operator of an earlier version has made a Deployment that rolls.
func TestNET8_ARollingDeploymentIsTurned(t *testing.T) {
	w := newWorld(t, "rolling")
	old := children.Rigger(w.cluster())
	old.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: ptr.To(intstr.FromInt32(0)), MaxUnavailable: ptr.To(intstr.FromInt32(1))}}
	for _, each := range []*appsv1.Deployment{old, children.Rigger(w.cluster())} {
		if changes, err := w.operator().Apply(t.Context(), w.rec, []client.Object{each}); err != nil || len(changes) != 1 {
			t.Fatalf("%v, %v", changes, err)
		}
	}
	live := &appsv1.Deployment{}
	w.must(w.client.Get(t.Context(), client.ObjectKeyFromObject(old), live))
	if s := live.Spec.Strategy; s.Type != appsv1.RecreateDeploymentStrategyType || s.RollingUpdate != nil {
		t.Errorf("%+v", s)
	}
}
