package ingress

import (
	routev1 "github.com/openshift/api/route/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Addresses are where an object says that it is reached: names or addresses of load balancers and routers. Objects that
// do not say, such as Istio's, give none. Besides the objects made here it reads the user's Gateway, where the address of
// a TLSRoute stands.
func Addresses(obj client.Object) []string {
	switch obj := obj.(type) {
	case *routev1.Route:
		return routerNames(obj)
	case *networkingv1.Ingress:
		return balancers(obj)
	case *gatewayv1.Gateway:
		var found []string
		for _, address := range obj.Status.Addresses {
			found = appendNew(found, address.Value)
		}
		return found
	}
	return nil
}

func routerNames(route *routev1.Route) []string {
	var found []string
	for _, in := range route.Status.Ingress {
		for _, condition := range in.Conditions {
			if condition.Type == routev1.RouteAdmitted && condition.Status == "True" {
				found = appendNew(found, in.RouterCanonicalHostname)
			}
		}
	}
	return found
}

func balancers(ingress *networkingv1.Ingress) []string {
	var found []string
	for _, in := range ingress.Status.LoadBalancer.Ingress {
		found = appendNew(found, in.IP)
		found = appendNew(found, in.Hostname)
	}
	return found
}

func appendNew(list []string, value string) []string {
	for _, have := range list {
		if have == value {
			return list
		}
	}
	if value == "" {
		return list
	}
	return append(list, value)
}
