package main

import (
	"context"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The Services through which each kind of object is reached, in the router's own namespace, and the port behind each.
const (
	openshiftService = "openshift-router"
	istioService     = "istio-ingressgateway"
	gatewayService   = "gateway"

	openshiftPort = 8441
	istioPort     = 8442
	gatewayPort   = 8443
)

// router looks at everything, configures the proxy and then writes status.
type router struct {
	client.Client
	namespace, domain string
	pool              netip.Prefix
	labels            map[string]string
	proxy             *proxy
}

// Reconcile is one such look; the request says nothing.
func (r *router) Reconcile(ctx context.Context, _ reconcile.Request) (ctrl.Result, error) {
	w, err := look(ctx, r)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.giveAddresses(ctx, w); err != nil {
		return again(err)
	}
	attached := attachments(w)
	openshift, refused := firstComesFirst(openshiftWays(w))
	istio, _ := firstComesFirst(istioWays(w, r.labels))
	gateway, refusedByGateway := firstComesFirst(gatewayWays(w, attached))
	changed, err := r.proxy.load(ctx, render([]listener{
		{openshiftService, openshiftPort, openshift}, {istioService, istioPort, istio}, {gatewayService, gatewayPort, gateway}}))
	if err != nil {
		return ctrl.Result{}, err
	}
	if changed {
		ctrl.LoggerFrom(ctx).Info("configuration loaded", "openshift", hosts(openshift), "istio", hosts(istio), "gateway", hosts(gateway))
	}
	if err := r.admitRoutes(ctx, w, refused); err != nil {
		return again(err)
	}
	return again(r.acceptGateways(ctx, w, attached, refusedByGateway))
}

// again lets a write that met a newer object be repeated without an error in the log.
func again(err error) (ctrl.Result, error) {
	if client.IgnoreNotFound(err) == nil {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, err
}

func hosts(ways []way) string {
	names := make([]string, len(ways))
	for i, w := range ways {
		names[i] = w.host
	}
	return strings.Join(names, " ")
}

func (r *router) giveAddresses(ctx context.Context, w *world) error {
	before := map[client.ObjectKey]*corev1.Service{}
	var all []*corev1.Service
	for key, service := range w.services {
		before[key] = service
		w.services[key] = service.DeepCopy()
		all = append(all, w.services[key])
	}
	for _, service := range assign(all, r.pool) {
		if err := r.Status().Patch(ctx, service, client.MergeFrom(before[client.ObjectKeyFromObject(service)])); err != nil {
			return err
		}
	}
	return nil
}

// address is where a Service of the router's own is reached.
func (r *router) address(w *world, service string) string {
	return addressOf(w.services[client.ObjectKey{Namespace: r.namespace, Name: service}])
}

// canonical is a host name for an address: 10.97.0.1 is openshift-router.10-97-0-1.apps.local.
func (r *router) canonical(service, address string) string {
	if address == "" {
		return ""
	}
	return service + "." + strings.ReplaceAll(address, ".", "-") + "." + r.domain
}

func (r *router) admitRoutes(ctx context.Context, w *world, refused map[string]bool) error {
	name := r.canonical(openshiftService, r.address(w, openshiftService))
	for _, before := range w.routes {
		route := before.DeepCopy()
		if !admit(route, refused[string(route.UID)], name, metav1.Now()) {
			continue
		}
		if err := r.Status().Patch(ctx, route, client.MergeFrom(before)); err != nil {
			return err
		}
	}
	return nil
}

func (r *router) acceptGateways(ctx context.Context, w *world, all []attachment, refused map[string]bool) error {
	for i := range w.classes {
		if w.classes[i].Spec.ControllerName != controllerName {
			continue
		}
		if err := change(ctx, r, &w.classes[i], acceptClass); err != nil {
			return err
		}
	}
	address := r.address(w, gatewayService)
	for _, gateway := range ourGateways(w) {
		err := change(ctx, r, gateway, func(g *gatewayv1.Gateway) { programGateway(g, address, of(all, gateway, g)) })
		if err != nil {
			return err
		}
	}
	for i := range w.tlsRoutes {
		if err := change(ctx, r, &w.tlsRoutes[i], func(t *gatewayv1.TLSRoute) { attachRoute(t, all, refused) }); err != nil {
			return err
		}
	}
	return nil
}

// of are the attachments of one Gateway, said of its copy.
func of(all []attachment, gateway, copied *gatewayv1.Gateway) []attachment {
	var found []attachment
	for _, a := range all {
		if a.gateway == gateway {
			a.gateway = copied
			found = append(found, a)
		}
	}
	return found
}

// copier is an object that can be copied as what it is.
type copier[T any] interface {
	client.Object
	DeepCopy() T
}

// change writes the status of an object when the function changes it.
func change[T copier[T]](ctx context.Context, c client.Client, before T, by func(T)) error {
	after := before.DeepCopy()
	by(after)
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	return c.Status().Patch(ctx, after, client.MergeFrom(before))
}
