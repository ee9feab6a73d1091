package proxy

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// A batch is what is answered together: it ends at one of these limits or when nothing more has arrived.
const (
	batchCommands = 256
	batchBytes    = 1 << 20
)

var (
	errGone = errors.New("proxy: the client has gone")
	errQuit = errors.New("proxy: the client asked to end")
)

// session is one client connection. One goroutine reads commands, another one answers them.
type session struct {
	e       *Endpoint
	nc      net.Conn
	from    netip.Addr
	id      int64
	secure  bool
	since   time.Time
	in      *resp.Reader
	batches chan batch
	settled chan struct{} // tells the reader that a stranger's command has been answered
	gone    chan struct{} // closed when nothing more can be read from the client
	done    chan struct{} // closed when the session has ended
	known   atomic.Bool   // signed in

	outMu sync.Mutex // held for whole replies: published messages come from other goroutines
	out   *bufio.Writer

	// What follows belongs to the answering goroutine, unless it is atomic.
	version      int
	permit       Permit
	peer         bool                   // an instance of the same Active-Active database
	label        atomic.Pointer[labels] // replaced, never changed: CLIENT LIST of others reads it
	conns        map[string]*shardConn  // by backend ID
	tx           *transaction
	watch        *shardConn // where WATCH was sent since the last EXEC
	watchSlot    int
	sub          *subscriber
	silence      silence
	blockedOn    atomic.Pointer[shardConn]
	unblockAsked atomic.Bool // by CLIENT UNBLOCK
	lastCommand  atomic.Pointer[string]
}

// labels are what can be said about a client.
type labels struct {
	name, lib, libVersion, user string
	version                     int
}

// relabel changes the labels.
func (s *session) relabel(change func(*labels)) {
	l := *s.label.Load()
	change(&l)
	s.label.Store(&l)
}

// silence is the state of CLIENT REPLY.
type silence int

const (
	speaking silence = iota
	skipNext         // the next command is not answered
	skipping         // this one is not
	silent
)

type batch struct {
	commands [][][]byte
	stranger bool // the reader waits until it has been answered
	err      error
}

func newSession(e *Endpoint, nc net.Conn, id int64, secure bool) *session {
	s := &session{
		e: e, nc: nc, from: source(nc), id: id, secure: secure, since: time.Now(), version: 2,
		in: resp.NewReader(nc), out: bufio.NewWriterSize(nc, 16<<10),
		batches: make(chan batch), settled: make(chan struct{}), gone: make(chan struct{}), done: make(chan struct{}),
		conns: make(map[string]*shardConn),
	}
	s.label.Store(&labels{user: "default", version: 2})
	k := e.config.Load()
	s.known.Store(k.DefaultUser && len(k.Passwords) == 0)
	return s
}

// refuse tells a client that there are too many.
func (s *session) refuse() {
	_ = s.nc.SetDeadline(time.Now().Add(time.Second))
	_, _ = s.nc.Write(resp.AppendError(nil, "ERR max number of clients reached"))
	_ = s.nc.Close()
}

// cut ends the session from outside.
func (s *session) cut() {
	nc := s.nc
	if t, ok := nc.(*sniffed); ok {
		nc = t.Conn
	}
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn() // closing the outer one would wait to say goodbye to a client that may not read
	}
	_ = nc.Close()
}

// run answers commands until the client or the endpoint ends it.
func (s *session) run() {
	s.e.running.Go(s.read)
	err := s.answer()
	if errors.Is(err, errQuit) || errors.Is(err, io.EOF) {
		s.e.stats.disconnected.Add(1)
	} else {
		s.e.stats.proxyDisconnected.Add(1)
	}
	close(s.done)
	_ = s.nc.SetWriteDeadline(time.Now().Add(time.Second)) // a TLS connection says goodbye
	_ = s.nc.Close()
	s.e.forget(s)
	for _, c := range s.conns {
		c.close()
	}
	if s.sub != nil {
		s.sub.close()
	}
}

func (s *session) answer() error {
	for {
		b := <-s.batches
		if b.err != nil {
			var bad resp.ProtocolError
			if errors.As(b.err, &bad) {
				s.emit(resp.AppendError(nil, "ERR "+bad.Error()))
			}
			_ = s.flush()
			return b.err
		}
		err := s.serve(b.commands)
		if ferr := s.flush(); err == nil {
			err = ferr
		}
		if err != nil {
			return err
		}
		if b.stranger {
			s.settled <- struct{}{}
		}
	}
}

// read hands over commands in batches. What a stranger sends is handed over one by one, so that the limits for strangers
// are lifted exactly when it has signed in.
func (s *session) read() {
	for {
		stranger := !s.known.Load()
		s.in.Stranger = stranger
		b := s.readBatch(stranger)
		b.stranger = stranger
		if b.err != nil {
			close(s.gone)
		}
		select {
		case s.batches <- b:
		case <-s.done:
			return
		}
		if b.err != nil {
			return
		}
		if !stranger {
			continue
		}
		select {
		case <-s.settled:
		case <-s.done:
			return
		}
	}
}

func (s *session) readBatch(single bool) batch {
	var b batch
	size := 0
	for len(b.commands) == 0 || (!single && len(b.commands) < batchCommands && size < batchBytes && s.in.HasCommand()) {
		args, err := s.in.ReadCommand()
		if err != nil {
			if len(b.commands) > 0 {
				break // what is wrong is still there for the next call
			}
			return batch{err: err}
		}
		if len(args) == 0 {
			continue
		}
		for _, a := range args {
			size += len(a)
		}
		b.commands = append(b.commands, args)
	}
	return b
}

// emit writes one whole reply towards the client.
func (s *session) emit(reply []byte) {
	if s.silence == silent || s.silence == skipping {
		return
	}
	s.push(reply)
}

// push writes what is no answer to a command.
func (s *session) push(message []byte) {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	_, _ = s.out.Write(message) // an error stays and is seen by flush
}

func (s *session) flush() error {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	return s.out.Flush()
}

func (s *session) fail(text string) { s.emit(resp.AppendError(nil, text)) }

// serve answers a batch. Commands that only need to be passed on are collected and sent together.
func (s *session) serve(batch [][][]byte) error {
	s.e.stats.pipelined(uint64(len(batch)))
	var waiting []request
	send := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := s.forward(waiting)
		waiting = waiting[:0]
		return err
	}
	for _, args := range batch {
		c := identify(args)
		s.lastCommand.Store(&c.name)
		if s.simple(c) {
			waiting = append(waiting, request{command: c})
			continue
		}
		if err := send(); err != nil {
			return err
		}
		if err := s.serveOne(c); err != nil {
			return err
		}
	}
	return send()
}

// simple tells whether a command needs nothing but passing on.
func (s *session) simple(c command) bool {
	if s.tx != nil || !s.known.Load() || s.permit != nil || s.silence != speaking || s.subscribed() {
		return false
	}
	return !c.denied && !refusedForm(c) && s.e.config.Load().refusesInCRDT(c) == "" && !c.blocks() && local[c.name] == nil && !s.e.config.Load().Paused
}

// serveOne answers one command that is not simple, or was not at this moment.
func (s *session) serveOne(c command) error {
	if s.silence == skipNext {
		s.silence = skipping
	}
	err := s.decide(c)
	if s.silence == skipping {
		s.silence = speaking
	}
	return err
}

func (s *session) decide(c command) error {
	if text := s.objection(c); text != "" {
		s.fail(text)
		if s.tx != nil {
			s.tx.broken = true
		}
		return nil
	}
	if s.tx != nil && !endsQueue[c.name] {
		s.queue(c)
		return nil
	}
	if answer := local[c.name]; answer != nil {
		if text := c.badArity(); text != "" {
			s.fail(text)
			return nil
		}
		started := time.Now()
		s.e.stats.requested(other, started)
		err := answer(s, c)
		s.e.stats.responded(other, time.Since(started))
		return err
	}
	if c.blocks() {
		if s.e.config.Load().CRDT != nil && c.writes() {
			return s.blockNoted(c)
		}
		return s.block(c)
	}
	return s.forward([]request{{command: c}})
}

const notAllowed = "ERR command is not allowed"

// objection is why a command is refused, or empty.
func (s *session) objection(c command) string {
	if !s.known.Load() {
		if c.name == "auth" || c.name == "hello" || c.name == "quit" {
			return ""
		}
		return "NOAUTH Authentication required."
	}
	if c.denied || refusedForm(c) {
		return notAllowed
	}
	if text := s.e.config.Load().refusesInCRDT(c); text != "" {
		return text
	}
	if s.subscribed() && s.version < 3 && !whileSubscribed[c.name] {
		return "ERR Can't execute '" + c.name +
			"': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
	}
	if s.e.config.Load().Paused && c.name != "quit" && c.name != "ping" {
		return "ERR traffic to this database is stopped"
	}
	if s.permit != nil && c.name != "auth" && c.name != "hello" && c.name != "quit" {
		if err := s.permit(c.name, c.args); err != nil {
			return err.Error()
		}
	}
	return ""
}
