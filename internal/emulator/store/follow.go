package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

// copyLoop follows the changes that reach this node's copy.
func (s *Store) copyLoop() {
	for s.ctx.Err() == nil {
		s.mu.Lock()
		c := s.ccs
		s.mu.Unlock()
		if c != nil {
			s.watch(c)
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Store) watch(c *ccs) {
	sub := c.rdb.Subscribe(s.ctx, channelLog)
	defer func() { _ = sub.Close() }()
	for {
		msg, err := sub.ReceiveMessage(s.ctx)
		if err != nil {
			return
		}
		var e entry
		if json.Unmarshal([]byte(msg.Payload), &e) == nil {
			s.extend(&e)
		}
	}
}

// extend takes one published change over, unless something is missing before it: then the next heartbeat reads all.
func (s *Store) extend(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.role == leader || s.loaded.position() != e.Prev {
		return
	}
	s.take(s.loaded.with(e))
}

// take makes a snapshot the newest one of this copy; the caller holds mu.
func (s *Store) take(next *Snapshot) {
	s.loaded = next
	s.pending = append(s.pending, next)
	s.progress()
}

// catchUp compares what was read with what the process holds and reads again when they differ.
func (s *Store) catchUp(ctx context.Context, c *ccs) {
	s.loading.Lock()
	defer s.loading.Unlock()
	pos, err := c.position(ctx)
	if err != nil {
		return
	}
	s.mu.Lock()
	same := s.loaded.position() == pos || s.role == leader
	s.mu.Unlock()
	if same {
		return
	}
	snap, err := c.load(ctx)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A published change may have overtaken the read.
	have, read := s.loaded.position(), snap.position()
	overtaken := read.Term == have.Term && read.Rev <= have.Rev
	if s.role != leader && !overtaken {
		s.take(snap)
	}
}

// answerHeartbeat follows the master, waits a moment for what it announces, and tells how far this copy is.
func (s *Store) answerHeartbeat(ctx context.Context, req heartbeatRequest) heartbeatAnswer {
	s.mu.Lock()
	ans := heartbeatAnswer{UID: s.ballot.UID, Term: s.ballot.Term}
	c := s.ccs
	standing := s.standing && req.Term == s.ballot.Term // for election, because this very master asked for it
	if req.To != s.ballot.UID || req.Term < s.ballot.Term || s.removed || c == nil || standing {
		s.mu.Unlock()
		return ans
	}
	s.observeTerm(req.Term)
	if s.role == leader { // two masters in one term cannot be
		s.mu.Unlock()
		return ans
	}
	if s.leaderUID != req.From {
		s.log.Info("follows", "master", req.From, "term", req.Term)
		s.leaderUID, s.durable = req.From, false
		s.announce()
	}
	s.role, s.heard = follower, time.Now()
	s.heardTruly = s.heard
	// Until what it committed is shown here, this node must not believe that it is up to date.
	s.current = req.Commit > 0 && s.visible.position().Term == req.Term && s.visible.Rev() >= req.Commit
	s.addrs[req.From] = req.Addr
	s.mu.Unlock()
	if s.tunnel.point(req.Addr, req.Term) {
		s.demote(c)
	}
	s.awaitPosition(ctx, c, position{req.Term, req.Rev})
	durable := s.checkDurable(ctx, c)
	report := json.RawMessage(nil)
	if s.opts.Report != nil {
		report = s.opts.Report()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ans.Term = s.ballot.Term
	if s.ballot.Term != req.Term || s.role != follower {
		return ans
	}
	s.reveal(req.Term, req.Commit)
	s.current = req.Commit > 0 && s.visible.position().Term == req.Term && s.visible.Rev() >= req.Commit
	ans.OK, ans.Position, ans.Durable, ans.Report = true, s.loaded.position(), durable, report
	ans.Applied = s.visible.Rev()
	return ans
}

// reveal shows what is certain. Only entries of the master's own term count: an older one of the same number may be a
// left-over that this copy is about to lose. The caller holds mu.
func (s *Store) reveal(term, commit int64) {
	keep := s.pending[:0]
	for _, p := range s.pending {
		switch {
		case p.term == term && p.rev <= commit:
			if s.visible.position().less(p.position()) {
				s.visible = p
				defer s.announce()
			}
		case p.term == term:
			keep = append(keep, p)
		}
	}
	s.pending = keep
	// What was on disk at the start is not pending, but certain as soon as the master says so.
	if l := s.loaded; l.position().Term == term && l.rev <= commit && s.visible.position().less(l.position()) {
		s.visible = l
		s.announce()
	}
}

// awaitPosition waits briefly until this copy has come as far as the master says.
func (s *Store) awaitPosition(ctx context.Context, c *ccs, want position) {
	ctx, cancel := context.WithTimeout(ctx, s.heartbeat())
	defer cancel()
	for {
		s.mu.Lock()
		have, wait := s.loaded.position(), s.progressed
		s.mu.Unlock()
		if !have.less(want) {
			return
		}
		select {
		case <-wait:
			continue
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
		s.catchUp(ctx, c)
	}
}

func (s *Store) checkDurable(ctx context.Context, c *ccs) bool {
	s.mu.Lock()
	durable := s.durable
	epoch := s.tunnel.connections()
	s.mu.Unlock()
	if durable {
		return true
	}
	if !c.durable(ctx) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A connection made in between may bring a full copy.
	s.durable = epoch == s.tunnel.connections()
	return s.durable
}

// demote makes the local process a replica of whoever the tunnel leads to.
func (s *Store) demote(c *ccs) {
	st, err := c.proc.State(s.ctx)
	if err == nil && st.Role == shard.Replica {
		return
	}
	s.mu.Lock()
	leads := s.role == leader
	s.mu.Unlock()
	if leads {
		return
	}
	if err := c.proc.ReplicaOf(s.ctx, shard.Address{Host: s.tunnel.host, Port: s.tunnel.port}); err != nil && s.ctx.Err() == nil {
		s.log.Error("cannot follow", "error", err.Error())
	}
}

// processLoop restarts the redis-server when it dies. A master steps down first: the election that follows decides
// whether what this process remembers is still the newest.
func (s *Store) processLoop() {
	for s.ctx.Err() == nil {
		s.mu.Lock()
		c := s.ccs
		s.mu.Unlock()
		if c == nil {
			return
		}
		select {
		case <-s.ctx.Done():
			return
		case <-c.proc.Done():
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return
		}
		s.log.Error("the configuration store process ended and is started again")
		s.ccs, s.durable = nil, false
		s.stepDown("its redis-server ended")
		s.mu.Unlock()
		_ = c.rdb.Close()
		s.restart()
	}
}

func (s *Store) restart() {
	for s.ctx.Err() == nil {
		c, err := startCCS(s.ctx, s.ccsConfig())
		if err == nil {
			snap, lerr := c.load(s.ctx)
			s.mu.Lock()
			if s.closed || lerr != nil {
				s.mu.Unlock()
				c.close((*shard.Process).Kill)
				return
			}
			s.ccs, s.loaded, s.pending = c, snap, nil
			s.mu.Unlock()
			return
		}
		s.log.Error("cannot start the configuration store process", "error", err.Error())
		select {
		case <-s.ctx.Done():
		case <-time.After(s.heartbeat()):
		}
	}
}

// searchLoop looks for the others while no master is known: this node's address, or theirs, may have changed.
func (s *Store) searchLoop() {
	for s.ctx.Err() == nil {
		if _, _, ok := s.Leader(); !ok {
			s.search()
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(s.opts.FailureTimeout / 4):
		}
	}
}

func (s *Store) search() {
	targets := map[string]bool{}
	s.mu.Lock()
	for _, m := range s.members() {
		targets[m.Addr] = true
		targets[s.addrOf(m.UID)] = true
	}
	for _, addr := range s.rumours {
		targets[addr] = true
	}
	s.mu.Unlock()
	if s.opts.Hints != nil {
		for _, addr := range s.opts.Hints() {
			targets[addr] = true
		}
	}
	delete(targets, s.addr())
	delete(targets, "")
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.FailureTimeout/2)
	defer cancel()
	done := make(chan struct{}, len(targets))
	for addr := range targets {
		s.wg.Go(func() {
			defer func() { done <- struct{}{} }()
			if ans, err := s.wire.hello(ctx, addr); err == nil {
				s.meet(addr, ans)
			}
		})
	}
	for range targets {
		<-done
	}
}

// meet learns from another node's answer.
func (s *Store) meet(addr string, ans helloAnswer) {
	if ans.UID == 0 || ans.UID == s.ballot.UID {
		return
	}
	s.mu.Lock()
	s.addrs[ans.UID] = addr
	s.rumours = ans.Addrs
	tell := ans.Unknown && !s.removed
	s.removed = s.removed || ans.Unknown
	s.mu.Unlock()
	if tell {
		s.tellRemoved()
	}
}

func (s *Store) tellRemoved() {
	s.log.Info("this node is no longer a member of the cluster")
	if s.opts.Removed != nil {
		go s.opts.Removed()
	}
}
