// Package discovery answers the Sentinel protocol, by which clients find the endpoint of a database from its name: the plain
// name gives the external address, name@internal the internal one. Every node answers for all databases.
package discovery

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// Address is an endpoint of a database.
type Address struct {
	Host string
	Port int
}

// Database is what can be found. A database without an endpoint at the moment has a zero Address.
type Database struct {
	Name               string
	External, Internal Address
}

// Source tells what there is.
type Source interface {
	// Databases are all databases of the cluster.
	Databases() []Database
	// Peers are the addresses of the discovery service on the other nodes.
	Peers() []Address
}

// internalSuffix asks for the internal address.
const internalSuffix = "@internal"

// Server is one listener.
type Server struct {
	listener net.Listener
	source   Source
	every    time.Duration
	running  sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc

	mu      sync.Mutex
	closed  bool
	clients map[*client]struct{}
}

// Listen answers at host:port until Close.
func Listen(addr string, source Source) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, source: source, every: 250 * time.Millisecond, clients: make(map[*client]struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	s.running.Go(s.announce)
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close ends all connections and returns when nothing runs any more.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.clients {
		_ = c.conn.Close()
	}
	s.mu.Unlock()
	s.cancel()
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	s.running.Wait()
	return err
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-time.After(50 * time.Millisecond): // out of file descriptors, most likely
			case <-s.ctx.Done():
			}
			continue
		}
		c := &client{server: s, conn: conn, in: resp.NewReader(conn), topics: make(map[string]bool), version: 2}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		s.clients[c] = struct{}{}
		s.mu.Unlock()
		s.running.Go(c.serve)
	}
}

// announce tells subscribers when the address of a database has changed, the way Sentinel announces a fail-over.
func (s *Server) announce() {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	known := s.addresses()
	for {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
		now := s.addresses()
		for _, db := range s.source.Databases() {
			for _, name := range []string{db.Name, db.Name + internalSuffix} {
				was, is := known[name], now[name]
				if was != is && was.Port != 0 && is.Port != 0 {
					s.publish("+switch-master", strings.Join([]string{
						name, was.Host, strconv.Itoa(was.Port), is.Host, strconv.Itoa(is.Port),
					}, " "))
				}
				if is.Port == 0 && was.Port != 0 {
					now[name] = was // announce the move when the new place is known
				}
			}
		}
		known = now
	}
}

func (s *Server) addresses() map[string]Address {
	m := make(map[string]Address)
	for _, db := range s.source.Databases() {
		m[db.Name], m[db.Name+internalSuffix] = db.External, db.Internal
	}
	return m
}

func (s *Server) publish(topic, text string) {
	s.mu.Lock()
	var clients []*client
	for c := range s.clients {
		clients = append(clients, c)
	}
	s.mu.Unlock()
	for _, c := range clients {
		c.tell(topic, text)
	}
}

// find looks a database up by the name that clients use.
func (s *Server) find(name string) (Address, bool) {
	plain, internal := strings.CutSuffix(name, internalSuffix)
	for _, db := range s.source.Databases() {
		if db.Name != plain {
			continue
		}
		if internal {
			return db.Internal, db.Internal.Port != 0
		}
		return db.External, db.External.Port != 0
	}
	return Address{}, false
}
