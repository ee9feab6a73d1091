package resp

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Conn is one connection to a server, for one user at a time.
type Conn struct {
	net.Conn
	*Reader
}

// Dial connects to a redis-server and signs in when a password is given.
func Dial(ctx context.Context, addr, password string) (*Conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: nc, Reader: NewReader(nc)}
	if password == "" {
		return c, nil
	}
	if _, err := c.Do(ctx, "AUTH", password); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("signing in to %s: %w", addr, err)
	}
	return c, nil
}

// Do sends one command and reads its reply. After any error that is not an Error the connection is of no further use.
func (c *Conn) Do(ctx context.Context, args ...string) (Value, error) {
	stop := c.bound(ctx)
	defer stop()
	if _, err := c.Write(AppendCommand(nil, args...)); err != nil {
		return Value{}, because(ctx, err)
	}
	v, err := c.ReadValue()
	if err != nil {
		return Value{}, because(ctx, err)
	}
	return v, v.Err()
}

// bound makes reads and writes end with the context.
func (c *Conn) bound(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// because prefers the context's reason over the time-out it caused.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// Client is a connection that is opened when needed and again after an error; it may be shared.
type Client struct {
	Addr     string
	Password string

	mu     sync.Mutex
	conn   *Conn
	closed bool
}

// Do runs one command, waiting for its turn. A command whose connection broke is not repeated.
func (c *Client) Do(ctx context.Context, args ...string) (Value, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return Value{}, net.ErrClosed
	}
	if c.conn == nil {
		conn, err := Dial(ctx, c.Addr, c.Password)
		if err != nil {
			return Value{}, err
		}
		c.conn = conn
	}
	v, err := c.conn.Do(ctx, args...)
	if _, isReply := err.(Error); err != nil && !isReply {
		_ = c.conn.Close()
		c.conn = nil
	}
	return v, err
}

// Close closes the connection for good.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}
