package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// actionRecord is asynchronous work, kept in the configuration so that another leader can go on with it.
type actionRecord struct {
	UID          string     `json:"uid"`
	Name         string     `json:"name"`
	StateMachine bool       `json:"state_machine"`
	Status       string     `json:"status"`
	Progress     float64    `json:"progress"`
	Scope        api.Scope  `json:"scope"`
	BDB          int64      `json:"bdb,omitempty"`
	Node         int64      `json:"node,omitempty"`
	Op           string     `json:"op,omitempty"` // the operation, or the action of an update
	Shards       []string   `json:"shards,omitempty"`
	Body         api.Object `json:"body,omitempty"`
	Created      time.Time  `json:"created"`
	Serial       int64      `json:"serial"`
	Code         string     `json:"code,omitempty"`
	Description  string     `json:"description,omitempty"`
}

// Words for the status of an action.
const (
	statusQueued    = "queued"
	statusRunning   = "running"
	statusCompleted = "completed"
	statusFailed    = "failed"
	statusCancelled = "cancelled"
)

func (a actionRecord) over() bool {
	return a.Status == statusCompleted || a.Status == statusFailed || a.Status == statusCancelled
}

// keptActions is how many finished actions are remembered.
const keptActions = 200

// newAction writes an action down; work on a database makes it busy.
func (n *Node) newAction(tx *store.Tx, a actionRecord) actionRecord {
	a.UID, a.Status, a.Created = newUUID(), statusQueued, n.cfg.Now()
	a.Serial = tx.NextUID("action")
	tx.Put(kindActionRecord, a.UID, a)
	if a.BDB != 0 {
		d, _ := view{tx}.database(a.BDB)
		d.BDB, d.Action = a.BDB, a.UID
		putDatabase(tx, d)
	}
	forgetOld(tx)
	return a
}

func forgetOld(tx *store.Tx) {
	all := sortedActions(tx)
	over := slices.DeleteFunc(all, func(a actionRecord) bool { return !a.over() })
	for i := 0; i < len(over)-keptActions; i++ {
		tx.Delete(kindActionRecord, over[i].UID)
	}
}

// sortedActions are all that are remembered, oldest first.
func sortedActions(r store.Reader) []actionRecord {
	all, _ := store.List[actionRecord](r, kindActionRecord)
	slices.SortFunc(all, func(a, b actionRecord) int { return int(a.Serial - b.Serial) })
	return all
}

func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, says its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newPassword() string { return strings.ToLower(rand.Text() + rand.Text())[:48] }

func slotRange(s shardRecord) string { return fmt.Sprintf("%d-%d", s.First, s.Last) }

// Actions implements api.Operations.
func (n surface) Actions(context.Context) ([]api.Action, error) {
	all := sortedActions(n.reader().r)
	out := make([]api.Action, 0, len(all))
	for _, a := range all {
		out = append(out, a.public())
	}
	return out, nil
}

func (a actionRecord) public() api.Action {
	return api.Action{
		UID: a.UID, Name: a.Name, StateMachine: a.StateMachine, Status: a.Status, Progress: a.Progress, Scope: a.Scope,
		BDB: a.BDB, Node: a.Node, Created: a.Created, ErrorCode: a.Code, Description: a.Description,
	}
}

// Cancel implements api.Operations: what has not begun does not begin.
func (n surface) Cancel(ctx context.Context, uid string) error {
	return n.update(ctx, func(tx *store.Tx) error {
		a, ok, err := store.Get[actionRecord](tx, kindActionRecord, uid)
		if err != nil {
			return err
		}
		if !ok || a.over() {
			return api.ErrNotFound
		}
		if a.Status == statusQueued {
			a.Status = statusCancelled
			tx.Put(kindActionRecord, uid, a)
		}
		return nil
	})
}

// dispatch starts the work of actions that nobody works on.
func (e *engine) dispatch() {
	for _, a := range sortedActions(e.st.Snapshot()) {
		if !a.over() {
			e.work("action "+a.UID, func(ctx context.Context) { e.runAction(ctx, a) })
		}
	}
}

func (e *engine) runAction(ctx context.Context, a actionRecord) {
	if err := e.progress(ctx, &a, statusRunning, 10); err != nil {
		return
	}
	if !pause(ctx, e.n.cfg.OperationDelay) {
		return
	}
	err := e.perform(ctx, a)
	if ctx.Err() != nil || errors.Is(err, store.ErrNotLeader) || errors.Is(err, store.ErrNoQuorum) {
		return // the next leader goes on
	}
	if err != nil {
		e.log.Warn("action failed", "action", a.Name, "bdb", a.BDB, "of", a.Node, "error", err.Error())
	}
	_ = e.st.Update(e.ctx, func(tx *store.Tx) error { return e.finish(tx, a, err) }) //nolint:contextcheck // written down in any case
}

// progress writes down how far an action is.
func (e *engine) progress(ctx context.Context, a *actionRecord, status string, percent float64) error {
	return e.st.Update(ctx, func(tx *store.Tx) error {
		now, ok, err := store.Get[actionRecord](tx, kindActionRecord, a.UID)
		if err != nil || !ok || now.over() {
			return errors.Join(err, api.ErrNotFound)
		}
		now.Status, now.Progress = status, max(percent, now.Progress)
		*a = now
		tx.Put(kindActionRecord, a.UID, now)
		return nil
	})
}

// finish writes down how an action ended, and what that means for its database.
func (e *engine) finish(tx *store.Tx, a actionRecord, failure error) error {
	if now, ok, _ := store.Get[actionRecord](tx, kindActionRecord, a.UID); ok && now.over() {
		return nil // given up meanwhile
	}
	a.Status, a.Progress = statusCompleted, 100
	if failure != nil {
		a.Status, a.Code, a.Description = statusFailed, "internal_error", failure.Error()
		var refusal *api.Error
		if errors.As(failure, &refusal) {
			a.Code, a.Description = refusal.Code, refusal.Description
		}
	}
	tx.Put(kindActionRecord, a.UID, a)
	if a.BDB == 0 {
		return nil
	}
	v := view{tx}
	d, ok := v.database(a.BDB)
	if !ok || d.Action != a.UID {
		return nil
	}
	d.Action = ""
	putDatabase(tx, d)
	if bdb, ok := v.bdb(a.BDB); ok {
		switch {
		case failure != nil && (a.Name == smCreate || len(v.shardsOf(a.BDB)) == 0): // a change of what was never made makes nothing
			bdb["status"] = "creation-failed"
		default:
			bdb["status"] = "active"
		}
		tx.Put(string(api.KindBDB), text(a.BDB), bdb)
	}
	return nil
}

// perform does the work. Everything here can be begun again.
func (e *engine) perform(ctx context.Context, a actionRecord) error {
	switch a.Name {
	case smCreate:
		return e.converge(ctx, a.BDB)
	case smUpdate:
		switch a.Op {
		case "flush":
			if err := e.flushAll(ctx, a.BDB); err != nil {
				return err
			}
		case "rebalance", "revamp":
			return e.rebalance(ctx, a)
		}
		return e.converge(ctx, a.BDB)
	case smDelete:
		return e.removeDatabase(ctx, a.BDB)
	case smFailover:
		return e.failoverShards(ctx, a)
	case smMigrate:
		return e.migrateShards(ctx, a)
	}
	switch a.Op {
	case "maintenance_on":
		return e.maintenanceOn(ctx, a)
	case "maintenance_off":
		return e.maintenanceOff(ctx, a)
	case "remove":
		return e.removeNode(ctx, a)
	case "change_master", "enslave_node":
		return e.moveLeader(ctx, a)
	}
	return fmt.Errorf("%w: %s", api.ErrUnsupported, a.Op)
}

func (e *engine) failoverShards(ctx context.Context, a actionRecord) error {
	for _, id := range a.Shards {
		m, ok := e.snapshot().shard(parseInt(id))
		if !ok || m.Role != roleMaster {
			continue // done before
		}
		r, ok := e.anyReplica(m)
		if !ok {
			return errors.New("shard " + id + " has no replica to fail over to")
		}
		if err := e.await(ctx, e.inSync(r.UID)); err != nil {
			return err
		}
		if err := e.switchMaster(ctx, m.UID, r.UID); err != nil {
			return err
		}
	}
	return e.converge(ctx, a.BDB)
}

func (e *engine) migrateShards(ctx context.Context, a actionRecord) error {
	for _, id := range a.Shards {
		s, ok := e.snapshot().shard(parseInt(id))
		if !ok {
			continue // done before
		}
		target := schema.IntOf(a.Body, "target_node_uid")
		if target == 0 {
			bdb, _ := e.snapshot().bdb(s.BDB)
			nodes := candidates(e.snapshot(), e.world(), bdb, e.nodesOf(s)...)
			if len(nodes) == 0 {
				return errNoRoom
			}
			target = nodes[0]
		}
		if err := e.migrate(ctx, s.UID, target); err != nil {
			return err
		}
	}
	return e.converge(ctx, a.BDB)
}

// nodesOf are the nodes that hold a shard or another copy of it.
func (e *engine) nodesOf(s shardRecord) []int64 {
	var out []int64
	for _, other := range e.snapshot().shardsOf(s.BDB) {
		if other.Group == s.Group {
			out = append(out, other.Node)
		}
	}
	return out
}
