package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
)

func TestDatabaseLife(t *testing.T) {
	b := newBench(t, 2)
	b.engine.Steps = 2
	dry := b.post("/v1/bdbs?dry_run", `{"name":"db","memory_size":1048576}`).ok()
	if dry["status"] != "pending" || dry["uid"] != nil || len(b.get("/v1/bdbs").list()) != 0 {
		t.Fatalf("dry run: %v", dry)
	}
	created := b.post("/v1/bdbs", `{"name":"db","memory_size":1048576}`).ok()
	action, _ := created["action_uid"].(string)
	if created["uid"] != 1.0 || created["status"] != "pending" || action == "" {
		t.Fatalf("created %v", created)
	}
	b.put("/v1/bdbs/1", `{"memory_size":2097152}`).is(409, "db_busy")
	b.delete("/v1/bdbs/1").is(409, "db_busy")
	if a := b.get("/v1/actions/" + action).ok(); a["name"] != "SMCreateBDB" || a["status"] != "active" || a["object_name"] != "bdb:1" {
		t.Errorf("v1 action %v", a)
	}
	if a := b.get("/v2/actions/" + action).ok(); a["status"] != "completed" || a["action_type"] != "state-machine" {
		t.Errorf("v2 action %v", a)
	}
	db := b.get("/v1/bdbs/1").ok()
	endpoints, _ := db["endpoints"].([]any)
	if db["status"] != "active" || len(endpoints) != 1 {
		t.Fatalf("database %v", db)
	}
	b.get("/v1/bdbs/1/availability").is(200, "")
	b.get("/v1/local/bdbs/1/endpoint/availability").is(200, "")
	b.get("/v1/bdbs/1/availability?extend_check=lag").is(503, "bdb_unavailable")
	b.get("/v1/bdbs/1/availability?extend_check=lag&availability_lag_tolerance_ms=soon").is(400, "")
	b.get("/v1/bdbs/1/availability?extend_check=nonsense").is(400, "invalid_schema")
	b.get("/v1/bdbs/2/availability").is(404, "db_not_found")

	changed := b.put("/v1/bdbs/1", `{"memory_size":2097152}`).ok()
	if changed["status"] != "active-change-pending" || changed["memory_size"] != 2097152.0 || changed["action_uid"] == "" {
		t.Errorf("changed %v", changed)
	}
	for range 2 {
		b.get("/v1/actions").is(200, "")
	}
	if list := b.get("/v1/actions/bdb/1").list(); len(list) != 2 {
		t.Errorf("actions of the database: %v", list)
	}
	b.get("/v1/actions/bdb/7").is(404, "db_not_exist")
	b.put("/v1/bdbs/1/nonsense", `{}`).is(404, "not_found")
	b.put("/v1/bdbs/1", "").is(400, "invalid_schema")
	b.put("/v1/bdbs/1?dry_run", `{"memory_size":1}`).is(200, "")
	if now := b.get("/v1/bdbs/1?fields=memory_size").ok(); len(now) != 1 || now["memory_size"] != 2097152.0 {
		t.Errorf("after a dry run: %v", now)
	}
	b.put("/v1/bdbs/1/flush", `{}`).is(200, "")
	for range 2 {
		b.get("/v1/actions").is(200, "")
	}
	if a := b.delete("/v1/bdbs/1").ok(); a["action_uid"] == "" {
		t.Errorf("delete answers %v", a)
	}
	b.delete("/v1/bdbs/1").is(409, "db_busy")
	for range 2 {
		b.get("/v1/actions").is(200, "")
	}
	b.get("/v1/bdbs/1").is(404, "db_not_exist")
	b.delete("/v1/bdbs/1").is(404, "db_not_exist")
	b.put("/v1/bdbs/1", `{"memory_size":1}`).is(404, "db_not_exist")
}

func TestAChosenUIDMakesCreateSafeToRepeat(t *testing.T) {
	b := newBench(t, 1)
	body := `{"uid":7,"name":"db","memory_size":1}`
	if o := b.post("/v1/bdbs", body).ok(); o["uid"] != 7.0 {
		t.Errorf("uid %v", o["uid"])
	}
	b.post("/v1/bdbs", body).is(409, "uid_exists")
}

func TestVersion2Create(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v2/bdbs", `{"name":"db","memory_size":1}`).is(400, "invalid_schema")
	b.post("/v2/bdbs", `{"bdb":{"name":"db","memory_size":1},"x":1}`).is(400, "invalid_schema")
	b.post("/v2/bdbs", `{"bdb":{"name":"db","memory_size":1},"recovery_plan":{"data_files":[{}]}}`).is(501, "unsupported_resource")
	b.post("/v2/bdbs", `{"bdb":{"name":"db","memory_size":1}}`).is(200, "")
}

func TestTheTrialLicenceIsFull(t *testing.T) {
	b := newBench(t, 2)
	for range 2 {
		b.post("/v1/bdbs", `{"name":"db","memory_size":1,"replication":true}`).is(200, "")
	}
	r := b.post("/v1/bdbs", `{"name":"db","memory_size":1}`)
	r.is(400, "invalid_param")
	if !strings.Contains(string(r.body), "Total shards count exceeds amount of total shards permitted by license") {
		t.Errorf("body %s", r.body)
	}
	if l := b.get("/v1/license").ok(); l["ram_shards_in_use"] != 4.0 || l["shards_limit"] != 4.0 || l["ram_shards_limit"] != nil {
		t.Errorf("licence %v", l)
	}
	b.now = b.now.Add(31 * 24 * time.Hour)
	b.put("/v1/bdbs/1", `{"memory_size":2}`).is(403, "invalid_license")
	b.get("/v1/bdbs/1").is(200, "")
}

func TestDatabasePasswords(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1,"authentication_redis_pass":"one"}`).is(200, "")
	shown := func() any { return b.get("/v1/bdbs/1").ok()["authentication_redis_pass"] }
	b.post("/v1/bdbs/1/passwords", `{"password":"two"}`).is(200, "")
	if got := shown(); got != "two" {
		t.Errorf("after adding: %v", got)
	}
	b.do("DELETE", "/v1/bdbs/1/passwords", `{"password":"two"}`).is(200, "")
	if got := shown(); got != "one" {
		t.Errorf("after removing: %v", got)
	}
	b.do("DELETE", "/v1/bdbs/1/passwords", `{"password":"two"}`).is(406, "invalid_param")
	b.put("/v1/bdbs/1/passwords", `{"password":"three"}`).is(200, "")
	if got := shown(); got != "three" {
		t.Errorf("after replacing: %v", got)
	}
	b.put("/v1/bdbs/1/passwords", `{}`).is(400, "missing_field")
	b.put("/v1/bdbs/9/passwords", `{"password":"x"}`).is(404, "db_not_exist")
	old := b.get("/v1/bdbs/1").ok()["authentication_admin_pass"]
	if text, _ := old.(string); len(text) != 48 {
		t.Errorf("admin password %v", old)
	}
	b.put("/v1/bdbs/1/reset_admin_pass", "").is(200, "")
	if b.get("/v1/bdbs/1").ok()["authentication_admin_pass"] == old {
		t.Error("the admin password stayed")
	}
	b.put("/v1/cluster", `{"mask_bdb_credentials":true}`).is(200, "")
	if got := shown(); got == "three" {
		t.Error("credentials are shown although masked")
	}
}

func TestDatabaseActions(t *testing.T) {
	b := newBench(t, 2)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1}`).is(200, "")
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/v1/bdbs/1/actions/export", `{"export_location":{"type":"mount_point","path":"/x"}}`, 200, ""},
		{"POST", "/v1/bdbs/1/actions/export", `{}`, 400, "missing_field"},
		{"POST", "/v1/bdbs/1/actions/export", `{"export_location":{"type":"tape"}}`, 400, "invalid_schema"},
		{"POST", "/v1/bdbs/1/actions/import", `{"dataset_import_sources":[{"type":"url","url":"http://x/y.rdb"}]}`, 200, ""},
		{"POST", "/v1/bdbs/1/actions/import", `{"nope":1}`, 400, "invalid_schema"},
		{"PUT", "/v1/bdbs/1/actions/import_reset_status", "", 200, ""},
		{"PUT", "/v1/bdbs/1/actions/rebalance", "", 200, ""},
		{"PUT", "/v1/bdbs/1/actions/revamp", `{"shards_count":0}`, 400, "invalid_schema"},
		{"GET", "/v1/bdbs/1/actions/optimize_shards_placement", "", 200, ""},
		{"GET", "/v1/bdbs/1/actions/recover", "", 200, ""},
		{"POST", "/v1/bdbs/1/actions/recover", "", 501, "unsupported_resource"},
		{"POST", "/v1/bdbs/1/actions/stop_traffic", "", 200, ""},
		{"POST", "/v1/bdbs/1/actions/resume_traffic", "", 200, ""},
		{"POST", "/v1/bdbs/9/actions/stop_traffic", "", 404, "db_not_exist"},
		{"POST", "/v1/bdbs/1/actions/backup", "", 404, "not_found"},
		{"POST", "/v1/bdbs/1/upgrade", `{"redis_version":"8.2"}`, 200, ""},
		{"POST", "/v1/bdbs/alerts/1", `{"bdb_proxy_cert_expiring_soon":{"enabled":true,"threshold":"30"}}`, 200, ""},
		{"POST", "/v1/bdbs/1/upgrade", `{"redis_version":"9.9"}`, 406, "invalid_version"},
		{"GET", "/v1/bdbs/1/modules", "", 404, "not_found"},
		{"GET", "/v1/bdbs/1/alerts", "", 404, "not_found"},
		{"GET", "/v1/bdbs/1/syncer_state", "", 404, "not_found"},
		{"GET", "/v1/bdbs/1/peer_stats", "", 406, "invalid_param"},
		{"GET", "/v1/migrations/1", "", 404, "not_found"},
		{"POST", "/v1/bdbs/1/modules/config", `{"modules":[{"module_name":"search","module_args":"A 1"}]}`, 200, ""},
		{"POST", "/v1/bdbs/1/modules/config", `{"modules":[{"module_name":"rg","module_args":"A 1"}]}`, 404, "module_not_exist"},
		{"GET", "/v1/bdbs/1/certificates", "", 404, "not_found"},
		{"GET", "/v1/crdbs", "", 200, ""},
		{"POST", "/v1/crdbs", `{}`, 400, "invalid_schema"},
		{"GET", "/v1/crdb_tasks/x", "", 404, "not_found"},
	} {
		t.Run(c.method+" "+c.path+" "+c.body, func(t *testing.T) {
			b.in(t).do(c.method, c.path, c.body).is(c.status, c.code)
		})
	}
	b.put("/v1/bdbs/9/actions/export_reset_status", "").is(404, "db_not_exist")
	failed := b.get("/v1/bdbs/1").ok()
	failed["export_status"], failed["export_failure_reason"] = "failed", "no-permission"
	b.engine.Put(api.KindBDB, "1", failed)
	b.put("/v1/bdbs/1/actions/export_reset_status", "").is(200, "")
	if now := b.get("/v1/bdbs/1").ok(); now["export_status"] != "" || now["export_failure_reason"] != "" {
		t.Errorf("after a reset: %v %v", now["export_status"], now["export_failure_reason"])
	}
	if r := b.put("/v1/bdbs/1/actions/revamp?dry_run=true", `{}`); !strings.Contains(string(r.body), "slot_range") {
		t.Errorf("a dry revamp answers %s", r.body)
	}
	if a := b.put("/v1/bdbs/1/actions/rebalance", "").ok(); a["action_uid"] == nil {
		t.Errorf("rebalance answers %v", a)
	}
}

func TestDatabaseAlerts(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1}`).is(200, "")
	b.post("/v1/bdbs/alerts/1", `{"bdb_size":{"enabled":true,"threshold":"80"}}`).is(200, "")
	b.post("/v1/bdbs/alerts/1", `{"bdb_high_latency":{"enabled":true,"threshold":"100"}}`).is(200, "")
	b.post("/v1/bdbs/alerts/1", `{"bdb_nope":{"enabled":true}}`).is(400, "invalid_schema")
	size := b.get("/v1/bdbs/alerts/1/bdb_size").ok()
	if size["enabled"] != true || size["threshold"] != "80" || size["state"] != false {
		t.Errorf("bdb_size %v", size)
	}
	if all := b.get("/v1/bdbs/alerts").ok(); len(all["1"].(map[string]any)) != 19 {
		t.Errorf("alerts %v", all)
	}
	b.get("/v1/bdbs/alerts/1/nope").is(404, "not_found")
	b.get("/v1/bdbs/alerts/9").is(404, "db_not_exist")
	b.get("/v1/bdbs/replica_sources/alerts/1").is(200, "")
	b.get("/v1/bdbs/crdt_sources/alerts/1/5").is(404, "not_found")
}

func TestShards(t *testing.T) {
	b := newBench(t, 2)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1,"replication":true}`).is(200, "")
	shards := b.get("/v1/shards").list()
	if len(shards) != 2 || shards[0]["uid"] != "1" || shards[0]["bdb_uid"] != 1.0 || shards[0]["node_uid"] != "1" {
		t.Fatalf("shards %v", shards)
	}
	if mine := b.get("/v1/bdbs/1/shards").list(); len(mine) != 2 {
		t.Errorf("shards of the database %v", mine)
	}
	b.post("/v1/shards/2/actions/failover", "").is(400, "shard_is_slave")
	b.post("/v1/shards/9/actions/failover", "").is(404, "shard_not_exist")
	b.post("/v1/shards/actions/failover", `{}`).is(404, "shard_uids_required")
	if a := b.post("/v1/shards/1/actions/failover", "").ok(); a["action_uid"] == nil || a["description"] == nil {
		t.Errorf("failover answers %v", a)
	}
	b.post("/v1/shards/1/actions/migrate", `{}`).is(404, "node_not_found")
	b.post("/v1/shards/1/actions/migrate", `{"target_node_uid":9}`).is(404, "node_not_found")
	b.post("/v1/shards/1/actions/migrate", `{"target_node_uid":1}`).is(400, "invalid_param")
	b.post("/v1/shards/1/actions/migrate", `{"target_node_uid":2}`).is(200, "")
	b.post("/v1/bdbs", `{"name":"other","memory_size":1}`).is(200, "")
	b.post("/v1/shards/actions/failover", `{"shard_uids":["1","3"]}`).is(400, "failover_shards_different_bdb")
}

func TestDatabaseCertificates(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1}`).is(200, "")
	cert, key := pair(t, b.now.Add(time.Hour))
	body, _ := json.Marshal(map[string]string{"cert": cert, "private_key": key})
	b.post("/v1/bdbs/1/certificates", string(body)).is(200, "")
	if o := b.get("/v1/bdbs/1/certificates").ok(); o["bdb_uid"] != "1" || o["cert"] != cert || o["private_key"] != nil {
		t.Errorf("certificate %v", o)
	}
	other, _ := pair(t, b.now.Add(time.Hour))
	mixed, _ := json.Marshal(map[string]string{"cert": other, "private_key": key})
	b.post("/v1/bdbs/1/certificates", string(mixed)).is(400, "invalid_certificate")
	b.delete("/v1/bdbs/1/certificates").is(200, "")
	b.get("/v1/bdbs/1/certificates").is(404, "not_found")
}

func TestClusterCertificates(t *testing.T) {
	b := newBench(t, 1)
	cert, key := pair(t, b.now.Add(time.Hour))
	old, oldKey := pair(t, b.now.Add(-time.Hour))
	send := func(name, cert, key string) reply {
		body, _ := json.Marshal(map[string]any{"certificates": []any{map[string]string{"name": name, "certificate": cert, "key": key}}})
		return b.put("/v1/cluster/certificates", string(body))
	}
	send("api", cert, key).is(200, "")
	if all := b.get("/v1/cluster/certificates").ok(); all["api_cert"] != cert || all["api_key"] != key {
		t.Errorf("certificates %v", all)
	}
	send("nonsense", cert, key).is(403, "invalid_certificate")
	send("api", "x", key).is(400, "invalid_certificate")
	send("api", cert, oldKey).is(400, "invalid_certificate")
	send("api", old, oldKey).is(406, "certificate_expired")
	send("mtls_trusted_ca", cert, "").is(200, "")
	if all := b.get("/v1/cluster/certificates").ok(); all["mtls_trusted_ca_key"] != nil {
		t.Errorf("a CA has no key: %v", all)
	}
	b.delete("/v1/cluster/certificates/api").is(403, "invalid_certificate")
	b.delete("/v1/cluster/certificates/mtls_trusted_ca").is(200, "")
	b.delete("/v1/cluster/certificates/mtls_trusted_ca").is(404, "not_found")
	single, _ := json.Marshal(map[string]string{"name": "proxy", "certificate": cert, "key": key})
	b.put("/v1/cluster/update_cert", string(single)).is(200, "")
	if got := b.get("/v1/cluster").ok()["proxy_certificate"]; got != cert {
		t.Errorf("the cluster shows %v", got)
	}
	b.post("/v1/cluster/certificates/rotate", `{"name":"mtls_trusted_ca"}`).is(403, "invalid_certificate")
	b.post("/v1/cluster/certificates/rotate", "").is(200, "")
	if got := b.get("/v1/cluster/certificates").ok()["api_cert"]; got != "rotated" {
		t.Errorf("after rotation: %v", got)
	}
}

// pair is a self-signed certificate with its key.
func pair(t *testing.T, end time.Time) (string, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cluster.local"}, NotBefore: end.Add(-48 * time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, &tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}
