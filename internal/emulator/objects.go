package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// surface is the node as its admin API sees it.
type surface struct{ *Node }

var _ api.Engine = surface{}

// Get implements api.Store.
func (n surface) Get(_ context.Context, kind api.Kind, id string) (api.Object, error) {
	v := n.reader()
	if kind == api.KindShard {
		rec, ok, err := store.Get[shardRecord](v.r, kindShardRecord, id)
		if !ok || err != nil {
			return nil, err
		}
		return n.shardObject(n.sight(), rec), nil
	}
	o, ok, err := store.Get[api.Object](v.r, string(kind), id)
	if !ok || err != nil {
		return nil, err
	}
	n.overlay(v, kind, o)
	return o, nil
}

// List implements api.Store.
func (n surface) List(_ context.Context, kind api.Kind) ([]api.Object, error) {
	v := n.reader()
	if kind == api.KindShard {
		var out []api.Object
		s := n.sight()
		for _, rec := range v.shards() {
			out = append(out, n.shardObject(s, rec))
		}
		return out, nil
	}
	list, err := store.List[api.Object](v.r, string(kind))
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		n.overlay(v, kind, o)
	}
	return list, nil
}

// Update implements api.Store.
func (n surface) Update(ctx context.Context, kind api.Kind, id string, change func(api.Object) (api.Object, error)) (api.Object, error) {
	var out api.Object
	err := n.update(ctx, func(tx *store.Tx) error {
		old, _, err := store.Get[api.Object](tx, string(kind), id)
		if err != nil {
			return err
		}
		if out, err = change(old); err != nil {
			return err
		}
		if out == nil {
			tx.Delete(string(kind), id)
			return nil
		}
		tx.Put(string(kind), id, out)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return plain(out)
}

// plain is the object as a later Get would give it.
func plain(o api.Object) (api.Object, error) {
	if o == nil {
		return nil, nil
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var out api.Object
	return out, json.Unmarshal(raw, &out)
}

// NextUID implements api.Store.
func (n surface) NextUID(ctx context.Context, kind api.Kind) (uid int64, err error) {
	err = n.update(ctx, func(tx *store.Tx) error {
		uid = tx.NextUID(string(kind))
		return nil
	})
	return uid, err
}

// update changes the configuration and speaks the API's errors.
func (n *Node) update(ctx context.Context, change func(*store.Tx) error) error {
	m := n.membership()
	if m == nil {
		return api.ErrNoQuorum
	}
	err := m.store.Update(ctx, change)
	if errors.Is(err, store.ErrNoQuorum) || errors.Is(err, store.ErrNotLeader) || errors.Is(err, store.ErrClosed) {
		return fmt.Errorf("%w: %w", api.ErrNoQuorum, err)
	}
	return err
}

// overlay puts what is true at this moment over what is written down.
func (n *Node) overlay(v view, kind api.Kind, o api.Object) {
	switch kind {
	case api.KindBDB:
		n.overlayBDB(v, o)
	case api.KindNode:
		n.overlayNode(v, o)
	}
}

func (n *Node) overlayBDB(v view, o api.Object) {
	uid := schema.IntOf(o, "uid")
	list := []any{}
	for _, s := range v.shardsOf(uid) {
		list = append(list, s.UID)
	}
	o["shard_list"] = list
	o["endpoints"] = []any{}
	d, ok := v.database(uid)
	if schema.BoolOf(o, "crdt") {
		overlayLinks(n.linksOf(d), o)
	}
	if !ok || len(d.Nodes) == 0 {
		return
	}
	addrs := []any{}
	for _, node := range d.Nodes {
		addrs = append(addrs, v.addr(node))
	}
	o["endpoints"] = []any{api.Object{
		"uid": fmt.Sprintf("%d:1", uid), "port": int64(d.Port), "addr": addrs, "addr_type": "internal",
		"dns_name":     fmt.Sprintf("redis-%d.%s", d.Port, v.clusterName()),
		"proxy_policy": schema.TextOf(o, "proxy_policy"), "exclude_proxies": []any{}, "include_proxies": []any{},
		"oss_cluster_api_preferred_ip_type":       schema.TextOf(o, "oss_cluster_api_preferred_ip_type"),
		"oss_cluster_api_preferred_endpoint_type": schema.TextOf(o, "oss_cluster_api_preferred_endpoint_type"),
	}}
}

func (n *Node) overlayNode(v view, o api.Object) {
	uid := schema.IntOf(o, "uid")
	shards := []any{}
	for _, s := range v.shards() {
		if s.Node == uid {
			shards = append(shards, s.UID)
		}
	}
	o["shard_list"], o["shard_count"], o["ram_shard_count"] = shards, int64(len(shards)), int64(len(shards))
	o["system_time"] = schema.Timestamp(n.cfg.Now())
	if v.nodeRecord(uid).Leaving {
		o["status"] = "decommissioning"
	} else if m := n.membership(); m != nil && m.store.IsLeader() && schema.TextOf(o, "status") == "active" && !m.engine.alive(uid) {
		o["status"] = "down"
	}
	if uid == (surface{n}).NodeUID() {
		o["uptime"] = int64(n.cfg.Now().Sub(n.started).Seconds())
	}
}

// sight is what the leader sees of the nodes; nil elsewhere.
func (n *Node) sight() *world {
	m := n.membership()
	if m == nil || !m.store.IsLeader() {
		return nil
	}
	w := m.engine.world()
	return &w
}

func (n *Node) shardObject(w *world, s shardRecord) api.Object {
	o := schema.NewShard(schema.ShardPlace{
		UID: s.UID, BDB: s.BDB, Node: s.Node, Role: string(s.Role), Slots: slotRange(s),
	}, n.cfg.Now())
	o["uid"] = s.id()
	if w == nil {
		return o
	}
	alive := w.alive(s.Node)
	r, known := w.shard(s)
	if r.Running {
		o["redis_info"] = api.Object{"used_memory": r.Memory, "role": roleWord(r.Master)}
	}
	switch {
	case !alive:
		o["status"], o["detailed_status"] = "inactive", "down"
	case !known: // a new leader has not heard from everybody yet
		o["detailed_status"] = "unknown"
	case !r.Running:
		o["status"], o["detailed_status"] = "inactive", "loading"
	case s.Role == roleMaster && !s.serving():
		o["detailed_status"] = "busy"
	case s.Role == roleSlave && s.Sync != syncDone && r.Linked:
		o["detailed_status"], o["sync"] = "importing", api.Object{"progress": int64(0), "status": "in_progress"}
	case s.Role == roleSlave && s.Sync != syncDone:
		o["detailed_status"], o["sync"] = "importing", api.Object{"progress": int64(0), "status": "link_down"}
	}
	return o
}

func roleWord(master bool) string {
	if master {
		return "master"
	}
	return "slave"
}
