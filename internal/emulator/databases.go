package emulator

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// Names of the state machines of databases.
const (
	smCreate   = "SMCreateBDB"
	smUpdate   = "SMUpdateBDB"
	smDelete   = "SMDeleteBDB"
	smFailover = "SMRedisFailover"
	smMigrate  = "SMStandaloneRedisMigrate"
)

// CreateBDB implements api.Databases.
func (n surface) CreateBDB(ctx context.Context, bdb api.Object) (api.Object, error) {
	var out api.Object
	err := n.update(ctx, func(tx *store.Tx) error {
		uid := schema.IntOf(bdb, "uid")
		if uid == 0 {
			uid = tx.NextUID(string(api.KindBDB))
		}
		if _, taken := (view{tx}).bdb(uid); taken {
			return &api.Error{Status: http.StatusConflict, Code: "uid_exists", Description: "A database with this uid exists"}
		}
		out = schema.Clone(bdb)
		out["uid"], out["status"] = uid, "pending"
		port := int(schema.IntOf(out, "port"))
		if port == 0 {
			port = freeDatabasePort(view{tx})
		}
		putDatabase(tx, databaseRecord{BDB: uid, Port: port, Password: newPassword()})
		act := n.newAction(tx, actionRecord{Name: smCreate, StateMachine: true, Scope: api.ScopeBDB, BDB: uid})
		tx.Put(string(api.KindBDB), text(uid), out)
		out["action_uid"] = act.UID
		return nil
	})
	if err != nil {
		return nil, err
	}
	return plain(out)
}

// UpdateBDB implements api.Databases.
func (n surface) UpdateBDB(ctx context.Context, uid int64, fields api.Object, action string) (api.Object, error) {
	var out api.Object
	err := n.update(ctx, func(tx *store.Tx) error {
		bdb, err := idle(view{tx}, uid)
		if err != nil {
			return err
		}
		before := schema.IntOf(bdb, "shards_count")
		for k, v := range fields {
			bdb[k] = v
		}
		if action == "reset_admin_pass" {
			bdb["authentication_admin_pass"] = newPassword()
		}
		bdb["status"], bdb["last_changed_time"] = "active-change-pending", schema.Timestamp(n.cfg.Now())
		if schema.IntOf(bdb, "shards_count") > before {
			// Each shard is to hold less from now on, but does not yet.
			for _, s := range (view{tx}).shardsOf(uid) {
				s.Roomy = true
				putShard(tx, s)
			}
		}
		tx.Put(string(api.KindBDB), text(uid), bdb)
		act := n.newAction(tx, actionRecord{Name: smUpdate, StateMachine: true, Scope: api.ScopeBDB, BDB: uid, Op: action})
		out = schema.Clone(bdb)
		out["action_uid"] = act.UID
		return nil
	})
	if err != nil {
		return nil, err
	}
	return plain(out)
}

// DeleteBDB implements api.Databases.
func (n surface) DeleteBDB(ctx context.Context, uid int64) (action string, err error) {
	err = n.update(ctx, func(tx *store.Tx) error {
		n.giveUpStuck(tx, uid)
		bdb, err := idle(view{tx}, uid)
		if err != nil {
			return err
		}
		bdb["status"] = "delete-pending"
		tx.Put(string(api.KindBDB), text(uid), bdb)
		action = n.newAction(tx, actionRecord{Name: smDelete, StateMachine: true, Scope: api.ScopeBDB, BDB: uid}).UID
		return nil
	})
	return action, err
}

// stuckAfter is how long a state machine may work before a deletion no longer waits for it: whatever it waits for may
// never come.
const stuckAfter = time.Minute

// giveUpStuck ends a state machine that stands in the way of a deletion.
func (n *Node) giveUpStuck(tx *store.Tx, uid int64) {
	d, _ := view{tx}.database(uid)
	a, ok, _ := store.Get[actionRecord](tx, kindActionRecord, d.Action)
	if !ok || a.Name == smDelete || n.cfg.Now().Sub(a.Created) < stuckAfter {
		return
	}
	a.Status, a.Description = statusFailed, "given up for the deletion of the database"
	tx.Put(kindActionRecord, a.UID, a)
	d.Action = ""
	putDatabase(tx, d)
}

// idle is a database on which no state machine works.
func idle(v view, uid int64) (api.Object, error) {
	bdb, ok := v.bdb(uid)
	if !ok {
		return nil, api.ErrNotFound
	}
	if d, _ := v.database(uid); d.Action != "" {
		return nil, api.ErrBusy
	}
	return bdb, nil
}

// Available implements api.Databases: every shard range has a living master and some endpoint listens.
func (n surface) Available(_ context.Context, uid int64) error {
	v := n.reader()
	m := n.membership()
	bdb, ok := v.bdb(uid)
	if !ok {
		return api.ErrNotFound
	}
	unavailable := &api.Error{
		Status: http.StatusServiceUnavailable, Code: "bdb_unavailable", Description: "Database is not available",
	}
	d, _ := v.database(uid)
	order, masters, _ := groups(v.shardsOf(uid))
	status := schema.TextOf(bdb, "status")
	if m == nil || len(order) == 0 || len(d.Nodes) == 0 || status == "creation-failed" || status == "recovery" ||
		schema.BoolOf(bdb, "traffic_manually_disabled") {
		return unavailable
	}
	if !m.store.IsLeader() {
		if _, _, led := m.store.Leader(); !led {
			return unavailable
		}
	}
	w := m.engine.world()
	for _, g := range order {
		if !masters[g].serving() {
			return unavailable
		}
		if r, known := w.shard(masters[g]); m.store.IsLeader() && (!known || !r.Running) {
			return unavailable
		}
	}
	if m.store.IsLeader() && !slices.ContainsFunc(d.Nodes, func(node int64) bool {
		return w.alive(node) && w.reports[node].Endpoints[text(uid)].Listening
	}) {
		return unavailable
	}
	return nil
}

// EndpointAvailable implements api.Databases.
func (n surface) EndpointAvailable(_ context.Context, uid int64) error {
	v := n.reader()
	if _, ok := v.bdb(uid); !ok {
		return api.ErrNotFound
	}
	m := n.membership()
	if m != nil && m.agent.endpoint(uid) != nil {
		for _, s := range v.shardsOf(uid) {
			if s.Role == roleMaster && !s.serving() {
				m = nil
				break
			}
		}
		if m != nil {
			return nil
		}
	}
	return &api.Error{
		Status: http.StatusServiceUnavailable, Code: "bdb_endpoint_unavailable", Description: "Database endpoint is not available",
	}
}

// Blueprint implements api.Databases: where the shards would be placed if they were placed now.
func (n surface) Blueprint(_ context.Context, uid int64) ([]api.Object, error) {
	m := n.membership()
	v := n.reader()
	bdb, ok := v.bdb(uid)
	if !ok || m == nil {
		return nil, api.ErrNotFound
	}
	order, masters, replicas := groups(v.shardsOf(uid))
	places := placeMasters(v, m.engine.world(), bdb, len(order))
	if places == nil {
		return nil, &api.Error{Status: http.StatusNotAcceptable, Code: "insufficient_resources", Description: errNoRoom.Error()}
	}
	var out []api.Object
	for i, g := range order {
		s := masters[g]
		s.Node = places[i]
		nodes := []any{api.Object{"node_uid": text(s.Node), "role": string(roleMaster)}}
		for _, r := range replicas[g] {
			if node, ok := placeReplica(v, m.engine.world(), bdb, s); ok && !r.Moving {
				nodes = append(nodes, api.Object{"node_uid": text(node), "role": string(roleSlave)})
			}
		}
		out = append(out, api.Object{"slot_range": slotRange(s), "nodes": nodes})
	}
	return out, nil
}

// removeDatabase is the work of SMDeleteBDB.
func (e *engine) removeDatabase(ctx context.Context, uid int64) error {
	shards := e.snapshot().shardsOf(uid)
	err := e.st.Update(ctx, func(tx *store.Tx) error {
		for _, s := range (view{tx}).shardsOf(uid) {
			tx.Delete(kindShardRecord, s.id())
		}
		d, ok := view{tx}.database(uid)
		if ok {
			d.Nodes = nil
			putDatabase(tx, d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Ports are free for the next database only when nothing listens there any more.
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err = e.await(ctx, func(_ view, w world) bool {
		for _, s := range shards {
			if _, there := w.shard(s); there {
				return false
			}
		}
		for uid2, r := range w.reports {
			if _, open := r.Endpoints[text(uid)]; open && w.alive(uid2) {
				return false
			}
		}
		return true
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return e.st.Update(e.ctx, func(tx *store.Tx) error { //nolint:contextcheck // the wait above may have used the other one up
		if bdb, _ := (view{tx}).bdb(uid); schema.TextOf(bdb, "crdt_guid") != "" {
			tx.Delete(string(api.KindCRDB), schema.TextOf(bdb, "crdt_guid"))
		}
		tx.Delete(kindDatabaseRecord, text(uid))
		tx.Delete(string(api.KindBDB), text(uid))
		return nil
	})
}

// flushAll empties all masters; those of an Active-Active instance of what was written up to a moment.
func (e *engine) flushAll(ctx context.Context, uid int64) error {
	floor := schema.IntOf(e.snapshot().peek(api.KindBDB, text(uid)), "_crdt_floor")
	for _, s := range e.snapshot().shardsOf(uid) {
		if s.Role != roleMaster {
			continue
		}
		flush := func() error {
			_, err := call(ctx, e, s.Node, pathFlush, e.a.flush, shardCall{Shard: s.UID, Floor: floor})
			return err
		}
		err := flush()
		if err != nil && floor != 0 { // the other instances are flushed, too
			err = patiently(ctx, flush)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
