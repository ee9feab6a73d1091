package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

var errNoRoom = errors.New("no node accepts shards")

// converge brings a database to what its object says: shards, replicas, endpoint, settings. It can be begun again at
// any point, by this leader or the next.
func (e *engine) converge(ctx context.Context, bdb int64) error {
	if err := e.st.Update(ctx, func(tx *store.Tx) error { return e.shape(tx, e.world(), bdb) }); err != nil {
		return err
	}
	if err := e.settled(ctx, bdb); err != nil {
		return err
	}
	if err := e.reshard(ctx, bdb); err != nil {
		return err
	}
	if err := e.st.Update(ctx, func(tx *store.Tx) error { return e.shape(tx, e.world(), bdb) }); err != nil {
		return err
	}
	return e.settled(ctx, bdb)
}

// shape writes the shards a database needs and removes those it does not.
func (e *engine) shape(tx *store.Tx, w world, uid int64) error {
	v := view{tx}
	bdb, ok := v.bdb(uid)
	if !ok {
		return api.ErrNotFound
	}
	d, ok := v.database(uid)
	if !ok {
		d = databaseRecord{BDB: uid, Password: rand.Text()}
	}
	if d.Port = int(schema.IntOf(bdb, "port")); d.Port == 0 {
		if old, ok := v.database(uid); ok {
			d.Port = old.Port
		}
	}
	if d.Port == 0 {
		d.Port = freeDatabasePort(v)
	}
	putDatabase(tx, d)
	order, masters, _ := groups(v.shardsOf(uid))
	if len(order) == 0 {
		if err := firstShards(tx, w, bdb); err != nil {
			return err
		}
	}
	for _, m := range masters {
		// Never started and its node is gone: nothing is lost by starting elsewhere.
		if m.Epoch == 0 && !w.alive(m.Node) {
			if nodes := candidates(v, w, bdb); len(nodes) > 0 {
				m.Node = nodes[0]
				putShard(tx, m)
			}
		}
	}
	if schema.BoolOf(bdb, "replication") {
		e.addReplicas(tx, w, bdb)
	} else {
		dropReplicas(tx, uid)
	}
	d, _ = v.database(uid)
	d.Nodes = endpointNodes(v, w, bdb, d)
	putDatabase(tx, d)
	return nil
}

// firstShards makes the masters of a new database.
func firstShards(tx *store.Tx, w world, bdb api.Object) error {
	n := int(max(schema.IntOf(bdb, "shards_count"), 1))
	nodes := placeMasters(view{tx}, w, bdb, n)
	if nodes == nil {
		return errNoRoom
	}
	for i := range n {
		newShard(tx, shardRecord{
			BDB: schema.IntOf(bdb, "uid"), Node: nodes[i], Role: roleMaster,
			First: i * proxy.Slots / n, Last: (i+1)*proxy.Slots/n - 1,
		})
	}
	return nil
}

// addReplicas gives every master that lacks one a replica, where a node is free for it.
func (e *engine) addReplicas(tx *store.Tx, w world, bdb api.Object) {
	if !schema.BoolOf(bdb, "replication") {
		return
	}
	v := view{tx}
	order, masters, replicas := groups(v.shardsOf(schema.IntOf(bdb, "uid")))
	for _, g := range order {
		if slices.ContainsFunc(replicas[g], func(r shardRecord) bool { return !r.Moving }) {
			continue
		}
		m := masters[g]
		if node, ok := placeReplica(v, w, bdb, m); ok {
			newShard(tx, shardRecord{
				BDB: m.BDB, Group: g, Node: node, Role: roleSlave, First: m.First, Last: m.Last,
				Follow: m.UID, Sync: syncCopying,
			})
		}
	}
}

func dropReplicas(tx *store.Tx, bdb int64) {
	for _, s := range (view{tx}).shardsOf(bdb) {
		if s.Role == roleSlave && !s.Moving {
			tx.Delete(kindShardRecord, s.id())
		}
	}
}

// replaceLostReplicas gives up replicas on nodes that have been dead for longer than the grace period, when another node
// can take them.
func (e *engine) replaceLostReplicas(tx *store.Tx, w world, bdb api.Object) {
	v := view{tx}
	policy := v.singleton(api.KindPolicy)
	if !schema.BoolOf(bdb, "slave_ha") && !schema.BoolOf(policy, "slave_ha") {
		return
	}
	for _, s := range v.shardsOf(schema.IntOf(bdb, "uid")) {
		if s.Role != roleSlave || s.Moving || !e.deadFor(w, s.Node, schema.IntOf(policy, "slave_ha_grace_period")) {
			continue
		}
		m, ok := v.shard(s.Follow)
		if !ok {
			continue
		}
		if _, free := placeReplica(v, w, bdb, m, s.Node); free {
			tx.Delete(kindShardRecord, s.id())
		}
	}
}

// deadFor tells whether a node has been dead for so many seconds.
func (e *engine) deadFor(w world, node, seconds int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.alive(node) {
		delete(e.lost, node)
		return false
	}
	since, there := e.lost[node]
	if !there {
		e.lost[node] = w.now
		return false
	}
	return seconds > 0 && w.now.Sub(since).Seconds() > float64(seconds)
}

// settled waits until all living parts of a database are as the configuration says.
func (e *engine) settled(ctx context.Context, bdb int64) error {
	rev := e.st.Snapshot().Rev()
	return e.await(ctx, func(v view, w world) bool {
		d, ok := v.database(bdb)
		if !ok {
			return true
		}
		for _, s := range v.shardsOf(bdb) {
			if !w.alive(s.Node) {
				continue
			}
			r, known := w.shard(s)
			fit := known && r.Running && r.Rev >= rev && r.Error == ""
			if !fit || s.Role == roleMaster && !s.serving() || s.Role == roleSlave && !s.Moving && s.Sync != syncDone && masterLives(v, w, s) {
				return false
			}
		}
		for _, node := range d.Nodes {
			if !w.alive(node) {
				continue
			}
			r := w.reports[node]
			if r.Rev < rev || !r.Endpoints[text(bdb)].Listening || r.Endpoints[text(bdb)].Error != "" {
				return false
			}
		}
		return len(d.Nodes) > 0
	})
}

// masterLives tells whether a replica has somebody to copy from.
func masterLives(v view, w world, s shardRecord) bool {
	m, ok := v.shard(s.Follow)
	return ok && w.alive(m.Node)
}
