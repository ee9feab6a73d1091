// Package balancer stands in for a load balancer of a cloud: it listens at an address of its own and passes connections
// on. Clients keep their source address, as the network must let them when networks are told apart.
package balancer

import (
	"context"
	"io"
	"net"
	"sync"
)

// Balancer passes on the connections that arrive at one address.
type Balancer struct {
	listener net.Listener
	target   func() string
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	mu       sync.Mutex
	taken    int
}

// Start listens at addr. Each connection goes to what target says then; one without a target is closed.
func Start(addr string, target func() string) (*Balancer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		cancel()
		return nil, err
	}
	b := &Balancer{listener: listener, target: target, cancel: cancel}
	b.wg.Go(func() { b.serve(ctx) })
	return b, nil
}

// Taken is how many connections were passed on.
func (b *Balancer) Taken() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken
}

// Stop ends all connections and waits until that is done.
func (b *Balancer) Stop() {
	b.cancel()
	_ = b.listener.Close()
	b.wg.Wait()
}

func (b *Balancer) serve(ctx context.Context) {
	for {
		in, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.wg.Go(func() { b.pass(ctx, in) })
	}
}

func (b *Balancer) pass(ctx context.Context, in net.Conn) {
	defer func() { _ = in.Close() }()
	target := b.target()
	if target == "" {
		return
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: in.RemoteAddr().(*net.TCPAddr).IP}}
	out, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	b.mu.Lock()
	b.taken++
	b.mu.Unlock()
	closing := func() { _, _ = in.Close(), out.Close() }
	stop := context.AfterFunc(ctx, closing)
	defer stop()
	defer closing()
	b.wg.Go(func() {
		_, _ = io.Copy(out, in)
		closing()
	})
	_, _ = io.Copy(in, out)
}
