package emulator_test

import (
	"net/http"
	"testing"
)

func TestDatabaseSurvivesTheLossOfItsMaster(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true, "data_persistence": "aof"})
	if !l.inSync(l.nodes[0], 2) {
		t.Errorf("an active database has shards out of order: %v", l.list(l.nodes[0], "/v1/shards"))
	}
	victim := l.masterNode(l.nodes[0], uid)
	alive := l.other(victim)
	w := write(func() string { return l.endpoint(alive, uid) })
	w.flows(l)
	must(t, l.nodes[victim].Kill())
	w.flows(l)
	w.end()
	w.check(t)

	host := freshHost(t)
	l.boot(victim, host)
	l.await("the node is back as itself", func() bool { return l.active(alive) == 3 })
	l.await("the replica is there again", func() bool { return l.inSync(alive, 2) })
	w.check(t)
	if status, _ := l.ask(alive, http.MethodGet, "/v1/bdbs/1/availability", nil); status != http.StatusOK {
		t.Errorf("availability answers %d", status)
	}
}
