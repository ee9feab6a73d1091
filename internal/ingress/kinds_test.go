package ingress

import (
	"slices"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open-redis-enterprise/operator/internal/platform"
)

func TestKindsOfObjects(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"route", "ingress", "istio", "gateway"} {
		rec := fixture(t, name)
		s := settings(t, rec)
		seen := 0
		for _, obj := range Objects(s, APIEntry(s, rec)) {
			gvk, err := apiutil.GVKForObject(obj, scheme)
			if err != nil || gvk != obj.GetObjectKind().GroupVersionKind() {
				t.Errorf("%s: %v says it is %v: %v", name, gvk, obj.GetObjectKind().GroupVersionKind(), err)
			}
			if slices.Contains(Kinds(s.Method), gvk) {
				seen++
			}
			if slices.Contains(OtherKinds(s.Method), gvk) {
				t.Errorf("%s: %v is of another method", name, gvk)
			}
		}
		if seen != len(Kinds(s.Method)) || seen+len(OtherKinds(s.Method)) != len(AllKinds()) {
			t.Errorf("%s: %v", name, Kinds(s.Method))
		}
	}
	if len(OtherKinds("")) != len(AllKinds()) {
		t.Error("without a method all kinds are others")
	}
}

func TestEachKindHasAList(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	lists := Lists(AllKinds())
	if len(lists) != len(AllKinds()) {
		t.Fatalf("%d lists", len(lists))
	}
	for i, gvk := range AllKinds() {
		got, err := apiutil.GVKForObject(lists[i], scheme)
		if want := gvk.Kind + "List"; err != nil || got.Kind != want || got.GroupVersion() != gvk.GroupVersion() {
			t.Errorf("%v is listed as %v: %v", gvk, got, err)
		}
		if got := lists[i].DeepCopyObject().(client.ObjectList); got == nil {
			t.Errorf("%v cannot be copied", gvk)
		}
	}
	if got := Lists([]schema.GroupVersionKind{{Version: "v1", Kind: "Pod"}}); len(got) != 0 {
		t.Errorf("a list of something else: %v", got)
	}
}

// The kinds that are made are the kinds that are looked for.
func TestEachKindIsLookedFor(t *testing.T) {
	for _, gvk := range AllKinds() {
		if gvk != platform.Ingress && !slices.Contains(platform.Optional(), gvk) {
			t.Errorf("%v is never looked for", gvk)
		}
	}
}

func TestAddresses(t *testing.T) {
	route := &routev1.Route{Status: routev1.RouteStatus{Ingress: []routev1.RouteIngress{
		{RouterCanonicalHostname: "router.example.com", Conditions: []routev1.RouteIngressCondition{{Type: routev1.RouteAdmitted, Status: "True"}}},
		{RouterCanonicalHostname: "refused.example.com", Conditions: []routev1.RouteIngressCondition{{Type: routev1.RouteAdmitted, Status: "False"}}},
		{Conditions: []routev1.RouteIngressCondition{{Type: routev1.RouteAdmitted, Status: "True"}}},
	}}}
	in := &networkingv1.Ingress{Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{
		Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}, {Hostname: "lb.example.com"}, {IP: "192.0.2.1"}}}}}
	gateway := &gatewayv1.Gateway{Status: gatewayv1.GatewayStatus{Addresses: []gatewayv1.GatewayStatusAddress{
		{Type: ptr.To(gatewayv1.IPAddressType), Value: "192.0.2.7"}}}}
	for _, c := range []struct {
		obj  client.Object
		want []string
	}{
		{route, []string{"router.example.com"}},
		{in, []string{"192.0.2.1", "lb.example.com"}},
		{gateway, []string{"192.0.2.7"}},
		{&gatewayv1.TLSRoute{}, nil},
		{&networkingv1.Ingress{}, nil},
	} {
		if got := Addresses(c.obj); !slices.Equal(got, c.want) {
			t.Errorf("%T: %v", c.obj, got)
		}
	}
}
