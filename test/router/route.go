package main

import (
	"slices"

	routev1 "github.com/openshift/api/route/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const routerName = "default"

// openshiftWays are where passthrough Routes lead.
func openshiftWays(w *world) []way {
	var ways []way
	for _, r := range w.routes {
		if r.Spec.Host == "" || r.Spec.TLS == nil || r.Spec.TLS.Termination != routev1.TLSTerminationPassthrough {
			continue
		}
		port := intstr.IntOrString{}
		if r.Spec.Port != nil {
			port = r.Spec.Port.TargetPort
		}
		ways = append(ways, way{host: r.Spec.Host, backend: "route_" + r.Namespace + "_" + r.Name, created: r.CreationTimestamp.Time,
			claimant: string(r.UID), servers: w.servers(types.NamespacedName{Namespace: r.Namespace, Name: r.Spec.To.Name}, port)})
	}
	return ways
}

// admit writes into a Route what OpenShift's router would; false when that stands there already.
func admit(r *routev1.Route, refused bool, canonical string, now metav1.Time) bool {
	status, reason, message := corev1.ConditionTrue, "", ""
	switch {
	case r.Spec.TLS == nil || r.Spec.TLS.Termination != routev1.TLSTerminationPassthrough:
		status, reason, message = corev1.ConditionFalse, "TerminationUnsupported", "the test router passes TLS through and does nothing else"
	case refused:
		status, reason, message = corev1.ConditionFalse, "HostAlreadyClaimed", "an older route has this host"
	}
	i := slices.IndexFunc(r.Status.Ingress, func(in routev1.RouteIngress) bool { return in.RouterName == routerName })
	if i < 0 {
		r.Status.Ingress = append(r.Status.Ingress, routev1.RouteIngress{RouterName: routerName})
		i = len(r.Status.Ingress) - 1
	}
	in := &r.Status.Ingress[i]
	if len(in.Conditions) == 1 && in.Conditions[0].Status == status && in.Conditions[0].Reason == reason &&
		in.Host == r.Spec.Host && in.RouterCanonicalHostname == canonical {
		return false
	}
	in.Host, in.RouterCanonicalHostname, in.WildcardPolicy = r.Spec.Host, canonical, r.Spec.WildcardPolicy
	in.Conditions = []routev1.RouteIngressCondition{{Type: routev1.RouteAdmitted, Status: status, Reason: reason, Message: message, LastTransitionTime: &now}}
	return true
}
