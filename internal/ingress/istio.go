package ingress

import (
	"maps"

	istioapi "istio.io/api/networking/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
)

// istioGateway opens the port of Istio's ingress gateway for the hosts of all entries, without ending TLS there (rule
// NET-7). Each host is named in full: Istio knows no wildcards within a label, and a wider one would claim more than ours.
func istioGateway(s Settings, name string, entries []Entry) *istiov1.Gateway {
	var hosts []string
	for _, e := range entries {
		hosts = append(hosts, e.Host)
	}
	first := entries[0]
	first.Name = name
	return &istiov1.Gateway{
		TypeMeta:   typeMeta(Istio, "Gateway"),
		ObjectMeta: first.meta(nil),
		Spec: istioapi.Gateway{
			Selector: maps.Clone(s.IstioSelector),
			Servers: []*istioapi.Server{{
				Port:  &istioapi.Port{Number: outsidePort, Name: "tls", Protocol: "TLS"},
				Tls:   &istioapi.ServerTLSSettings{Mode: istioapi.ServerTLSSettings_PASSTHROUGH},
				Hosts: hosts,
			}},
		},
	}
}

// virtualService leads one host to its Service.
func virtualService(e Entry, gateway string) *istiov1.VirtualService {
	return &istiov1.VirtualService{
		TypeMeta:   typeMeta(Istio, "VirtualService"),
		ObjectMeta: e.meta(nil),
		Spec: istioapi.VirtualService{
			Hosts:    []string{e.Host},
			Gateways: []string{gateway},
			Tls: []*istioapi.TLSRoute{{
				Match: []*istioapi.TLSMatchAttributes{{Port: outsidePort, SniHosts: []string{e.Host}}},
				Route: []*istioapi.RouteDestination{{Destination: &istioapi.Destination{
					Host: e.Service, Port: &istioapi.PortSelector{Number: uint32(e.Port)}}}}, //nolint:gosec // a port
			}},
		},
	}
}
