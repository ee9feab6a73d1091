package emulator_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// TestOneFailureAfterTheOther breaks one thing at a time, in any order, lets the cluster heal, and counts what clients
// were promised. CHAOS_ROUNDS makes it longer.
func TestOneFailureAfterTheOther(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("CHAOS_ROUNDS")); err == nil {
		rounds = n
	}
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 200 << 20, "replication": true, "data_persistence": "aof"})
	find := func() string {
		for _, n := range l.nodes {
			if e := l.endpoint(n, uid); e != "" {
				return e
			}
		}
		return ""
	}
	w := write(find)
	for range rounds {
		w.flows(l)
		i := rand.IntN(len(l.nodes))
		at := l.other(i)
		what := []string{"kill", "close", "isolate", "kill the process of the master"}[rand.IntN(4)]
		t.Logf("node %d: %s", i+1, what)
		switch what {
		case "kill":
			must(t, l.nodes[i].Kill())
			w.flows(l)
			l.boot(i, freshHost(t))
		case "close":
			must(t, l.nodes[i].Close(t.Context()))
			w.flows(l)
			l.boot(i, l.nodes[i].Addr())
		case "isolate":
			l.nodes[i].Isolate(true)
			l.await("the node counts as lost", func() bool { return l.active(at) == 2 })
			l.nodes[i].Isolate(false)
		default:
			must(t, l.nodes[l.masterNode(at, uid)].KillMaster(uid))
		}
		l.await("the cluster has healed", func() bool { return l.active(at) == 3 && l.inSync(at, 2) })
	}
	w.flows(l)
	w.end()
	w.check(t)
}
