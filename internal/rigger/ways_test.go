package rigger

import (
	"strings"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	networkingv1 "k8s.io/api/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func activeActive(uid int64, name string, port int) rest.BDB {
	yes, db := true, bdb(uid, name, port)
	db.CRDT = &yes
	return db
}

func exposed(uid int64, name, tag string) rest.BDB {
	db := bdb(uid, name, 12000+int(uid))
	db.Tags = &[]rest.Tag{{Key: names.TagExpose, Value: tag}}
	return db
}

func waysIn(method ingress.Method) Settings {
	s := settings(ClusterIP, Headless)
	s.Ingress = ingress.Settings{Method: method, Path: "spec.ingressOrRouteSpec", APIHost: "api.example.com", DatabaseSuffix: "-db.example.com",
		Annotations: map[string]string{ingress.ClassAnnotation: "haproxy"}, Gateway: "infra/public", IstioSelector: map[string]string{"istio": "ingressgateway"}}
	return s
}

func TestNET2_WhoGetsAWayIn(t *testing.T) {
	list := read(bdb(1, "plain", 12000), activeActive(2, "global", 12001), exposed(3, "asked", "asked.example.org"), exposed(4, "short", "true"))
	objects, left := Ways(waysIn(ingress.Route), list)
	got := map[string]string{}
	for _, o := range objects {
		got[o.GetName()] = o.(*routev1.Route).Spec.Host
	}
	want := map[string]string{"global": "global-db.example.com", "asked": "asked.example.org", "short": "short-db.example.com"}
	if len(got) != len(want) || len(left) != 0 {
		t.Fatalf("%v, %v", got, left)
	}
	for name, host := range want {
		if got[name] != host {
			t.Errorf("%s is reached at %q", name, got[name])
		}
	}
	if objects, left := Ways(settings(ClusterIP), list); len(objects)+len(left) != 0 {
		t.Errorf("nobody asked: %v, %v", objects, left)
	}
}

func TestNET10_EachInstanceOfAnActiveActiveDatabaseHasAWayIn(t *testing.T) {
	s := waysIn(ingress.Ingress)
	s.Ingress.Path = "spec.activeActive"
	objects, _ := Ways(s, read(activeActive(1, "one", 12000), activeActive(2, "two", 12001)))
	if len(objects) != 2 || objects[0].GetName() != "one" || objects[1].GetName() != "two" {
		t.Fatalf("%v", objects)
	}
	got := objects[1].(*networkingv1.Ingress)
	backend := got.Spec.Rules[0].HTTP.Paths[0].Backend.Service
	if got.Spec.Rules[0].Host != "two-db.example.com" || backend.Name != "two" || backend.Port.Name != "redis" || got.Annotations[ingress.ClassAnnotation] != "haproxy" {
		t.Errorf("%+v", got)
	}
}

func TestNET4_TheServiceBehind(t *testing.T) {
	for _, c := range []struct {
		name, want string
		types      []string
		byPort     bool
		port       int32
	}{
		{"the one named like the database", "global", []string{Headless, ClusterIP}, false, 6379},
		{"named by port", "redis-12000", []string{ClusterIP}, true, 6379},
		{"only a load balancer", "global-load-balancer", []string{Headless, LoadBalancer}, false, 6379},
		{"only a headless one", "global-headless", []string{Headless}, false, 12000},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := waysIn(ingress.Gateway)
			s.Types, s.ByPort, s.DefaultPort = c.types, c.byPort, true
			objects, _ := Ways(s, read(activeActive(1, "global", 12000)))
			backend := objects[0].(*gatewayv1.TLSRoute).Spec.Rules[0].BackendRefs[0]
			if string(backend.Name) != c.want || *backend.Port != c.port || objects[0].GetName() != "global" {
				t.Errorf("%s leads to %s:%d", objects[0].GetName(), backend.Name, *backend.Port)
			}
			found := false
			for _, svc := range Services(s, read(activeActive(1, "global", 12000))) {
				found = found || svc.GetName() == c.want
			}
			if !found {
				t.Errorf("there is no Service %s", c.want)
			}
		})
	}
}

func TestNET7_DatabasesShareOneGateway(t *testing.T) {
	objects, _ := Ways(waysIn(ingress.Istio), read(activeActive(1, "one", 12000), bdb(2, "plain", 12001), activeActive(3, "three", 12002)))
	if len(objects) != 3 {
		t.Fatalf("%v", objects)
	}
	gateway := objects[0].(*istiov1.Gateway)
	if gateway.Name != "rec-databases" || strings.Join(gateway.Spec.Servers[0].Hosts, " ") != "one-db.example.com three-db.example.com" {
		t.Errorf("%+v", gateway)
	}
	for _, o := range objects[1:] {
		if vs := o.(*istiov1.VirtualService); vs.Spec.Gateways[0] != gateway.Name || len(vs.Labels) != 2 {
			t.Errorf("%+v", vs)
		}
	}
	if objects, _ := Ways(waysIn(ingress.Istio), read(bdb(2, "plain", 12001))); len(objects) != 0 {
		t.Errorf("a Gateway for nothing: %v", objects)
	}
}

func TestNET3_HostsThatCannotBe(t *testing.T) {
	s := waysIn(ingress.Route)
	s.Ingress.DatabaseSuffix = "-" + strings.Repeat("x", 55) + ".example.com"
	objects, left := Ways(s, read(
		activeActive(1, "long-name", 12000),         // 9+56 characters
		exposed(2, "first", "same.example.com"),     // the oldest keeps it
		exposed(3, "second", "same.example.com"),    //
		exposed(4, "intruder", "api.example.com"),   // the API's
		exposed(5, "rec", "rec.example.com"),        // the API's object has the name
		exposed(6, "broken", "https://example.com"), //
	))
	if len(objects) != 1 || objects[0].GetName() != "first" {
		t.Errorf("made: %v", objects)
	}
	for i, words := range []string{"has 65 characters", "leads to database first", "leads to the API", "the same name", "leave out scheme"} {
		if i >= len(left) || !strings.Contains(left[i], words) {
			t.Errorf("%d: nothing about %q in %q", i, words, left)
		}
	}
}

func TestSettingsTravelThroughTheEnvironment(t *testing.T) {
	env := map[string]string{names.EnvCluster: "rec", names.EnvClusterUID: "u", names.EnvPodNamespace: "ns",
		names.EnvIngress: `{"method":"istio","apiHost":"api.example.com","databaseSuffix":".db","istioSelector":{"a":"b"}}`}
	s, err := ReadSettings(func(key string) string { return env[key] })
	if err != nil || s.Ingress.Method != ingress.Istio || s.Ingress.APIHost != "api.example.com" || s.Ingress.DatabaseSuffix != ".db" || s.Ingress.IstioSelector["a"] != "b" {
		t.Errorf("%+v, %v", s.Ingress, err)
	}
	env[names.EnvIngress] = "{"
	if _, err := ReadSettings(func(key string) string { return env[key] }); err == nil || !strings.Contains(err.Error(), names.EnvIngress) {
		t.Errorf("nonsense was read: %v", err)
	}
}
