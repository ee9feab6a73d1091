package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

// KindMember is the kind under which the store keeps who belongs to the cluster, by uid.
const KindMember = "member"

// Member is one node of the cluster as the store needs to know it.
type Member struct {
	UID int64 `json:"uid"`
	// Addr is host:port of the port between nodes.
	Addr string `json:"addr"`
	// Voter is false while a node still copies the configuration for the first time.
	Voter bool `json:"voter"`
}

// Options are what a store needs from its node.
type Options struct {
	// Dir holds the data set and the ballot; it must survive restarts.
	Dir string
	// Host is the address other nodes reach this one by; Bind is where it listens (Host when empty).
	Host, Bind string
	// InternodePort and CCSPort are the port between nodes and the port of the redis-server, which listens on Bind.
	InternodePort, CCSPort int
	// Binary is the redis-server program.
	Binary string
	// FailureTimeout is how long a node may be silent before it counts as lost.
	FailureTimeout time.Duration
	Logger         *slog.Logger
	// Handlers are served beside the store's own paths on the port between nodes.
	Handlers map[string]http.Handler
	// Hints gives further addresses (host:port) where members may be found after all of them changed theirs.
	Hints func() []string
	// Report is sent to the master with each answer to a heartbeat.
	Report func() json.RawMessage
	// Removed is told, once, that the cluster no longer knows this node.
	Removed func()
}

type role int

const (
	follower role = iota
	candidate
	leader
)

func (r role) String() string { return [...]string{"follower", "candidate", "leader"}[r] }

// Store is this node's part of the configuration store.
type Store struct {
	opts   Options
	log    *slog.Logger
	wire   *wire
	tunnel *tunnel

	ctx    context.Context // ends with the store
	cancel context.CancelFunc
	wg     sync.WaitGroup

	writing sync.Mutex // one change at a time
	loading sync.Mutex // one reader of the whole data set at a time

	mu         sync.Mutex
	ccs        *ccs // nil while the process is down
	ballot     ballot
	role       role
	ready      bool // leader whose first entry is committed
	leaderUID  int64
	heard      time.Time // the last word of a valid master, or later; see excuse
	heardTruly time.Time // the same without excuses
	patience   time.Duration
	handing    bool                // leadership is being handed over: no new changes
	standing   bool                // in an election that the master asked for
	current    bool                // visible was all that the master had committed, at its last word
	durable    bool                // this copy would survive a restart of its process
	loaded     *Snapshot           // what this copy holds
	pending    []*Snapshot         // loaded, but not known to be committed
	visible    *Snapshot           // what is known to be committed
	peers      map[int64]*peer     // while leader
	addrs      map[int64]string    // learned from the nodes themselves
	rumours    []string            // where another node says that the others are
	seen       map[int64]PeerState // last news of each node
	changed    chan struct{}       // closed and replaced when visible, the role or a report changes
	progressed chan struct{}       // closed and replaced when loaded or a peer's position changes
	isolated   bool
	removed    bool
	closed     bool
}

// Create starts the store of the first node of a new cluster, with the objects that seed puts.
func Create(ctx context.Context, o Options, id Identity, seed func(*Tx)) (*Store, error) {
	if err := prepare(o.Dir, id); err != nil {
		return nil, err
	}
	s, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	tx := &Tx{base: nil}
	tx.Put(KindMember, strconv.FormatInt(id.UID, 10), Member{UID: id.UID, Addr: s.addr(), Voter: true})
	seed(tx)
	e, err := tx.entry(1)
	if err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	if err := s.found(ctx, e); err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	s.run()
	return s, nil
}

// Join starts the store of a node that the master has just admitted; contact is any member's address between nodes.
func Join(ctx context.Context, o Options, id Identity, contact string) (*Store, error) {
	if err := prepare(o.Dir, id); err != nil {
		return nil, err
	}
	hints := o.Hints
	o.Hints = func() []string {
		if hints == nil {
			return []string{contact}
		}
		return append(hints(), contact)
	}
	s, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	s.run()
	return s, nil
}

// Open starts the store of a node that has been in a cluster before, or returns ErrNoCluster.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	s.run()
	return s, nil
}

func prepare(dir string, id Identity) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return writeBallot(dir, ballot{Identity: id})
}

func start(ctx context.Context, o Options) (_ *Store, err error) {
	b, err := readBallot(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Bind == "" {
		o.Bind = o.Host
	}
	if o.FailureTimeout == 0 {
		o.FailureTimeout = 2 * time.Second
	}
	s := &Store{
		opts: o, log: o.Logger.With("component", "store", "self", b.UID), ballot: b,
		addrs: map[int64]string{}, seen: map[int64]PeerState{},
		changed: make(chan struct{}), progressed: make(chan struct{}), heard: time.Now(), heardTruly: time.Now(),
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Kill())
		}
	}()
	if s.wire, err = listen(s); err != nil {
		return nil, err
	}
	if s.tunnel, err = openTunnel(s); err != nil {
		return nil, err
	}
	if s.ccs, err = startCCS(ctx, s.ccsConfig()); err != nil {
		return nil, err
	}
	if s.loaded, err = s.ccs.load(ctx); err != nil {
		return nil, err
	}
	s.patience = s.drawPatience()
	return s, nil
}

// ccsConfig starts the process as a replica of the tunnel: it refuses changes until this node is elected.
func (s *Store) ccsConfig() shard.Config {
	return shard.Config{
		Binary: s.opts.Binary, Dir: filepath.Join(s.opts.Dir, "ccs"),
		Address:  shard.Address{Host: s.opts.Bind, Port: s.opts.CCSPort},
		Password: s.ballot.Password,
		Settings: shard.Settings{AOF: shard.AOFAlways, Extra: map[string]string{
			"dbfilename": "ccs-redis.rdb", "repl-diskless-sync": "yes", "repl-diskless-sync-delay": "0",
			"repl-backlog-size": "16mb", "repl-timeout": "10", "maxclients": "200", "auto-aof-rewrite-min-size": "64mb",
		}},
		Master: &shard.Address{Host: s.tunnel.host, Port: s.tunnel.port},
	}
}

// found writes the first entry of a cluster; nobody else exists who could disagree.
func (s *Store) found(ctx context.Context, e *entry) error {
	if err := s.ccs.proc.Promote(ctx); err != nil {
		return err
	}
	if err := s.ccs.append(ctx, e); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ballot.Term, s.loaded = 1, (&Snapshot{}).with(e)
	s.heard, s.heardTruly = time.Time{}, time.Time{} // nobody to wait for
	return writeBallot(s.opts.Dir, s.ballot)
}

func (s *Store) run() {
	for _, loop := range []func(){s.wire.serve, s.tunnel.serve, s.electionLoop, s.copyLoop, s.processLoop, s.searchLoop} {
		s.wg.Go(loop)
	}
}

func (s *Store) addr() string {
	return net.JoinHostPort(s.opts.Host, strconv.Itoa(s.opts.InternodePort))
}

// UID is this node's number.
func (s *Store) UID() int64 { return s.ballot.UID }

// Identity is what a joining node needs to become a member, apart from its own number.
func (s *Store) Identity() Identity { return s.ballot.Identity }

// Snapshot is the newest configuration known to be committed; nil until a master has said so.
func (s *Store) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visible
}

// Changed returns a channel that is closed with the next change of the snapshot, of the master or of a node's report.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Leader is the master node as far as this node knows; false while there is none it has heard of lately.
func (s *Store) Leader() (uid int64, addr string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isolated:
		return 0, "", false
	case s.role == leader:
		return s.ballot.UID, s.addr(), s.ready
	case s.leaderUID != 0 && time.Since(s.heard) < s.opts.FailureTimeout:
		return s.leaderUID, s.addrOf(s.leaderUID), true
	}
	return 0, "", false
}

// IsLeader tells whether this node takes changes now.
func (s *Store) IsLeader() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.role == leader && s.ready
}

// Elections counts the elections the cluster has had: the present term.
func (s *Store) Elections() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ballot.Term
}

// Linked tells whether this node certainly sees what the master decides: it heard from it within a quarter of the
// failure timeout, or is the master and a majority truly answered within the lease.
func (s *Store) Linked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.role == leader {
		return s.ready && s.majority(func(p *peer) bool { return time.Since(p.answeredTruly) < s.lease() })
	}
	return s.leaderUID != 0 && s.current && time.Since(s.heardTruly) < s.opts.FailureTimeout/4
}

// Isolate cuts this node off from all others (or ends that): a network partition, for tests.
func (s *Store) Isolate(on bool) {
	s.mu.Lock()
	s.isolated = on
	s.mu.Unlock()
	if on {
		s.tunnel.cut()
		s.wire.cutTunnels()
	}
}

// Close hands the master role over when this node has it, stops the redis-server and all work.
func (s *Store) Close(ctx context.Context) error {
	for _, uid := range s.Successors() {
		err := s.Transfer(ctx, uid)
		if err == nil {
			break
		}
		s.log.Info("leaving without a successor", "tried", uid, "reason", err.Error())
	}
	return s.end(func(p *shard.Process) { _ = p.Stop(ctx) })
}

// Kill ends everything at once, as if the machine had died.
func (s *Store) Kill() error {
	return s.end((*shard.Process).Kill)
}

func (s *Store) end(stop func(*shard.Process)) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	c := s.ccs
	s.ccs = nil
	s.mu.Unlock()
	s.cancel()
	if c != nil {
		c.close(stop)
	}
	if s.tunnel != nil {
		s.tunnel.close()
	}
	if s.wire != nil {
		s.wire.close()
	}
	s.wg.Wait()
	return nil
}

// announce wakes everybody who waits for Changed; the caller holds mu.
func (s *Store) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// progress wakes everybody who waits for a position; the caller holds mu.
func (s *Store) progress() {
	close(s.progressed)
	s.progressed = make(chan struct{})
}

// members lists who belongs to the cluster according to the newest entry of this copy; the caller holds mu.
func (s *Store) members() []Member {
	members, err := List[Member](s.loaded, KindMember)
	if err != nil {
		s.log.Error("unreadable member list", "error", err.Error())
	}
	return members
}

// addrOf is where a node was seen last; the caller holds mu.
func (s *Store) addrOf(uid int64) string {
	if addr, ok := s.addrs[uid]; ok {
		return addr
	}
	m, _, _ := Get[Member](s.loaded, KindMember, strconv.FormatInt(uid, 10))
	return m.Addr
}
