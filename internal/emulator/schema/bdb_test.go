package schema

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// facts of a cluster with n nodes of 8 GiB and these databases.
func facts(n int, bdbs ...Object) Facts {
	f := Facts{
		Now: testNow, Cluster: NewCluster("c.local", testNow), Policy: Settings("cluster_policy"),
		License: TrialLicense("c.local", testNow), BDBs: bdbs, AdminPassword: "admin-pass", StateID: 7,
		Roles: map[int64]bool{1: true}, ACLs: map[int64]bool{1: true},
	}
	for uid := int64(1); uid <= int64(n); uid++ {
		f.Nodes = append(f.Nodes, NewNode(uid, Machine{TotalMemory: 8 << 30}, nil, nil, testNow))
	}
	return f
}

func fromJSON(t *testing.T, text string) Object {
	t.Helper()
	var o Object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// insist compares an error with "status code", or wants none for "".
func insist(t *testing.T, err error, status int, code string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code || e.Description == "" {
		t.Fatalf("got %v, want %d %s", err, status, code)
	}
}

func TestNewBDBDefaults(t *testing.T) {
	bdb, err := NewBDB(fromJSON(t, `{"name":"db","memory_size":104857600}`), facts(1))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"eviction_policy": "volatile-lru", "conns": int64(5), "maxclients": int64(10000), "slave_buffer": "auto",
		"backup": false, "backup_interval": int64(86400), "data_persistence": "disabled", "shards_count": int64(1),
		"replication": false, "sharding": false, "port": int64(0), "tls_mode": "disabled", "ssl": false,
		"proxy_policy": "single", "shards_placement": "dense", "hash_slots_policy": "16k", "default_user": true,
		"enforce_client_authentication": "enabled", "status": "pending", "type": "redis", "redis_version": "8.2",
		"version": "8.2.0", "authentication_admin_pass": "admin-pass", "authentication_redis_pass": "",
		"created_time": "2026-03-04T05:06:07Z", "memory_size": int64(104857600), "resp3": true,
		"crdt_modules": "[]", "active_defrag_ignore_bytes": "104857600", "tracking_table_max_keys": int64(1000000),
	} {
		if bdb[field] != want {
			t.Errorf("%s = %#v, want %#v", field, bdb[field], want)
		}
	}
	if n := len(bdb["module_list"].([]any)); n != 4 {
		t.Errorf("%d modules come with a version 8 database, want 4", n)
	}
	if audit := bdb["audit_settings"].(Object); audit["audit_mode"] != "disabled" {
		t.Errorf("audit settings %v", audit)
	}
	if _, there := bdb["search"]; there {
		t.Error("module settings are shown unasked")
	}
}

func TestNewBDBFollowsThePolicy(t *testing.T) {
	f := facts(2)
	f.Policy["default_sharded_proxy_policy"], f.Policy["default_shards_placement"] = "all-nodes", "sparse"
	f.Policy["default_provisioned_redis_version"] = "7.4"
	bdb, err := NewBDB(fromJSON(t, `{"name":"db","memory_size":1,"sharding":true,"shards_count":2,
		"shard_key_regex":[{"regex":".*"}],"ssl":true,"enforce_client_authentication":"disabled"}`), f)
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"proxy_policy": "all-nodes", "shards_placement": "sparse", "redis_version": "7.4", "version": "7.4.2",
		"tls_mode": "enabled", "ssl": true,
	} {
		if bdb[field] != want {
			t.Errorf("%s = %#v, want %#v", field, bdb[field], want)
		}
	}
	if n := len(bdb["module_list"].([]any)); n != 0 {
		t.Errorf("%d modules in a version 7 database", n)
	}
}

const regex = `"shard_key_regex":[{"regex":".*\\{(?<tag>.*)\\}.*"},{"regex":"(?<tag>.*)"}]`

func TestNewBDBRefusals(t *testing.T) {
	good, expired := certificate(t, testNow.Add(time.Hour)), certificate(t, testNow.Add(-time.Hour))
	long := strings.Repeat("a", 257)
	for _, c := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"the least", `{"name":"db","memory_size":1}`, 0, ""},
		{"no name", `{"memory_size":1}`, 406, "missing_db_name"},
		{"no memory", `{"name":"db"}`, 406, "missing_memory_size"},
		{"a bad name", `{"name":"db_1","memory_size":1}`, 400, "invalid_schema"},
		{"a name that ends badly", `{"name":"db-","memory_size":1}`, 400, "invalid_schema"},
		{"a long name", `{"name":"` + strings.Repeat("a", 64) + `","memory_size":1}`, 400, "invalid_schema"},
		{"negative memory", `{"name":"db","memory_size":-1}`, 400, "invalid_schema"},
		{"memory as text", `{"name":"db","memory_size":"1"}`, 400, "invalid_schema"},
		{"a fraction", `{"name":"db","memory_size":1.5}`, 400, "invalid_schema"},
		{"a whole number with a point", `{"name":"db","memory_size":1.0}`, 0, ""},
		{"an unknown field", `{"name":"db","memory_size":1,"nope":1}`, 400, "invalid_schema"},
		{"a nested unknown field", `{"name":"db","memory_size":1,"tags":[{"key":"a","value":"b","x":1}]}`, 400, "invalid_schema"},
		{"a nested missing field", `{"name":"db","memory_size":1,"tags":[{"key":"a"}]}`, 400, "missing_field"},
		{"a null", `{"name":"db","memory_size":1,"replication":null}`, 400, "invalid_schema"},
		{"an unknown word", `{"name":"db","memory_size":1,"eviction_policy":"lru"}`, 400, "invalid_schema"},
		{"no shards", `{"name":"db","memory_size":1,"shards_count":0}`, 400, "invalid_schema"},
		{"too many shards", `{"name":"db","memory_size":1,"sharding":true,` + regex + `,"shards_count":513}`, 400, "invalid_schema"},
		{"a read-only field is dropped", `{"name":"db","memory_size":1,"status":"active"}`, 0, ""},
		{"a taken uid", `{"name":"db","memory_size":1,"uid":9}`, 409, "uid_exists"},
		{"a free uid", `{"name":"db","memory_size":1,"uid":10}`, 0, ""},
		{"a port in use", `{"name":"db","memory_size":1,"port":12000}`, 406, "port_unavailable"},
		{"a port an endpoint has", `{"name":"db","memory_size":1,"port":12001}`, 406, "port_unavailable"},
		{"a reserved port", `{"name":"db","memory_size":1,"port":15005}`, 406, "port_unavailable"},
		{"a low port", `{"name":"db","memory_size":1,"port":9999}`, 406, "port_unavailable"},
		{"the port left to others", `{"name":"db","memory_size":1,"port":10050}`, 406, "port_unavailable"},
		{"a free port", `{"name":"db","memory_size":1,"port":10000}`, 0, ""},
		{"shards without sharding", `{"name":"db","memory_size":1,"shards_count":2}`, 406, "invalid_sharding"},
		{"sharding without rules", `{"name":"db","memory_size":1,"sharding":true,"shards_count":2}`, 406, "invalid_sharding"},
		{"a long rule", `{"name":"db","memory_size":1,"sharding":true,"shard_key_regex":[{"regex":"` + long + `"}]}`, 406, "invalid_sharding"},
		{"sharding", `{"name":"db","memory_size":1,"sharding":true,"shards_count":3,` + regex + `}`, 0, ""},
		{"more shards than the licence", `{"name":"db","memory_size":1,"sharding":true,"shards_count":4,` + regex + `}`, 400, "invalid_param"},
		{"replicas count", `{"name":"db","memory_size":1,"sharding":true,"shards_count":2,"replication":true,` + regex + `}`, 400, "invalid_param"},
		{"too much memory", `{"name":"db","memory_size":17179869185}`, 406, "insufficient_resources"},
		{"snapshots without a policy", `{"name":"db","memory_size":1,"data_persistence":"snapshot"}`, 406, "invalid_data_persistence"},
		{"snapshots", `{"name":"db","memory_size":1,"data_persistence":"snapshot","snapshot_policy":[{"secs":1,"writes":1}]}`, 0, ""},
		{"backup without interval", `{"name":"db","memory_size":1,"backup":true}`, 406, "missing_backup_interval"},
		{"an unknown proxy policy", `{"name":"db","memory_size":1,"proxy_policy":"some"}`, 406, "invalid_proxy_policy"},
		{"the OSS API without sharding", `{"name":"db","memory_size":1,"oss_cluster":true}`, 406, "invalid_oss_cluster_configuration"},
		{"the OSS API through one proxy", `{"name":"db","memory_size":1,"oss_cluster":true,"sharding":true,"proxy_policy":"single",` + regex + `}`, 406, "invalid_oss_cluster_configuration"},
		{"the OSS API with old hash slots", `{"name":"db","memory_size":1,"oss_cluster":true,"sharding":true,"proxy_policy":"all-nodes","hash_slots_policy":"legacy",` + regex + `}`, 406, "invalid_oss_cluster_configuration"},
		{"the OSS API with hashing rules of one's own", `{"name":"db","memory_size":1,"oss_cluster":true,"sharding":true,"proxy_policy":"all-nodes","shard_key_regex":[{"regex":"user:(?<tag>.*)"}]}`, 406, "invalid_oss_cluster_configuration"},
		{"the OSS API", `{"name":"db","memory_size":1,"oss_cluster":true,"sharding":true,"proxy_policy":"all-nodes",` + regex + `}`, 0, ""},
		{"TLS without client certificates", `{"name":"db","memory_size":1,"tls_mode":"enabled"}`, 406, "invalid_certificate"},
		{"TLS without client authentication", `{"name":"db","memory_size":1,"tls_mode":"enabled","enforce_client_authentication":"disabled"}`, 0, ""},
		{"TLS with a certificate", `{"name":"db","memory_size":1,"tls_mode":"enabled","authentication_ssl_client_certs":[{"client_cert":` + good + `}]}`, 0, ""},
		{"no certificate at all", `{"name":"db","memory_size":1,"authentication_ssl_client_certs":[{"client_cert":"x"}]}`, 406, "invalid_certificate"},
		{"an expired certificate", `{"name":"db","memory_size":1,"authentication_ssl_client_certs":[{"client_cert":` + expired + `}]}`, 406, "certificate_expired"},
		{"a certificate twice", `{"name":"db","memory_size":1,"authentication_ssl_client_certs":[{"client_cert":` + good + `},{"client_cert":` + good + `}]}`, 406, "duplicated_certs"},
		{"a tag twice", `{"name":"db","memory_size":1,"tags":[{"key":"a","value":"1"},{"key":"a","value":"2"}]}`, 406, "invalid_bdb_tags"},
		{"an unknown module", `{"name":"db","memory_size":1,"module_list":[{"module_name":"rejson"}]}`, 406, "missing_module"},
		{"a known module", `{"name":"db","memory_size":1,"module_list":[{"module_name":"ReJSON"}]}`, 0, ""},
		{"modules in memcached", `{"name":"db","memory_size":1,"type":"memcached","module_list":[{"module_name":"ReJSON"}]}`, 406, "memcached_cannot_use_modules"},
		{"half of the SASL credentials", `{"name":"db","memory_size":1,"type":"memcached","authentication_sasl_uname":"u"}`, 406, "invalid_sasl_credentials"},
		{"a full version", `{"name":"db","memory_size":1,"redis_version":"7.2.4"}`, 406, "invalid_version"},
		{"an unknown version", `{"name":"db","memory_size":1,"redis_version":"9.0"}`, 406, "invalid_version"},
		{"racks without racks", `{"name":"db","memory_size":1,"rack_aware":true}`, 406, "not_rack_aware"},
		{"an unknown role", `{"name":"db","memory_size":1,"roles_permissions":[{"role_uid":5,"redis_acl_uid":1}]}`, 400, "invalid_param"},
		{"a source of another scheme", `{"name":"db","memory_size":1,"replica_sources":[{"uri":"http://a:1"}]}`, 400, "invalid_schema"},
		{"nodes that leave none", `{"name":"db","memory_size":1,"use_nodes":["7"]}`, 406, "insufficient_resources"},
		{"a blueprint of the wrong size", `{"name":"db","memory_size":1,"shards_blueprint":[]}`, 406, "bad_shards_blueprint"},
		{"a blueprint with a stranger", `{"name":"db","memory_size":1,"shards_blueprint":[{"slot_range":"0-16383","nodes":[{"node_uid":"8","role":"master"}]}]}`, 406, "bad_shards_blueprint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := Object{"uid": int64(9), "port": int64(12000), "memory_size": int64(1024), "shards_count": int64(1),
				"endpoints": []any{Object{"port": int64(12001)}}}
			f := facts(2, other)
			f.Cluster["reserved_ports"] = []any{"15000-15010"}
			_, err := NewBDB(fromJSON(t, c.body), f)
			insist(t, err, c.status, c.code)
		})
	}
}

func TestReplicationNeedsTwoNodes(t *testing.T) {
	body := `{"name":"db","memory_size":1,"replication":true}`
	_, err := NewBDB(fromJSON(t, body), facts(1))
	insist(t, err, 406, "invalid_replication")
	_, err = NewBDB(fromJSON(t, body), facts(2))
	insist(t, err, 0, "")
	f := facts(2)
	f.Nodes[1]["accept_servers"] = false
	_, err = NewBDB(fromJSON(t, body), f)
	insist(t, err, 406, "invalid_replication")
}

func TestRacks(t *testing.T) {
	body := `{"name":"db","memory_size":1,"replication":true,"rack_aware":true}`
	f := facts(2)
	f.Policy["rack_aware"] = true
	f.Nodes[0]["rack_id"], f.Nodes[1]["rack_id"] = "A", "a"
	_, err := NewBDB(fromJSON(t, body), f)
	insist(t, err, 406, "rack_awareness_violation")
	f.Nodes[1]["rack_id"] = "b"
	_, err = NewBDB(fromJSON(t, body), f)
	insist(t, err, 0, "")
}

func TestAnExpiredLicenceStopsChanges(t *testing.T) {
	f := facts(1)
	old, err := NewBDB(fromJSON(t, `{"name":"db","memory_size":1}`), f)
	insist(t, err, 0, "")
	f.Now = testNow.Add(31 * 24 * time.Hour)
	_, err = NewBDB(fromJSON(t, `{"name":"db","memory_size":1}`), f)
	insist(t, err, 403, "invalid_license")
	_, err = ChangeBDB(old, fromJSON(t, `{"memory_size":2}`), f)
	insist(t, err, 403, "invalid_license")
}

func TestAStaleBlueprintIsRefused(t *testing.T) {
	f, stale := facts(1), int64(6)
	body := `{"name":"db","memory_size":1,"shards_blueprint":[{"slot_range":"0-16383","nodes":[{"node_uid":"1","role":"master"}]}]}`
	f.AskedFor = &stale
	_, err := NewBDB(fromJSON(t, body), f)
	insist(t, err, 406, "wrong_cluster_state_id")
	f.AskedFor = &f.StateID
	bdb, err := NewBDB(fromJSON(t, body), f)
	insist(t, err, 0, "")
	if bdb["_shards_blueprint"] == nil || bdb["shards_blueprint"] != nil {
		t.Error("the blueprint belongs in a private field")
	}
}

func TestChangeBDB(t *testing.T) {
	f := facts(1)
	f.License["shards_limit"] = int64(100)
	old, err := NewBDB(fromJSON(t, `{"name":"db","memory_size":104857600,"sharding":true,"shards_count":2,`+regex+`}`), f)
	if err != nil {
		t.Fatal(err)
	}
	old["uid"], old["endpoints"] = int64(1), []any{Object{"port": int64(10003)}}
	f.BDBs = []Object{old}
	for _, c := range []struct {
		name, body string
		status     int
		code       string
		keys       string
	}{
		{"one field", `{"memory_size":209715200}`, 0, "", "memory_size"},
		{"what was read is sent back", `{"uid":1,"type":"redis","redis_version":"8.2","status":"active","conns":6}`, 0, "", "conns"},
		{"another uid", `{"uid":2}`, 406, "invalid_param", ""},
		{"another type", `{"type":"memcached"}`, 406, "invalid_param", ""},
		{"another version", `{"redis_version":"7.4"}`, 406, "invalid_param", ""},
		{"flash later", `{"bigstore":true}`, 406, "invalid_param", ""},
		{"an unknown field", `{"nope":1}`, 400, "invalid_schema", ""},
		{"replication on one node", `{"replication":true}`, 406, "replication_node_violation", ""},
		{"fewer shards", `{"shards_count":1}`, 406, "invalid_sharding", ""},
		{"no multiple", `{"shards_count":3}`, 406, "invalid_sharding", ""},
		{"a multiple", `{"shards_count":4}`, 0, "", "shards_count"},
		{"sharding off", `{"sharding":false}`, 406, "invalid_sharding", ""},
		{"racks", `{"rack_aware":true}`, 406, "rack_awareness_violation", ""},
		{"a port of nobody's choice", `{"port":0}`, 0, "", ""},
		{"the port it has", `{"port":10003}`, 0, "", ""},
		{"another port", `{"port":10004}`, 406, "invalid_param", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ChangeBDB(old, fromJSON(t, c.body), f)
			insist(t, err, c.status, c.code)
			if keys := strings.Join(sortedKeys(got), ","); keys != c.keys {
				t.Errorf("changes %s, want %s", keys, c.keys)
			}
		})
	}
}

func TestActiveActiveInstancesKeepTheirShape(t *testing.T) {
	f := facts(2)
	old, err := NewBDB(fromJSON(t, `{"name":"db","memory_size":1,"crdt":true,"replication":true}`), f)
	insist(t, err, 0, "")
	if old["eviction_policy"] != "noeviction" || len(old["module_list"].([]any)) != 2 {
		t.Errorf("an Active-Active database has %v and %v", old["eviction_policy"], old["module_list"])
	}
	for body, code := range map[string]string{
		`{"name":"other"}`: "name_violation", `{"replication":false}`: "replication_violation",
		`{"sharding":true,"oss_sharding":true}`: "crdt_sharding_violation",
	} {
		_, err := ChangeBDB(old, fromJSON(t, body), f)
		insist(t, err, 406, code)
	}
}

// certificate is a self-signed one that ends at this time, as a JSON text.
func certificate(t *testing.T, end time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: end.Add(-24 * time.Hour), NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, &tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
