package emulator

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// Words and times of Active-Active tasks.
const (
	taskStarted  = "started"
	taskFinished = "finished"
	taskFailed   = "failed"

	crdbPosted    = "posted"
	crdbCommitted = "commit-completed"

	// taskPatience is how long one step of a task waits for all participants.
	taskPatience = 90 * time.Second
	// undoPatience is how long a failed task tries to take back what it did elsewhere.
	undoPatience = 30 * time.Second
	// postedFor is how long a participant keeps an instance that nobody committed to.
	postedFor = 3 * time.Minute
)

// dispatchTasks starts the first task of each database that is not over, and forgets results nobody asks for any more.
func (e *engine) dispatchTasks() {
	v := e.snapshot()
	tasks := v.list(api.KindCRDBTask)
	slices.SortFunc(tasks, func(a, b api.Object) int {
		return cmp.Compare(schema.IntOf(a, "_serial"), schema.IntOf(b, "_serial"))
	})
	begun := map[string]bool{}
	for _, t := range tasks {
		guid := schema.TextOf(t, "crdb_guid")
		switch {
		case !taskOver(t):
			if !begun[guid] {
				begun[guid] = true
				e.work("crdb "+guid, func(ctx context.Context) { e.runTask(ctx, t) })
			}
		case e.forgotten(t):
			_ = e.st.Update(e.ctx, func(tx *store.Tx) error {
				tx.Delete(string(api.KindCRDBTask), schema.TextOf(t, "id"))
				return nil
			})
		}
	}
	e.dropUncommitted(v)
}

func taskOver(t api.Object) bool {
	status := schema.TextOf(t, "status")
	return status == taskFinished || status == taskFailed
}

func (e *engine) forgotten(t api.Object) bool {
	ended, err := time.Parse(time.RFC3339, schema.TextOf(t, "ended"))
	return err == nil && e.n.cfg.Now().Sub(ended) > time.Duration(schema.IntOf(t, "_ttl"))*time.Second
}

// dropUncommitted takes instances down whose creation was never confirmed: the cluster that asked for them has gone.
func (e *engine) dropUncommitted(v view) {
	for _, o := range v.list(api.KindCRDB) {
		since, err := time.Parse(time.RFC3339, schema.TextOf(o, "_since"))
		if schema.TextOf(o, "_status") != crdbPosted || err != nil || e.n.cfg.Now().Sub(since) < postedFor {
			continue
		}
		guid := schema.TextOf(o, "guid")
		e.work("crdb "+guid, func(ctx context.Context) {
			own := crdb.Instance(o, schema.IntOf(o, "_instance"))
			p := participant{n: e.n, guid: guid, inst: own, self: true}
			e.log.Info("dropping an instance nobody committed to", "guid", guid)
			_ = e.takeDown(ctx, p)
		})
	}
}

// failures are the reasons why a task failed, by cluster.
type failures []api.Object

// Error implements error.
func (f failures) Error() string { return schema.TextOf(f[0], "description") }

func (e *engine) runTask(ctx context.Context, t api.Object) {
	id := schema.TextOf(t, "id")
	if err := e.noteTask(ctx, id, func(o api.Object) {
		if o["started"] == nil {
			o["started"], o["worker_name"] = schema.Timestamp(e.n.cfg.Now()), "crdb_worker:"+text(e.st.UID())
		}
		o["status"] = taskStarted
	}); err != nil || !pause(ctx, e.n.cfg.OperationDelay) {
		return
	}
	t, err := e.planTask(ctx, t)
	if err == nil {
		err = e.performTask(ctx, t)
	}
	if ctx.Err() != nil || errors.Is(err, store.ErrNotLeader) || errors.Is(err, store.ErrNoQuorum) {
		return // the next leader goes on
	}
	_ = e.noteTask(e.ctx, id, func(o api.Object) { //nolint:contextcheck // written down in any case
		o["status"], o["ended"] = taskFinished, schema.Timestamp(e.n.cfg.Now())
		delete(o, "_crdb")
		delete(o, "_old")
		if err != nil {
			o["status"], o["errors"] = taskFailed, e.reasons(err)
			e.log.Warn("Active-Active task failed", "operation", schema.TextOf(o, "operation"), "error", err.Error())
		}
	})
}

func (e *engine) reasons(err error) []any {
	var list failures
	if !errors.As(err, &list) {
		list = failures{taskError(e.snapshot().clusterName(), err)}
	}
	out := make([]any, 0, len(list))
	for _, o := range list {
		out = append(out, o)
	}
	return out
}

func (e *engine) noteTask(ctx context.Context, id string, change func(api.Object)) error {
	return e.st.Update(ctx, func(tx *store.Tx) error {
		o, ok, err := store.Get[api.Object](tx, string(api.KindCRDBTask), id)
		if err != nil || !ok || taskOver(o) {
			return errors.Join(err, api.ErrNotFound)
		}
		change(o)
		tx.Put(string(api.KindCRDBTask), id, o)
		return nil
	})
}

// planTask settles what a task is about to make true, once: who goes on with it makes the same true.
func (e *engine) planTask(ctx context.Context, t api.Object) (api.Object, error) {
	ask, changes := t["_ask"].(map[string]any)
	operation := schema.TextOf(t, "operation")
	if t["_crdb"] != nil || operation == "create_crdb" {
		return t, nil
	}
	now, ok := e.crdb(schema.TextOf(t, "crdb_guid"))
	if !ok {
		return nil, &api.Error{Status: 404, Code: "not_found", Description: "The Active-Active database does not exist"}
	}
	if changes && operation != "upgrade_crdb" {
		if err := e.adoptNewest(ctx, now); err != nil {
			return nil, err
		}
		now, _ = e.crdb(schema.TextOf(t, "crdb_guid"))
	}
	next := now
	if changes && operation != "upgrade_crdb" {
		var added, removed []int64
		var err error
		if next, added, removed, err = crdb.Next(now, ask, newPassword); err != nil {
			return nil, err
		}
		t["_added"], t["_removed"] = added, removed
	}
	if changes {
		next["_by"] = t["id"]
	}
	t["_old"], t["_crdb"] = now, next
	err := e.noteTask(ctx, schema.TextOf(t, "id"), func(o api.Object) {
		for _, key := range []string{"_old", "_crdb", "_added", "_removed"} {
			o[key] = t[key]
		}
	})
	if err != nil {
		return nil, err
	}
	return plain(t)
}

func (e *engine) crdb(guid string) (api.Object, bool) {
	o, ok, _ := store.Get[api.Object](e.snapshot().r, string(api.KindCRDB), guid)
	return o, ok
}

func (e *engine) performTask(ctx context.Context, t api.Object) error {
	body, _ := t["_crdb"].(map[string]any)
	switch schema.TextOf(t, "operation") {
	case "create_crdb":
		return e.establish(ctx, transition{next: body, added: ids(crdb.Instances(body))})
	case "update_crdb", "modify_crdb":
		return e.modify(ctx, t, body)
	case "delete_crdb":
		return e.deleteEverywhere(ctx, body)
	case "flush_crdb":
		return e.flushEverywhere(ctx, t, body)
	case "purge_instance":
		own := crdb.Instance(body, schema.IntOf(body, "_instance"))
		return e.takeDown(ctx, participant{n: e.n, guid: schema.TextOf(body, "guid"), inst: own, self: true})
	case "upgrade_crdb":
		return e.upgradeEverywhere(ctx, t, body)
	}
	return api.ErrUnsupported
}

func ids(list []api.Object) map[int64]bool {
	out := map[int64]bool{}
	for _, inst := range list {
		out[schema.IntOf(inst, "id")] = true
	}
	return out
}
