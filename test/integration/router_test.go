package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// router is what routers, ingress controllers and gateways have in common: it reads the name in a TLS handshake, looks
// for an object with that host, and passes the bytes on to a pod of the Service behind it.
type router struct {
	namespace string
	listener  net.Listener
	turn      atomic.Uint64 // connections so far; pods are led to in turn, as real ones do
	done      sync.WaitGroup
	ctx       context.Context //nolint:containedctx // the test's
}

func newRouter(t *testing.T) *router {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &router{listener: listener, ctx: ctx}
	r.done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.done.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() { cancel(); _ = listener.Close(); r.done.Wait() })
	return r
}

// dial is the outside world: every name of the domain is the router.
func (r *router) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !strings.HasSuffix(host, ".apps.example.com") || port != "443" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	return (&net.Dialer{}).DialContext(ctx, network, r.listener.Addr().String())
}

func (r *router) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	end := context.AfterFunc(r.ctx, func() { _ = conn.Close() })
	defer end()
	name, read, err := nameAsked(conn)
	if err != nil {
		return
	}
	target, err := r.target(name)
	if err != nil {
		return // a router that knows no such host closes
	}
	behind, err := (&net.Dialer{}).DialContext(r.ctx, "tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = behind.Close() }()
	stop := context.AfterFunc(r.ctx, func() { _ = behind.Close() })
	defer stop()
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(conn, behind); _ = conn.Close() })
	_, _ = io.Copy(behind, io.MultiReader(bytes.NewReader(read), conn))
	_ = behind.Close()
	back.Wait()
}

// nameAsked reads the ClientHello, and gives back what it has read.
func nameAsked(conn net.Conn) (name string, read []byte, err error) {
	var kept bytes.Buffer
	enough := errors.New("the name is all that is wanted")
	err = tls.Server(deaf{conn, io.TeeReader(conn, &kept)}, &tls.Config{MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name = hello.ServerName
			return nil, enough
		}}).Handshake()
	if !errors.Is(err, enough) {
		return "", nil, err
	}
	return name, kept.Bytes(), nil
}

// deaf is a connection on which nothing is answered.
type deaf struct {
	net.Conn
	from io.Reader
}

func (d deaf) Read(p []byte) (int, error)  { return d.from.Read(p) }
func (d deaf) Write(p []byte) (int, error) { return len(p), nil }

// target is the address of a pod behind the host.
func (r *router) target(host string) (string, error) {
	service, port, err := r.service(host)
	if err != nil {
		return "", err
	}
	var object corev1.Service
	if err := world.Client.Get(r.ctx, client.ObjectKey{Namespace: r.namespace, Name: service}, &object); err != nil {
		return "", err
	}
	var pods corev1.PodList
	if err := world.Client.List(r.ctx, &pods, client.InNamespace(r.namespace), client.MatchingLabels(object.Spec.Selector)); err != nil {
		return "", err
	}
	for _, p := range object.Spec.Ports {
		if p.Name != port && fmt.Sprint(p.Port) != port {
			continue
		}
		here := slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool { return pod.Status.PodIP == "" || pod.DeletionTimestamp != nil })
		if count := uint64(len(here)); count > 0 {
			return net.JoinHostPort(here[r.turn.Add(1)%count].Status.PodIP, p.TargetPort.String()), nil
		}
	}
	return "", fmt.Errorf("service %s has no port %s with pods behind it", service, port)
}

// service finds the object of any kind that has the host, and reads where it leads. Kinds that are not served have none.
func (r *router) service(host string) (service, port string, err error) {
	for _, list := range []client.ObjectList{&routev1.RouteList{}, &networkingv1.IngressList{}, &istiov1.VirtualServiceList{}, &gatewayv1.TLSRouteList{}} {
		if err := world.Client.List(r.ctx, list, client.InNamespace(r.namespace)); err != nil {
			continue
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return "", "", err
		}
		for _, item := range items {
			if has, service, port := leads(item.(client.Object)); has == host {
				return service, port, nil
			}
		}
	}
	return "", "", errors.New("no such host")
}

// leads reads an object as its controller would.
func leads(object client.Object) (host, service, port string) {
	switch o := object.(type) {
	case *routev1.Route:
		if o.Spec.TLS != nil && o.Spec.TLS.Termination == routev1.TLSTerminationPassthrough && o.Spec.Port != nil {
			return o.Spec.Host, o.Spec.To.Name, o.Spec.Port.TargetPort.String()
		}
	case *networkingv1.Ingress:
		backend := o.Spec.Rules[0].HTTP.Paths[0].Backend.Service
		return o.Spec.Rules[0].Host, backend.Name, backend.Port.Name
	case *istiov1.VirtualService:
		rule := o.Spec.Tls[0]
		return rule.Match[0].SniHosts[0], rule.Route[0].Destination.Host, fmt.Sprint(rule.Route[0].Destination.Port.Number)
	case *gatewayv1.TLSRoute:
		backend := o.Spec.Rules[0].BackendRefs[0]
		return string(o.Spec.Hostnames[0]), string(backend.Name), fmt.Sprint(*backend.Port)
	}
	return "", "", ""
}
