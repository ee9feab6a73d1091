package ingress

import (
	routev1 "github.com/openshift/api/route/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// methods are all methods, in the order in which their kinds are listed.
var methods = []Method{Route, Ingress, Istio, Gateway}

// kinds says which objects a method is made of.
var kinds = map[Method][]schema.GroupVersionKind{
	Route:   {routev1.GroupVersion.WithKind("Route")},
	Ingress: {networkingv1.SchemeGroupVersion.WithKind("Ingress")},
	Istio:   {istiov1.SchemeGroupVersion.WithKind("Gateway"), istiov1.SchemeGroupVersion.WithKind("VirtualService")},
	Gateway: {{Group: gatewayv1.GroupName, Version: gatewayv1.GroupVersion.Version, Kind: "TLSRoute"}},
}

// AddToScheme makes a scheme know the kinds of all methods.
func AddToScheme(scheme *runtime.Scheme) error {
	for _, add := range []func(*runtime.Scheme) error{routev1.Install, networkingv1.AddToScheme, istiov1.AddToScheme, gatewayv1.Install} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	return nil
}

// Kinds are what the objects of a method are; this Kubernetes must have them all for the method to work.
func Kinds(m Method) []schema.GroupVersionKind { return kinds[m] }

// AllKinds are the kinds of all methods.
func AllKinds() []schema.GroupVersionKind {
	var all []schema.GroupVersionKind
	for _, m := range methods {
		all = append(all, kinds[m]...)
	}
	return all
}

// OtherKinds are the kinds that a cluster with this method has no objects of; all of them when there is no method.
func OtherKinds(m Method) []schema.GroupVersionKind {
	var others []schema.GroupVersionKind
	for _, each := range methods {
		if each != m {
			others = append(others, kinds[each]...)
		}
	}
	return others
}

// Lists returns an empty typed list of each kind, leaving out kinds that are not of any method.
func Lists(gvks []schema.GroupVersionKind) []client.ObjectList {
	var lists []client.ObjectList
	for _, gvk := range gvks {
		if list := listOf(gvk); list != nil {
			lists = append(lists, list)
		}
	}
	return lists
}

func listOf(gvk schema.GroupVersionKind) client.ObjectList {
	switch gvk {
	case kinds[Route][0]:
		return &routev1.RouteList{}
	case kinds[Ingress][0]:
		return &networkingv1.IngressList{}
	case kinds[Istio][0]:
		return &istiov1.GatewayList{}
	case kinds[Istio][1]:
		return &istiov1.VirtualServiceList{}
	case kinds[Gateway][0]:
		return &gatewayv1.TLSRouteList{}
	}
	return nil
}
