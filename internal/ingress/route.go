package ingress

import (
	routev1 "github.com/openshift/api/route/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// route is the object of method openShiftRoute (rule NET-6).
func route(e Entry) *routev1.Route {
	return &routev1.Route{
		TypeMeta:   typeMeta(Route, "Route"),
		ObjectMeta: e.meta(nil),
		Spec: routev1.RouteSpec{
			Host:           e.Host,
			To:             routev1.RouteTargetReference{Kind: "Service", Name: e.Service, Weight: ptr.To[int32](100)},
			Port:           &routev1.RoutePort{TargetPort: intstr.FromString(e.PortName)},
			TLS:            &routev1.TLSConfig{Termination: routev1.TLSTerminationPassthrough},
			WildcardPolicy: routev1.WildcardPolicyNone,
		},
	}
}
