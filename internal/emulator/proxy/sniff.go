package proxy

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
)

// tlsHandshake is the first byte of a TLS connection. No command of the Redis protocol begins with it.
const tlsHandshake = 0x16

// sniffed is a connection whose first byte tells whether it is encrypted. Nothing is written before something was read.
type sniffed struct {
	net.Conn
	config *tls.Config
	once   sync.Once
	err    error
	inner  atomic.Pointer[tls.Conn]
	first  []byte
}

// Read looks at the first byte, and then reads what it tells to.
func (c *sniffed) Read(b []byte) (int, error) {
	c.once.Do(c.look)
	if c.err != nil {
		return 0, c.err
	}
	if t := c.inner.Load(); t != nil {
		return t.Read(b)
	}
	if len(c.first) > 0 && len(b) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

func (c *sniffed) look() {
	first := make([]byte, 1)
	if _, c.err = c.Conn.Read(first); c.err != nil {
		return
	}
	if first[0] == tlsHandshake {
		c.inner.Store(tls.Server(&replayed{Conn: c.Conn, first: first}, c.config))
		return
	}
	c.first = first
}

// Write writes the way that the first byte told.
func (c *sniffed) Write(b []byte) (int, error) {
	if t := c.inner.Load(); t != nil {
		return t.Write(b)
	}
	return c.Conn.Write(b)
}

// replayed gives back what was read to look at it.
type replayed struct {
	net.Conn
	first []byte
}

// Read gives the first bytes again.
func (c *replayed) Read(b []byte) (int, error) {
	if len(c.first) > 0 && len(b) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// inside tells whether what the session says is encrypted.
func (s *session) inside() bool {
	if s.secure {
		return true
	}
	c, ok := s.nc.(*sniffed)
	return ok && c.inner.Load() != nil
}

// tunnelled tells whether the session came in on the way that is for peers alone.
func (s *session) tunnelled() bool { return !s.secure && s.inside() }
