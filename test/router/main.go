// Command router stands in for the routers that a cluster without a vendor does not have: it turns OpenShift Routes, Istio's
// Gateways and VirtualServices, and Gateways and TLSRoutes of the Gateway API into one HAProxy configuration that passes
// TLS through by the name the client asks for, and writes the status that real controllers write. It also gives
// Services of type LoadBalancer an address. It is for tests: only what this operator makes is understood.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"

	"github.com/go-logr/stdr"
	routev1 "github.com/openshift/api/route/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	stdlog "log"
)

type options struct {
	namespace, program, folder, domain, selector string
	pool                                         netip.Prefix
}

func main() {
	o := options{}
	flag.StringVar(&o.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "where the router's own Services are")
	flag.StringVar(&o.program, "haproxy", "haproxy", "HAProxy, 2.7 or newer")
	flag.StringVar(&o.folder, "folder", "/run/router", "where its configuration is kept")
	flag.StringVar(&o.domain, "domain", "apps.local", "domain in which a name ending in 10-97-0-1 is the address 10.97.0.1")
	flag.StringVar(&o.selector, "istio-labels", "istio=ingressgateway", "labels that an Istio Gateway has to select")
	flag.TextVar(&o.pool, "addresses", netip.MustParsePrefix("10.97.0.0/24"), "addresses for Services of type LoadBalancer")
	flag.Parse()
	if err := run(ctrl.SetupSignalHandler(), o); err != nil {
		fmt.Fprintln(os.Stderr, "router:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	ctrl.SetLogger(stdr.New(stdlog.New(os.Stderr, "", stdlog.LstdFlags)))
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	scheme, err := knownKinds()
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, manager.Options{Scheme: scheme, Metrics: server.Options{BindAddress: "0"}, HealthProbeBindAddress: ":8081"})
	if err != nil {
		return err
	}
	selected, err := labels.ConvertSelectorToLabelsMap(o.selector)
	if err != nil {
		return err
	}
	r := &router{Client: mgr.GetClient(), namespace: o.namespace, domain: o.domain, pool: o.pool, labels: selected,
		proxy: &proxy{program: o.program, folder: o.folder}}
	if err := mgr.AddReadyzCheck("proxy", r.proxy.ready); err != nil {
		return err
	}
	if err := mgr.Add(manager.RunnableFunc(r.proxy.serve)); err != nil {
		return err
	}
	if err := watchAll(mgr, r); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func knownKinds() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme, routev1.Install, istiov1.AddToScheme, gatewayv1.Install} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// watchAll lets every change of anything lead to one look at everything.
func watchAll(mgr ctrl.Manager, r *router) error {
	everything := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	})
	b := ctrl.NewControllerManagedBy(mgr).Named("router")
	for _, kind := range []client.Object{&corev1.Service{}, &discoveryv1.EndpointSlice{}, &corev1.Namespace{}, &routev1.Route{},
		&istiov1.Gateway{}, &istiov1.VirtualService{}, &gatewayv1.GatewayClass{}, &gatewayv1.Gateway{}, &gatewayv1.TLSRoute{}} {
		b = b.Watches(kind, everything)
	}
	return b.Complete(r)
}
