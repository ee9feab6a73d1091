package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// errFenced says that the backend has been taken out of the configuration.
var errFenced = errors.New("proxy: the shard is no longer served from")

// shardConn is one client's connection to one shard.
type shardConn struct {
	backend  Backend
	nc       net.Conn
	in       *resp.Reader
	out      *bufio.Writer
	version  int   // of the protocol
	clientID int64 // of this connection on the shard
	used     time.Time
	broken   atomic.Bool
	onClose  func()
}

// idleCheck is how long a connection may be unused before it is looked at again: its shard may have been restarted.
const idleCheck = 20 * time.Millisecond

// alive tells whether a connection is fit for a command. A command that is sent on a connection whose other end has gone
// would end the client's session, as nobody could tell whether it was executed.
func (b *shardConn) alive() bool {
	if b.broken.Load() {
		return false
	}
	now := time.Now()
	idle := now.Sub(b.used)
	b.used = now
	return idle < idleCheck || b.in.Buffered() > 0 || open(b.nc)
}

// open looks for the end of a connection without waiting and without taking anything from it.
func open(nc net.Conn) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	alive := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = n > 0 || errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && alive
}

// close may be called more than once and from any goroutine.
func (b *shardConn) close() {
	if b.broken.CompareAndSwap(false, true) {
		_ = b.nc.Close()
		b.onClose()
	}
}

// dial connects to a backend, signs in, and registers the connection so that Update can cut it. It fails with errFenced
// when the configuration has changed meanwhile.
func (e *Endpoint) dial(b Backend, version int) (*shardConn, error) {
	ctx, cancel := context.WithTimeout(e.ctx, e.options.DialTimeout)
	defer cancel()
	c, err := resp.Dial(ctx, b.Addr, b.Password)
	if err != nil {
		return nil, err
	}
	s := &shardConn{backend: b, nc: c.Conn, in: c.Reader, out: bufio.NewWriterSize(c.Conn, 16<<10), version: version}
	if err := s.greet(ctx, c); err != nil {
		_ = c.Close()
		return nil, err
	}
	if err := e.register(s); err != nil {
		_ = c.Close()
		return nil, err
	}
	return s, nil
}

func (b *shardConn) greet(ctx context.Context, c *resp.Conn) error {
	if b.version >= 3 {
		if _, err := c.Do(ctx, "HELLO", strconv.Itoa(b.version)); err != nil {
			return fmt.Errorf("HELLO: %w", err)
		}
	}
	v, err := c.Do(ctx, "CLIENT", "ID")
	if err != nil {
		return fmt.Errorf("CLIENT ID: %w", err)
	}
	b.clientID = v.Int
	return nil
}

// register adds a connection to those that Update and Close cut.
func (e *Endpoint) register(s *shardConn) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.config.Load().find(s.backend); !ok || e.closed {
		return errFenced
	}
	e.conns[s] = struct{}{}
	s.onClose = func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.conns, s)
	}
	return nil
}

// current is the backend as the configuration has it now; an error means it is fenced off.
func (e *Endpoint) current(s *shardConn) (Backend, error) {
	b, ok := e.config.Load().find(s.backend)
	if !ok || s.broken.Load() {
		return Backend{}, errFenced
	}
	return b, nil
}

// confirm reads the answer to a WAIT that has been sent, and asks again until enough replicas have everything this
// connection wrote. How many are enough is looked up each time: the engine lowers the number when it gives up a replica.
func (e *Endpoint) confirm(s *shardConn) error {
	for {
		v, err := s.in.ReadValue()
		if err != nil {
			return err
		}
		if v.Err() != nil {
			return v.Err() // a shard that is no master any more cannot vouch for what it took
		}
		b, err := e.current(s)
		if err != nil {
			return err
		}
		if v.Int >= int64(b.RequiredAcks) {
			return nil
		}
		if err := s.askReplicas(b.RequiredAcks, e.options); err != nil {
			return err
		}
		if err := s.out.Flush(); err != nil {
			return err
		}
	}
}

// askReplicas sends a WAIT.
func (b *shardConn) askReplicas(n int, o Options) error {
	_, err := b.out.Write(resp.AppendCommand(nil, "WAIT", strconv.Itoa(n), strconv.FormatInt(o.AckPoll.Milliseconds(), 10)))
	return err
}

// unblock wakes a connection that waits in a blocking command, so that it can be asked again elsewhere. It goes through a
// connection of its own, as the other one is busy.
func (e *Endpoint) unblock(ctx context.Context, s *shardConn, how string) error {
	c, err := resp.Dial(ctx, s.backend.Addr, s.backend.Password)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, err = c.Do(ctx, "CLIENT", "UNBLOCK", strconv.FormatInt(s.clientID, 10), how)
	return err
}
