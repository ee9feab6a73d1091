package ingress

import (
	"maps"

	istioapi "istio.io/api/networking/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
)

// istioGateway opens the port of Istio's ingress gateway for the hosts of entries, without ending TLS there (rule NET-7).
func istioGateway(s Settings, e Entry) *istiov1.Gateway {
	return &istiov1.Gateway{
		TypeMeta:   e.typeMeta(Istio, "Gateway"),
		ObjectMeta: e.meta(nil),
		Spec: istioapi.Gateway{
			Selector: maps.Clone(s.IstioSelector),
			Servers: []*istioapi.Server{{
				Port:  &istioapi.Port{Number: outsidePort, Name: "tls-" + e.PortName, Protocol: "TLS"},
				Tls:   &istioapi.ServerTLSSettings{Mode: istioapi.ServerTLSSettings_PASSTHROUGH},
				Hosts: []string{e.Host},
			}},
		},
	}
}

// virtualService leads one host to its Service.
func virtualService(e Entry, gateway string) *istiov1.VirtualService {
	return &istiov1.VirtualService{
		TypeMeta:   e.typeMeta(Istio, "VirtualService"),
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
