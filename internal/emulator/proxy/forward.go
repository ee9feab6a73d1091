package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// request is one entry of what is sent together: a command, or a whole transaction.
type request struct {
	command
	tx *transaction // what EXEC executes
}

// attempt is one try to have requests answered.
type attempt struct {
	s       *session
	k       *compiled
	ops     []operation
	connsMu sync.Mutex         // only cut comes from elsewhere
	conns   map[int]*shardConn // by index of the backend
	order   []int              // indexes in the order of first use
	waits   map[int]bool       // connections a WAIT was sent on
	touched bool               // something was written to connections
	sent    bool               // something that changes data may have left
	replies [][]byte
}

// later is an error after which the same requests may be tried again: nothing that changes data has been executed.
type later struct{ error }

func (l later) Unwrap() error { return l.error }

// retryPause is how long a shard that cannot be reached is left alone when no new configuration comes first.
const retryPause = 50 * time.Millisecond

// forward has requests answered, in order. An error ends the session: the fate of what was sent is not known.
func (s *session) forward(requests []request) error {
	started := time.Now()
	for _, r := range requests {
		s.e.stats.requested(r.class, started)
	}
	until := started.Add(s.e.options.Patience)
	for {
		replies, superseded, err := s.try(requests, until)
		if err == nil {
			for _, reply := range replies {
				s.emit(reply)
			}
			break
		}
		s.e.stats.dispatchFailures.Add(1)
		var retry later
		if !errors.As(err, &retry) {
			return err
		}
		pause := time.Now().Add(retryPause)
		if pause.After(until) {
			return fmt.Errorf("giving up: %w", err)
		}
		if err := waitFor(superseded, pause, s.gone); errors.Is(err, errGone) {
			return err
		}
	}
	took := time.Since(started)
	for _, r := range requests {
		s.e.stats.responded(r.class, took)
	}
	return nil
}

// try makes one attempt under the configuration of this moment. It returns the replies, for writing them may take as long
// as the client likes and must not keep the gate from being held; or what to wait for before the next attempt.
func (s *session) try(requests []request, until time.Time) ([][]byte, <-chan struct{}, error) {
	if err := s.e.gate.enter(until, s.gone); err != nil {
		return nil, nil, err
	}
	defer s.e.gate.leave()
	k := s.e.config.Load()
	a := &attempt{s: s, k: k, conns: make(map[int]*shardConn), waits: make(map[int]bool)}
	err := a.run(requests)
	if err == nil {
		a.noteWatch()
		return a.replies, nil, nil
	}
	a.abandon()
	if a.sent {
		return nil, nil, err
	}
	return nil, k.superseded, later{err}
}

// abandon closes connections on which replies may be outstanding.
func (a *attempt) abandon() {
	if !a.touched {
		return
	}
	for _, c := range a.conns {
		c.close()
	}
}

func (a *attempt) run(requests []request) error {
	for _, r := range requests {
		op, err := a.s.plan(a.k, r)
		if err != nil {
			return err
		}
		a.ops = append(a.ops, op)
	}
	if err := a.connect(); err != nil {
		return err
	}
	if err := a.checkWatch(); err != nil {
		return err
	}
	if err := a.transfer(); err != nil {
		return err
	}
	if a.k.CRDT != nil && a.sent {
		a.s.e.changes.announce()
	}
	return a.refusedByShard()
}

// exchange is run for operations that are planned already.
func (a *attempt) exchange() error {
	if err := a.connect(); err != nil {
		return err
	}
	return a.transfer()
}

func (a *attempt) transfer() error {
	if err := a.send(); err != nil {
		return err
	}
	if err := a.receive(); err != nil {
		return err
	}
	return a.confirm()
}

// cut ends what is being waited for.
func (a *attempt) cut() {
	a.connsMu.Lock()
	defer a.connsMu.Unlock()
	for _, c := range a.conns {
		c.close()
	}
}

// plan finds out where a request goes.
func (s *session) plan(k *compiled, r request) (operation, error) {
	if r.tx != nil {
		return r.tx.plan(k, r.command, s.from)
	}
	return k.plan(r.command, caller{s.version, s.from})
}

// connect sees to a connection to each backend concerned.
func (a *attempt) connect() error {
	for _, op := range a.ops {
		for _, p := range op.parts {
			if a.conns[p.backend] != nil {
				continue
			}
			c, err := a.s.connection(a.k.Backends[p.backend], a.beside(op))
			if err != nil {
				return err
			}
			a.connsMu.Lock()
			a.conns[p.backend] = c
			a.connsMu.Unlock()
			a.order = append(a.order, p.backend)
		}
	}
	return nil
}

// beside tells whether an operation must not use the connection that watches keys: noting a change is a transaction, and
// would end the watching.
func (a *attempt) beside(op operation) bool {
	return a.k.CRDT != nil && a.s.watch != nil && op.name != "exec" && op.name != "watch"
}

// connection is this session's connection to a backend, opened when necessary; there is a second one beside it.
func (s *session) connection(b Backend, beside bool) (*shardConn, error) {
	name := b.ID
	if beside {
		name += " beside"
	}
	c := s.conns[name]
	if c != nil && c.backend.Epoch == b.Epoch && c.backend.Addr == b.Addr && c.version == s.version && c.alive() {
		return c, nil
	}
	if c != nil {
		c.close()
		delete(s.conns, name)
	}
	c, err := s.e.dial(b, s.version)
	if err != nil {
		return nil, err
	}
	s.conns[name] = c
	return c, nil
}

// checkWatch answers a transaction whose watched keys were on a connection that is gone: it cannot be known whether they
// changed, so it fails the way it would if they had.
func (a *attempt) checkWatch() error {
	for i, op := range a.ops {
		if op.name != "exec" || a.s.watch == nil || len(op.parts) == 0 || a.conns[op.parts[0].backend] == a.s.watch {
			continue
		}
		if _, err := a.s.e.current(a.s.watch); err == nil {
			a.ops[i] = failed(op.command, crossSlot)
		} else {
			a.ops[i] = answered(op.command, resp.AppendNullArray(nil, a.s.version))
		}
	}
	return nil
}

// noteWatch remembers where WATCH has gone. When the connection is another one than that of an earlier WATCH, the earlier
// one stays: it is broken, and EXEC will say so.
func (a *attempt) noteWatch() {
	if len(a.ops) == 1 && a.ops[0].name == "watch" && len(a.order) == 1 && a.s.watch == nil &&
		a.replies[0][0] != resp.ErrorKind {
		a.s.watch = a.conns[a.order[0]]
	}
}

// send writes everything, and after the writes of each connection the question how many replicas have them.
func (a *attempt) send() error {
	wrote := make(map[int]bool)
	a.touched = true
	for _, op := range a.ops {
		for _, p := range op.parts {
			if p.write {
				a.sent, wrote[p.backend] = true, true
			}
			if _, err := a.conns[p.backend].out.Write(p.payload); err != nil {
				return err
			}
		}
	}
	for _, i := range a.order {
		c := a.conns[i]
		if n := a.k.Backends[i].RequiredAcks; wrote[i] && n > 0 {
			a.waits[i] = true
			if err := c.askReplicas(n, a.s.e.options); err != nil {
				return err
			}
		}
		if err := c.out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// receive reads the answers in the order of the requests.
func (a *attempt) receive() error {
	for _, op := range a.ops {
		if len(op.parts) == 0 {
			a.replies = append(a.replies, op.reply)
			continue
		}
		var raws [][]byte
		for _, p := range op.parts {
			raw, err := readAnswer(a.conns[p.backend], p)
			if err != nil {
				return err
			}
			raws = append(raws, raw)
		}
		if op.merge != nil {
			a.replies = append(a.replies, op.merge(raws))
		} else {
			a.replies = append(a.replies, raws[0])
		}
	}
	return nil
}

// readAnswer reads the replies to a part and makes its answer of them.
func readAnswer(c *shardConn, p part) ([]byte, error) {
	if p.extract == nil {
		return readLast(c, p.replies)
	}
	var raws [][]byte
	for range p.replies {
		raw, err := readLast(c, 1)
		if err != nil {
			return nil, err
		}
		raws = append(raws, raw)
	}
	return p.extract(raws), nil
}

// readLast reads n replies and returns the last one.
func readLast(c *shardConn, n int) (raw []byte, err error) {
	for n > 0 {
		if raw, err = c.in.ReadRaw(nil); err != nil {
			return nil, err
		}
		if raw[0] != resp.Push {
			n--
		}
	}
	return raw, nil
}

// confirm waits for the replicas, and then looks once more whether all backends are still in the configuration.
func (a *attempt) confirm() error {
	for _, i := range a.order {
		if a.waits[i] {
			if err := a.s.e.confirm(a.conns[i]); err != nil {
				return err
			}
		}
	}
	for _, i := range a.order {
		if _, err := a.s.e.current(a.conns[i]); err != nil {
			return err
		}
	}
	return nil
}

// refusedByShard makes the attempt fail harmlessly when a lone command met a shard that is loading its data or is no master
// (any more): such a shard has not executed it. Scripts are left alone, as they can make up errors.
func (a *attempt) refusedByShard() error {
	if len(a.ops) != 1 || len(a.ops[0].parts) != 1 || a.ops[0].script || a.ops[0].name == "exec" {
		return nil
	}
	for _, prefix := range []string{"-READONLY ", "-LOADING ", "-MASTERDOWN "} {
		if bytes.HasPrefix(a.replies[0], []byte(prefix)) {
			a.sent = false
			return errors.New(string(bytes.TrimSpace(a.replies[0])))
		}
	}
	return nil
}
