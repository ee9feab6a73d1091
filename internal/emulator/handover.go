package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// call asks the agent of a node, this one or another.
func call[Req, Ans any](ctx context.Context, e *engine, node int64, path string, local func(context.Context, Req) (Ans, error), req Req) (ans Ans, err error) {
	if node == e.st.UID() {
		return local(ctx, req)
	}
	return ans, e.st.Call(ctx, node, path, req, &ans)
}

// catchUp waits until a replica has everything its master has at this moment.
func (e *engine) catchUp(ctx context.Context, m, r shardRecord) error {
	at, err := call(ctx, e, m.Node, pathOffset, e.a.offset, shardCall{Shard: m.UID})
	if err != nil {
		return fmt.Errorf("position of shard %d: %w", m.UID, err)
	}
	_, err = call(ctx, e, r.Node, pathCaughtUp, e.a.caughtUp, shardCall{Shard: r.UID, Offset: at.Offset})
	if err != nil {
		return fmt.Errorf("shard %d does not catch up: %w", r.UID, err)
	}
	return nil
}

// maxHold is how long clients wait at most for a hand-over; it is less than the patience of the endpoints.
const maxHold = 10 * time.Second

// held runs something while the commands of a database wait at its endpoints: nothing is in flight meanwhile.
func (e *engine) held(ctx context.Context, bdb int64, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, maxHold)
	defer cancel()
	d, ok := e.snapshot().database(bdb)
	if !ok {
		return nil
	}
	hold := holdCall{BDB: bdb, Holder: rand.Text(), Millis: maxHold.Milliseconds()}
	w := e.world()
	defer func() { //nolint:contextcheck // clients must go on when ctx has ended
		// Whether or not it went well; a node that does not hear this lets go by itself.
		after, cancel := context.WithTimeout(e.ctx, e.n.cfg.FailureTimeout)
		defer cancel()
		for _, node := range d.Nodes {
			if w.alive(node) {
				_, _ = call(after, e, node, pathRelease, e.a.release, hold)
			}
		}
	}()
	for _, node := range d.Nodes {
		if !w.alive(node) {
			continue
		}
		if _, err := call(ctx, e, node, pathHold, e.a.hold, hold); err != nil {
			return fmt.Errorf("endpoint on node %d: %w", node, err)
		}
	}
	return do(ctx)
}

var errNotInSync = errors.New("the replica is not in sync")

// switchMaster makes a replica that is in sync the master, without a client noticing more than a pause.
func (e *engine) switchMaster(ctx context.Context, from, to int64) error {
	m, ok := e.snapshot().shard(from)
	if !ok {
		return errNoShard
	}
	return e.held(ctx, m.BDB, func(ctx context.Context) error {
		v := e.snapshot()
		m, _ := v.shard(from)
		r, _ := v.shard(to)
		if m.Role != roleMaster || r.Sync != syncDone || r.Follow != from {
			return errNotInSync
		}
		if err := e.catchUp(ctx, m, r); err != nil {
			return err
		}
		state, known := e.world().shard(r)
		if !known || !state.Running {
			return errNotInSync
		}
		if err := e.st.Update(ctx, func(tx *store.Tx) error {
			m2, _ := view{tx}.shard(from)
			r2, _ := view{tx}.shard(to)
			if m2 != m || r2 != r {
				return errNotInSync
			}
			promote(tx, m, r, state.Token)
			return nil
		}); err != nil {
			return err
		}
		e.log.Info("hand-over", "bdb", m.BDB, "from", from, "to", to, "node", r.Node)
		return e.served(ctx, m.BDB)
	})
}

// served waits until all masters of a database serve and its endpoints know.
func (e *engine) served(ctx context.Context, bdb int64) error {
	if err := e.await(ctx, func(v view, _ world) bool {
		for _, s := range v.shardsOf(bdb) {
			if s.Role == roleMaster && !s.serving() {
				return false
			}
		}
		return true
	}); err != nil {
		return err
	}
	rev := e.st.Snapshot().Rev()
	return e.await(ctx, func(v view, w world) bool {
		d, _ := v.database(bdb)
		for _, node := range d.Nodes {
			if w.alive(node) && w.reports[node].Rev < rev {
				return false
			}
		}
		return true
	})
}

// migrate moves a shard to another node by copying it there first. A master with a replica hands over to it before; what
// moves is then the former master, as a replica.
func (e *engine) migrate(ctx context.Context, uid, node int64) error {
	s, ok := e.snapshot().shard(uid)
	if !ok {
		return errNoShard
	}
	if s.Node == node {
		return nil
	}
	if s.Role == roleMaster {
		if r, ok := e.anyReplica(s); ok {
			if r.Node == node { // the two change places
				return e.switchMaster(ctx, uid, r.UID)
			}
			if err := e.await(ctx, e.inSync(r.UID)); err != nil {
				return err
			}
			if err := e.switchMaster(ctx, uid, r.UID); err != nil {
				return err
			}
		}
	}
	return e.copyTo(ctx, uid, node)
}

func (e *engine) anyReplica(m shardRecord) (shardRecord, bool) {
	w := e.world()
	for _, r := range e.snapshot().shardsOf(m.BDB) {
		if r.Group == m.Group && r.Role == roleSlave && !r.Moving && w.alive(r.Node) {
			return r, true
		}
	}
	return shardRecord{}, false
}

func (e *engine) inSync(uid int64) func(view, world) bool {
	return func(v view, _ world) bool {
		s, ok := v.shard(uid)
		return !ok || s.Role == roleMaster || s.Sync == syncDone
	}
}

// copyTo makes a copy of a shard on another node, lets it take the shard's place and removes the shard. The copy hangs on
// the shard itself, so that it is never mistaken for the replica that writes wait for.
func (e *engine) copyTo(ctx context.Context, uid, node int64) error {
	var c shardRecord
	if err := e.st.Update(ctx, func(tx *store.Tx) error {
		v := view{tx}
		s, ok := v.shard(uid)
		if !ok {
			return errNoShard
		}
		for _, other := range v.shardsOf(s.BDB) { // begun before, by this leader or an earlier one
			if other.Moving && other.Follow == uid {
				c = other
				return nil
			}
		}
		c = newShard(tx, shardRecord{
			BDB: s.BDB, Group: s.Group, Node: node, Role: roleSlave, First: s.First, Last: s.Last,
			Follow: uid, Sync: syncCopying, Moving: true,
		})
		return nil
	}); err != nil {
		return err
	}
	if err := e.await(ctx, func(v view, w world) bool {
		r, known := w.shard(c)
		src, ok := v.shard(uid)
		return !ok || known && r.Linked && r.Source == hostPort(v.addr(src.Node), src.Port)
	}); err != nil {
		return err
	}
	s, ok := e.snapshot().shard(uid)
	if !ok {
		return errNoShard
	}
	if s.Role == roleMaster {
		return e.replaceMaster(ctx, uid, c.UID)
	}
	return e.replaceReplica(ctx, uid, c.UID)
}

// replaceMaster lets a copy of a master without replicas take over.
func (e *engine) replaceMaster(ctx context.Context, uid, copied int64) error {
	err := e.st.Update(ctx, func(tx *store.Tx) error {
		c, ok := view{tx}.shard(copied)
		if !ok {
			return errNoShard
		}
		c.Moving = false // now it counts
		putShard(tx, c)
		return nil
	})
	if err != nil {
		return err
	}
	if err := e.await(ctx, e.inSync(copied)); err != nil {
		return err
	}
	if err := e.switchMaster(ctx, uid, copied); err != nil {
		return err
	}
	return e.st.Update(ctx, func(tx *store.Tx) error {
		tx.Delete(kindShardRecord, text(uid))
		return nil
	})
}

// replaceReplica removes a replica and lets its copy follow the master directly. The old one has to be gone first: a
// master counts confirmations, it does not look who sends them.
func (e *engine) replaceReplica(ctx context.Context, uid, copied int64) error {
	old, _ := e.snapshot().shard(uid)
	if err := e.st.Update(ctx, func(tx *store.Tx) error {
		v := view{tx}
		s, ok := v.shard(uid)
		c, okC := v.shard(copied)
		if !ok || !okC || s.Role != roleSlave {
			return errNoShard
		}
		tx.Delete(kindShardRecord, s.id())
		c.Follow, c.Moving, c.Sync = s.Follow, false, syncCopying
		putShard(tx, c)
		return nil
	}); err != nil {
		return err
	}
	if err := e.await(ctx, func(_ view, w world) bool {
		_, there := w.shard(old)
		return !there
	}); err != nil {
		return err
	}
	return e.await(ctx, e.inSync(copied))
}
