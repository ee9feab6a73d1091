package emulator

import (
	"context"
	"errors"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// maintenanceSnapshot is the name of the snapshot that maintenance_on takes.
const maintenanceSnapshot = "maintenance_mode_"

// maintenanceOn empties a node of everything clients depend on: endpoints, master shards, the master role of the
// configuration. Clients notice a pause, not an error.
func (e *engine) maintenanceOn(ctx context.Context, a actionRecord) error {
	if err := e.st.Update(ctx, func(tx *store.Tx) error { return e.enterMaintenance(tx, a) }); err != nil {
		return err
	}
	if err := e.moveEndpoints(ctx, a.Node); err != nil {
		return err
	}
	if err := e.evacuate(ctx, a.Node, evictions{
		masters: true, replicas: schema.BoolOf(a.Body, "evict_ha_replica"), dbs: uidSet(a.Body["evict_dbs"]),
	}); err != nil {
		return err
	}
	if a.Node != e.st.UID() {
		return nil
	}
	err := e.giveLeadUp(ctx)
	if errors.Is(err, store.ErrNoSuccessor) && len(e.st.Successors()) == 0 {
		return nil // nobody else is there: the node stays what it is
	}
	return err
}

// enterMaintenance keeps new shards and endpoints away; begun again by another leader it changes nothing.
func (e *engine) enterMaintenance(tx *store.Tx, a actionRecord) error {
	v := view{tx}
	o, ok := v.node(a.Node)
	if !ok {
		return api.ErrNotFound
	}
	rec := v.nodeRecord(a.Node)
	if a.Progress >= 20 {
		return nil
	}
	name := maintenanceSnapshot + text(a.Node)
	_, there, _ := store.Get[api.Object](tx, string(api.KindSnapshot), text(a.Node)+"/"+name)
	if !there || schema.BoolOf(a.Body, "overwrite_snapshot") {
		tx.Put(string(api.KindSnapshot), text(a.Node)+"/"+name, snapshotOf(v, a.Node, name, e.n))
	}
	if rec.Maintenance == 0 {
		accepts, said := o["accept_servers"].(bool)
		rec.Accepted = accepts || !said
	}
	rec.Maintenance++
	o["accept_servers"] = false
	tx.Put(kindNodeRecord, text(a.Node), rec)
	tx.Put(string(api.KindNode), text(a.Node), o)
	a.Status, a.Progress = statusRunning, 20
	tx.Put(kindActionRecord, a.UID, a)
	return nil
}

// snapshotOf remembers which shards a node has and in which role.
func snapshotOf(v view, node int64, name string, n *Node) api.Object {
	roles := api.Object{}
	list := []any{}
	for _, s := range v.shards() {
		if s.Node == node {
			roles[text(s.Group)] = string(s.Role)
			list = append(list, s.UID)
		}
	}
	return api.Object{
		"name": name, "node_uid": text(node), "created_time": n.cfg.Now().UTC().Format("2006-01-02 15:04:05"),
		"_roles": roles, "_shards": list,
	}
}

// moveEndpoints opens the endpoints of a node elsewhere before it closes them here.
func (e *engine) moveEndpoints(ctx context.Context, node int64) error {
	for _, d := range e.snapshot().databases() {
		if !slices.Contains(d.Nodes, node) {
			continue
		}
		var wider []int64
		err := e.st.Update(ctx, func(tx *store.Tx) error {
			v := view{tx}
			bdb, ok := v.bdb(d.BDB)
			now, okD := v.database(d.BDB)
			if !ok || !okD {
				return nil
			}
			wider = endpointNodes(v, e.world(), bdb, now)
			if len(wider) == 0 || slices.Equal(wider, now.Nodes) {
				return nil
			}
			now.Nodes = wider
			putDatabase(tx, now)
			return nil
		})
		if err != nil {
			return err
		}
	}
	rev := e.st.Snapshot().Rev()
	return e.await(ctx, func(v view, w world) bool { return w.endpointsKnow(v, rev) })
}

// evictions say what has to leave a node.
type evictions struct {
	masters, replicas bool
	dbs               map[int64]bool // databases of which everything leaves
}

// evacuate moves shards off a node. What has nowhere to go stays: a cluster of one node can still be maintained.
func (e *engine) evacuate(ctx context.Context, node int64, what evictions) error {
	for _, s := range e.snapshot().shards() {
		if s.Node != node || s.Moving {
			continue
		}
		if s.Role == roleMaster && (what.masters || what.dbs[s.BDB]) {
			if err := e.releaseMaster(ctx, s); err != nil {
				return err
			}
		}
	}
	for _, s := range e.snapshot().shards() {
		if s.Node != node || s.Moving || s.Role != roleSlave || !what.replicas && !what.dbs[s.BDB] {
			continue
		}
		bdb, _ := e.snapshot().bdb(s.BDB)
		if target, ok := e.roomFor(bdb, s); ok {
			if err := e.migrate(ctx, s.UID, target); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *engine) roomFor(bdb api.Object, s shardRecord) (int64, bool) {
	nodes := candidates(e.snapshot(), e.world(), bdb, e.nodesOf(s)...)
	if len(nodes) == 0 {
		return 0, false
	}
	return nodes[0], true
}

// releaseMaster takes the master role off a node: to its replica, or by moving the shard.
func (e *engine) releaseMaster(ctx context.Context, s shardRecord) error {
	if err := e.untilIdle(ctx, s.BDB); err != nil {
		return err
	}
	s, ok := e.snapshot().shard(s.UID)
	if !ok || s.Role != roleMaster {
		return nil
	}
	if r, ok := e.anyReplica(s); ok {
		if err := e.await(ctx, e.inSync(r.UID)); err != nil {
			return err
		}
		return e.switchMaster(ctx, s.UID, r.UID)
	}
	bdb, _ := e.snapshot().bdb(s.BDB)
	if target, ok := e.roomFor(bdb, s); ok {
		return e.migrate(ctx, s.UID, target)
	}
	e.log.Warn("a master has nowhere to go and stays", "shard", s.UID, "node", s.Node)
	return nil
}

// untilIdle waits for the state machine of a database: two must not move the same shards.
func (e *engine) untilIdle(ctx context.Context, bdb int64) error {
	return e.await(ctx, func(v view, _ world) bool {
		d, ok := v.database(bdb)
		return !ok || d.Action == ""
	})
}

// maintenanceOff lets a node take part again and gives it back what it had.
func (e *engine) maintenanceOff(ctx context.Context, a actionRecord) error {
	name := schema.TextOf(a.Body, "snapshot_name")
	if name == "" {
		name = maintenanceSnapshot + text(a.Node)
	}
	key := text(a.Node) + "/" + name
	var snap api.Object
	var last bool
	err := e.st.Update(ctx, func(tx *store.Tx) error {
		v := view{tx}
		o, ok := v.node(a.Node)
		if !ok {
			return api.ErrNotFound
		}
		snap, _, _ = store.Get[api.Object](tx, string(api.KindSnapshot), key)
		rec := v.nodeRecord(a.Node)
		entered := rec.Maintenance > 0
		if a.Progress < 20 {
			rec.Maintenance = max(rec.Maintenance-1, 0)
			a.Status, a.Progress = statusRunning, 20
			tx.Put(kindActionRecord, a.UID, a)
		}
		if last = rec.Maintenance == 0; last && entered { // it may have taken no shards before
			o["accept_servers"] = rec.Accepted
			tx.Put(string(api.KindNode), text(a.Node), o)
		}
		tx.Put(kindNodeRecord, text(a.Node), rec)
		return nil
	})
	if err != nil || !last {
		return err
	}
	if !schema.BoolOf(a.Body, "skip_shards_restore") && snap != nil {
		if err := e.restoreRoles(ctx, a.Node, snap); err != nil {
			return err
		}
	}
	return e.st.Update(ctx, func(tx *store.Tx) error {
		tx.Delete(string(api.KindSnapshot), key)
		return nil
	})
}

// restoreRoles makes masters again what were masters when the snapshot was taken.
func (e *engine) restoreRoles(ctx context.Context, node int64, snap api.Object) error {
	roles, _ := snap["_roles"].(map[string]any)
	for _, s := range e.snapshot().shards() {
		if roles[text(s.Group)] != string(roleMaster) {
			continue
		}
		if err := e.untilIdle(ctx, s.BDB); err != nil {
			return err
		}
		m, ok := e.snapshot().shard(s.UID)
		if !ok || m.Role != roleMaster || m.Node == node {
			continue
		}
		if r, ok := e.replicaOn(m, node); ok {
			if err := e.await(ctx, e.inSync(r.UID)); err != nil {
				return err
			}
			if err := e.switchMaster(ctx, m.UID, r.UID); err != nil {
				return err
			}
			continue
		}
		if _, replicated := e.anyReplica(m); !replicated {
			if err := e.migrate(ctx, m.UID, node); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *engine) replicaOn(m shardRecord, node int64) (shardRecord, bool) {
	for _, s := range e.snapshot().shardsOf(m.BDB) {
		if s.Group == m.Group && s.Role == roleSlave && s.Node == node && !s.Moving {
			return s, true
		}
	}
	return shardRecord{}, false
}

// removeNode empties a node and takes it out of the cluster. The leader first hands over; the next one goes on.
func (e *engine) removeNode(ctx context.Context, a actionRecord) error {
	err := e.st.Update(ctx, func(tx *store.Tx) error {
		rec := view{tx}.nodeRecord(a.Node)
		rec.Leaving = true
		tx.Put(kindNodeRecord, text(a.Node), rec)
		return nil
	})
	if err != nil {
		return err
	}
	if a.Node == e.st.UID() {
		return e.giveLeadUp(ctx)
	}
	if err := e.moveEndpoints(ctx, a.Node); err != nil {
		return err // the node remains, but as documented nothing new is placed there
	}
	if e.alive(a.Node) {
		if err := e.evacuate(ctx, a.Node, evictions{masters: true, replicas: true}); err != nil {
			return err // the node remains, but as documented nothing new is placed there
		}
	}
	return e.st.Update(ctx, func(tx *store.Tx) error { return dropNode(tx, a.Node) })
}

// dropNode deletes a node that holds no master any more. Replicas that found no other place go with it, and come back
// where and when there is room.
func dropNode(tx *store.Tx, node int64) error {
	for _, s := range (view{tx}).shards() {
		if s.Node != node {
			continue
		}
		if s.Role == roleMaster {
			return &api.Error{Code: "internal_error", Description: "Shard " + s.id() + " has nowhere to go"}
		}
		tx.Delete(kindShardRecord, s.id())
	}
	tx.Delete(string(api.KindNode), text(node))
	tx.Delete(string(api.KindProxy), text(node))
	tx.Delete(kindNodeRecord, text(node))
	tx.Delete(store.KindMember, text(node))
	return nil
}
