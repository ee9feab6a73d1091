package ingress

import (
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// tlsRoute is the object of method gateway. The Gateway is the user's: it names the address and lets routes in.
func tlsRoute(s Settings, e Entry) *gatewayv1.TLSRoute {
	ref, _ := parent(s.Gateway) // SettingsOf has looked at it
	attach := gatewayv1.ParentReference{Namespace: ptr.To(gatewayv1.Namespace(ref.namespace)), Name: gatewayv1.ObjectName(ref.name)}
	if ref.section != "" {
		attach.SectionName = ptr.To(gatewayv1.SectionName(ref.section))
	}
	backend := gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{
		Name: gatewayv1.ObjectName(e.Service), Port: ptr.To(e.Port)}}
	return &gatewayv1.TLSRoute{
		TypeMeta:   typeMeta(Gateway, "TLSRoute"),
		ObjectMeta: e.meta(nil),
		Spec: gatewayv1.TLSRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{attach}},
			Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(e.Host)},
			Rules:           []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend}}},
		},
	}
}
