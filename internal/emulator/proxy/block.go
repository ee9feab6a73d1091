package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// block has a command answered that may wait for other clients. When the shard wakes it because it is being replaced, it is
// asked again elsewhere.
func (s *session) block(c command) error {
	started := time.Now()
	s.e.stats.requested(c.class, started)
	s.unblockAsked.Store(false)
	until := started.Add(s.e.options.Patience)
	for {
		reply, superseded, err := s.tryBlocking(c, until)
		if err == nil {
			s.emit(reply)
			s.e.stats.responded(c.class, time.Since(started))
			return nil
		}
		if errors.Is(err, errWoken) {
			until = time.Now().Add(s.e.options.Patience) // from here on it waits for a shard
			continue
		}
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
}

// errWoken says that a blocked command was woken because its shard is being replaced.
var errWoken = errors.New("proxy: woken")

// tryBlocking makes one attempt of block.
func (s *session) tryBlocking(c command, until time.Time) ([]byte, <-chan struct{}, error) {
	if err := s.e.gate.enter(until, s.gone); err != nil {
		return nil, nil, err
	}
	defer s.e.gate.leave()
	k := s.e.config.Load()
	a := &attempt{s: s, k: k, conns: make(map[int]*shardConn), waits: make(map[int]bool)}
	err := a.runBlocking(c)
	switch {
	case err == nil:
		return a.replies[0], nil, nil
	case errors.Is(err, errWoken):
		a.abandon()
		return nil, nil, err
	}
	a.abandon()
	if a.sent {
		return nil, nil, err
	}
	return nil, k.superseded, later{err}
}

func (a *attempt) runBlocking(c command) error {
	op, err := a.k.plan(c, caller{a.s.version, a.s.from})
	if err != nil {
		return err
	}
	a.ops = []operation{op}
	if len(op.parts) == 0 {
		a.replies = [][]byte{op.reply}
		return nil
	}
	if err := a.connect(); err != nil {
		return err
	}
	if err := a.sendAndWait(); err != nil {
		return err
	}
	if bytes.HasPrefix(a.replies[0], []byte("-UNBLOCKED")) && !a.s.unblockAsked.Load() {
		return errWoken
	}
	if err := a.confirmAfter(); err != nil {
		return err
	}
	return a.refusedByShard()
}

// sendAndWait sends a blocking command and waits for the answer, for as long as the client is there.
func (a *attempt) sendAndWait() error {
	conn := a.conns[a.order[0]]
	a.s.blockedOn.Store(conn)
	answered := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-a.s.gone:
			conn.close()
		case <-answered:
		}
	}()
	defer func() {
		close(answered)
		<-watched
		a.s.blockedOn.Store(nil)
	}()
	a.touched = true
	for _, p := range a.ops[0].parts {
		a.sent = a.sent || p.write
		c := a.conns[p.backend]
		if _, err := c.out.Write(p.payload); err != nil {
			return err
		}
		if err := c.out.Flush(); err != nil {
			return err
		}
	}
	return a.receive()
}

// confirmAfter asks for replicas after the answer: a WAIT sent along would only be read once the command has ended.
func (a *attempt) confirmAfter() error {
	for _, p := range a.ops[0].parts {
		n := a.k.Backends[p.backend].RequiredAcks
		if !p.write || n == 0 {
			continue
		}
		a.waits[p.backend] = true
		if err := a.conns[p.backend].askReplicas(n, a.s.e.options); err != nil {
			return err
		}
		if err := a.conns[p.backend].out.Flush(); err != nil {
			return err
		}
	}
	return a.confirm()
}
