package main

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// controllerName is what a GatewayClass names to be served here.
const controllerName gatewayv1.GatewayController = "open-redis-enterprise.io/test-router"

// attachment is one TLSRoute at one of its parents.
type attachment struct {
	route    *gatewayv1.TLSRoute
	parent   gatewayv1.ParentReference
	gateway  *gatewayv1.Gateway
	listener []gatewayv1.SectionName // those that let it in; none when it is refused
}

// attachments looks at every parent of every TLSRoute that is a Gateway of ours.
func attachments(w *world) []attachment {
	ours := ourGateways(w)
	var found []attachment
	for i := range w.tlsRoutes {
		route := &w.tlsRoutes[i]
		for _, parent := range route.Spec.ParentRefs {
			namespace := string(ptr.Deref(parent.Namespace, gatewayv1.Namespace(route.Namespace)))
			gateway := ours[client.ObjectKey{Namespace: namespace, Name: string(parent.Name)}]
			if gateway == nil {
				continue
			}
			found = append(found, attachment{route: route, parent: parent, gateway: gateway, listener: letIn(w, gateway, route, parent.SectionName)})
		}
	}
	return found
}

func ourGateways(w *world) map[client.ObjectKey]*gatewayv1.Gateway {
	classes := map[string]bool{}
	for _, class := range w.classes {
		classes[class.Name] = class.Spec.ControllerName == controllerName
	}
	ours := map[client.ObjectKey]*gatewayv1.Gateway{}
	for i := range w.gateways {
		if g := &w.gateways[i]; classes[string(g.Spec.GatewayClassName)] {
			ours[client.ObjectKeyFromObject(g)] = g
		}
	}
	return ours
}

// letIn are the listeners that take the route: passthrough, on the TLS port, open for its namespace and its hosts.
func letIn(w *world, gateway *gatewayv1.Gateway, route *gatewayv1.TLSRoute, section *gatewayv1.SectionName) []gatewayv1.SectionName {
	var names []gatewayv1.SectionName
	for _, listener := range gateway.Spec.Listeners {
		if section != nil && *section != listener.Name || !passesThrough(listener) || !opensFor(w, gateway, listener, route.Namespace) {
			continue
		}
		for _, host := range route.Spec.Hostnames {
			if listener.Hostname == nil || covers(string(*listener.Hostname), string(host)) {
				names = append(names, listener.Name)
				break
			}
		}
	}
	return names
}

func passesThrough(listener gatewayv1.Listener) bool {
	return listener.Protocol == gatewayv1.TLSProtocolType && listener.Port == tlsPort &&
		listener.TLS != nil && ptr.Deref(listener.TLS.Mode, gatewayv1.TLSModeTerminate) == gatewayv1.TLSModePassthrough
}

func opensFor(w *world, gateway *gatewayv1.Gateway, listener gatewayv1.Listener, namespace string) bool {
	from, selector := gatewayv1.NamespacesFromSame, (*metav1.LabelSelector)(nil)
	if listener.AllowedRoutes != nil && listener.AllowedRoutes.Namespaces != nil {
		from, selector = ptr.Deref(listener.AllowedRoutes.Namespaces.From, from), listener.AllowedRoutes.Namespaces.Selector
	}
	switch from {
	case gatewayv1.NamespacesFromAll:
		return true
	case gatewayv1.NamespacesFromSelector:
		matcher, err := metav1.LabelSelectorAsSelector(selector)
		return err == nil && matcher.Matches(labels.Set(w.namespaces[namespace]))
	}
	return gateway.Namespace == namespace
}

// gatewayWays are where TLSRoutes lead that a Gateway has let in.
func gatewayWays(w *world, all []attachment) []way {
	var ways []way
	for _, a := range all {
		if len(a.listener) == 0 {
			continue
		}
		var servers []string
		for _, rule := range a.route.Spec.Rules {
			for _, ref := range rule.BackendRefs {
				servers = append(servers, w.servers(client.ObjectKey{Namespace: a.route.Namespace, Name: string(ref.Name)},
					intstr.FromInt32(ptr.Deref(ref.Port, 0)))...)
			}
		}
		for _, host := range a.route.Spec.Hostnames {
			ways = append(ways, way{host: string(host), backend: "gateway_" + a.route.Namespace + "_" + a.route.Name, servers: servers,
				created: a.route.CreationTimestamp.Time, claimant: string(a.route.UID)})
		}
	}
	return ways
}

// acceptClass, program and attach write the status of the three kinds into the object.

func acceptClass(class *gatewayv1.GatewayClass) {
	set(&class.Status.Conditions, class.Generation, string(gatewayv1.GatewayClassConditionStatusAccepted), true, string(gatewayv1.GatewayClassReasonAccepted))
}

func programGateway(g *gatewayv1.Gateway, address string, all []attachment) {
	g.Status.Addresses = nil
	if address != "" {
		g.Status.Addresses = []gatewayv1.GatewayStatusAddress{{Type: ptr.To(gatewayv1.IPAddressType), Value: address}}
	}
	set(&g.Status.Conditions, g.Generation, string(gatewayv1.GatewayConditionAccepted), true, string(gatewayv1.GatewayReasonAccepted))
	reason := string(gatewayv1.GatewayReasonProgrammed)
	if address == "" {
		reason = string(gatewayv1.GatewayReasonAddressNotAssigned)
	}
	set(&g.Status.Conditions, g.Generation, string(gatewayv1.GatewayConditionProgrammed), address != "", reason)
	before := g.Status.Listeners
	g.Status.Listeners = nil
	for _, listener := range g.Spec.Listeners {
		g.Status.Listeners = append(g.Status.Listeners, listenerStatus(g, listener, before, all))
	}
}

func listenerStatus(g *gatewayv1.Gateway, listener gatewayv1.Listener, before []gatewayv1.ListenerStatus, all []attachment) gatewayv1.ListenerStatus {
	status := gatewayv1.ListenerStatus{Name: listener.Name}
	for _, old := range before {
		if old.Name == listener.Name {
			status.Conditions = old.Conditions
		}
	}
	for _, a := range all {
		for _, name := range a.listener {
			if a.gateway == g && name == listener.Name {
				status.AttachedRoutes++
			}
		}
	}
	ok, accepted, programmed := passesThrough(listener), string(gatewayv1.ListenerReasonAccepted), string(gatewayv1.ListenerReasonProgrammed)
	if ok {
		status.SupportedKinds = []gatewayv1.RouteGroupKind{{Group: ptr.To(gatewayv1.Group(gatewayv1.GroupName)), Kind: "TLSRoute"}}
	} else {
		status.SupportedKinds = []gatewayv1.RouteGroupKind{}
		accepted, programmed = string(gatewayv1.ListenerReasonUnsupportedProtocol), string(gatewayv1.ListenerReasonInvalid)
	}
	set(&status.Conditions, g.Generation, string(gatewayv1.ListenerConditionAccepted), ok, accepted)
	set(&status.Conditions, g.Generation, string(gatewayv1.ListenerConditionProgrammed), ok, programmed)
	set(&status.Conditions, g.Generation, string(gatewayv1.ListenerConditionResolvedRefs), true, string(gatewayv1.ListenerReasonResolvedRefs))
	return status
}

// attachRoute writes the verdict of each parent into a route; parents of other controllers stay.
func attachRoute(route *gatewayv1.TLSRoute, all []attachment, refused map[string]bool) {
	before := route.Status.Parents
	route.Status.Parents = []gatewayv1.RouteParentStatus{}
	for _, parent := range before {
		if parent.ControllerName != controllerName {
			route.Status.Parents = append(route.Status.Parents, parent)
		}
	}
	for _, a := range all {
		if a.route.UID != route.UID {
			continue
		}
		status := gatewayv1.RouteParentStatus{ParentRef: a.parent, ControllerName: controllerName}
		for _, old := range before {
			if old.ControllerName == controllerName && same(old.ParentRef, a.parent) {
				status.Conditions = old.Conditions
			}
		}
		accepted, reason := len(a.listener) > 0, string(gatewayv1.RouteReasonAccepted)
		switch {
		case !accepted:
			reason = string(gatewayv1.RouteReasonNoMatchingParent)
		case refused[string(route.UID)]:
			accepted, reason = false, "HostAlreadyClaimed"
		}
		set(&status.Conditions, route.Generation, string(gatewayv1.RouteConditionAccepted), accepted, reason)
		set(&status.Conditions, route.Generation, string(gatewayv1.RouteConditionResolvedRefs), true, string(gatewayv1.RouteReasonResolvedRefs))
		route.Status.Parents = append(route.Status.Parents, status)
	}
}

func same(a, b gatewayv1.ParentReference) bool {
	return ptr.Equal(a.Namespace, b.Namespace) && a.Name == b.Name && ptr.Equal(a.SectionName, b.SectionName)
}

func set(conditions *[]metav1.Condition, generation int64, kind string, is bool, reason string) {
	status := metav1.ConditionFalse
	if is {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, ObservedGeneration: generation})
}
