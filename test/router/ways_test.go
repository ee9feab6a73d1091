package main

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	routev1 "github.com/openshift/api/route/v1"
	istioapi "istio.io/api/networking/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

var here = client.ObjectKey{Namespace: "ns", Name: "rec"}

// oneService is a world with a Service of two ports, whose second pod is not ready.
func oneService() *world {
	return &world{
		namespaces: map[string]map[string]string{"ns": {"team": "redis"}},
		services: map[client.ObjectKey]*corev1.Service{here: {Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
			{Name: "api", Port: 9443}, {Name: "ui", Port: 443}}}}},
		endpoints: map[client.ObjectKey][]discoveryv1.EndpointSlice{here: {{
			Ports: []discoveryv1.EndpointPort{{Name: ptr.To("api"), Port: ptr.To[int32](19443)}, {Name: ptr.To("ui"), Port: ptr.To[int32](8443)}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}},
				{Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false)}}},
		}}},
	}
}

func TestServers(t *testing.T) {
	w := oneService()
	for name, port := range map[string]intstr.IntOrString{"by name": intstr.FromString("api"), "by number": intstr.FromInt32(9443)} {
		if got := w.servers(here, port); !slices.Equal(got, []string{"10.0.0.1:19443"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := w.servers(client.ObjectKey{Namespace: "ns", Name: "other"}, intstr.FromInt32(9443)); got != nil {
		t.Errorf("no such Service: %v", got)
	}
}

func passthroughRoute() *routev1.Route {
	return &routev1.Route{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec", UID: "1"}, Spec: routev1.RouteSpec{Host: "api.example.com",
		To: routev1.RouteTargetReference{Kind: "Service", Name: "rec"}, Port: &routev1.RoutePort{TargetPort: intstr.FromString("api")},
		TLS: &routev1.TLSConfig{Termination: routev1.TLSTerminationPassthrough}}}
}

func TestOpenshift(t *testing.T) {
	w, route := oneService(), passthroughRoute()
	edge := passthroughRoute()
	edge.Spec.TLS.Termination = routev1.TLSTerminationEdge
	w.routes = []*routev1.Route{route, edge}
	ways := openshiftWays(w)
	if len(ways) != 1 || ways[0].host != "api.example.com" || !slices.Equal(ways[0].servers, []string{"10.0.0.1:19443"}) {
		t.Errorf("%+v", ways)
	}
	now := metav1.Now()
	for _, test := range []struct {
		name    string
		route   *routev1.Route
		refused bool
		status  corev1.ConditionStatus
		reason  string
	}{
		{"passthrough is admitted", route, false, corev1.ConditionTrue, ""},
		{"a host that another has is not", passthroughRoute(), true, corev1.ConditionFalse, "HostAlreadyClaimed"},
		{"another termination is not", edge, false, corev1.ConditionFalse, "TerminationUnsupported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !admit(test.route, test.refused, "router.example.com", now) {
				t.Fatal("nothing was written")
			}
			in := test.route.Status.Ingress[0]
			if in.Conditions[0].Status != test.status || in.Conditions[0].Reason != test.reason || in.RouterCanonicalHostname != "router.example.com" {
				t.Errorf("%+v", in)
			}
			if admit(test.route, test.refused, "router.example.com", now) {
				t.Error("the same was written twice")
			}
		})
	}
}

func TestIstio(t *testing.T) {
	own := map[string]string{"istio": "ingressgateway"}
	gateway := func(change func(*istiov1.Gateway)) map[client.ObjectKey]*istiov1.Gateway {
		g := &istiov1.Gateway{Spec: istioapi.Gateway{Selector: map[string]string{"istio": "ingressgateway"}, Servers: []*istioapi.Server{{
			Port: &istioapi.Port{Number: 443, Name: "tls", Protocol: "TLS"}, Hosts: []string{"api.example.com"},
			Tls: &istioapi.ServerTLSSettings{Mode: istioapi.ServerTLSSettings_PASSTHROUGH}}}}}
		change(g)
		return map[client.ObjectKey]*istiov1.Gateway{here: g}
	}
	vs := &istiov1.VirtualService{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}, Spec: istioapi.VirtualService{
		Hosts: []string{"api.example.com"}, Gateways: []string{"rec"}, Tls: []*istioapi.TLSRoute{{
			Match: []*istioapi.TLSMatchAttributes{{Port: 443, SniHosts: []string{"api.example.com"}}},
			Route: []*istioapi.RouteDestination{{Destination: &istioapi.Destination{Host: "rec", Port: &istioapi.PortSelector{Number: 9443}}}}}}}}
	for _, test := range []struct {
		name   string
		change func(*istiov1.Gateway)
		ways   int
	}{
		{"a Gateway that selects us", func(*istiov1.Gateway) {}, 1},
		{"a wildcard of the Gateway", func(g *istiov1.Gateway) { g.Spec.Servers[0].Hosts = []string{"ns/*.example.com"} }, 1},
		{"another selector", func(g *istiov1.Gateway) { g.Spec.Selector["istio"] = "other" }, 0},
		{"another host", func(g *istiov1.Gateway) { g.Spec.Servers[0].Hosts = []string{"other.example.com"} }, 0},
		{"another port", func(g *istiov1.Gateway) { g.Spec.Servers[0].Port.Number = 8443 }, 0},
		{"TLS that ends at the Gateway", func(g *istiov1.Gateway) { g.Spec.Servers[0].Tls.Mode = istioapi.ServerTLSSettings_SIMPLE }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := oneService()
			w.istioGateways, w.virtualServices = gateway(test.change), []*istiov1.VirtualService{vs}
			ways := istioWays(w, own)
			if len(ways) != test.ways || len(ways) == 1 && !slices.Equal(ways[0].servers, []string{"10.0.0.1:19443"}) {
				t.Errorf("%+v", ways)
			}
		})
	}
}

// tlsWorld is a Gateway in namespace infra, open for namespaces with the label team=redis, and a TLSRoute at it.
func tlsWorld() *world {
	w := oneService()
	w.classes = []gatewayv1.GatewayClass{{ObjectMeta: metav1.ObjectMeta{Name: "test"}, Spec: gatewayv1.GatewayClassSpec{ControllerName: controllerName}}}
	w.gateways = []gatewayv1.Gateway{{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "outside"}, Spec: gatewayv1.GatewaySpec{
		GatewayClassName: "test", Listeners: []gatewayv1.Listener{{Name: "tls", Port: 443, Protocol: gatewayv1.TLSProtocolType,
			Hostname: ptr.To[gatewayv1.Hostname]("*.example.com"), TLS: &gatewayv1.ListenerTLSConfig{Mode: ptr.To(gatewayv1.TLSModePassthrough)},
			AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: ptr.To(gatewayv1.NamespacesFromSelector),
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "redis"}}}}}}}}}
	w.tlsRoutes = []gatewayv1.TLSRoute{{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec", UID: "1"}, Spec: gatewayv1.TLSRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Namespace: ptr.To[gatewayv1.Namespace]("infra"), Name: "outside"}}},
		Hostnames:       []gatewayv1.Hostname{"api.example.com"},
		Rules: []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{{BackendObjectReference: gatewayv1.BackendObjectReference{
			Name: "rec", Port: ptr.To[gatewayv1.PortNumber](9443)}}}}}}}}
	return w
}

func TestGateway(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*world)
		ways   int
	}{
		{"a Gateway that lets the route in", func(*world) {}, 1},
		{"the named listener", func(w *world) { w.tlsRoutes[0].Spec.ParentRefs[0].SectionName = ptr.To[gatewayv1.SectionName]("tls") }, 1},
		{"another listener", func(w *world) { w.tlsRoutes[0].Spec.ParentRefs[0].SectionName = ptr.To[gatewayv1.SectionName]("other") }, 0},
		{"a namespace that the Gateway does not select", func(w *world) { w.namespaces["ns"] = nil }, 0},
		{"a host that the listener does not have", func(w *world) { w.tlsRoutes[0].Spec.Hostnames[0] = "api.example.org" }, 0},
		{"TLS that ends at the Gateway", func(w *world) { w.gateways[0].Spec.Listeners[0].TLS.Mode = ptr.To(gatewayv1.TLSModeTerminate) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := tlsWorld()
			test.change(w)
			all := attachments(w)
			ways := gatewayWays(w, all)
			if len(ways) != test.ways || len(ways) == 1 && !slices.Equal(ways[0].servers, []string{"10.0.0.1:19443"}) {
				t.Errorf("%+v", ways)
			}
			gateway, route := &w.gateways[0], &w.tlsRoutes[0]
			programGateway(gateway, "10.97.0.3", all)
			attachRoute(route, all, nil)
			if got := gateway.Status.Listeners[0].AttachedRoutes; int(got) != test.ways {
				t.Errorf("%d routes are attached", got)
			}
			if got := meta.IsStatusConditionTrue(route.Status.Parents[0].Conditions, string(gatewayv1.RouteConditionAccepted)); got != (test.ways == 1) {
				t.Errorf("accepted: %t", got)
			}
			before := route.DeepCopy()
			attachRoute(route, all, nil)
			if !route.Status.Parents[0].Conditions[0].LastTransitionTime.Equal(&before.Status.Parents[0].Conditions[0].LastTransitionTime) {
				t.Error("a second look moved the time of a condition")
			}
		})
	}
	t.Run("a Gateway of another controller is left alone", func(t *testing.T) {
		w := tlsWorld()
		w.classes[0].Spec.ControllerName = "example.com/other"
		if all := attachments(w); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
	t.Run("no address, not programmed", func(t *testing.T) {
		w := tlsWorld()
		programGateway(&w.gateways[0], "", nil)
		if !meta.IsStatusConditionFalse(w.gateways[0].Status.Conditions, string(gatewayv1.GatewayConditionProgrammed)) {
			t.Errorf("%+v", w.gateways[0].Status.Conditions)
		}
	})
}

func TestAssign(t *testing.T) {
	service := func(name, address string, age int64, kind corev1.ServiceType) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(age, 0))}, Spec: corev1.ServiceSpec{Type: kind}}
		if address != "" {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
		}
		return s
	}
	late, early := service("late", "", 2, corev1.ServiceTypeLoadBalancer), service("early", "", 1, corev1.ServiceTypeLoadBalancer)
	has, was := service("has", "10.97.0.1", 3, corev1.ServiceTypeLoadBalancer), service("was", "10.97.0.2", 4, corev1.ServiceTypeClusterIP)
	changed := assign([]*corev1.Service{late, early, has, was}, netip.MustParsePrefix("10.97.0.0/24"))
	got := []string{addressOf(early), addressOf(late), addressOf(has), addressOf(was)}
	if !slices.Equal(got, []string{"10.97.0.2", "10.97.0.3", "10.97.0.1", ""}) || len(changed) != 3 {
		t.Errorf("%v, %d changed", got, len(changed))
	}
}
