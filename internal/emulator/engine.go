package emulator

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// engine is the part of the cluster that decides. It sleeps on every node but the leader, keeps everything lasting in
// the configuration, and so can go on where another leader stopped.
type engine struct {
	n   *Node
	st  *store.Store
	a   *agent
	log *slog.Logger

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	since    time.Time // leader since; zero when not
	workers  map[string]context.CancelFunc
	unlinked map[int64]time.Time // replicas in sync that have lost their master, and since when
	lost     map[int64]time.Time // dead nodes, and since when
	down     map[int64]time.Time // masters that do not run, and since when
}

func newEngine(n *Node, st *store.Store, a *agent) *engine {
	e := &engine{
		n: n, st: st, a: a, log: n.log.With("component", "engine", "self", st.UID()),
		workers: map[string]context.CancelFunc{}, unlinked: map[int64]time.Time{}, lost: map[int64]time.Time{},
		down: map[int64]time.Time{},
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.wg.Go(e.loop)
	return e
}

func (e *engine) close() {
	e.cancel()
	e.wg.Wait()
}

// loop looks at the cluster after every change, but not more often than it makes sense.
func (e *engine) loop() {
	const breath = 20 * time.Millisecond
	for {
		changed := e.st.Changed()
		if e.st.IsLeader() {
			e.lead()
		} else {
			e.rest()
		}
		if !pause(e.ctx, breath) {
			return
		}
		select {
		case <-e.ctx.Done():
			return
		case <-changed:
		case <-time.After(5 * breath):
		}
	}
}

func (e *engine) lead() {
	e.mu.Lock()
	if e.since.IsZero() {
		e.since = time.Now()
		clear(e.unlinked)
		clear(e.lost)
		clear(e.down)
	}
	e.mu.Unlock()
	w := e.world()
	if err := e.st.Update(e.ctx, func(tx *store.Tx) error {
		e.tendMembers(tx, w)
		e.watch(tx, w)
		return nil
	}); err != nil {
		e.log.Debug("nothing decided", "reason", err.Error())
		return
	}
	e.confirmReplicas()
	e.dispatch()
	e.dispatchTasks()
	e.keepUp()
}

// rest ends what this node did as the leader; the next leader goes on with it.
func (e *engine) rest() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.since = time.Time{}
	for _, cancel := range e.workers {
		cancel()
	}
}

// work runs something in the background under a name, unless it already runs.
func (e *engine) work(name string, do func(context.Context)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.workers[name] != nil || e.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(e.ctx)
	e.workers[name] = cancel
	e.wg.Go(func() {
		defer func() {
			cancel()
			e.mu.Lock()
			delete(e.workers, name)
			e.mu.Unlock()
		}()
		do(ctx)
	})
}

// world is what the leader knows about the nodes at one moment.
type world struct {
	now     time.Time
	since   time.Time
	self    int64
	timeout time.Duration
	peers   map[int64]store.PeerState
	reports map[int64]nodeReport
	applied map[int64]int64
}

func (e *engine) world() world {
	e.mu.Lock()
	since := e.since
	e.mu.Unlock()
	w := world{
		now: time.Now(), since: since, self: e.st.UID(), timeout: e.n.cfg.FailureTimeout, peers: e.st.Peers(),
		reports: map[int64]nodeReport{}, applied: map[int64]int64{},
	}
	w.reports[w.self] = e.a.state()
	for uid, p := range w.peers {
		var r nodeReport
		if len(p.Report) > 0 && json.Unmarshal(p.Report, &r) == nil {
			w.reports[uid] = r
		}
	}
	return w
}

// alive tells whether a node answered lately. A node that is not alive has certainly noticed (see Store.Linked).
func (w world) alive(uid int64) bool {
	if uid == w.self {
		return true
	}
	p, ok := w.peers[uid]
	return ok && w.now.Sub(p.Answered) < w.timeout
}

// shard is the report about a shard; false when nothing is known, or the node is dead.
func (w world) shard(s shardRecord) (shardReport, bool) {
	if !w.alive(s.Node) {
		return shardReport{}, false
	}
	r, ok := w.reports[s.Node].Shards[s.id()]
	return r, ok
}

// alive is world.alive for a single question; every node but the leader believes the best.
func (e *engine) alive(uid int64) bool {
	if !e.st.IsLeader() {
		return true
	}
	return world{now: time.Now(), self: e.st.UID(), timeout: e.n.cfg.FailureTimeout, peers: e.st.Peers()}.alive(uid)
}

// snapshot is the committed configuration.
func (e *engine) snapshot() view { return view{e.st.Snapshot()} }

// tendMembers writes down where nodes are now and gives those that have caught up their vote.
func (e *engine) tendMembers(tx *store.Tx, w world) {
	v := view{tx}
	members, _ := store.List[store.Member](tx, store.KindMember)
	for _, m := range members {
		addr := hostPort(e.n.cfg.Addr, e.n.cfg.Ports.Internode)
		p, isPeer := w.peers[m.UID]
		if isPeer {
			addr = p.Addr
		} else if m.UID != w.self {
			continue
		}
		changed := false
		if addr != "" && addr != m.Addr {
			m.Addr, changed = addr, true
		}
		if !m.Voter && isPeer && p.CaughtUp && w.alive(m.UID) {
			m.Voter, changed = true, true
			e.log.Info("node joined", "uid", m.UID)
		}
		if changed {
			tx.Put(store.KindMember, text(m.UID), m)
		}
		e.tendNode(tx, v, w, m)
	}
}

func (e *engine) tendNode(tx *store.Tx, v view, w world, m store.Member) {
	o, ok := v.node(m.UID)
	if !ok {
		return
	}
	host := hostOf(m.Addr)
	changed := schema.TextOf(o, "addr") != host
	o["addr"] = host
	if m.Voter && schema.TextOf(o, "status") == "provisioning" {
		o["status"], changed = "active", true
	}
	if version := w.reports[m.UID].Version; version != "" && version != schema.TextOf(o, "software_version") {
		o["software_version"], changed = version, true // it came back with other software
	}
	if name := w.reports[m.UID].Hostname; name != "" && name != schema.TextOf(o, keyHostname) {
		o[keyHostname], changed = name, true
	}
	if changed {
		tx.Put(string(api.KindNode), text(m.UID), o)
	}
}

// keyHostname is what a node calls itself, in its object; it is shown with the status only.
const keyHostname = "_hostname"

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
