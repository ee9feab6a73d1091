package resp

import (
	"context"
	"errors"
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
	addr, password string
	// turn holds the connection, or nil, while nobody uses it; waiting for it ends with a context, as a mutex would not.
	turn   chan *Conn
	closed chan struct{}
	once   sync.Once
}

// NewClient prepares a client; it connects with the first command.
func NewClient(addr, password string) *Client {
	c := &Client{addr: addr, password: password, turn: make(chan *Conn, 1), closed: make(chan struct{})}
	c.turn <- nil
	return c
}

// Do runs one command, waiting for its turn. A command whose connection broke is not repeated.
func (c *Client) Do(ctx context.Context, args ...string) (v Value, err error) {
	var conn *Conn
	select {
	case conn = <-c.turn:
	case <-ctx.Done():
		return Value{}, context.Cause(ctx)
	case <-c.closed:
		return Value{}, net.ErrClosed
	}
	defer func() { c.turn <- conn }()
	ctx, cancel := c.untilClosed(ctx)
	defer cancel()
	if conn == nil {
		if conn, err = Dial(ctx, c.addr, c.password); err != nil {
			return Value{}, err
		}
	}
	v, err = conn.Do(ctx, args...)
	if reply := Error(""); err != nil && !errors.As(err, &reply) {
		_ = conn.Close()
		conn = nil
	}
	return v, err
}

// untilClosed makes a context end with the client, too.
func (c *Client) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-c.closed:
			cancel(net.ErrClosed)
		case <-done:
		}
	}()
	return ctx, func() {
		close(done)
		cancel(nil)
	}
}

// Close ends what is being done and closes the connection for good.
func (c *Client) Close() error {
	var err error
	c.once.Do(func() {
		close(c.closed)
		if conn := <-c.turn; conn != nil {
			err = conn.Close()
		}
	})
	return err
}
