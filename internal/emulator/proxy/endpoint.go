package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Endpoint is one listener. All methods may be called at any time from any goroutine.
type Endpoint struct {
	listener net.Listener
	options  Options
	config   atomic.Pointer[compiled]
	gate     *gate
	stats    counters
	changes  changes         // in an Active-Active database
	ctx      context.Context // ends with Close; bounds dialling
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	draining bool
	sessions map[*session]struct{}
	conns    map[*shardConn]struct{}
	lastID   int64
}

// Listen opens an endpoint at host:port (port 0 picks one).
func Listen(addr string, c Config, o Options) (*Endpoint, error) {
	k, err := compile(c)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		listener: l, options: withDefaults(o), gate: newGate(),
		sessions: make(map[*session]struct{}), conns: make(map[*shardConn]struct{}),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.config.Store(k)
	e.running.Go(e.accept)
	return e, nil
}

func withDefaults(o Options) Options {
	if o.Patience == 0 {
		o.Patience = 15 * time.Second
	}
	if o.AckPoll == 0 {
		o.AckPoll = 100 * time.Millisecond
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = time.Second
	}
	return o
}

// Addr is where the endpoint listens.
func (e *Endpoint) Addr() net.Addr { return e.listener.Addr() }

// Update replaces the configuration. When it returns, nothing is served from a backend that the new one does not name:
// connections to it are cut, and so are clients with a command in flight on it.
func (e *Endpoint) Update(c Config) error {
	k, err := compile(c)
	if err != nil {
		return err
	}
	e.mu.Lock()
	close(e.config.Swap(k).superseded)
	var cutConns []*shardConn
	for s := range e.conns {
		if _, ok := k.find(s.backend); !ok {
			cutConns = append(cutConns, s)
		}
	}
	var cutSessions []*session
	for s := range e.sessions {
		if s.secure != (c.TLS != nil) || s.tunnelled() && (c.CRDT == nil || c.CRDT.TLS == nil) {
			cutSessions = append(cutSessions, s)
		}
	}
	e.mu.Unlock()
	for _, s := range cutConns {
		s.close()
	}
	for _, s := range cutSessions {
		s.cut()
	}
	return nil
}

// Hold makes new commands wait and returns once every command that was in flight has been answered, so that a master can
// be switched without any client noticing: Hold, make the replica catch up and promote it, Update, release. Commands that
// block (BLPOP and the like) are woken and asked again after the release. When the context ends first, Hold releases by
// itself and returns its error. Release may be called more than once. Commands wait for at most Options.Patience.
func (e *Endpoint) Hold(ctx context.Context) (release func(), err error) {
	woken := make(chan struct{})
	waking, cancel := context.WithCancel(ctx)
	go func() {
		defer close(woken)
		e.wakeBlocked(waking)
	}()
	release, err = e.gate.hold(ctx)
	cancel()
	<-woken
	return release, err
}

// wakeBlocked unblocks every connection that waits in a blocking command, until the context ends: one that was about to
// block when Hold began is found a moment later.
func (e *Endpoint) wakeBlocked(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, s := range e.blockedConns() {
			_ = e.unblock(ctx, s, "ERROR") // tried again at the next tick
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (e *Endpoint) blockedConns() []*shardConn {
	e.mu.Lock()
	defer e.mu.Unlock()
	var blocked []*shardConn
	for s := range e.sessions {
		if c := s.blockedOn.Load(); c != nil {
			blocked = append(blocked, c)
		}
	}
	return blocked
}

// Drain stops accepting connections and waits until the clients have gone or the context ends; those that are left are
// cut between two commands.
func (e *Endpoint) Drain(ctx context.Context) error {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	_ = e.listener.Close()
	left := make(chan struct{})
	go func() {
		defer close(left)
		e.running.Wait()
	}()
	select {
	case <-left:
		return e.Close()
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	release, _ := e.gate.hold(grace)
	cancel()
	err := e.Close()
	release()
	<-left
	return errors.Join(context.Cause(ctx), err)
}

// Close cuts everything and frees the address. It returns when nothing of the endpoint runs any more.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	e.closed = true
	var sessions []*session
	for s := range e.sessions {
		sessions = append(sessions, s)
	}
	var conns []*shardConn
	for s := range e.conns {
		conns = append(conns, s)
	}
	e.mu.Unlock()
	err := e.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	e.cancel()
	for _, s := range conns {
		s.close()
	}
	for _, s := range sessions {
		s.cut()
	}
	e.running.Wait()
	return err
}

// accept takes connections until the listener is closed.
func (e *Endpoint) accept() {
	for {
		nc, err := e.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors, most likely; give others the time to close some.
			if errors.Is(waitFor(nil, time.Now().Add(50*time.Millisecond), e.ctx.Done()), errGone) {
				return
			}
			continue
		}
		e.admit(nc)
	}
}

// admit starts a session, or refuses it when there are too many.
func (e *Endpoint) admit(nc net.Conn) {
	k := e.config.Load()
	nc = &countedConn{Conn: nc, stats: &e.stats}
	secure := k.TLS != nil
	switch {
	case secure:
		nc = tls.Server(nc, k.TLS)
	case k.CRDT != nil && k.CRDT.TLS != nil:
		nc = &sniffed{Conn: nc, config: k.CRDT.TLS}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.draining {
		_ = nc.Close()
		return
	}
	e.lastID++
	s := newSession(e, nc, e.lastID, secure)
	if k.MaxClients > 0 && len(e.sessions) >= k.MaxClients {
		e.stats.refused.Add(1)
		e.running.Go(s.refuse)
		return
	}
	e.sessions[s] = struct{}{}
	e.stats.accepted.Add(1)
	e.stats.clients.Add(1)
	e.running.Go(s.run)
}

// forget removes a session that has ended.
func (e *Endpoint) forget(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.sessions[s]; ok {
		delete(e.sessions, s)
		e.stats.clients.Add(-1)
	}
}
