package store

import (
	"context"
	"math/rand/v2"
	"time"
)

func (s *Store) drawPatience() time.Duration {
	f := s.opts.FailureTimeout
	return f + rand.N(f/2) //nolint:gosec // only has to differ between nodes
}

func (s *Store) heartbeat() time.Duration { return s.opts.FailureTimeout / 12 }

// lease is how long a master goes on without hearing from a majority. It is shorter than the patience of every other
// node, so there are never two masters that take changes.
func (s *Store) lease() time.Duration { return s.opts.FailureTimeout * 3 / 4 }

func (s *Store) electionLoop() {
	ticker := time.NewTicker(s.heartbeat())
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		now := time.Now()
		if now.Sub(last) > 2*s.heartbeat() {
			s.excuse(now)
		}
		last = now
		r, silent := s.role, time.Since(s.heard) > s.patience
		if r == leader && !s.holdsLease() {
			s.stepDown("no majority within the lease")
		}
		s.mu.Unlock()
		if r != leader && silent {
			s.campaign(false)
		}
	}
}

// excuse is called when this node finds that it did not run for a while. That it has heard nothing in that time says
// nothing about the others, so they get two more heartbeats before they count as lost. Being late to decide is harmless:
// a change needs a majority whatever a master believes, and Linked goes by what was truly heard. The caller holds mu.
func (s *Store) excuse(now time.Time) {
	moment := 2 * s.heartbeat()
	limit := 3 * s.opts.FailureTimeout // of silence; a node that is always late must see losses too
	if least := now.Add(moment - s.patience); s.heard.Before(least) && now.Sub(s.heardTruly) < limit {
		s.heard = least
	}
	for _, p := range s.peers {
		if least := now.Add(moment - s.lease()); p.answered.Before(least) && now.Sub(p.answeredTruly) < limit {
			p.answered = least
		}
	}
}

// holdsLease tells whether a majority answered a heartbeat sent within the lease; the caller holds mu.
func (s *Store) holdsLease() bool {
	return s.majority(func(p *peer) bool { return time.Since(p.answered) < s.lease() })
}

// majority tells whether something holds of so many other voters that they are a majority with this node; the caller
// holds mu.
func (s *Store) majority(holds func(*peer) bool) bool {
	voters, fresh := 0, 0
	for _, m := range s.members() {
		if !m.Voter {
			continue
		}
		voters++
		p := s.peers[m.UID]
		if m.UID == s.ballot.UID || p != nil && holds(p) {
			fresh++
		}
	}
	return fresh > voters/2
}

// campaign asks the others for their votes, first without obligation: a node that is merely cut off must not disturb a
// cluster that has a master.
func (s *Store) campaign(handed bool) {
	s.mu.Lock()
	c := s.ccs
	self, voters := false, []Member(nil)
	for _, m := range s.members() {
		if m.UID == s.ballot.UID {
			self = m.Voter
		} else if m.Voter {
			voters = append(voters, m)
		}
	}
	eligible := c != nil && self && !s.closed && !s.removed && !s.isolated
	s.patience = s.drawPatience()
	s.heard = time.Now()
	if !eligible {
		s.mu.Unlock()
		return
	}
	s.role, s.leaderUID = candidate, 0
	term := s.ballot.Term + 1
	s.announce()
	s.mu.Unlock()
	s.tunnel.point("", 0)

	pos, err := c.position(s.ctx)
	if err != nil {
		return
	}
	req := voteRequest{From: s.ballot.UID, Addr: s.addr(), Term: term, Position: pos, Handed: handed, Trial: true}
	if !s.poll(req, voters) {
		return
	}
	s.mu.Lock()
	if s.role != candidate || s.ballot.Term != term-1 {
		s.mu.Unlock()
		return
	}
	s.ballot.Term, s.ballot.Voted = term, s.ballot.UID
	if err := writeBallot(s.opts.Dir, s.ballot); err != nil {
		s.log.Error("cannot vote for itself", "error", err.Error())
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	req.Trial = false
	if s.poll(req, voters) {
		s.lead(c, term)
	}
}

// poll collects votes and tells whether they are a majority together with this node's own.
func (s *Store) poll(req voteRequest, voters []Member) bool {
	need := (len(voters)+1)/2 + 1
	votes := 1
	answers := make(chan bool, len(voters))
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.FailureTimeout/2)
	defer cancel()
	for _, m := range voters {
		s.wg.Go(func() {
			ans, err := s.wire.vote(ctx, m.UID, req)
			if err == nil && ans.Term > req.Term {
				s.mu.Lock()
				s.observeTerm(ans.Term)
				s.mu.Unlock()
			}
			answers <- err == nil && ans.Granted
		})
	}
	for range voters {
		if votes >= need {
			break
		}
		if <-answers {
			votes++
		}
	}
	return votes >= need
}

// lead makes this node the master: its copy takes changes, and the first one carries the new term, which decides
// everything that earlier masters left open.
func (s *Store) lead(c *ccs, term int64) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.tunnel.cut()
	if err := c.proc.Promote(s.ctx); err != nil {
		s.log.Error("cannot promote the local copy", "error", err.Error())
		return
	}
	snap, err := c.load(s.ctx)
	if err != nil {
		return
	}
	s.mu.Lock()
	if s.ballot.Term != term || s.role != candidate || s.closed {
		s.mu.Unlock()
		return
	}
	s.role, s.leaderUID, s.ready, s.handing = leader, s.ballot.UID, false, false
	s.loaded, s.pending = snap, nil
	s.peers = map[int64]*peer{}
	s.syncPeers()
	s.mu.Unlock()
	s.log.Info("elected master", "term", term, "rev", snap.rev)
	first := &entry{Prev: snap.position(), Pos: position{term, snap.rev + 1}}
	if err := s.commit(s.ctx, term, first); err != nil {
		s.log.Info("first entry was not taken over by a majority", "term", term, "reason", err.Error())
		return
	}
	s.mu.Lock()
	if s.role == leader && s.ballot.Term == term {
		s.ready = true
		s.announce()
	}
	s.mu.Unlock()
}

// stepDown ends leadership; the caller holds mu.
func (s *Store) stepDown(reason string) {
	if s.role == leader {
		s.log.Info("steps down", "reason", reason, "term", s.ballot.Term)
	}
	s.role, s.ready, s.leaderUID, s.handing = follower, false, 0, false
	for _, p := range s.peers {
		p.cancel()
	}
	s.peers, s.durable = nil, false
	s.heard, s.patience = time.Now(), s.drawPatience()
	s.wire.cutTunnels()
	s.announce()
	s.progress()
	if c := s.ccs; c != nil {
		s.wg.Go(func() { s.demote(c) })
	}
}

// observeTerm gives way to a later term; the caller holds mu.
func (s *Store) observeTerm(term int64) {
	if term <= s.ballot.Term {
		return
	}
	if s.role == leader {
		s.stepDown("a later term exists")
	}
	s.role, s.leaderUID = follower, 0
	s.ballot.Term, s.ballot.Voted = term, 0
	if err := writeBallot(s.opts.Dir, s.ballot); err != nil {
		s.log.Error("cannot keep the term", "error", err.Error())
	}
}

// voteRequest asks for a vote. Trial asks what the answer would be; Handed comes from a successor its master chose.
type voteRequest struct {
	From     int64    `json:"from"`
	Addr     string   `json:"addr"`
	Term     int64    `json:"term"`
	Position position `json:"position"`
	Trial    bool     `json:"trial"`
	Handed   bool     `json:"handed"`
}

type voteAnswer struct {
	Term    int64 `json:"term"`
	Granted bool  `json:"granted"`
}

// answerVote decides about a vote. A node that hears its master refuses, so that a node that came back does not
// depose a healthy one.
func (s *Store) answerVote(ctx context.Context, req voteRequest) voteAnswer {
	s.mu.Lock()
	c := s.ccs
	s.mu.Unlock()
	if c == nil {
		return voteAnswer{}
	}
	own, err := c.position(ctx)
	if err != nil {
		return voteAnswer{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	no := voteAnswer{Term: s.ballot.Term}
	content := s.leaderUID != 0 && (s.role == leader || time.Since(s.heard) < s.opts.FailureTimeout)
	if content && !req.Handed || req.Term < s.ballot.Term || req.Position.less(own) || !s.isMember(req.From) {
		return no
	}
	s.addrs[req.From] = req.Addr
	if req.Trial {
		return voteAnswer{Term: s.ballot.Term, Granted: true}
	}
	s.observeTerm(req.Term)
	if s.ballot.Voted != 0 && s.ballot.Voted != req.From {
		return voteAnswer{Term: s.ballot.Term}
	}
	s.ballot.Voted = req.From
	if err := writeBallot(s.opts.Dir, s.ballot); err != nil {
		s.log.Error("cannot keep the vote", "error", err.Error())
		return no
	}
	s.heard = time.Now()
	return voteAnswer{Term: s.ballot.Term, Granted: true}
}

// isMember tells whether a node is in the newest member list; the caller holds mu.
func (s *Store) isMember(uid int64) bool {
	for _, m := range s.members() {
		if m.UID == uid {
			return true
		}
	}
	return false
}
