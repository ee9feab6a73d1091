package emulator

import (
	"context"
	"errors"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// reshard splits the masters of a database until there are as many as it asks for. A part is split off by making a full
// copy of the shard, giving the copy the upper slots at a moment when nothing is in flight, and then removing from both
// what is not theirs. No key is ever in no shard.
func (e *engine) reshard(ctx context.Context, uid int64) error {
	for {
		v := e.snapshot()
		bdb, ok := v.bdb(uid)
		if !ok {
			return api.ErrNotFound
		}
		order, masters, _ := groups(v.shardsOf(uid))
		want := int(max(schema.IntOf(bdb, "shards_count"), 1))
		if len(order) >= want {
			return e.purgeForeign(ctx, uid)
		}
		if len(order) == 0 {
			return errors.New("the database has no shards")
		}
		widest := masters[order[0]]
		for _, g := range order {
			if m := masters[g]; m.Last-m.First > widest.Last-widest.First {
				widest = m
			}
		}
		// How many of the parts that are still missing belong to this range.
		parts := (widest.Last - widest.First + 1) * want / 16384
		if err := e.split(ctx, bdb, widest, max(parts, 2)); err != nil {
			return err
		}
	}
}

// split gives the last of n equal parts of a master's slots to a new master.
func (e *engine) split(ctx context.Context, bdb api.Object, m shardRecord, n int) error {
	c, err := e.splitCopy(ctx, bdb, m)
	if err != nil {
		return err
	}
	if err := e.await(ctx, func(v view, w world) bool {
		r, known := w.shard(c)
		src, ok := v.shard(c.Follow)
		return !ok || known && r.Linked && r.Source == hostPort(v.addr(src.Node), src.Port)
	}); err != nil {
		return err
	}
	cut := m.First + (m.Last-m.First+1)*(n-1)/n
	return e.held(ctx, m.BDB, func(ctx context.Context) error {
		if err := e.catchUp(ctx, m, c); err != nil {
			return err
		}
		state, known := e.world().shard(c)
		if !known || !state.Running {
			return errNoShard
		}
		if err := e.st.Update(ctx, func(tx *store.Tx) error { return cutOff(tx, m, c.UID, cut, state.Token) }); err != nil {
			return err
		}
		return e.served(ctx, m.BDB)
	})
}

// splitCopy makes the copy that will become a master of its own.
func (e *engine) splitCopy(ctx context.Context, bdb api.Object, m shardRecord) (c shardRecord, err error) {
	return c, e.st.Update(ctx, func(tx *store.Tx) error {
		v, w := view{tx}, e.world()
		nodes := placeMasters(v, w, bdb, 1)
		if nodes == nil {
			return errNoRoom
		}
		source := m.UID
		for _, s := range v.shardsOf(m.BDB) {
			if s.Group != m.Group {
				continue
			}
			if s.Moving { // left by an attempt that did not end
				c = s
				return nil
			}
			s.Roomy = true
			putShard(tx, s)
			if s.Role == roleSlave && s.Sync == syncDone {
				source = s.UID // not from the master: it would count as a replica there
			}
		}
		c = newShard(tx, shardRecord{
			BDB: m.BDB, Group: m.Group, Node: nodes[0], Role: roleSlave, First: m.First, Last: m.Last,
			Follow: source, Sync: syncCopying, Moving: true, Roomy: true,
		})
		return nil
	})
}

// cutOff makes the copy the master of the upper slots.
func cutOff(tx *store.Tx, was shardRecord, copied int64, cut int, token string) error {
	v := view{tx}
	c, ok := v.shard(copied)
	now, okM := v.shard(was.UID)
	if !ok || !okM || now.Epoch != was.Epoch || !now.serving() || now.Last != was.Last {
		return errors.New("the shard changed while it was split")
	}
	c.Role, c.Group, c.First, c.Follow, c.Moving = roleMaster, c.UID, cut, 0, false
	c.Sync, c.Grant, c.Epoch, c.Serving = "", token, now.Epoch+1, 0
	putShard(tx, c)
	for _, s := range v.shardsOf(was.BDB) {
		if s.Group == was.Group && s.UID != copied {
			s.Last = cut - 1
			putShard(tx, s)
		}
	}
	return nil
}

// purgeForeign removes the keys that shards still hold of slots they gave away, and then puts their limits back.
func (e *engine) purgeForeign(ctx context.Context, uid int64) error {
	v := e.snapshot()
	bdb, _ := v.bdb(uid)
	for _, s := range v.shardsOf(uid) {
		if !s.Roomy || s.Role != roleMaster {
			continue
		}
		if _, err := call(ctx, e, s.Node, pathPurge, e.a.purge, purgeCall{
			Shard: s.UID, First: s.First, Last: s.Last, Rules: hashRules(bdb),
		}); err != nil {
			return err
		}
	}
	return e.st.Update(ctx, func(tx *store.Tx) error {
		for _, s := range (view{tx}).shardsOf(uid) {
			if s.Roomy {
				s.Roomy = false
				putShard(tx, s)
			}
		}
		return nil
	})
}
