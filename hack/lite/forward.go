package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/test/scenario"
)

// forwarder plays the part of kube-proxy for one Service: a connection goes to a pod that the Service selects.
type forwarder struct {
	cluster    *scenario.Cluster
	service    string
	listener   net.Listener
	host, port string
	end        context.CancelFunc

	mu       sync.Mutex
	selected []string
	open     map[net.Conn]struct{}
	wg       sync.WaitGroup
}

func newForwarder(ctx context.Context, cluster *scenario.Cluster, service string) (*forwarder, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	f := &forwarder{cluster: cluster, service: service, listener: listener, end: end, open: map[net.Conn]struct{}{}}
	if f.host, f.port, err = net.SplitHostPort(listener.Addr().String()); err == nil {
		err = f.look(ctx)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	f.wg.Go(func() { f.follow(ctx) })
	f.wg.Go(func() { f.accept(ctx) })
	return f, nil
}

// Addr is where clients connect.
func (f *forwarder) Addr() string { return f.listener.Addr().String() }

// Close ends all connections.
func (f *forwarder) Close() {
	f.end()
	_ = f.listener.Close()
	f.drop()
	f.wg.Wait()
}

// follow keeps up with the pods that the Service selects, as its endpoints would.
func (f *forwarder) follow(ctx context.Context) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = f.look(ctx) // the next look may succeed
		}
	}
}

func (f *forwarder) look(ctx context.Context) error {
	var service corev1.Service
	if err := f.cluster.Get(ctx, f.cluster.Key(f.service), &service); err != nil {
		return err
	}
	var pods corev1.PodList
	if err := f.cluster.List(ctx, &pods, client.InNamespace(f.cluster.Namespace), client.MatchingLabels(service.Spec.Selector)); err != nil {
		return err
	}
	if len(service.Spec.Ports) == 0 || len(service.Spec.Selector) == 0 {
		return fmt.Errorf("service %s selects nothing", f.service)
	}
	var selected []string
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil && pod.Status.PodIP != "" {
			selected = append(selected, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(service.Spec.Ports[0].TargetPort.IntValue())))
		}
	}
	f.mu.Lock()
	f.selected = selected
	f.mu.Unlock()
	return nil
}

func (f *forwarder) accept(ctx context.Context) {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.wg.Go(func() { f.forward(ctx, conn) })
	}
}

// forward copies until either side ends. The client of a Service without endpoints sees the end at once.
func (f *forwarder) forward(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	f.mu.Lock()
	selected := f.selected
	f.mu.Unlock()
	if len(selected) == 0 {
		return
	}
	var dialer net.Dialer
	pod, err := dialer.DialContext(ctx, "tcp", selected[0])
	if err != nil {
		return
	}
	defer func() { _ = pod.Close() }()
	f.keep(conn, pod)
	defer f.forget(conn, pod)
	f.wg.Go(func() {
		_, _ = io.Copy(pod, conn) // either side may end it
		_ = pod.Close()
	})
	_, _ = io.Copy(conn, pod)
}

func (f *forwarder) keep(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range conns {
		f.open[conn] = struct{}{}
	}
}

func (f *forwarder) forget(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range conns {
		delete(f.open, conn)
	}
}

func (f *forwarder) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		_ = conn.Close()
	}
}
