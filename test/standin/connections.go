package standin

import (
	"context"
	"net"
	"sync"
	"time"
)

// connections are those of one operator to the API server, as a process has its own. Operators that share a test would
// otherwise share one connection, and with it the number of requests and watches that the server answers on it at once.
type connections struct {
	mu    sync.Mutex
	open  map[*connection]struct{}
	ended bool
}

type connection struct {
	net.Conn
	of *connections
}

// dial is for a client's configuration.
func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second}
	raw, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		_ = raw.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.ErrClosed}
	}
	conn := &connection{Conn: raw, of: c}
	if c.open == nil {
		c.open = map[*connection]struct{}{}
	}
	c.open[conn] = struct{}{}
	return conn, nil
}

// Close ends one connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// end closes what is open: the process is gone.
func (c *connections) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for conn := range c.open {
		_ = conn.Conn.Close()
	}
	c.open = nil
}
