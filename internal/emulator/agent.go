package emulator

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// agent makes the redis-server processes and endpoints of its node equal to what the configuration says, again and
// again, whatever happened in between.
type agent struct {
	self       int64
	boot       string
	dir        string
	temp       string
	redis      string
	version    string
	hostname   string
	addr, bind string // where others reach this node, and where endpoints listen
	pace       time.Duration
	log        *slog.Logger
	store      *store.Store
	now        func() time.Time
	dial       func(ctx context.Context, network, address string) (net.Conn, error) // out of the cluster

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	pushes chan struct{}

	mu        sync.Mutex
	runners   map[int64]*runner
	endpoints map[int64]*endpoint
	syncers   map[int64]*syncer
	rev       int64 // endpoints agree with this revision
	linked    bool  // and with this answer of Store.Linked
	good      bool  // and all of them could be brought to it
	closed    bool
}

// nodeReport is what a node tells the leader with every heartbeat.
type nodeReport struct {
	Boot      string                    `json:"boot"`
	Version   string                    `json:"version"` // of the software
	Hostname  string                    `json:"hostname"`
	Free      int64                     `json:"free"` // memory, in units of 64 MiB so that it does not change all the time
	Rev       int64                     `json:"rev"`
	Shards    map[string]shardReport    `json:"shards"`
	Endpoints map[string]endpointReport `json:"endpoints"`
	// Links are those of Active-Active instances: database, then instance of the peer.
	Links map[string]map[string]linkReport `json:"links,omitempty"`
}

type endpointReport struct {
	Listening bool   `json:"listening"`
	Error     string `json:"error,omitempty"`
}

func newAgent(c Config, log *slog.Logger) *agent {
	a := &agent{
		boot: rand.Text()[:10], dir: c.Dir + "/redis", temp: c.TempDir, redis: c.RedisServer, addr: c.Addr, bind: c.Bind, now: c.Now,
		version: c.SoftwareVersion, hostname: c.Hostname, dial: c.Dial,
		pace: max(c.FailureTimeout/10, 50*time.Millisecond), log: log, pushes: make(chan struct{}, 1),
		runners: map[int64]*runner{}, endpoints: map[int64]*endpoint{}, syncers: map[int64]*syncer{},
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

func (a *agent) start(st *store.Store) {
	a.store, a.self = st, st.UID()
	a.wg.Go(a.loop)
	a.wg.Go(a.pushLoop)
}

// report implements store.Options.Report.
func (a *agent) report() json.RawMessage {
	raw, _ := json.Marshal(a.state())
	return raw
}

func (a *agent) state() nodeReport {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := nodeReport{
		Boot: a.boot, Version: a.version, Hostname: a.hostname, Free: freeMemory() >> 26, Rev: a.rev, Shards: map[string]shardReport{}, Endpoints: map[string]endpointReport{},
	}
	for uid, r := range a.runners {
		out.Shards[text(uid)] = r.lastReport()
	}
	for bdb, e := range a.endpoints {
		out.Endpoints[text(bdb)] = e.report()
	}
	out.Links = a.linkReports()
	return out
}

func (a *agent) loop() {
	ticker := time.NewTicker(a.pace)
	defer ticker.Stop()
	for {
		changed := a.store.Changed()
		if snap := a.store.Snapshot(); snap != nil {
			a.apply(view{snap}, snap.Rev())
		}
		select {
		case <-a.ctx.Done():
			return
		case <-changed:
		case <-ticker.C:
		}
	}
}

// pushReport asks for the report to be sent at once instead of with the next heartbeat.
func (a *agent) pushReport() {
	select {
	case a.pushes <- struct{}{}:
	default:
	}
}

func (a *agent) pushLoop() {
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-a.pushes:
			_ = a.store.PushReport(a.ctx) // the next heartbeat brings it otherwise
		}
	}
}

// apply compares the configuration with what runs.
func (a *agent) apply(v view, rev int64) {
	linked := a.store.Linked()
	if a.unchanged(rev, linked) {
		return
	}
	wishes := a.shardWishes(v, rev)
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	for uid := range wishes {
		if a.runners[uid] == nil {
			a.runners[uid] = a.newRunner(uid)
		}
	}
	changed := rev != a.rev
	for uid, r := range a.runners {
		w, there := wishes[uid]
		w.gone = !there
		if changed || w.gone {
			r.want(w)
		}
	}
	a.mu.Unlock()
	good := a.applyEndpoints(v, linked)
	a.applySyncers(v)
	a.mu.Lock()
	a.rev, a.linked, a.good = rev, linked, good
	a.mu.Unlock()
	if changed {
		a.pushReport()
	}
}

// unchanged tells whether there is nothing to do since the last time.
func (a *agent) unchanged(rev int64, linked bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rev == rev && a.linked == linked && a.good
}

func (a *agent) shardWishes(v view, rev int64) map[int64]shardWish {
	all := map[int64]shardRecord{}
	for _, s := range v.shards() {
		all[s.UID] = s
	}
	out := map[int64]shardWish{}
	for uid, s := range all {
		if s.Node != a.self {
			continue
		}
		bdb, _ := v.bdb(s.BDB)
		d, _ := v.database(s.BDB)
		w := shardWish{rev: rev, rec: s, settings: shardSettings(bdb, s), password: d.Password}
		if src, ok := all[s.Follow]; ok && s.Role == roleSlave {
			w.source = shard.Address{Host: v.addr(src.Node), Port: src.Port}
			w.ready = src.serving() || src.Role == roleSlave
		}
		out[uid] = w
	}
	return out
}

func (a *agent) forget(uid int64) {
	a.mu.Lock()
	delete(a.runners, uid)
	a.mu.Unlock()
	a.pushReport()
}

func (a *agent) runner(uid int64) *runner {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runners[uid]
}

func (a *agent) endpoint(bdb int64) *proxy.Endpoint {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.endpoints[bdb]; e != nil {
		return e.listener()
	}
	return nil
}

// close ends everything; with kill as if the machine lost power, otherwise with the data on disk.
func (a *agent) close(ctx context.Context, kill bool) {
	a.mu.Lock()
	a.closed = true
	runners, endpoints := a.runners, a.endpoints
	syncers := a.syncers
	a.runners, a.endpoints, a.syncers = map[int64]*runner{}, map[int64]*endpoint{}, map[int64]*syncer{}
	a.mu.Unlock()
	a.cancel()
	for _, s := range syncers {
		s.end()
	}
	var wg sync.WaitGroup
	if !kill {
		// Clients go first: what they were told must be on disk when the processes end.
		for _, e := range endpoints {
			wg.Go(e.close)
		}
		wg.Wait()
	}
	for _, r := range runners {
		if kill {
			r.kill()
			continue
		}
		wg.Go(func() { r.stop(ctx) })
	}
	for _, e := range endpoints {
		wg.Go(e.close)
	}
	wg.Wait()
	a.wg.Wait()
}

// handlers are the agent's calls for the port between nodes.
func (a *agent) handlers() map[string]http.Handler {
	return map[string]http.Handler{
		pathHold:     serveCall(a.hold),
		pathRelease:  serveCall(a.release),
		pathOffset:   serveCall(a.offset),
		pathCaughtUp: serveCall(a.caughtUp),
		pathPurge:    serveCall(a.purge),
		pathFlush:    serveCall(a.flush),
		pathMeasure:  serveCall(a.measure),
	}
}

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
