// Package apitest holds an engine in memory: a cluster of records without processes, for tests of what stands on the
// HTTP surface.
package apitest

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Engine is an api.Engine in memory. Its state machines take Steps looks at the actions to finish.
type Engine struct {
	Now   func() time.Time
	Steps int // how many times Actions is asked before work is done; 0 finishes at once

	mu        sync.Mutex
	objects   map[api.Kind]map[string]api.Object
	uids      map[api.Kind]int64
	stateID   int64
	bootstrap api.BootstrapStatus
	leader    api.Leader
	noQuorum  bool
	actions   []*work
}

type work struct {
	api.Action
	left int
	done func()
}

var _ api.Engine = (*Engine)(nil)

// New is a node that has not joined anything.
func New() *Engine {
	return &Engine{
		Now: time.Now, objects: map[api.Kind]map[string]api.Object{}, uids: map[api.Kind]int64{}, stateID: 1,
		bootstrap: api.BootstrapStatus{
			State: api.BootstrapIdle, LocalNode: schema.NewLocalNode(0, machine("127.0.0.1"), time.Now()),
		},
	}
}

func machine(addr string) schema.Machine {
	return schema.Machine{
		Addr: addr, Hostname: "node", Cores: 4, TotalMemory: 16 << 30, PersistentPath: "/var/opt/redislabs/persist",
		PersistentSize: 100 << 30, EphemeralPath: "/var/opt/redislabs/tmp", EphemeralSize: 50 << 30, Started: time.Now(),
	}
}

// Form makes the node the leader of a cluster of n nodes with this administrator.
func (e *Engine) Form(name, email, password string, n int) error {
	req := api.BootstrapRequest{Action: "create_cluster", ClusterName: name, Username: email, Password: password}
	objects, err := api.InitialObjects(req, e.Now())
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range objects {
		e.set(o.Kind, o.ID, o.Object)
	}
	for uid := int64(1); uid <= int64(n); uid++ {
		addr := fmt.Sprintf("127.0.0.%d", uid)
		e.set(api.KindNode, strconv.FormatInt(uid, 10), schema.NewNode(uid, machine(addr), nil, nil, e.Now()))
		e.set(api.KindProxy, strconv.FormatInt(uid, 10), schema.NewProxy(uid))
	}
	e.uids[api.KindUser], e.uids[api.KindRole], e.uids[api.KindRedisACL] = 1, 1, 3
	e.bootstrap.State, e.bootstrap.StartTime, e.bootstrap.EndTime = api.BootstrapCompleted, e.Now(), e.Now()
	e.bootstrap.LocalNode = schema.NewLocalNode(1, machine("127.0.0.1"), e.Now())
	e.leader = api.Leader{UID: 1, Addr: "127.0.0.1:9443", Self: true}
	return nil
}

// Follow makes another node the leader.
func (e *Engine) Follow(addr string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leader = api.Leader{UID: 2, Addr: addr}
}

// LoseQuorum makes the cluster unable to answer, or able again.
func (e *Engine) LoseQuorum(lost bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.noQuorum = lost
}

// Put stores an object as it is.
func (e *Engine) Put(kind api.Kind, id string, o api.Object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set(kind, id, o)
}

func (e *Engine) set(kind api.Kind, id string, o api.Object) {
	if e.objects[kind] == nil {
		e.objects[kind] = map[string]api.Object{}
	}
	e.stateID++
	if o == nil {
		delete(e.objects[kind], id)
		return
	}
	e.objects[kind][id] = reread(o)
}

// reread passes an object through JSON, as a real store does: whole numbers come back as float64.
func reread(o api.Object) api.Object {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err) // an object that is no JSON is a bug of the surface
	}
	var back api.Object
	if err := json.Unmarshal(data, &back); err != nil {
		panic(err)
	}
	return back
}

// Get implements api.Store.
func (e *Engine) Get(_ context.Context, kind api.Kind, id string) (api.Object, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return schema.Clone(e.objects[kind][id]), nil
}

// Peek implements api.Store.
func (e *Engine) Peek(ctx context.Context, kind api.Kind, id string) (api.Object, error) {
	return e.Get(ctx, kind, id)
}

// List implements api.Store.
func (e *Engine) List(_ context.Context, kind api.Kind) ([]api.Object, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ids := make([]string, 0, len(e.objects[kind]))
	for id := range e.objects[kind] {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool {
		a, errA := strconv.Atoi(ids[i])
		b, errB := strconv.Atoi(ids[j])
		if errA == nil && errB == nil {
			return a < b
		}
		return ids[i] < ids[j]
	})
	out := make([]api.Object, 0, len(ids))
	for _, id := range ids {
		out = append(out, schema.Clone(e.objects[kind][id]))
	}
	return out, nil
}

// Update implements api.Store.
func (e *Engine) Update(_ context.Context, kind api.Kind, id string, change func(api.Object) (api.Object, error)) (api.Object, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.noQuorum {
		return nil, api.ErrNoQuorum
	}
	o, err := change(schema.Clone(e.objects[kind][id]))
	if err != nil {
		return nil, err
	}
	e.set(kind, id, o)
	return schema.Clone(e.objects[kind][id]), nil
}

// NextUID implements api.Store.
func (e *Engine) NextUID(_ context.Context, kind api.Kind) (int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.next(kind), nil
}

func (e *Engine) next(kind api.Kind) int64 {
	e.uids[kind]++
	return e.uids[kind]
}

// NodeUID implements api.Member.
func (e *Engine) NodeUID() int64 {
	if e.Bootstrap().State != api.BootstrapCompleted {
		return 0
	}
	return 1
}

// Bootstrap implements api.Member.
func (e *Engine) Bootstrap() api.BootstrapStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bootstrap
}

// StartBootstrap implements api.Member; it forms at once. Joining always fails to connect.
func (e *Engine) StartBootstrap(_ context.Context, req api.BootstrapRequest) error {
	if req.Action == "create_cluster" {
		return e.Form(req.ClusterName, req.Username, req.Password, 1)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bootstrap.State = api.BootstrapError
	e.bootstrap.Failure = &api.Error{Code: "connect_error", Description: "Could not connect"}
	return nil
}

// Leader implements api.Member.
func (e *Engine) Leader(context.Context) (api.Leader, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.noQuorum {
		return api.Leader{}, api.ErrNoQuorum
	}
	return e.leader, nil
}

// StateID implements api.Member.
func (e *Engine) StateID() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stateID
}

// Admit implements api.Member: it welcomes everybody with what they sent.
func (e *Engine) Admit(_ context.Context, payload json.RawMessage) (json.RawMessage, error) {
	return json.RawMessage(fmt.Sprintf(`{"welcome":%s}`, payload)), nil
}
