package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
)

// spread counts the shards of a database on each node.
func (l *lab) spread(uid int64) map[string]int {
	l.t.Helper()
	count := map[string]int{}
	for _, shard := range l.list(l.nodes[0], "/v1/shards") {
		if number(shard["bdb_uid"]) == uid {
			count[fmt.Sprint(shard["node_uid"])]++
		}
	}
	return count
}

// ends waits until what was asked for has ended in some way.
func (l *lab) ends(asked object, how string) {
	l.t.Helper()
	l.await("the action is "+how, func() bool {
		return l.need(l.nodes[0], http.MethodGet, "/v1/actions/"+fmt.Sprint(asked["action_uid"]), nil)["status"] == how
	})
}

func TestRebalanceAndRevampMoveShards(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	for _, node := range []string{"2", "3"} { // so that all shards begin on the first
		l.need(l.nodes[0], http.MethodPut, "/v1/nodes/"+node, object{"accept_servers": false})
	}
	uid := l.create(object{
		"name": "orders", "memory_size": 200 << 20, "sharding": true, "shards_count": 2, "shards_placement": "sparse",
		"shard_key_regex": []object{{"regex": `.*\{(?<tag>.*)\}.*`}, {"regex": `(?<tag>.*)`}},
	})
	if got := l.spread(uid); len(got) != 1 {
		t.Fatalf("begins with %v", got)
	}
	for _, node := range []string{"2", "3"} {
		l.need(l.nodes[0], http.MethodPut, "/v1/nodes/"+node, object{"accept_servers": true})
	}
	l.ends(l.need(l.nodes[0], http.MethodPut, "/v1/bdbs/1/actions/rebalance", object{}), "completed")
	if got := l.spread(uid); len(got) != 2 {
		t.Errorf("spread over %v", got)
	}
	l.ends(l.need(l.nodes[0], http.MethodPut, "/v1/bdbs/1/actions/revamp", object{"memory_size": 300 << 20}), "completed")
	if got := number(l.bdb(l.nodes[0], uid)["memory_size"]); got != 300<<20 {
		t.Errorf("memory_size %d", got)
	}
}

func TestMaintenanceLeavesANodeThatTakesNoShards(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	for _, accepts := range []bool{false, true} {
		l.need(l.nodes[0], http.MethodPut, "/v1/nodes/2", object{"accept_servers": accepts})
		for _, action := range []string{"maintenance_on", "maintenance_off", "maintenance_off"} {
			l.nodeAction(l.nodes[0], 2, action, object{})
		}
		if got := l.need(l.nodes[0], http.MethodGet, "/v1/nodes/2", nil)["accept_servers"]; got != accepts {
			t.Errorf("accept_servers is %v, not %v", got, accepts)
		}
	}
}

func TestAChangeOfWhatWasNeverMadeDoesNotMakeIt(t *testing.T) {
	l := newLab(t, 1, nil)
	l.form()
	l.need(l.nodes[0], http.MethodPut, "/v1/nodes/1", object{"accept_servers": false})
	made := l.need(l.nodes[0], http.MethodPost, "/v1/bdbs", object{"name": "orders", "memory_size": 100 << 20})
	uid := number(made["uid"])
	failed := func() bool { return l.bdb(l.nodes[0], uid)["status"] == "creation-failed" }
	l.await("the creation fails", failed)
	l.ends(l.need(l.nodes[0], http.MethodPut, "/v1/bdbs/1", object{"memory_size": 120 << 20}), "failed")
	if !failed() {
		t.Errorf("status %v", l.bdb(l.nodes[0], uid)["status"])
	}
}
