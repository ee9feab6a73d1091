package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// Start implements api.Operations.
func (n surface) Start(ctx context.Context, op api.Operation) (api.Action, error) {
	switch op.Scope {
	case api.ScopeBDB:
		return n.startOnDatabase(ctx, op)
	case api.ScopeShards:
		return n.startOnShards(ctx, op)
	case api.ScopeNode:
		return n.startOnNode(ctx, op)
	case api.ScopeCluster:
		if op.Name == "change_master" {
			uid := schema.IntOf(op.Body, "node_uid")
			return n.begin(ctx, actionRecord{Name: op.Name, Op: op.Name, Scope: op.Scope, Node: uid, Body: op.Body})
		}
	}
	return api.Action{}, fmt.Errorf("%w: %s", api.ErrUnsupported, op.Name)
}

func (n *Node) begin(ctx context.Context, a actionRecord) (api.Action, error) {
	var out actionRecord
	err := n.update(ctx, func(tx *store.Tx) error {
		if a.BDB != 0 {
			if _, err := idle(view{tx}, a.BDB); err != nil {
				return err
			}
		}
		if _, ok := (view{tx}).node(a.Node); a.Node != 0 && !ok {
			return api.ErrNotFound
		}
		out = n.newAction(tx, a)
		return nil
	})
	return out.public(), err
}

func (n surface) startOnDatabase(ctx context.Context, op api.Operation) (api.Action, error) {
	fields := api.Object{}
	switch op.Name {
	case "stop_traffic":
		fields["traffic_manually_disabled"] = true
	case "resume_traffic":
		fields["traffic_manually_disabled"] = false
	case "upgrade":
		if version := schema.TextOf(op.Body, "redis_version"); version != "" {
			fields["redis_version"] = version
			fields["version"] = fullVersion(version)
		}
	case "rebalance", "revamp":
		return n.begin(ctx, actionRecord{
			Name: smUpdate, StateMachine: true, Op: op.Name, Scope: op.Scope, BDB: op.UID, Body: op.Body,
		})
	default:
		if what, ok := strings.CutSuffix(op.Name, "_reset_status"); ok {
			return n.resetStatus(ctx, op.UID, what)
		}
		return api.Action{}, fmt.Errorf("%w: %s", api.ErrUnsupported, op.Name)
	}
	bdb, err := n.UpdateBDB(ctx, op.UID, fields, "")
	if err != nil {
		return api.Action{}, err
	}
	return n.actionByUID(schema.TextOf(bdb, "action_uid")), nil
}

// fullVersion is the patch release that belongs to a database version.
func fullVersion(short string) string {
	for _, e := range schema.SupportedDatabaseVersions() {
		o, _ := e.(map[string]any)
		if schema.TextOf(o, "redis_version") == short {
			return schema.TextOf(o, "version")
		}
	}
	return short
}

func (n *Node) actionByUID(uid string) api.Action {
	a, _, _ := store.Get[actionRecord](n.reader().r, kindActionRecord, uid)
	return a.public()
}

// resetStatus forgets how the last backup, export or import went.
func (n surface) resetStatus(ctx context.Context, uid int64, what string) (api.Action, error) {
	_, err := n.Update(ctx, api.KindBDB, text(uid), func(bdb api.Object) (api.Object, error) {
		if bdb == nil {
			return nil, api.ErrNotFound
		}
		bdb[what+"_status"], bdb[what+"_failure_reason"], bdb[what+"_progress"] = "", "", float64(0)
		return bdb, nil
	})
	return api.Action{Status: statusCompleted}, err
}

func (n *Node) startOnShards(ctx context.Context, op api.Operation) (api.Action, error) {
	v := n.reader()
	a := actionRecord{Name: smMigrate, StateMachine: true, Op: op.Name, Scope: api.ScopeBDB, Shards: op.Shards, Body: op.Body}
	if op.Name == "failover" {
		a.Name = smFailover
	}
	for _, id := range op.Shards {
		s, ok := v.shard(parseInt(id))
		if !ok {
			return api.Action{}, api.ErrNotFound
		}
		if a.BDB != 0 && a.BDB != s.BDB {
			return api.Action{}, &api.Error{Status: http.StatusBadRequest, Code: "invalid_param",
				Description: "The shards belong to several databases"}
		}
		a.BDB = s.BDB
	}
	return n.begin(ctx, a)
}

func (n *Node) startOnNode(ctx context.Context, op api.Operation) (api.Action, error) {
	a := actionRecord{Name: op.Name, Op: op.Name, Scope: op.Scope, Node: op.UID, Body: op.Body}
	switch op.Name {
	case "remove":
		a.Name = "remove_node"
		if err := n.mayRemove(op.UID); err != nil {
			return api.Action{}, err
		}
	case "maintenance_on", "maintenance_off", "enslave_node":
	default:
		return api.Action{}, fmt.Errorf("%w: %s", api.ErrUnsupported, op.Name)
	}
	return n.begin(ctx, a)
}

// mayRemove refuses what would leave the cluster without a node, or replicated databases without a second one.
func (n *Node) mayRemove(uid int64) error {
	v := n.reader()
	left := 0
	for _, o := range v.nodes() {
		if other := schema.IntOf(o, "uid"); other != uid && !v.nodeRecord(other).Leaving {
			left++
		}
	}
	refuse := func(what string) error {
		return &api.Error{Status: http.StatusNotAcceptable, Code: "invalid_param", Description: what}
	}
	if left == 0 {
		return refuse("The last node of a cluster can not be removed")
	}
	for _, bdb := range v.list(api.KindBDB) {
		if left < 2 && schema.BoolOf(bdb, "replication") {
			return refuse("Replicated databases need two nodes")
		}
	}
	return nil
}

// moveLeader is the work of change_master and enslave_node. The next leader finds the action not yet over, sees that
// nothing is left to do, and completes it.
func (e *engine) moveLeader(ctx context.Context, a actionRecord) error {
	self := e.st.UID()
	switch {
	case a.Op == "change_master" && a.Node == self, a.Op == "enslave_node" && a.Node != self:
		return nil
	case a.Op == "change_master":
		return e.handLeadTo(ctx, a.Node)
	}
	return e.giveLeadUp(ctx)
}

// giveLeadUp makes another node the leader, whichever can.
func (e *engine) giveLeadUp(ctx context.Context) error {
	err := store.ErrNoSuccessor
	for _, uid := range e.st.Successors() {
		if err = e.handLeadTo(ctx, uid); errors.Is(err, store.ErrNotLeader) {
			return err
		}
	}
	return err
}

// handLeadTo returns ErrNotLeader when it went well: this node has nothing more to say.
func (e *engine) handLeadTo(ctx context.Context, uid int64) error {
	if err := e.st.Transfer(ctx, uid); err != nil {
		e.log.Warn("the leader's role could not be handed over", "to", uid, "reason", err.Error())
		return err
	}
	return store.ErrNotLeader
}

// rebalance spreads the shards of a database over the nodes as its placement policy wants.
func (e *engine) rebalance(ctx context.Context, a actionRecord) error {
	if err := e.converge(ctx, a.BDB); err != nil { // what a revamp has changed comes first
		return err
	}
	for {
		v, w := e.snapshot(), e.world()
		bdb, ok := v.bdb(a.BDB)
		if !ok {
			return api.ErrNotFound
		}
		s, node, ok := nextMove(v, w, bdb)
		if !ok {
			return nil
		}
		if err := e.migrate(ctx, s.UID, node); err != nil {
			return err
		}
	}
}

// nextMove finds a shard on a node that has at least two more shards of the database than another.
func nextMove(v view, w world, bdb api.Object) (shardRecord, int64, bool) {
	if schema.TextOf(bdb, "shards_placement") != "sparse" {
		return shardRecord{}, 0, false
	}
	count := map[int64]int{}
	shards := v.shardsOf(schema.IntOf(bdb, "uid"))
	for _, s := range shards {
		count[s.Node]++
	}
	for _, s := range shards {
		for _, node := range candidates(v, w, bdb, groupNodes(shards, s.Group)...) {
			if count[s.Node] >= count[node]+2 {
				return s, node, true
			}
		}
	}
	return shardRecord{}, 0, false
}

func groupNodes(shards []shardRecord, group int64) []int64 {
	var out []int64
	for _, s := range shards {
		if s.Group == group {
			out = append(out, s.Node)
		}
	}
	return out
}
