package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"
)

// peer is another node as the master sees it.
type peer struct {
	uid      int64
	cancel   context.CancelFunc
	kick     chan struct{}
	answered time.Time // when the last heartbeat that was answered had been sent, or later; see excuse
	matched  position  // what its copy durably holds

	answeredTruly time.Time // answered without excuses
}

// PeerState is the last news of a node.
type PeerState struct {
	// Addr is its address between nodes.
	Addr string
	// Answered is when it last answered the master; zero when it never did.
	Answered time.Time
	// Applied is the revision that it shows to its agents.
	Applied int64
	// CaughtUp tells that its copy holds everything the master's does.
	CaughtUp bool
	// Report is what its agents had to say.
	Report json.RawMessage
}

// Peers are the other nodes as the master sees them; empty elsewhere.
func (s *Store) Peers() map[int64]PeerState {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[int64]PeerState{}
	for uid, p := range s.peers {
		state := s.seen[uid]
		state.Addr, state.Answered = s.addrOf(uid), p.answered
		state.CaughtUp = p.matched == s.loaded.position()
		out[uid] = state
	}
	return out
}

// syncPeers runs one loop for each other member; the caller holds mu and the node is leader.
func (s *Store) syncPeers() {
	want := map[int64]bool{}
	for _, m := range s.members() {
		if m.UID == s.ballot.UID {
			continue
		}
		want[m.UID] = true
		if s.peers[m.UID] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(s.ctx)
		// Everybody gets half the usual time to answer a new master for the first time. The one before it had stepped
		// down by the time of the election, so nobody still goes by what that one said.
		p := &peer{
			uid: m.UID, cancel: cancel, kick: make(chan struct{}, 1), answered: time.Now().Add(-s.opts.FailureTimeout / 2),
		}
		p.answeredTruly = p.answered
		s.peers[m.UID] = p
		term := s.ballot.Term
		s.wg.Go(func() { s.tend(ctx, p, term) })
	}
	for uid, p := range s.peers {
		if !want[uid] {
			p.cancel()
			delete(s.peers, uid)
			delete(s.seen, uid)
			s.wg.Go(func() { s.dismiss(uid) })
		}
	}
}

// dismiss tells a node that was removed; it may be dead, and then asks when it comes back.
func (s *Store) dismiss(uid int64) {
	s.mu.Lock()
	addr := s.addrs[uid]
	delete(s.addrs, uid)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.FailureTimeout)
	defer cancel()
	_ = s.wire.dismiss(ctx, addr, uid)
}

// heartbeatRequest is the master's word: who leads, how far the log is, how much of it is certain.
type heartbeatRequest struct {
	To     int64  `json:"to"`
	From   int64  `json:"from"`
	Addr   string `json:"addr"`
	Term   int64  `json:"term"`
	Rev    int64  `json:"rev"`
	Commit int64  `json:"commit"`
}

type heartbeatAnswer struct {
	UID      int64           `json:"uid"`
	Term     int64           `json:"term"`
	OK       bool            `json:"ok"`
	Position position        `json:"position"`
	Durable  bool            `json:"durable"`
	Applied  int64           `json:"applied"`
	Report   json.RawMessage `json:"report,omitempty"`
}

// tend keeps one peer informed until ctx ends.
func (s *Store) tend(ctx context.Context, p *peer, term int64) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-timer.C:
		}
		s.mu.Lock()
		if s.role != leader || s.ballot.Term != term {
			s.mu.Unlock()
			return
		}
		req := heartbeatRequest{
			To: p.uid, From: s.ballot.UID, Addr: s.addr(), Term: term, Rev: s.loaded.rev, Commit: s.visible.Rev(),
		}
		if s.visible.position().Term != term {
			req.Commit = 0 // nothing is certain before the first entry of this term is
		}
		s.mu.Unlock()
		sent := time.Now()
		call, cancel := context.WithTimeout(ctx, s.opts.FailureTimeout/2)
		ans, err := s.wire.heartbeat(call, p.uid, req)
		cancel()
		if err == nil {
			s.heardFrom(p, term, sent, ans)
		}
		timer.Reset(s.heartbeat())
	}
}

func (s *Store) heardFrom(p *peer, term int64, sent time.Time, ans heartbeatAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ans.Term > s.ballot.Term {
		s.observeTerm(ans.Term)
		return
	}
	if s.role != leader || s.ballot.Term != term || !ans.OK || ans.UID != p.uid {
		return
	}
	p.answered, p.answeredTruly = sent, sent
	before := s.seen[p.uid]
	news := PeerState{Applied: ans.Applied, Report: ans.Report}
	s.seen[p.uid] = news
	if ans.Durable && ans.Position.Term == term && p.matched != ans.Position {
		p.matched = ans.Position
		s.advance()
	}
	if before.Applied != news.Applied || string(before.Report) != string(news.Report) {
		s.announce()
	}
}

// advance finds what a majority of the voters holds; the caller holds mu.
func (s *Store) advance() {
	var held []int64
	for _, m := range s.members() {
		if !m.Voter {
			continue
		}
		switch p := s.peers[m.UID]; {
		case m.UID == s.ballot.UID:
			held = append(held, s.loaded.rev)
		case p != nil && p.matched.Term == s.ballot.Term:
			held = append(held, p.matched.Rev)
		default:
			held = append(held, 0)
		}
	}
	slices.Sort(held)
	if len(held) > 0 && s.loaded.term == s.ballot.Term && held[(len(held)-1)/2] >= s.loaded.rev && s.visible != s.loaded {
		s.visible = s.loaded
		s.announce()
		s.kickPeers()
	}
	s.progress()
}

func (s *Store) kickPeers() {
	for _, p := range s.peers {
		select {
		case p.kick <- struct{}{}:
		default:
		}
	}
}

// Update changes the configuration: change works on the newest state, and what it did is written and acknowledged by a
// majority before Update returns. An error of change is returned as it is and nothing is written.
func (s *Store) Update(ctx context.Context, change func(*Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if s.role != leader || !s.ready || s.handing {
		s.mu.Unlock()
		return ErrNotLeader
	}
	term, tx := s.ballot.Term, &Tx{base: s.loaded}
	s.mu.Unlock()
	if err := change(tx); err != nil {
		return err
	}
	e, err := tx.entry(term)
	if err != nil || e.empty() {
		return err
	}
	return s.commit(ctx, term, e)
}

// commitPatience is how many failure timeouts a change may take. A master that loses its majority notices within one, so
// whoever needs longer has copies that answer and are slow: another election would only make them begin again.
const commitPatience = 6

// commit writes an entry and waits for a majority. The caller holds writing. When no majority answers the master steps
// down: whether the entry survives is then decided by the next election, and nobody has seen it yet.
func (s *Store) commit(ctx context.Context, term int64, e *entry) error {
	s.mu.Lock()
	c := s.ccs
	s.mu.Unlock()
	if c == nil {
		return ErrNotLeader
	}
	// A cancelled request must not leave an entry half known.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitPatience*s.opts.FailureTimeout)
	defer cancel()
	err := c.append(ctx, e)
	s.mu.Lock()
	if s.role != leader || s.ballot.Term != term {
		s.mu.Unlock()
		return ErrNoQuorum
	}
	if err != nil {
		s.stepDown("cannot write: " + err.Error())
		s.mu.Unlock()
		return ErrNoQuorum
	}
	s.loaded = s.loaded.with(e)
	s.syncPeers() //nolint:contextcheck // what it starts lives as long as the store
	s.kickPeers()
	s.advance()
	s.mu.Unlock()
	return s.awaitCommit(ctx, term, e.Pos.Rev)
}

func (s *Store) awaitCommit(ctx context.Context, term, rev int64) error {
	for {
		s.mu.Lock()
		lost := s.role != leader || s.ballot.Term != term
		done := s.visible.position().Term == term && s.visible.Rev() >= rev
		wait := s.progressed
		s.mu.Unlock()
		switch {
		case done:
			return nil
		case lost:
			return ErrNoQuorum
		}
		select {
		case <-wait:
		case <-s.ctx.Done():
			return ErrClosed
		case <-ctx.Done():
			s.mu.Lock()
			if s.role == leader && s.ballot.Term == term {
				s.stepDown("a change was not taken over by a majority")
			}
			s.mu.Unlock()
			return ErrNoQuorum
		}
	}
}

// Successors are the voters that could take the master role over, the best first: those that hold everything, then those
// that answered last.
func (s *Store) Successors() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.role != leader {
		return nil
	}
	var fit []*peer
	for _, m := range s.members() {
		if p := s.peers[m.UID]; p != nil && m.Voter && time.Since(p.answered) < s.lease() {
			fit = append(fit, p)
		}
	}
	newest := s.loaded.position()
	slices.SortFunc(fit, func(a, b *peer) int {
		if x, y := a.matched == newest, b.matched == newest; x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.answered.Compare(a.answered)
	})
	out := make([]int64, 0, len(fit))
	for _, p := range fit {
		out = append(out, p.uid)
	}
	return out
}

// ErrNoSuccessor says that a node cannot take the master role over now.
var ErrNoSuccessor = errors.New("store: the node cannot become master now")

// Transfer hands the master role to another voting node and returns when this node has given it up.
func (s *Store) Transfer(ctx context.Context, uid int64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*s.opts.FailureTimeout)
	defer cancel()
	s.writing.Lock()
	s.mu.Lock()
	p := s.peers[uid]
	m, ok, _ := Get[Member](s.loaded, KindMember, strconv.FormatInt(uid, 10))
	if s.role != leader || p == nil || !ok || !m.Voter {
		s.mu.Unlock()
		s.writing.Unlock()
		return ErrNoSuccessor
	}
	s.handing = true
	term := s.ballot.Term
	s.mu.Unlock()
	s.writing.Unlock()
	err := s.handOver(ctx, p, term)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handing = false
	if s.role == leader && s.ballot.Term == term {
		return errors.Join(ErrNoSuccessor, err)
	}
	return nil
}

func (s *Store) handOver(ctx context.Context, p *peer, term int64) error {
	var told time.Time
	for {
		s.mu.Lock()
		over := s.role != leader || s.ballot.Term != term
		caughtUp := p.matched == s.loaded.position()
		wait := s.progressed
		s.mu.Unlock()
		if over {
			return nil
		}
		// Told again after a while: a first attempt may have met a heartbeat on its way.
		if caughtUp && time.Since(told) > s.opts.FailureTimeout/3 {
			if err := s.wire.takeOver(ctx, p.uid, term); err != nil {
				return err
			}
			told = time.Now()
		}
		select {
		case <-wait:
		case <-time.After(s.heartbeat()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
