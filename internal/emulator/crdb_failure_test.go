package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// asTask starts work with an id of one's own.
func (w *worlds) asTask(i int, method, path, id string, body object) object {
	w.t.Helper()
	l, n := w.at(i)
	status, out, err := l.tryWith(n, method, path, body, http.Header{"X-Task-Id": {id}})
	answer, _ := out.(object)
	if err != nil || status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %v %v", method, path, status, out, err)
	}
	return answer
}

func TestActiveActiveFailuresLeaveNothingBehind(t *testing.T) {
	w := newWorlds(t, 1, 1)
	l, n := w.at(0)
	nothing := func(what string) {
		t.Helper()
		for i := range 2 {
			l, n := w.at(i)
			if bdbs, crdbs := l.list(n, "/v1/bdbs"), l.list(n, "/v1/crdbs"); len(bdbs)+len(crdbs) > 0 {
				t.Errorf("%s: site %d has %v %v", what, i, bdbs, crdbs)
			}
		}
	}
	for _, c := range []struct {
		name, cluster, code string
		change              func(object)
	}{
		{"a wrong password", site(1), "access_denied", func(o object) {
			o["instances"].([]object)[1]["cluster"].(object)["credentials"] = object{"username": admin, "password": "wrong"}
		}},
		{"a wrong name", "other.test", "invalid_param", func(o object) {
			o["instances"].([]object)[1]["cluster"].(object)["name"] = "other.test"
		}},
		{"a port that is not to be had on one side", site(1), "port_unavailable", func(o object) {
			o["instances"].([]object)[1]["db_config"] = object{"port": 10}
		}},
		{"replication on one node", site(1), "", func(o object) {
			o["instances"].([]object)[1]["db_config"] = object{"replication": true}
		}},
	} {
		body := w.body(0, 1)
		c.change(body)
		task := w.task(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
		list, _ := task["errors"].([]any)
		if task["status"] != "failed" || len(list) != 1 {
			t.Fatalf("%s: %v", c.name, task)
		}
		e := list[0].(object)
		if e["cluster_name"] != c.cluster || c.code != "" && e["error_code"] != c.code || e["description"] == "" {
			t.Errorf("%s: %v", c.name, e)
		}
		nothing(c.name)
	}
	for name, change := range map[string]func(object){
		"this cluster is not among the instances": func(o object) { o["instances"] = o["instances"].([]object)[1:] },
		"twice the same cluster":                  func(o object) { o["instances"] = append(o["instances"].([]object), w.instance(1)) },
		"no name":                                 func(o object) { delete(o, "name") },
		"an unknown key":                          func(o object) { o["nonsense"] = true },
		"a setting that must not differ": func(o object) {
			o["instances"].([]object)[1]["db_config"] = object{"tls_mode": "enabled"}
		},
	} {
		body := w.body(0, 1)
		change(body)
		if status, out := l.ask(n, http.MethodPost, "/v1/crdbs", body); status != http.StatusBadRequest && status != http.StatusNotAcceptable {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	nothing("refusals")
}

func TestActiveActiveTaskIsDoneOnce(t *testing.T) {
	w := newWorlds(t, 1, 1)
	const id = "3f0e5d9e-93a6-4f0f-8a0e-7b9c9f6f6d11"
	first := w.asTask(0, http.MethodPost, "/v1/crdbs", id, w.body(0, 1))
	again := w.asTask(0, http.MethodPost, "/v1/crdbs", id, w.body(0, 1))
	if first["id"] != id || again["id"] != id || first["crdb_guid"] != again["crdb_guid"] {
		t.Errorf("first %v, again %v", first, again)
	}
	guid := w.finished(0, again)
	l, n := w.at(0)
	if all := l.list(n, "/v1/crdbs"); len(all) != 1 {
		t.Errorf("there are %d databases", len(all))
	}
	status, out, _ := l.tryWith(n, http.MethodDelete, "/v1/crdbs/"+guid, nil, http.Header{"X-Task-Id": {id}})
	if status != http.StatusConflict {
		t.Errorf("another operation with the same id: %d %v", status, out)
	}
	if task := l.need(n, http.MethodGet, "/v1/crdb_tasks/"+id, nil); task["ended"] == nil || strings.Contains(fmt.Sprint(task), secret) {
		t.Errorf("the task shows %v", task)
	}
	const bye = "3f0e5d9e-93a6-4f0f-8a0e-7b9c9f6f6d12"
	w.finished(0, w.asTask(0, http.MethodDelete, "/v1/crdbs/"+guid, bye, nil))
	if late := w.asTask(0, http.MethodDelete, "/v1/crdbs/"+guid, bye, nil); late["status"] != "finished" {
		t.Errorf("a deletion that is sent again after its end: %v", late)
	}
	if running := l.list(n, "/v1/crdb_tasks"); len(running) != 0 {
		t.Errorf("tasks that run: %v", running)
	}
}

// TestActiveActiveLosesAParticipant removes a site that is gone by force, and purges it when it is back.
func TestActiveActiveLosesAParticipant(t *testing.T) {
	w := newWorlds(t, 1, 1, 1)
	body := w.body(0, 1, 2)
	doors := w.doors(body)
	l, n := w.at(0)
	gate := newDoor(t) // the way to the admin API of site 2
	gate.lead(w.labs[2].nodes[0].Addr() + ":9443")
	body["instances"].([]object)[2]["cluster"].(object)["url"] = "https://" + gate.addr()
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	a, b, c := w.client(0), w.client(1), w.client(2)
	ctx := t.Context()
	must(t, c.Set(ctx, "from the lost", "1", 0).Err())
	l.await("it is everywhere", func() bool {
		return a.Get(ctx, "from the lost").Val() == "1" && b.Get(ctx, "from the lost").Val() == "1"
	})
	gate.cut(true)
	doors[2].cut(true)

	path := "/v1/crdbs/" + guid
	for name, start := range map[string]func() object{
		"a change": func() object {
			return l.need(n, http.MethodPatch, path, object{"default_db_config": object{"memory_size": 200 << 20}})
		},
		"a removal": func() object {
			return l.need(n, http.MethodPost, path+"/updates", object{"remove_instances": []int{3}})
		},
		"a flush":    func() object { return l.need(n, http.MethodPut, path+"/flush", nil) },
		"a deletion": func() object { return l.need(n, http.MethodDelete, path, nil) },
	} {
		task := w.task(0, start())
		if task["status"] != "failed" || !strings.Contains(fmt.Sprint(task["errors"]), site(2)) {
			t.Errorf("%s without a participant: %v", name, task)
		}
	}
	if m := number(w.database(1, guid)["memory_size"]); m != 100<<20 || a.DBSize(ctx).Val() != 1 {
		t.Errorf("what failed left memory %d and %d keys", m, a.DBSize(ctx).Val())
	}
	reports := l.list(n, path+"/health_report")
	if len(reports) != 3 || reports[0]["connection_error"] != nil || reports[2]["connection_error"] == nil || reports[2]["cluster_name"] != site(2) {
		t.Errorf("the health report is %v", reports)
	}

	w.finished(0, l.need(n, http.MethodPost, path+"/updates", object{"remove_instances": []int{3}, "force_remove": true}))
	gate.cut(false)
	doors[2].cut(false)
	must(t, c.Set(ctx, "after", "1", 0).Err())
	must(t, a.Set(ctx, "still", "1", 0).Err())
	l.await("the others go on", func() bool { return b.Get(ctx, "still").Val() == "1" && w.inSync(guid, 0, 1) })
	if v := a.Get(ctx, "after").Val() + c.Get(ctx, "still").Val(); v != "" {
		t.Errorf("the removed instance still takes part: %q", v)
	}
	l2, n2 := w.at(2)
	if status, _ := l2.ask(n2, http.MethodPut, path+"/purge", object{"instances": []int{1}}); status != http.StatusNotFound {
		t.Errorf("purging an instance of another cluster answers %d", status)
	}
	w.finished(2, l2.need(n2, http.MethodPut, path+"/purge", object{"instances": []int{3}}))
	if w.database(2, guid) != nil || len(l2.list(n2, "/v1/crdbs")) != 0 {
		t.Error("after the purge something is left")
	}
	w.finished(0, l.need(n, http.MethodPost, path+"/updates", object{"add_instances": []object{w.instance(2)}}))
	if id := number(w.database(2, guid)["crdt_replica_id"]); id != 4 {
		t.Errorf("the instance that was added again has number %d", id)
	}
	c = w.client(2)
	l.await("the data is there", func() bool { return c.Get(ctx, "still").Val() == "1" && c.Get(ctx, "from the lost").Val() == "1" })
}

// TestActiveActiveSurvivesFailOver writes on both sides while one of them loses the node of its master.
func TestActiveActiveSurvivesFailOver(t *testing.T) {
	w := newWorlds(t, 3, 1)
	l, n := w.at(0)
	l.license(license(t))
	l1, n1 := w.at(1)
	l1.license(license(t))
	body := w.body(0, 1)
	body["default_db_config"] = object{
		"memory_size": 200 << 20, "replication": false, "port": 12000, "sharding": true, "shards_count": 2,
		"shard_key_regex": []object{{"regex": `.*\{(?<tag>.*)\}.*`}, {"regex": `(?<tag>.*)`}},
	}
	body["instances"].([]object)[0]["db_config"] = object{"replication": true}
	doors := w.doors(body)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	uid := number(w.database(0, guid)["uid"])
	doors[0].lead(l.endpoint(n, uid))
	l.await("the links are up", func() bool { return w.inSync(guid, 0, 1) })

	victim := l.masterNode(n, uid)
	alive := l.other(victim)
	find := func() string { return l.endpoint(alive, uid) }
	a := write(find)
	b := write(func() string { return l1.nodes[0].Addr() + ":12000" })
	a.flows(l)
	b.flows(l)
	must(t, l.nodes[victim].Kill())
	l.await("another node serves", func() bool {
		status, _, _ := l.try(alive, http.MethodGet, fmt.Sprintf("/v1/bdbs/%d/availability", uid), nil)
		return status == http.StatusOK
	})
	doors[0].lead(find())
	a.flows(l)
	b.flows(l)
	must(t, n1.KillMaster(number(w.database(1, guid)["uid"]))) // a shard that loses its last second
	b.flows(l)
	a.end()
	b.end()
	l.await("everything is on both sides", func() bool {
		doors[0].lead(find())
		x, y := client(find()), client(l1.nodes[0].Addr()+":12000")
		defer func() { _, _ = x.Close(), y.Close() }()
		size := x.DBSize(t.Context()).Val()
		return size > 0 && size == y.DBSize(t.Context()).Val()
	})
	here, there := a.find, b.find
	a.check(t)
	b.check(t)
	a.find, b.find = there, here
	a.check(t)
	b.check(t)
}

func TestActiveActiveSyncIsReported(t *testing.T) {
	w := newWorlds(t, 1, 1)
	body := w.body(0, 1)
	doors := w.doors(body)
	l, n := w.at(0)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	l.await("the links are up", func() bool { return w.inSync(guid, 0, 1) })
	path := "/v1/bdbs/" + fmt.Sprint(number(w.database(0, guid)["uid"]))
	must(t, w.client(1).Set(t.Context(), "k", strings.Repeat("x", 10000), 0).Err())
	l.await("traffic is counted", func() bool {
		peers, _ := l.need(n, http.MethodGet, path+"/peer_stats", nil)["peer_stats"].([]any)
		if len(peers) != 1 || peers[0].(object)["uid"] != "2" {
			t.Fatalf("peer_stats has %v", peers)
		}
		sample := peers[0].(object)["intervals"].([]any)[0].(object)
		return number(sample["ingress_bytes"]) > 0 && sample["local_ingress_lag_time"] != nil
	})
	if s := l.need(n, http.MethodGet, path+"/peer_stats/2?interval=5min", nil); s["uid"] != "2" {
		t.Errorf("one peer: %v", s)
	}
	if status, _ := l.ask(n, http.MethodGet, path+"/peer_stats/9", nil); status != http.StatusNotFound {
		t.Errorf("an unknown peer answers %d", status)
	}
	if s := l.need(n, http.MethodGet, path+"/syncer_state/crdt", nil); s["DB"] == nil || s["RunID"] == nil {
		t.Errorf("the syncer state is %v", s)
	}
	l.need(n, http.MethodPost, "/v1/bdbs/alerts/1", object{"bdb_crdt_src_syncer_connection_error": object{"enabled": true}})
	l.await("it is available within the tolerated lag", func() bool { return w.available(path) == http.StatusOK })

	doors[1].cut(true)
	alarm := "/v1/bdbs/crdt_sources/alerts/1/2/bdb_crdt_src_syncer_connection_error"
	l.await("the alert is raised", func() bool { return l.need(n, http.MethodGet, alarm, nil)["state"] == true })
	if status := w.available(path); status != http.StatusServiceUnavailable {
		t.Errorf("with a link cut the lag check answers %d", status)
	}
	source := w.database(0, guid)["crdt_sources"].([]any)[0].(object)
	if source["status"] != "out-of-sync" || source["last_error"] == "" || source["last_update"] == nil {
		t.Errorf("the source is %v", source)
	}
	doors[1].cut(false)
	l.await("the alert is over", func() bool { return l.need(n, http.MethodGet, alarm, nil)["state"] == false })

	l.need(n, http.MethodPut, path, object{"crdt_sync": "paused"})
	l.ready(n, number(w.database(0, guid)["uid"]))
	if status, _ := l.ask(n, http.MethodGet, path+"/syncer_state", nil); status != http.StatusNotFound {
		t.Errorf("a paused syncer has a state: %d", status)
	}
	must(t, w.client(1).Set(t.Context(), "paused", "1", 0).Err())
	if status := w.available(path); status != http.StatusServiceUnavailable {
		t.Errorf("paused, the lag check answers %d", status)
	}
	l.need(n, http.MethodPut, path, object{"crdt_sync": "enabled"})
	l.await("it catches up", func() bool { return w.client(0).Get(t.Context(), "paused").Val() == "1" })
}

func (w *worlds) available(path string) int {
	l, n := w.at(0)
	status, _, _ := l.try(n, http.MethodGet, path+"/availability?extend_check=lag", nil)
	return status
}

// TestActiveActiveTaskOutlivesItsLeader kills the leader that works on a creation; the request came in through another node.
func TestActiveActiveTaskOutlivesItsLeader(t *testing.T) {
	w := newWorlds(t, 3, 3)
	l, n := w.at(0)
	const id = "9a1f5a4e-53a4-4b53-b3c2-3f8c0a8f6a01"
	body := w.body(0, 1)
	far := w.labs[1].nodes[2] // not the leader there
	body["instances"].([]object)[1]["cluster"].(object)["url"] = far.URL()
	w.asTask(0, http.MethodPost, "/v1/crdbs", id, body)
	must(t, n.Kill())
	alive := l.nodes[1]
	l.await("the task is over", func() bool {
		_, out, _ := l.try(alive, http.MethodGet, "/v1/crdb_tasks/"+id, nil)
		task, _ := out.(object)
		if task["status"] == "failed" {
			t.Fatalf("the task failed: %v", task)
		}
		return task["status"] == "finished"
	})
	for i, node := range []*emulatorNode{alive, far} {
		bdbs, crdbs := w.labs[i].list(node, "/v1/bdbs"), w.labs[i].list(node, "/v1/crdbs")
		if len(bdbs) != 1 || len(crdbs) != 1 || bdbs[0]["crdt_guid"] != crdbs[0]["guid"] {
			t.Errorf("site %d has %v and %v", i, bdbs, crdbs)
		}
	}
}

// TestActiveActiveConcurrentChanges has both sides asked for a change at once: whatever becomes of them, the sides agree.
func TestActiveActiveConcurrentChanges(t *testing.T) {
	w := newWorlds(t, 1, 1)
	guid := w.make(0, 1)
	var answers []object
	for i := range 2 {
		l, n := w.at(i)
		answers = append(answers, l.need(n, http.MethodPatch, "/v1/crdbs/"+guid,
			object{"default_db_config": object{"memory_size": (200 + 100*i) << 20}}))
	}
	for i, answer := range answers {
		if task := w.task(i, answer); task["status"] == "failed" && !strings.Contains(fmt.Sprint(task["errors"]), "config_edit_conflict") {
			t.Errorf("the change on side %d failed otherwise: %v", i, task["errors"])
		}
	}
	l, _ := w.at(0)
	l.await("both sides have the same settings", func() bool {
		x, y := w.database(0, guid), w.database(1, guid)
		return x["status"] == "active" && y["status"] == "active" && number(x["memory_size"]) == number(y["memory_size"])
	})
	l1, n1 := w.at(1)
	w.finished(1, l1.need(n1, http.MethodPatch, "/v1/crdbs/"+guid, object{"default_db_config": object{"memory_size": 150 << 20}}))
	for i := range 2 {
		if m := number(w.database(i, guid)["memory_size"]); m != 150<<20 {
			t.Errorf("after one more change site %d has %d", i, m)
		}
	}
	if status, _ := l1.ask(n1, http.MethodPut, "/v1/bdbs/1/flush", nil); status != http.StatusNotAcceptable {
		t.Errorf("flushing one instance answers %d", status)
	}
}

// TestActiveActiveCatchesUpWithTheConfiguration changes settings by force while a participant does not answer.
func TestActiveActiveCatchesUpWithTheConfiguration(t *testing.T) {
	w := newWorlds(t, 1, 1)
	body := w.body(0, 1)
	gate := newDoor(t)
	gate.lead(w.labs[1].nodes[0].Addr() + ":9443")
	body["instances"].([]object)[1]["cluster"].(object)["url"] = "https://" + gate.addr()
	l, n := w.at(0)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	gate.cut(true)
	w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs/"+guid+"/updates", object{
		"force_update": true, "crdb": object{"default_db_config": object{"memory_size": 200 << 20}},
	}))
	if here, there := number(w.database(0, guid)["memory_size"]), number(w.database(1, guid)["memory_size"]); here != 200<<20 || there != 100<<20 {
		t.Errorf("by force: %d here, %d there", here, there)
	}
	l.await("the other side catches up", func() bool { return number(w.database(1, guid)["memory_size"]) == 200<<20 })
	gate.cut(false)
	l1, n1 := w.at(1)
	w.finished(1, l1.need(n1, http.MethodPatch, "/v1/crdbs/"+guid, object{"default_db_config": object{"memory_size": 300 << 20}}))
	for i := range 2 {
		if m := number(w.database(i, guid)["memory_size"]); m != 300<<20 {
			t.Errorf("after a change from there site %d has %d", i, m)
		}
	}
}
