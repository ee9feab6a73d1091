package schema

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDecimalsKeepTheirPoint(t *testing.T) {
	node := NewNode(3, Machine{PersistentSize: 1 << 40, EphemeralSize: 1}, nil, nil, testNow)
	data, err := Marshal("node", reread(t, node), View{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"persistent_storage_size":1099511627776.0`, `"ephemeral_storage_size":1.0`, `"uid":3,`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
}

// reread passes an object through JSON, as a store does.
func reread(t *testing.T, o Object) Object {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return fromJSON(t, string(data))
}

func TestUIDTypesAsOnTheWire(t *testing.T) {
	shard := NewShard(ShardPlace{UID: 4, BDB: 2, Node: 1, Role: "master", Slots: "0-16383"}, testNow)
	if shard["uid"] != "4" || shard["node_uid"] != "1" || shard["bdb_uid"] != int64(2) {
		t.Errorf("shard %v", shard)
	}
	if local := NewLocalNode(5, Machine{}, testNow); local["uid"] != "5" {
		t.Errorf("local node uid %#v", local["uid"])
	}
}

func TestRender(t *testing.T) {
	bdb := Object{
		"uid": 1.0, "name": "db", "authentication_admin_pass": "secret", "_private": 1, "search": Object{"search-timeout": 1},
		"dataset_import_sources": []any{Object{"type": "url"}},
	}
	plain := Render("bdb", bdb, View{})
	if plain["_private"] != nil || plain["search"] != nil || plain["authentication_admin_pass"] != "secret" || plain["uid"] != int64(1) {
		t.Errorf("plain: %v", plain)
	}
	if sources, _ := plain["dataset_import_sources"].([]any); sources == nil || len(sources) != 0 {
		t.Errorf("import sources read back as %v", plain["dataset_import_sources"])
	}
	if masked := Render("bdb", bdb, View{Mask: true, Extended: true}); masked["search"] == nil ||
		masked["authentication_admin_pass"] == "secret" {
		t.Errorf("masked and extended: %v", masked)
	}
	if some := Render("bdb", bdb, View{Fields: []string{"name"}}); len(some) != 1 {
		t.Errorf("only the name: %v", some)
	}
	if user := Render("user", Object{"uid": 1, "password": "p"}, View{}); user["password"] != nil {
		t.Error("passwords are shown")
	}
}

func TestJSONSchema(t *testing.T) {
	o, ok := JSONSchema("bdb")
	if !ok {
		t.Fatal("no schema of bdb")
	}
	properties := o["properties"].(Object)
	count := properties["shards_count"].(Object)
	if count["type"] != "integer" || count["minimum"] != 1.0 || count["maximum"] != 512.0 || count["default"] != int64(1) {
		t.Errorf("shards_count: %v", count)
	}
	if tags := properties["tags"].(Object); tags["items"].(Object)["type"] != "object" {
		t.Errorf("tags: %v", tags)
	}
	if _, ok := JSONSchema("nonsense"); ok {
		t.Error("there is a schema of nonsense")
	}
	if _, err := json.Marshal(o); err != nil {
		t.Error(err)
	}
}

func TestLicenses(t *testing.T) {
	trial := TrialLicense("c.local", testNow)
	if LicenseExpired(trial, testNow.Add(29*24*time.Hour)) || !LicenseExpired(trial, testNow.Add(31*24*time.Hour)) {
		t.Error("a trial lasts 30 days")
	}
	text, err := LicenseText(Object{"shards_limit": 100, "owner": "me", "cluster_name": "c.local",
		"expiration_date": Timestamp(testNow.Add(time.Hour))})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadLicense(text, "c.local", testNow)
	if err != nil || got["shards_limit"] != int64(100) || got["owner"] != "me" || got["license"] != text {
		t.Errorf("license %v, %v", got, err)
	}
	for name, c := range map[string]struct{ text, cluster string }{
		"another cluster": {text, "d.local"}, "no text": {"", "c.local"}, "no frame": {"abc", "c.local"},
		"noise": {"----- LICENSE START -----\nZm9v\n----- LICENSE END -----", "c.local"},
	} {
		var e *Error
		if _, err := ReadLicense(c.text, c.cluster, testNow); !errors.As(err, &e) || e.Code != "invalid_license" || e.Status != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryStatisticIsNamed(t *testing.T) {
	for kind, want := range map[string]int{"cluster": 29, "node": 30, "bdb": 60, "shard": 48} {
		seen := map[string]bool{}
		for _, n := range StatNames(kind) {
			seen[n] = true
		}
		if len(seen) != want || len(StatNames(kind)) != want {
			t.Errorf("%s has %d statistics (%d names), want %d", kind, len(StatNames(kind)), len(seen), want)
		}
	}
}

func TestInt(t *testing.T) {
	for _, v := range []any{7, int64(7), 7.0, json.Number("7"), json.Number("7.0"), "7"} {
		if n, ok := Int(v); !ok || n != 7 {
			t.Errorf("Int(%#v) = %d, %v", v, n, ok)
		}
	}
	for _, v := range []any{nil, 7.5, "x", true, 1e300} {
		if n, ok := Int(v); ok {
			t.Errorf("Int(%#v) = %d", v, n)
		}
	}
}
