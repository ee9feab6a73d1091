package main

import (
	"slices"
	"strings"

	istioapi "istio.io/api/networking/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tlsPort is where the outside connects; a Gateway that opens another one is not for us.
const tlsPort = 443

// istioWays are where VirtualServices lead whose Gateways select pods with our labels.
func istioWays(w *world, own map[string]string) []way {
	var ways []way
	for _, vs := range w.virtualServices {
		open := openHosts(w, vs, own)
		for _, tls := range vs.Spec.Tls {
			servers := istioServers(w, vs.Namespace, tls.Route)
			for _, match := range tls.Match {
				for _, host := range match.SniHosts {
					if !slices.ContainsFunc(open, func(pattern string) bool { return covers(pattern, host) }) || match.Port != 0 && match.Port != tlsPort {
						continue
					}
					ways = append(ways, way{host: host, backend: "istio_" + vs.Namespace + "_" + vs.Name, servers: servers,
						created: vs.CreationTimestamp.Time, claimant: string(vs.UID)})
				}
			}
		}
	}
	return ways
}

// openHosts are the hosts for which the Gateways of a VirtualService pass TLS through.
func openHosts(w *world, vs *istiov1.VirtualService, own map[string]string) []string {
	var hosts []string
	for _, name := range vs.Spec.Gateways {
		key := client.ObjectKey{Namespace: vs.Namespace, Name: name}
		if namespace, short, ok := strings.Cut(name, "/"); ok {
			key = client.ObjectKey{Namespace: namespace, Name: short}
		}
		gateway := w.istioGateways[key]
		if gateway == nil || !labels.SelectorFromSet(gateway.Spec.Selector).Matches(labels.Set(own)) {
			continue
		}
		for _, server := range gateway.Spec.Servers {
			if server.Port.GetNumber() == tlsPort && server.Port.GetProtocol() == "TLS" && server.Tls.GetMode() == istioapi.ServerTLSSettings_PASSTHROUGH {
				hosts = append(hosts, server.Hosts...)
			}
		}
	}
	return hosts
}

// covers says whether a host pattern of a Gateway, such as ns/*.example.com, means a host.
func covers(pattern, host string) bool {
	if _, after, ok := strings.Cut(pattern, "/"); ok {
		pattern = after
	}
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(host, suffix)
	}
	return pattern == host
}

func istioServers(w *world, namespace string, to []*istioapi.RouteDestination) []string {
	var found []string
	for _, route := range to {
		parts := strings.Split(route.Destination.GetHost(), ".") // service, or service.namespace.svc.cluster.local
		if len(parts) > 1 {
			namespace = parts[1]
		}
		port := intstr.FromInt32(int32(route.Destination.GetPort().GetNumber()))
		found = append(found, w.servers(client.ObjectKey{Namespace: namespace, Name: parts[0]}, port)...)
	}
	return found
}
