package main

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	routev1 "github.com/openshift/api/route/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// world is everything that the router looks at, seen once.
type world struct {
	namespaces map[string]map[string]string // labels
	services   map[client.ObjectKey]*corev1.Service
	endpoints  map[client.ObjectKey][]discoveryv1.EndpointSlice // by Service

	routes          []*routev1.Route
	istioGateways   map[client.ObjectKey]*istiov1.Gateway
	virtualServices []*istiov1.VirtualService
	classes         []gatewayv1.GatewayClass
	gateways        []gatewayv1.Gateway
	tlsRoutes       []gatewayv1.TLSRoute
}

// way is one host name and where it leads.
type way struct {
	host     string
	backend  string   // name in the configuration
	servers  []string // address:port
	created  time.Time
	claimant string // for the order among equals
}

func look(ctx context.Context, c client.Reader) (*world, error) {
	w := &world{namespaces: map[string]map[string]string{}, services: map[client.ObjectKey]*corev1.Service{},
		endpoints: map[client.ObjectKey][]discoveryv1.EndpointSlice{}, istioGateways: map[client.ObjectKey]*istiov1.Gateway{}}
	var namespaces corev1.NamespaceList
	var services corev1.ServiceList
	var slices discoveryv1.EndpointSliceList
	var routes routev1.RouteList
	var istioGateways istiov1.GatewayList
	var virtualServices istiov1.VirtualServiceList
	var classes gatewayv1.GatewayClassList
	var gateways gatewayv1.GatewayList
	var tlsRoutes gatewayv1.TLSRouteList
	for _, list := range []client.ObjectList{&namespaces, &services, &slices, &routes, &istioGateways, &virtualServices, &classes, &gateways, &tlsRoutes} {
		if err := c.List(ctx, list); err != nil {
			return nil, err
		}
	}
	for _, n := range namespaces.Items {
		w.namespaces[n.Name] = n.Labels
	}
	for i := range services.Items {
		w.services[client.ObjectKeyFromObject(&services.Items[i])] = &services.Items[i]
	}
	for _, s := range slices.Items {
		key := client.ObjectKey{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}
		w.endpoints[key] = append(w.endpoints[key], s)
	}
	for i := range routes.Items {
		w.routes = append(w.routes, &routes.Items[i])
	}
	for _, g := range istioGateways.Items {
		w.istioGateways[client.ObjectKeyFromObject(g)] = g
	}
	w.virtualServices = virtualServices.Items
	w.classes, w.gateways, w.tlsRoutes = classes.Items, gateways.Items, tlsRoutes.Items
	return w, nil
}

// servers are the ready endpoints of a Service's port, which is given by its name or number.
func (w *world) servers(service client.ObjectKey, port intstr.IntOrString) []string {
	s := w.services[service]
	if s == nil {
		return nil
	}
	var found []string
	for _, p := range s.Spec.Ports {
		if port.Type == intstr.Int && p.Port != port.IntVal || port.Type == intstr.String && p.Name != port.StrVal {
			continue
		}
		for _, slice := range w.endpoints[service] {
			found = append(found, ready(slice, p.Name)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func ready(slice discoveryv1.EndpointSlice, port string) []string {
	var found []string
	for _, p := range slice.Ports {
		if p.Name == nil || *p.Name != port || p.Port == nil {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready {
				continue
			}
			for _, address := range endpoint.Addresses {
				found = append(found, net.JoinHostPort(address, strconv.Itoa(int(*p.Port))))
			}
		}
	}
	return found
}

// firstComesFirst leaves of several ways for one host the oldest, as routers do.
func firstComesFirst(ways []way) (kept []way, refused map[string]bool) {
	slices.SortStableFunc(ways, func(a, b way) int {
		if c := a.created.Compare(b.created); c != 0 {
			return c
		}
		return strings.Compare(a.claimant, b.claimant)
	})
	owner := map[string]string{}
	refused = map[string]bool{}
	for _, each := range ways {
		if by, taken := owner[each.host]; taken && by != each.claimant {
			refused[each.claimant] = true
			continue
		}
		owner[each.host] = each.claimant
		kept = append(kept, each)
	}
	return kept, refused
}
