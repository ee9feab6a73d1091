package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// maxSkew is how far the clocks of two nodes may be apart.
const maxSkew = time.Minute

// NodeUID implements api.Member.
func (n surface) NodeUID() int64 {
	if m := n.membership(); m != nil {
		return m.store.UID()
	}
	return 0
}

// Bootstrap implements api.Member.
func (n surface) Bootstrap() api.BootstrapStatus {
	n.mu.Lock()
	b := n.boot
	n.mu.Unlock()
	b.LocalNode = schema.NewLocalNode(n.NodeUID(), n.machine, n.cfg.Now())
	return b
}

// Leader implements api.Member.
func (n surface) Leader(context.Context) (api.Leader, error) {
	m := n.membership()
	if m == nil {
		return api.Leader{}, api.ErrNoQuorum
	}
	uid, addr, ok := m.store.Leader()
	if !ok {
		return api.Leader{}, api.ErrNoQuorum
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return api.Leader{}, api.ErrNoQuorum
	}
	return api.Leader{UID: uid, Addr: hostPort(host, n.cfg.Ports.API), Self: uid == m.store.UID()}, nil
}

// StateID implements api.Member.
func (n surface) StateID() int64 {
	if m := n.membership(); m != nil {
		return m.store.Snapshot().Rev()
	}
	return 0
}

// StartBootstrap implements api.Member.
func (n surface) StartBootstrap(_ context.Context, req api.BootstrapRequest) error {
	var work func(context.Context, api.BootstrapRequest) error
	var state api.BootstrapState
	switch req.Action {
	case "create_cluster":
		work, state = n.createCluster, api.BootstrapCreating
	case "join_cluster":
		work, state = n.joinCluster, api.BootstrapJoining
	case "recover_cluster":
		work, state = n.recoverCluster, api.BootstrapRecovering
	default:
		return &api.Error{Status: http.StatusBadRequest, Code: "invalid_action", Description: "Unknown action " + req.Action}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended || n.boot.State != api.BootstrapIdle && n.boot.State != api.BootstrapError {
		return &api.Error{Status: http.StatusConflict, Code: "bootstrap_in_progress",
			Description: "Bootstrap can not start in state " + string(n.boot.State)}
	}
	n.boot = api.BootstrapStatus{State: api.BootstrapInitiated, StartTime: n.cfg.Now(), InProgress: true}
	n.wg.Go(func() { n.bootstrap(req, state, work) }) //nolint:contextcheck // goes on after the request
	return nil
}

func (n *Node) bootstrap(req api.BootstrapRequest, state api.BootstrapState, work func(context.Context, api.BootstrapRequest) error) {
	b := surface{n}.Bootstrap()
	if !pause(n.ctx, n.cfg.OperationDelay/4) {
		return
	}
	b.State = state
	n.setBoot(b)
	ctx, cancel := context.WithTimeout(n.ctx, 2*time.Minute)
	defer cancel()
	err := work(ctx, req)
	if err == nil && !pause(ctx, n.cfg.OperationDelay) {
		return
	}
	b.EndTime, b.InProgress = n.cfg.Now(), false
	b.State = api.BootstrapCompleted
	if err != nil {
		n.log.Warn("bootstrap failed", "action", req.Action, "error", err.Error())
		b.State = api.BootstrapError
		if !errors.As(err, &b.Failure) {
			b.Failure = &api.Error{Code: "config_error", Description: err.Error()}
		}
	}
	n.setBoot(b)
}

// pause waits, or returns false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (n *Node) createCluster(ctx context.Context, req api.BootstrapRequest) error {
	now := n.cfg.Now()
	initial, err := api.InitialObjects(req, now)
	if err != nil {
		return err
	}
	var certs []api.Object
	for _, name := range ownCertificates {
		cert, err := clusterCertificate(name, req.ClusterName, now)
		if err != nil {
			return err
		}
		certs = append(certs, cert)
	}
	uid := max(schema.IntOf(req.Identity, "uid"), 1)
	id, err := store.NewIdentity(uid, now)
	if err != nil {
		return err
	}
	a := newAgent(n.cfg, n.log)
	st, err := store.Create(ctx, n.storeOptions(a), id, func(tx *store.Tx) {
		for _, o := range initial {
			tx.Put(string(o.Kind), o.ID, o.Object)
		}
		for _, cert := range certs {
			tx.Put(string(api.KindCertificate), schema.TextOf(cert, "name"), cert)
		}
		tx.Put(string(api.KindNode), text(uid), schema.NewNode(uid, n.machine, req.Identity, req.Limits, now))
		tx.Put(string(api.KindProxy), text(uid), schema.NewProxy(uid))
	})
	if err != nil {
		a.cancel()
		return err
	}
	return n.settle(ctx, st, a)
}

// settle waits until the node sees itself in the configuration; only then it is a member for everybody.
func (n *Node) settle(ctx context.Context, st *store.Store, a *agent) error {
	for {
		changed := st.Changed()
		m, ok, _ := store.Get[store.Member](st.Snapshot(), store.KindMember, text(st.UID()))
		if _, _, led := st.Leader(); ok && m.Voter && led {
			break
		}
		select {
		case <-changed:
		case <-time.After(n.cfg.FailureTimeout / 4):
		case <-ctx.Done():
			a.cancel()
			return errors.Join(&api.Error{Code: "connect_error", Description: "The cluster did not answer in time"}, st.Kill())
		}
	}
	n.mu.Lock()
	ended := n.ended
	n.mu.Unlock()
	if ended {
		a.cancel()
		return st.Kill()
	}
	n.enter(st, a)
	return nil
}

// recoverCluster makes the cluster of a saved configuration anew.
func (n *Node) recoverCluster(context.Context, api.BootstrapRequest) error {
	return &api.Error{Status: http.StatusNotImplemented, Code: "recovery_error", Description: "Cluster recovery is not emulated yet"}
}

// joinPayload is what a node tells the leader about itself.
type joinPayload struct {
	Addr     string         `json:"addr"` // host:port between nodes
	Machine  schema.Machine `json:"machine"`
	Identity api.Object     `json:"identity"`
	Limits   api.Object     `json:"limits"`
	UID      int64          `json:"uid"` // to replace a dead node
	Time     time.Time      `json:"time"`
}

// joinReply makes the node a member.
type joinReply struct {
	Identity store.Identity `json:"identity"`
	Contact  string         `json:"contact"`
}

func (n *Node) joinCluster(ctx context.Context, req api.BootstrapRequest) error {
	payload, err := json.Marshal(joinPayload{
		Addr: hostPort(n.cfg.Addr, n.cfg.Ports.Internode), Machine: n.machine, Identity: req.Identity, Limits: req.Limits,
		UID: schema.IntOf(req.Identity, "uid"), Time: n.cfg.Now(),
	})
	if err != nil {
		return err
	}
	client := &http.Client{Transport: n.transport, Timeout: 20 * time.Second}
	raw, err := api.Join(ctx, client, req, payload)
	if err != nil {
		return err
	}
	var reply joinReply
	if err := json.Unmarshal(raw, &reply); err != nil {
		return &api.Error{Code: "connect_error", Description: "The cluster answered something unknown: " + err.Error()}
	}
	a := newAgent(n.cfg, n.log)
	st, err := store.Join(ctx, n.storeOptions(a), reply.Identity, reply.Contact)
	if err != nil {
		a.cancel()
		return err
	}
	return n.settle(ctx, st, a)
}

// Admit implements api.Member: the leader takes a node in. It is a member without a vote until it has copied the
// configuration; the engine gives it the vote.
func (n surface) Admit(ctx context.Context, raw json.RawMessage) (json.RawMessage, error) {
	m := n.membership()
	if m == nil {
		return nil, api.ErrNoQuorum
	}
	var p joinPayload
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, &api.Error{Status: http.StatusBadRequest, Code: "invalid_schema", Description: err.Error()}
	}
	now := n.cfg.Now()
	if skew := now.Sub(p.Time).Abs(); skew > maxSkew {
		return nil, &api.Error{Status: http.StatusNotAcceptable, Code: "time_not_sync",
			Description: fmt.Sprintf("The clock of the joining node is off by %s", skew.Round(time.Second))}
	}
	id := m.store.Identity()
	err := n.update(ctx, func(tx *store.Tx) error {
		v := view{tx}
		uid, err := n.seat(v, p, m.engine)
		if err != nil {
			return err
		}
		node, replaced := v.node(uid)
		if uid == 0 {
			uid = tx.NextUID(string(api.KindNode))
		}
		if !replaced {
			node = schema.NewNode(uid, p.Machine, p.Identity, p.Limits, now)
		}
		host, _, _ := net.SplitHostPort(p.Addr)
		node["addr"], node["status"] = host, "provisioning"
		node["software_version"] = p.Machine.Version
		id.UID = uid
		tx.Put(string(api.KindNode), text(uid), node)
		tx.Put(string(api.KindProxy), text(uid), schema.NewProxy(uid))
		tx.Put(store.KindMember, text(uid), store.Member{UID: uid, Addr: p.Addr})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(joinReply{Identity: id, Contact: hostPort(n.cfg.Addr, n.cfg.Ports.Internode)})
}

// seat finds the number for a joining node: 0 for a new one, the old one for a replacement.
func (n *Node) seat(v view, p joinPayload, e *engine) (int64, error) {
	host, _, _ := net.SplitHostPort(p.Addr)
	if p.UID != 0 {
		if _, ok := v.node(p.UID); !ok {
			return 0, refuseJoin("config_error", nil, "There is no node %d to replace", p.UID)
		}
		if e.alive(p.UID) {
			return 0, refuseJoin("config_error", nil, "Node %d is alive and can not be replaced", p.UID)
		}
		return p.UID, nil
	}
	failed := []any{}
	for _, o := range v.nodes() {
		uid := schema.IntOf(o, "uid")
		m, _, _ := store.Get[store.Member](v.r, store.KindMember, text(uid))
		switch {
		case !m.Voter && m.Addr == p.Addr:
			return uid, nil // an earlier attempt whose answer was lost
		case m.Voter && schema.TextOf(o, "addr") == host && e.alive(uid):
			return 0, refuseJoin("config_error", nil, "A node with address %s is already a member of the cluster", host)
		case m.Voter && !e.alive(uid):
			failed = append(failed, text(uid))
		}
	}
	if len(failed) > 0 {
		return 0, refuseJoin("repair_required", api.Object{"failed_nodes": failed, "replace_candidate": failed[0]},
			"The cluster is degraded: only a replacement of a failed node can join")
	}
	if schema.BoolOf(v.singleton(api.KindPolicy), "rack_aware") && schema.TextOf(p.Identity, "rack_id") == "" {
		return 0, refuseJoin("rack_id_required", nil, "The cluster is rack aware: rack_id is needed")
	}
	return 0, nil
}

func refuseJoin(code string, details api.Object, format string, args ...any) error {
	return &api.Error{
		Status: http.StatusNotAcceptable, Code: code, Description: fmt.Sprintf(format, args...), Details: details,
	}
}
