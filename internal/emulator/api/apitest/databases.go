package apitest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func key(uid int64) string { return strconv.FormatInt(uid, 10) }

// begin starts a state machine on a database; the caller holds the lock.
func (e *Engine) begin(name string, uid int64, done func()) string {
	w := &work{
		Action: api.Action{
			UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", len(e.actions)+1), Name: name, StateMachine: true,
			Status: "running", Scope: api.ScopeBDB, BDB: uid, Created: e.Now(),
		},
		left: e.Steps, done: done,
	}
	e.actions = append(e.actions, w)
	if w.left == 0 {
		w.finish()
	}
	return w.UID
}

func (w *work) finish() {
	w.Status, w.Progress = "completed", 100
	if w.done != nil {
		w.done()
	}
}

func (e *Engine) busy(uid int64) bool {
	for _, w := range e.actions {
		if w.BDB == uid && w.Status == "running" {
			return true
		}
	}
	return false
}

// CreateBDB implements api.Databases.
func (e *Engine) CreateBDB(_ context.Context, bdb api.Object) (api.Object, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	uid := schema.IntOf(bdb, "uid")
	for uid == 0 || e.objects[api.KindBDB][key(uid)] != nil {
		uid = e.next(api.KindBDB)
	}
	bdb["uid"], bdb["endpoints"], bdb["shard_list"] = uid, []any{}, []any{}
	e.set(api.KindBDB, key(uid), bdb)
	action := e.begin("SMCreateBDB", uid, func() { e.place(uid) })
	return e.accepted(uid, action, "pending"), nil
}

// place gives a database its endpoint and shards.
func (e *Engine) place(uid int64) {
	bdb := e.objects[api.KindBDB][key(uid)]
	port := schema.IntOf(bdb, "port")
	if port == 0 {
		port = 10000 + uid
	}
	name := schema.TextOf(e.objects[api.KindCluster][api.Singleton], "name")
	shards := []any{}
	for i := int64(0); i < schema.ShardTotal(bdb); i++ {
		shard, role := e.next(api.KindShard), "master"
		if schema.BoolOf(bdb, "replication") && i%2 == 1 {
			role = "slave"
		}
		place := schema.ShardPlace{UID: shard, BDB: uid, Node: 1 + i%int64(len(e.objects[api.KindNode])), Role: role, Slots: "0-16383"}
		e.set(api.KindShard, key(shard), schema.NewShard(place, e.Now()))
		shards = append(shards, shard)
	}
	bdb["shard_list"] = shards
	bdb["endpoints"] = []any{api.Object{
		"uid": fmt.Sprintf("%d:1", uid), "dns_name": fmt.Sprintf("redis-%d.%s", port, name), "port": port,
		"addr": []any{"127.0.0.1"}, "addr_type": "external", "proxy_policy": bdb["proxy_policy"],
		"exclude_proxies": []any{}, "include_proxies": []any{}, "oss_cluster_api_preferred_ip_type": "internal",
		"oss_cluster_api_preferred_endpoint_type": "ip",
	}}
	bdb["dns_address_master"] = fmt.Sprintf("redis-%d.%s:%d", port, name, port)
	bdb["status"] = "active"
	delete(bdb, "action_uid")
	e.set(api.KindBDB, key(uid), bdb)
}

// accepted is the answer to a change: the object with the action and the status it began with.
func (e *Engine) accepted(uid int64, action, status string) api.Object {
	o := schema.Clone(e.objects[api.KindBDB][key(uid)])
	o["action_uid"], o["status"] = action, status
	return o
}

// UpdateBDB implements api.Databases.
func (e *Engine) UpdateBDB(_ context.Context, uid int64, fields api.Object, _ string) (api.Object, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	bdb := e.objects[api.KindBDB][key(uid)]
	switch {
	case bdb == nil:
		return nil, api.ErrNotFound
	case e.busy(uid):
		return nil, api.ErrBusy
	}
	for k, v := range fields {
		bdb[k] = v
	}
	bdb["status"] = "active-change-pending"
	e.set(api.KindBDB, key(uid), bdb)
	action := e.begin("SMUpdateBDB", uid, func() { e.objects[api.KindBDB][key(uid)]["status"] = "active" })
	return e.accepted(uid, action, "active-change-pending"), nil
}

// DeleteBDB implements api.Databases.
func (e *Engine) DeleteBDB(_ context.Context, uid int64) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	bdb := e.objects[api.KindBDB][key(uid)]
	switch {
	case bdb == nil:
		return "", api.ErrNotFound
	case e.busy(uid):
		return "", api.ErrBusy
	}
	bdb["status"] = "delete-pending"
	return e.begin("SMDeleteBDB", uid, func() {
		e.set(api.KindBDB, key(uid), nil)
		for id, s := range e.objects[api.KindShard] {
			if schema.IntOf(s, "bdb_uid") == uid {
				e.set(api.KindShard, id, nil)
			}
		}
	}), nil
}

// Available implements api.Databases.
func (e *Engine) Available(_ context.Context, uid int64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if schema.TextOf(e.objects[api.KindBDB][key(uid)], "status") == "creation-failed" {
		return &api.Error{Status: 503, Code: "bdb_unavailable", Description: "Database is unavailable"}
	}
	return nil
}

// EndpointAvailable implements api.Databases: the endpoints are on node 1.
func (e *Engine) EndpointAvailable(ctx context.Context, uid int64) error {
	return e.Available(ctx, uid)
}

// Blueprint implements api.Databases.
func (e *Engine) Blueprint(context.Context, int64) ([]api.Object, error) {
	return []api.Object{{"slot_range": "0-16383", "nodes": []any{api.Object{"node_uid": "1", "role": "master"}}}}, nil
}

// Start implements api.Operations: everything that the documentation knows succeeds and changes nothing.
func (e *Engine) Start(_ context.Context, op api.Operation) (api.Action, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if op.Name == "recover" {
		return api.Action{}, api.ErrUnsupported
	}
	w := &work{
		Action: api.Action{
			UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", len(e.actions)+1), Name: op.Name, Status: "running",
			Scope: op.Scope, Created: e.Now(),
		},
		left: e.Steps,
	}
	switch op.Scope {
	case api.ScopeNode, api.ScopeCluster:
		w.Node = op.UID
		if op.Name == "remove" {
			w.Name, w.done = "remove_node", func() { e.set(api.KindNode, key(op.UID), nil) }
		}
	default:
		w.BDB, w.StateMachine = op.UID, true
	}
	e.actions = append(e.actions, w)
	if w.left == 0 {
		w.finish()
	}
	return w.Action, nil
}

// Cancel implements api.Operations.
func (e *Engine) Cancel(_ context.Context, uid string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.actions {
		if w.UID == uid && w.Status == "running" {
			w.Status = "cancelled"
			return nil
		}
	}
	return api.ErrNotFound
}

// Actions implements api.Operations. Each look brings running work nearer to its end.
func (e *Engine) Actions(context.Context) ([]api.Action, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]api.Action, 0, len(e.actions))
	for _, w := range e.actions {
		if w.Status == "running" {
			if w.left--; w.left <= 0 {
				w.finish()
			}
		}
		out = append(out, w.Action)
	}
	return out, nil
}

// NodeStatus implements api.Measurements.
func (e *Engine) NodeStatus(_ context.Context, uid int64) (api.Object, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	role := "slave"
	if uid == e.leader.UID {
		role = "master"
	}
	return api.Object{
		"hostname": fmt.Sprintf("node-%d", uid), "role": role, "node_status": "active",
		"software_version": schema.SoftwareVersion, "software_version_sha": "", "cores": 4, "free_ram": 8 << 30,
		"free_provisional_ram": 8 << 30, "total_memory": 16 << 30, "total_provisional_ram": 16 << 30,
		"node_overbooking_depth": 0, "master_shards": []any{}, "slave_shards": []any{},
	}, nil
}

// CheckNode implements api.Measurements.
func (e *Engine) CheckNode(_ context.Context, uid int64) (map[string]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	checks := map[string]string{"bootstrap_status_check": "", "services_check": ""}
	if schema.TextOf(e.objects[api.KindNode][key(uid)], "status") == "down" {
		checks["services_check"] = "node is down"
	}
	return checks, nil
}

// Stats implements api.Measurements.
func (e *Engine) Stats(context.Context, api.Kind, string) (map[string]float64, error) {
	return map[string]float64{"used_memory": 1048576, "cpu_idle": 0.99}, nil
}

// LocalServices implements api.Measurements.
func (e *Engine) LocalServices() map[string]bool {
	return map[string]bool{"cnm_http": true, "cnm_https": true, "cm_server": true, "crdb_coordinator": false}
}

// RotateCertificates implements api.Measurements.
func (e *Engine) RotateCertificates(_ context.Context, names []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names {
		e.set(api.KindCertificate, name, api.Object{"name": name, "certificate": "rotated", "key": "rotated"})
	}
	return nil
}
