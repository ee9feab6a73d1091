package crdb_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

type object = crdb.Object

func instance(name string) object {
	return object{"cluster": object{
		"name": name, "url": "https://" + name + ":9443", "credentials": object{"username": "u", "password": "p"},
	}}
}

func wish() object {
	return object{
		"name": "aa", "default_db_config": object{"memory_size": int64(1 << 30)}, "encryption": true,
		"instances": []any{instance("a"), instance("b")},
	}
}

func secrets() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("secret-", n) }
}

func made(t *testing.T) object {
	t.Helper()
	o, err := crdb.New(wish(), "guid", secrets())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestNewNumbersInstances(t *testing.T) {
	o := made(t)
	for i, name := range []string{"a", "b"} {
		inst := crdb.InstanceOn(o, name)
		if schema.IntOf(inst, "id") != int64(i+1) || crdb.ClusterName(crdb.Instance(o, int64(i+1))) != name {
			t.Errorf("instance %d is %v", i, inst)
		}
	}
	settings := crdb.Settings(o, 2)
	if settings["name"] != "aa" || settings["replication"] != true || settings["data_persistence"] != "aof" || settings["authentication_admin_pass"] != "secret-2" {
		t.Errorf("the database of an instance shall be %v", settings)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(object){
		"no name":           func(o object) { delete(o, "name") },
		"no memory":         func(o object) { o["default_db_config"] = object{} },
		"no instances":      func(o object) { o["instances"] = []any{} },
		"twice a cluster":   func(o object) { o["instances"] = []any{instance("a"), instance("a")} },
		"too many":          func(o object) { o["instances"] = eleven() },
		"no credentials":    func(o object) { delete(o["instances"].([]any)[0].(object)["cluster"].(object), "credentials") },
		"both credentials":  func(o object) { cluster(o)["certificate_auth"] = object{"client_cert": "c", "client_key": "k"} },
		"a plain address":   func(o object) { cluster(o)["url"] = "http://a" },
		"an endpoint alone": func(o object) { cluster(o)["replication_endpoint"] = "host" },
		"sharding of one":   func(o object) { o["instances"].([]any)[0].(object)["db_config"] = object{"sharding": true} },
	} {
		o := wish()
		change(o)
		_, err := crdb.New(o, "guid", secrets())
		var refusal *schema.Error
		if !errors.As(err, &refusal) || refusal.Status != 400 && refusal.Status != 406 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func cluster(o object) object { return o["instances"].([]any)[0].(object)["cluster"].(object) }

func eleven() (out []any) {
	for i := range 11 {
		out = append(out, instance(fmt.Sprint("c", i)))
	}
	return out
}

func TestNextChangesOnlyWhatIsAsked(t *testing.T) {
	now := made(t)
	next, added, removed, err := crdb.Next(now, object{"crdb": object{
		"default_db_config": object{"shards_count": int64(2)},
		"instances":         []any{object{"cluster": object{"name": "b"}, "db_config": object{"port": int64(12001)}}},
	}}, secrets())
	if err != nil || len(added)+len(removed) > 0 {
		t.Fatal(added, removed, err)
	}
	if s := crdb.Settings(next, 2); s["shards_count"] != int64(2) || s["memory_size"] != int64(1<<30) || s["port"] != int64(12001) {
		t.Errorf("instance 2 shall be %v", s)
	}
	if s := crdb.Settings(next, 1); s["port"] != nil {
		t.Errorf("instance 1 shall be %v", s)
	}
	if schema.IntOf(next, "_version") != 2 || crdb.Settings(now, 2)["shards_count"] != nil {
		t.Error("the version does not grow, or the old configuration changed")
	}
	if cluster := crdb.Instance(next, 2)["cluster"].(object); cluster["url"] == nil || cluster["credentials"] == nil {
		t.Errorf("what was not said is gone: %v", cluster)
	}
	if _, _, _, err := crdb.Next(now, object{"crdb": object{"instances": []any{instance("c")}}}, secrets()); err == nil {
		t.Error("a settings change may add an instance")
	}
}

func TestNumbersAreNotUsedTwice(t *testing.T) {
	now := made(t)
	next, _, removed, err := crdb.Next(now, object{"remove_instances": []any{int64(2)}}, secrets())
	if err != nil || !slices.Equal(removed, []int64{2}) {
		t.Fatal(removed, err)
	}
	again, added, _, err := crdb.Next(next, object{"add_instances": []any{instance("b")}}, secrets())
	if err != nil || !slices.Equal(added, []int64{3}) {
		t.Fatal(added, err)
	}
	r := crdb.Replication(again, 1)
	sources := r["crdt_sources"].([]any)
	if r["crdt_replicas"] != "1,3" || r["crdt_ghost_replica_ids"] != "2" || len(sources) != 1 || schema.IntOf(sources[0].(object), "uid") != 3 {
		t.Errorf("instance 1 replicates as %v", r)
	}
	if _, _, _, err := crdb.Next(now, object{"remove_instances": []any{int64(9)}}, secrets()); err == nil {
		t.Error("an unknown instance is removed")
	}
}

func TestMergeSeen(t *testing.T) {
	got := crdb.MergeSeen([][]string{{"x", "7", "y", "3"}, {"x", "5", "z", "1"}})
	if !slices.Equal(got, []string{"x", "5"}) {
		t.Errorf("together the shards have seen %v", got)
	}
}
