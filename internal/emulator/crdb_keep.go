package emulator

import (
	"context"
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// keepUp looks at the other participants now and then, for a change that this cluster was not told of: it did not answer
// while the others went on without it, or whoever told them has gone in the middle.
func (e *engine) keepUp() {
	for _, id := range e.snapshot().r.IDs(string(api.KindCRDB)) {
		e.work("crdb keep "+id, func(ctx context.Context) {
			if !pause(ctx, 2*e.n.cfg.FailureTimeout) {
				return
			}
			o, ok := e.crdb(id)
			if ok && schema.TextOf(o, "_status") == crdbCommitted && !e.taskRuns(id) {
				_ = e.adoptNewest(ctx, o) // there is a next time
			}
		})
	}
}

// taskRuns tells whether this cluster is itself about to change a database.
func (e *engine) taskRuns(guid string) bool {
	for _, t := range e.snapshot().list(api.KindCRDBTask) {
		if schema.TextOf(t, "crdb_guid") == guid && !taskOver(t) {
			return true
		}
	}
	return false
}

// adoptNewest makes the newest configuration that any participant has this cluster's as well. One that this cluster is no
// part of is not adopted: it was removed by force, and keeps what it has until it is purged.
func (e *engine) adoptNewest(ctx context.Context, o api.Object) error {
	newest := o
	for _, p := range e.participants(o) {
		if p.self {
			continue
		}
		answer, err := p.ask(ctx, http.MethodGet, "?config=true", nil)
		if err != nil {
			continue
		}
		theirs, _ := answer["crdb"].(map[string]any)
		if schema.TextOf(theirs, "_status") == crdbCommitted && schema.IntOf(theirs, "_version") > schema.IntOf(newest, "_version") {
			newest = theirs
		}
	}
	own := crdb.InstanceOn(newest, e.snapshot().clusterName())
	if own == nil || schema.IntOf(newest, "_version") == schema.IntOf(o, "_version") {
		return nil
	}
	e.log.Info("adopting a configuration", "guid", schema.TextOf(o, "guid"), "version", schema.IntOf(newest, "_version"))
	self := participant{n: e.n, guid: schema.TextOf(o, "guid"), inst: own, self: true}
	_, err := self.ask(ctx, http.MethodPut, "", api.Object{"crdb": newest})
	return err
}
