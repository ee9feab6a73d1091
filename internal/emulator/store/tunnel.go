package store

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// tunnel is what the local redis-server believes to be its master: a loopback port whose connections go to the present
// master node through the port between nodes. The redis-server keeps one master address for life; who is behind it
// changes without it, and the stream is encrypted and authenticated although redis-server may know no TLS.
//
// A connection that arrives while no master is known is kept until one is: redis-server retries once a second only, and
// a fail-over should not have to wait for that.
type tunnel struct {
	s        *Store
	listener net.Listener
	host     string
	port     int
	handlers sync.WaitGroup

	mu      sync.Mutex
	target  string
	term    int64
	moved   chan struct{} // closed and replaced when the target changes
	conns   map[net.Conn]bool
	counter int
	closed  bool
}

const tunnelHost = "127.0.0.1"

func openTunnel(s *Store) (*tunnel, error) {
	l, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", net.JoinHostPort(tunnelHost, "0"))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &tunnel{
		s: s, listener: l, host: tunnelHost, port: l.Addr().(*net.TCPAddr).Port,
		moved: make(chan struct{}), conns: map[net.Conn]bool{},
	}, nil
}

// point directs the tunnel to a master ("" for none) and tells whether that is a change. Connections to another are cut.
func (t *tunnel) point(target string, term int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.target == target && t.term == term {
		return false
	}
	t.target, t.term = target, term
	close(t.moved)
	t.moved = make(chan struct{})
	t.cutLocked()
	return true
}

// cut ends all connections; the redis-server makes new ones.
func (t *tunnel) cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cutLocked()
}

func (t *tunnel) cutLocked() {
	for c := range t.conns {
		_ = c.Close()
	}
}

// connections counts the connections made so far; each may have brought a full copy.
func (t *tunnel) connections() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counter
}

func (t *tunnel) serve() {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.handlers.Go(func() { t.carry(conn) })
	}
}

func (t *tunnel) carry(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	target, term, ok := t.awaitTarget()
	if !ok {
		return
	}
	remote, err := t.dial(target, term)
	if err != nil {
		t.s.log.Debug("replication tunnel", "error", err.Error())
		return
	}
	defer func() { _ = remote.Close() }()
	t.mu.Lock()
	ok = !t.closed && t.target == target && t.term == term
	if ok {
		t.conns[conn], t.conns[remote] = true, true
		t.counter++
	}
	t.mu.Unlock()
	if !ok {
		return
	}
	t.s.mu.Lock()
	t.s.durable = false
	t.s.mu.Unlock()
	splice(conn, remote)
	t.mu.Lock()
	delete(t.conns, conn)
	delete(t.conns, remote)
	t.mu.Unlock()
}

func (t *tunnel) awaitTarget() (string, int64, bool) {
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	for {
		t.mu.Lock()
		target, term, moved, closed := t.target, t.term, t.moved, t.closed
		t.mu.Unlock()
		if closed {
			return "", 0, false
		}
		if target != "" {
			return target, term, true
		}
		select {
		case <-moved:
		case <-t.s.ctx.Done():
			return "", 0, false
		case <-deadline.C:
			return "", 0, false
		}
	}
}

// dial asks the master for its redis-server.
func (t *tunnel) dial(target string, term int64) (net.Conn, error) {
	if t.s.cutOff() {
		return nil, errIsolated
	}
	ctx, cancel := context.WithTimeout(t.s.ctx, t.s.opts.FailureTimeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: t.s.wire.clientTLS}).DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(t.s.opts.FailureTimeout))
	_, err = fmt.Fprintf(conn, "GET %s?term=%d HTTP/1.1\r\nHost: %s\r\n\r\n", pathTunnel, term, internodeName)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// The other side sends nothing before redis-server does, so the reader takes no byte that belongs to the stream.
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, errors.Join(fmt.Errorf("master answers %s", resp.Status), conn.Close())
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, nil
}

func (t *tunnel) close() {
	t.mu.Lock()
	t.closed = true
	_ = t.listener.Close()
	close(t.moved)
	t.moved = make(chan struct{})
	t.cutLocked()
	t.mu.Unlock()
	t.handlers.Wait()
}
