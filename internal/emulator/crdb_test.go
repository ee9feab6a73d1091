package emulator_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestActiveActiveLifeCycle(t *testing.T) {
	w := newWorlds(t, 1, 1, 1)
	l, n := w.at(0)
	if status, out := l.ask(n, http.MethodPost, "/v1/crdbs?dry_run=true", w.body(0, 1)); status != http.StatusOK {
		t.Fatalf("a dry run answers %d %v", status, out)
	}
	answer := l.need(n, http.MethodPost, "/v1/crdbs", w.body(0, 1))
	if answer["status"] != "queued" || answer["id"] == nil || answer["crdb_guid"] == nil || answer["operation"] != "create_crdb" {
		t.Errorf("a create answers %v", answer)
	}
	guid := w.finished(0, answer)

	for i := range 2 {
		l, n := w.at(i)
		crdb := l.need(n, http.MethodGet, "/v1/crdbs/"+guid, nil)
		if crdb["name"] != "aa" || len(crdb["instances"].([]any)) != 2 || crdb["guid"] != guid {
			t.Errorf("site %d knows %v", i, crdb)
		}
		if all := l.list(n, "/v1/crdbs"); len(all) != 1 || strings.Contains(printed(all), secret) {
			t.Errorf("site %d lists %v", i, all)
		}
		b := w.database(i, guid)
		if b["crdt"] != true || b["name"] != "aa" || number(b["crdt_replica_id"]) != int64(i+1) || len(b["crdt_sources"].([]any)) != 1 ||
			b["data_persistence"] != "aof" || b["eviction_policy"] != "noeviction" || b["status"] != "active" {
			t.Errorf("the database of site %d is %v", i, b)
		}
		if status, _ := l.ask(n, http.MethodDelete, "/v1/bdbs/"+printed(b["uid"]), nil); status != http.StatusForbidden {
			t.Errorf("deleting an instance as a database answers %d", status)
		}
	}

	// Common settings change everywhere, those of an instance there alone; from any participant.
	l1, n1 := w.at(1)
	w.finished(1, l1.need(n1, http.MethodPatch, "/v1/crdbs/"+guid, object{
		"default_db_config": object{"memory_size": 200 << 20},
		"instances":         []object{{"id": 2, "db_config": object{"aof_policy": "appendfsync-always"}}},
	}))
	for i := range 2 {
		b := w.database(i, guid)
		policy := []string{"appendfsync-every-sec", "appendfsync-always"}[i]
		if number(b["memory_size"]) != 200<<20 || b["aof_policy"] != policy {
			t.Errorf("after a change site %d has %v and %v", i, b["memory_size"], b["aof_policy"])
		}
	}

	w.finished(1, l1.need(n1, http.MethodPost, "/v1/crdbs/"+guid+"/upgrade", object{"redis_version": "8.2"}))
	for i := range 2 {
		l, n := w.at(i)
		config := l.need(n, http.MethodGet, "/v1/crdbs/"+guid, nil)["default_db_config"].(object)
		if v := w.database(i, guid)["redis_version"]; v != "8.2" || config["redis_version"] != "8.2" {
			t.Errorf("after an upgrade site %d has version %v, its configuration %v", i, v, config["redis_version"])
		}
	}

	// A third participant, and its removal.
	w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs/"+guid+"/updates", object{"add_instances": []object{w.instance(2)}}))
	for i := range 3 {
		if b := w.database(i, guid); len(b["crdt_sources"].([]any)) != 2 || number(b["crdt_replica_id"]) != int64(i+1) {
			t.Errorf("with three, site %d has sources %v", i, b["crdt_sources"])
		}
	}
	w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs/"+guid+"/updates", object{"remove_instances": []int{3}}))
	if b := w.database(2, guid); b != nil {
		t.Errorf("the removed site still has %v", b)
	}
	if l, n := w.at(2); len(l.list(n, "/v1/crdbs")) != 0 {
		t.Error("the removed site still knows the database")
	}
	if b := w.database(1, guid); len(b["crdt_sources"].([]any)) != 1 || b["crdt_ghost_replica_ids"] != "3" {
		t.Errorf("after a removal: %v, ghosts %v", b["crdt_sources"], b["crdt_ghost_replica_ids"])
	}

	w.finished(1, l1.need(n1, http.MethodDelete, "/v1/crdbs/"+guid, nil))
	for i := range 2 {
		l, n := w.at(i)
		if b := w.database(i, guid); b != nil || len(l.list(n, "/v1/crdbs")) != 0 {
			t.Errorf("after the deletion site %d has %v", i, b)
		}
	}
}
