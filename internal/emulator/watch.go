package emulator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// watch answers failures: it names masters, marks replicas that can no longer be relied on, and moves endpoints away
// from dead nodes. It only ever changes the configuration; the agents do the rest.
func (e *engine) watch(tx *store.Tx, w world) {
	v := view{tx}
	for _, d := range v.databases() {
		bdb, ok := v.bdb(d.BDB)
		if !ok {
			continue
		}
		order, masters, replicas := groups(v.shardsOf(d.BDB))
		for _, g := range order {
			e.watchGroup(tx, w, bdb, masters[g], replicas[g])
		}
		if d.Action == "" && schema.TextOf(bdb, "status") == "active" {
			e.replaceLostReplicas(tx, w, bdb)
			e.addReplicas(tx, w, bdb)
		}
		e.watchEndpoint(tx, w, bdb)
	}
}

func (e *engine) watchGroup(tx *store.Tx, w world, bdb api.Object, m shardRecord, replicas []shardRecord) {
	report, known := w.shard(m)
	switch {
	case known && report.Running && report.Token == m.Grant && report.Master:
		e.forgetDown(m.UID)
		if m.Serving != m.Epoch {
			m.Serving = m.Epoch
			putShard(tx, m)
			e.log.Info("master serves", "shard", m.UID, "node", m.Node, "epoch", m.Epoch)
		}
		e.watchReplicas(tx, w, bdb, m, replicas)
	case known && report.Running && report.Token == m.Grant:
		// Still being promoted.
	case known || !w.alive(m.Node):
		e.masterLost(tx, w, bdb, m, replicas, report)
	}
}

// masterLost names a replica that has every acknowledged write, or lets the old process start again.
func (e *engine) masterLost(tx *store.Tx, w world, bdb api.Object, m shardRecord, replicas []shardRecord, report shardReport) {
	waiting := false
	patience := 5 * w.timeout
	late := w.now.Sub(e.downSince(m.UID, w.now)) > patience
	for _, r := range replicas {
		if r.Sync != syncDone {
			continue
		}
		state, known := w.shard(r)
		// A replica that was restarted as well may lack the last second; it is taken when the master does not come back.
		whole := state.Token == r.SyncToken || keepsWrites(bdb) || late && appends(bdb) && !w.alive(m.Node)
		if known && state.Running && whole {
			e.log.Warn("fail-over", "bdb", m.BDB, "from", m.UID, "to", r.UID, "node", r.Node)
			promote(tx, m, r, state.Token)
			note(tx, e.n.cfg.Now(), "bdb_failover", m.BDB, fmt.Sprintf("Shard %d took over from shard %d", r.UID, m.UID))
			return
		}
		// A replica that is about to come up may be the better copy.
		waiting = waiting || !known || !state.Running
	}
	if !w.alive(m.Node) || report.Token == "" || report.Token == m.Grant && report.Running {
		return
	}
	if waiting && !keepsWrites(bdb) && w.now.Sub(w.since) < patience {
		return
	}
	if report.Token == m.Grant {
		return // granted already, starting
	}
	e.log.Info("master may start", "shard", m.UID, "node", m.Node, "process", report.Token)
	m.Grant = report.Token
	m.Epoch++
	putShard(tx, m)
	for _, r := range replicas {
		r.Sync, r.SyncToken = syncCopying, "" // it copies all anew, and holds nothing while it does
		putShard(tx, r)
	}
}

// downSince is when a master was first found lost.
func (e *engine) downSince(uid int64, now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, there := e.down[uid]; !there {
		e.down[uid] = now
	}
	return e.down[uid]
}

func (e *engine) forgetDown(uid int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.down, uid)
}

// promote makes a replica the master of its group and the old master a replica.
func promote(tx *store.Tx, m, r shardRecord, token string) {
	v := view{tx}
	for _, s := range v.shardsOf(m.BDB) {
		if s.Group != m.Group {
			continue
		}
		switch s.UID {
		case r.UID:
			s.Role, s.Follow, s.Epoch, s.Serving, s.Grant = roleMaster, 0, m.Epoch+1, 0, token
			s.Sync, s.SyncToken, s.Roomy, s.Moving = "", "", m.Roomy, false
		case m.UID:
			s.Role, s.Follow, s.Epoch, s.Serving, s.Grant = roleSlave, r.UID, m.Epoch+1, 0, ""
			s.Sync, s.SyncToken = syncCopying, ""
		default:
			s.Sync, s.SyncToken = syncCopying, ""
			if s.Follow == m.UID {
				s.Follow = r.UID
			}
		}
		putShard(tx, s)
	}
}

// watchReplicas marks replicas that no longer follow as worthless, so that writes stop waiting for them, and takes those
// in that follow again.
func (e *engine) watchReplicas(tx *store.Tx, w world, bdb api.Object, m shardRecord, replicas []shardRecord) {
	source := hostPort(view{tx}.addr(m.Node), m.Port)
	for _, r := range replicas {
		if r.Follow != m.UID || r.Moving {
			continue
		}
		state, known := w.shard(r)
		follows := known && state.Running && !state.Master && state.Linked && state.Source == source
		switch {
		case r.Sync == syncCopying && follows && m.serving():
			r.Sync, r.SyncToken = syncJoining, state.Token
			putShard(tx, r)
		case r.Sync != syncCopying && e.gone(w, r, state, known, follows, keepsWrites(bdb)):
			e.log.Warn("replica is out of sync", "shard", r.UID, "node", r.Node)
			r.Sync, r.SyncToken = syncCopying, ""
			putShard(tx, r)
		}
	}
}

// gone tells whether a replica that counted must stop counting: at once when its process or node is dead, after a while
// when only its link is.
func (e *engine) gone(w world, r shardRecord, state shardReport, known, follows, durable bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if follows && (state.Token == r.SyncToken || durable) {
		delete(e.unlinked, r.UID)
		return state.Token != r.SyncToken
	}
	if !w.alive(r.Node) || known && (!state.Running || state.Token != r.SyncToken) {
		delete(e.unlinked, r.UID)
		return true
	}
	since, there := e.unlinked[r.UID]
	if !there {
		e.unlinked[r.UID] = w.now
		return false
	}
	if w.now.Sub(since) < w.timeout {
		return false
	}
	delete(e.unlinked, r.UID)
	return true
}

// confirmReplicas completes replicas in state joining: once every node that may serve the database knows that writes
// wait for the replica, and it has come as far as the master was then, it lacks nothing that was ever acknowledged.
func (e *engine) confirmReplicas() {
	for _, r := range e.snapshot().shards() {
		if r.Sync == syncJoining {
			e.work("confirm "+r.id(), func(ctx context.Context) { e.confirm(ctx, r.UID) })
		}
	}
}

func (e *engine) confirm(ctx context.Context, uid int64) {
	rev := e.st.Snapshot().Rev()
	v := e.snapshot()
	r, ok := v.shard(uid)
	m, okM := v.shard(r.Follow)
	if !ok || !okM || r.Sync != syncJoining {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*e.n.cfg.FailureTimeout)
	defer cancel()
	if e.await(ctx, func(v view, w world) bool { return w.endpointsKnow(v, rev) }) != nil {
		return
	}
	if err := e.catchUp(ctx, m, r); err != nil {
		e.log.Debug("replica is not confirmed", "shard", uid, "reason", err.Error())
		pause(ctx, e.n.cfg.FailureTimeout/4)
		return
	}
	err := e.st.Update(ctx, func(tx *store.Tx) error {
		now, ok := view{tx}.shard(uid)
		master, okM := view{tx}.shard(m.UID)
		if ok && okM && now == r && master.Epoch == m.Epoch && master.serving() {
			now.Sync = syncDone
			putShard(tx, now)
		}
		return nil
	})
	if err == nil {
		e.log.Info("replica is in sync", "shard", uid, "node", r.Node)
	}
}

// endpointsKnow tells whether the endpoints of all living nodes go by a revision or a later one. Dead ones wait for
// replicas anyway.
func (w world) endpointsKnow(v view, rev int64) bool {
	for _, o := range v.nodes() {
		uid := schema.IntOf(o, "uid")
		if w.alive(uid) && w.reports[uid].Rev < rev {
			return false
		}
	}
	return true
}

// await waits until something is true of the cluster.
func (e *engine) await(ctx context.Context, holds func(view, world) bool) error {
	for {
		changed := e.st.Changed()
		if !e.st.IsLeader() {
			return store.ErrNotLeader
		}
		if holds(e.snapshot(), e.world()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(e.n.cfg.FailureTimeout / 10):
		}
	}
}

// watchEndpoint keeps the endpoint of a database on living nodes.
func (e *engine) watchEndpoint(tx *store.Tx, w world, bdb api.Object) {
	v := view{tx}
	d, ok := v.database(schema.IntOf(bdb, "uid"))
	if !ok || len(d.Nodes) == 0 {
		return
	}
	nodes := endpointNodes(v, w, bdb, d)
	if len(nodes) > 0 && !slices.Equal(nodes, d.Nodes) {
		e.log.Info("endpoint moves", "bdb", d.BDB, "from", fmt.Sprint(d.Nodes), "to", fmt.Sprint(nodes))
		d.Nodes = nodes
		putDatabase(tx, d)
	}
}

// endpointNodes are the nodes that shall serve a database, by its proxy policy.
func endpointNodes(v view, w world, bdb api.Object, d databaseRecord) []int64 {
	serves := func(uid int64) bool {
		o, ok := v.node(uid)
		rec := v.nodeRecord(uid)
		return ok && schema.TextOf(o, "status") == "active" && w.alive(uid) && rec.Maintenance == 0 && !rec.Leaving
	}
	var masters, all []int64
	for _, s := range v.shardsOf(d.BDB) {
		if s.Role == roleMaster && serves(s.Node) && !slices.Contains(masters, s.Node) {
			masters = append(masters, s.Node)
		}
	}
	for _, o := range v.nodes() {
		if uid := schema.IntOf(o, "uid"); serves(uid) {
			all = append(all, uid)
		}
	}
	slices.Sort(masters)
	switch schema.TextOf(bdb, "proxy_policy") {
	case "all-nodes":
		return all
	case "all-master-shards":
		if len(masters) > 0 {
			return masters
		}
	default:
		for _, uid := range d.Nodes {
			if serves(uid) {
				return []int64{uid}
			}
		}
	}
	if len(masters) > 0 {
		return masters[:1]
	}
	if len(all) > 0 {
		return all[:1]
	}
	return nil
}

// note adds an entry to the event log.
func note(tx *store.Tx, now time.Time, kind string, bdb int64, description string) {
	id := tx.NextUID(string(api.KindEvent))
	tx.Put(string(api.KindEvent), text(id), api.Object{
		"time": schema.Timestamp(now), "type": kind, "severity": "INFO", "bdb_uid": bdb, "description": description,
	})
	if ids := tx.IDs(string(api.KindEvent)); len(ids) > 500 {
		tx.Delete(string(api.KindEvent), ids[0])
	}
}
