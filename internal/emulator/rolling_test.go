package emulator_test

import (
	"net/http"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

// TestRollingRestart does to the nodes what a rolling change of a StatefulSet does: drain, end, come back with another
// address and newer software, one after the other, while clients write.
func TestRollingRestart(t *testing.T) {
	version := "8.2.0-46"
	l := newLab(t, 3, func(c *emulator.Config) { c.SoftwareVersion = version })
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true, "data_persistence": "aof"})
	single := l.create(object{"name": "single", "memory_size": 100 << 20, "data_persistence": "aof"})
	at := l.nodes[0]
	find := func(uid int64) func() string {
		return func() string {
			for _, n := range l.nodes {
				if e := l.endpoint(n, uid); e != "" {
					return e
				}
			}
			return ""
		}
	}
	w, w2 := write(find(uid)), write(find(single))
	version = "8.2.0-101"
	for i := range l.nodes {
		at = l.other(i)
		w.flows(l)
		w2.flows(l)
		l.nodeAction(at, int64(i+1), "maintenance_on", object{})
		must(t, l.nodes[i].Close(t.Context()))
		w.flows(l)
		w2.flows(l)
		l.boot(i, freshHost(t))
		l.await("the node is back", func() bool { return l.active(at) == 3 })
		l.nodeAction(at, int64(i+1), "maintenance_off", object{})
		l.await("all shards are in order", func() bool { return l.inSync(at, 3) })
		check := l.need(at, http.MethodGet, "/v1/cluster/check", nil)
		if check["cluster_test_result"] != true {
			t.Errorf("after the return of node %d: %v", i+1, check)
		}
	}
	w.flows(l)
	w.end()
	w2.end()
	w.check(t)
	w2.check(t)
	for _, o := range l.list(at, "/v1/nodes") {
		if o["software_version"] != version {
			t.Errorf("node %v says it runs %v", o["uid"], o["software_version"])
		}
	}
}
