package api_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func TestClusterSettings(t *testing.T) {
	b := newBench(t, 1)
	if o := b.put("/v1/cluster", `{"email_alerts":true,"alert_settings":{"node_failed":true,"node_memory":{"enabled":true,"threshold":"70"}}}`).ok(); o["email_alerts"] != true || o["name"] != "cluster.local" {
		t.Errorf("cluster %v", o)
	}
	alerts := b.get("/v1/cluster").ok()["alert_settings"].(map[string]any)
	if alerts["node_failed"] != true || len(alerts) != 30 {
		t.Errorf("alert settings %v", alerts)
	}
	b.put("/v1/cluster", `{"cm_port":9443}`).is(400, "bad_nginx_conf")
	b.put("/v1/cluster", `{"cm_port":80}`).is(400, "invalid_schema")
	b.put("/v1/cluster", `{"nonsense":1}`).is(400, "invalid_schema")
	b.put("/v1/cluster?dry_run", `{"email_from":"x"}`).is(200, "")
	if got := b.get("/v1/cluster").ok(); got["email_from"] != "" || got["_token_key"] != nil {
		t.Errorf("after a dry run: %v", got["email_from"])
	}
	r := b.put("/v1/cluster/policy", `{"slave_ha_grace_period":1800,"rack_aware":true}`)
	r.is(200, "")
	if len(r.body) != 0 {
		t.Errorf("the policy is not echoed, got %s", r.body)
	}
	if c := b.get("/v1/cluster").ok(); c["slave_ha_grace_period"] != 1800.0 || c["rack_aware"] != true {
		t.Errorf("copies of the policy: %v %v", c["slave_ha_grace_period"], c["rack_aware"])
	}
	b.put("/v1/cluster/policy", `{"rack_aware":false}`).is(400, "invalid_schema")
	b.put("/v1/cluster/policy/restore_default", "").is(200, "")
	if p := b.get("/v1/cluster/policy").ok(); p["slave_ha_grace_period"] != 600.0 || p["rack_aware"] != true {
		t.Errorf("policy %v %v", p["slave_ha_grace_period"], p["rack_aware"])
	}
	b.do("PATCH", "/v1/cluster/change_password_hashing_algorithm", `{"algorithm":"SHA-256"}`).is(400, "invalid_param")
	b.do("PATCH", "/v1/cluster/change_password_hashing_algorithm", `{"algorithm":"PBKDF2"}`).is(200, "")
}

func TestOtherSettings(t *testing.T) {
	b := newBench(t, 1)
	for _, c := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"/v1/cluster/services_configuration", `{"cm_server":{"operating_mode":"disabled"}}`, 200, ""},
		{"/v1/cluster/services_configuration", `{"cm_server":{"operating_mode":"maybe"}}`, 400, "invalid_schema"},
		{"/v1/cm_settings", `{"timezone":"UTC"}`, 200, ""},
		{"/v1/job_scheduler", `{"backup_job_settings":{"enabled":false}}`, 200, ""},
		{"/v1/job_scheduler", `{"cert_rotation_job_settings":{"expiry_days_before_rotation":91}}`, 400, "invalid_schema"},
		{"/v1/metrics_config", `{"expose_db_tags":true}`, 200, ""},
		{"/v1/metrics_config", `{}`, 400, "invalid_schema"},
		{"/v1/diagnostics", `{"bdb_target":{"max_entries":5}}`, 200, ""},
		{"/v1/ocsp", `{"query_frequency":120}`, 200, ""},
		{"/v1/ocsp", `{"ocsp_functionality":true}`, 406, "no_responder_url"},
		{"/v1/cluster/sso", `{"control_plane":true}`, 400, "missing_param"},
		{"/v1/cluster/ldap", `{"user_dn_template":"a","user_dn_query":{"base":"b"}}`, 400, "illegal_fields_combination"},
		{"/v1/cluster/ldap", `{"control_plane":true}`, 400, "illegal_fields_combination"},
		{"/v1/cluster/ldap", `{"control_plane":true,"uris":["ldap://a:389"],"bind_pass":"s"}`, 200, ""},
		{"/v1/cluster/auditing/db_conns", `{"audit_protocol":"TCP","audit_address":"a","audit_port":1}`, 200, ""},
	} {
		t.Run(c.path+" "+c.body, func(t *testing.T) { b.in(t).put(c.path, c.body).is(c.status, c.code) })
	}
	services := b.get("/v1/cluster/services_configuration").ok()
	if services["cm_server"].(map[string]any)["operating_mode"] != "disabled" || len(services) != 11 {
		t.Errorf("services %v", services)
	}
	if o := b.get("/v1/cluster/ldap").ok(); o["bind_pass"] != nil || o["control_plane"] != true {
		t.Errorf("ldap %v", o)
	}
	b.delete("/v1/cluster/ldap").is(200, "")
	if o := b.get("/v1/cluster/ldap").ok(); o["control_plane"] != false {
		t.Errorf("ldap after delete %v", o)
	}
	b.delete("/v1/cluster/auditing/db_conns").is(200, "")
	b.delete("/v1/cluster/auditing/db_conns").is(404, "db_conns_audit_config_not_found")
	b.get("/v1/suffix/cluster.local").is(200, "")
	b.get("/v1/suffix/nope").is(404, "not_found")
	if n := len(b.get("/v1/suffixes").list()); n != 2 {
		t.Errorf("%d suffixes", n)
	}
}

func TestLicenses(t *testing.T) {
	b := newBench(t, 1)
	b.put("/v1/license", `{"license":"nonsense"}`).is(400, "invalid_license")
	b.put("/v1/license", `{"key":"x"}`).is(400, "invalid_schema")
	send := func(o map[string]any) reply {
		text, err := schema.LicenseText(o)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := json.Marshal(map[string]string{"license": text})
		return b.put("/v1/license", string(body))
	}
	send(map[string]any{"shards_limit": 50, "expiration_date": "2001-01-01T00:00:00Z"}).is(406, "invalid_license")
	if got := b.get("/v1/license").ok()["shards_limit"]; got != 4.0 {
		t.Errorf("a refused licence took hold: %v", got)
	}
	send(map[string]any{"shards_limit": 50, "expiration_date": schema.Timestamp(b.now.Add(time.Hour))}).is(200, "")
	if got := b.get("/v1/license").ok()["shards_limit"]; got != 50.0 {
		t.Errorf("limit %v", got)
	}
}

func TestNodes(t *testing.T) {
	b := newBench(t, 3)
	if nodes := b.get("/v1/nodes").list(); len(nodes) != 3 || nodes[1]["uid"] != 2.0 || nodes[1]["addr"] != "127.0.0.2" {
		t.Errorf("nodes %v", nodes)
	}
	status := b.get("/v1/nodes/status").ok()
	if status["1"].(map[string]any)["role"] != "master" || status["2"].(map[string]any)["role"] != "slave" {
		t.Errorf("status %v", status)
	}
	b.put("/v1/nodes/9", `{"accept_servers":false}`).is(406, "node_not_found")
	b.put("/v1/nodes/1", `{"addr":"10.0.0.1"}`).is(406, "node_not_offline")
	b.put("/v1/nodes/1", `{"uptime":1}`).is(400, "invalid_schema")
	r := b.put("/v1/nodes/1", `{"rack_id":"A"}`)
	r.is(200, "")
	if len(r.body) != 0 {
		t.Errorf("PUT of a node has no answer, got %s", r.body)
	}
	b.put("/v1/nodes/1", `{"rack_id":"a"}`).is(200, "")
	b.put("/v1/nodes/1", `{"rack_id":"b"}`).is(406, "node_already_has_rack_id")
	b.put("/v1/nodes/2", `{"rack_id":"1"}`).is(400, "invalid_schema")
	check := b.get("/v1/cluster/check").ok()
	if check["cluster_test_result"] != true || len(check["nodes"].([]any)) != 3 {
		t.Errorf("check %v", check)
	}
	down := schema.NewNode(3, schema.Machine{Addr: "127.0.0.3"}, nil, nil, b.now)
	down["status"] = "down"
	b.engine.Put(api.KindNode, "3", down)
	if check := b.get("/v1/cluster/check").ok(); check["cluster_test_result"] != false {
		t.Errorf("check with a dead node %v", check)
	}
	b.put("/v1/nodes/3", `{"addr":"10.0.0.1"}`).is(200, "")
	if alert := b.get("/v1/nodes/alerts/3/node_failed?ignore_settings=true").ok(); alert["state"] != true {
		t.Errorf("alert %v", alert)
	}
	if alert := b.get("/v1/nodes/alerts/3/node_failed").ok(); alert["state"] != false {
		t.Errorf("a switched-off alert %v", alert)
	}
	b.post("/v1/nodes/1/snapshots/s1", "").is(200, "")
	if all := b.get("/v1/nodes/1/snapshots").list(); len(all) != 1 || strings.Contains(all[0]["created_time"].(string), "T") {
		t.Errorf("snapshots %v", all)
	}
	b.delete("/v1/nodes/1/snapshots/s1").is(200, "")
	b.delete("/v1/nodes/1/snapshots/s1").is(404, "not_found")
}

func TestNodeActions(t *testing.T) {
	b := newBench(t, 3)
	b.engine.Steps = 5
	b.post("/v1/nodes/9/actions/remove", "").is(404, "node_not_found")
	b.post("/v1/nodes/2/actions/nonsense", "").is(404, "not_found")
	b.post("/v1/nodes/2/actions/maintenance_on", `{"nope":1}`).is(400, "invalid_schema")
	b.get("/v1/nodes/2/actions/remove").is(404, "not_found")
	b.post("/v1/nodes/2/actions/remove", `{"wait_for_persistence":false}`).is(200, "")
	b.post("/v1/nodes/2/actions/remove", "").is(409, "busy")
	if a := b.get("/v1/nodes/2/actions/remove").ok(); a["name"] != "remove_node" || a["node_uid"] != "2" || a["status"] != "running" {
		t.Errorf("action %v", a)
	}
	for b.get("/v1/nodes/2/actions/remove").ok()["status"] != "completed" {
	}
	b.get("/v1/nodes/2").is(404, "node_not_found")
	b.post("/v1/nodes/3/actions/maintenance_on", "").is(200, "")
	b.delete("/v1/nodes/3/actions/maintenance_on").is(200, "")
	b.delete("/v1/nodes/3/actions/maintenance_on").is(404, "not_found")
	if all := b.get("/v1/nodes/actions").ok()["actions"].([]any); len(all) != 2 {
		t.Errorf("actions %v", all)
	}
}

func TestChangeMaster(t *testing.T) {
	b := newBench(t, 3)
	b.engine.Steps = 3
	b.post("/v1/cluster/actions/nonsense", `{"node_uid":2}`).is(400, "invalid_param")
	b.post("/v1/cluster/actions/change_master", `{}`).is(400, "missing_field")
	b.post("/v1/cluster/actions/change_master", `{"node_uid":9}`).is(404, "node_not_found")
	b.post("/v1/cluster/actions/change_master", `{"node_uid":"2"}`).is(200, "")
	b.post("/v1/cluster/actions/change_master", `{"node_uid":3}`).is(409, "busy")
	b.get("/v1/cluster/actions/change_master").is(200, "")
	if all := b.get("/v1/cluster/actions").ok()["actions"].([]any); len(all) != 1 {
		t.Errorf("actions %v", all)
	}
}

func TestProxies(t *testing.T) {
	b := newBench(t, 2)
	b.put("/v1/proxies", `{"threads":5}`).is(200, "")
	if all := b.get("/v1/proxies").list(); len(all) != 2 || all[1]["threads"] != 5.0 {
		t.Errorf("proxies %v", all)
	}
	b.put("/v1/proxies/2", `{"threads":300}`).is(400, "invalid_schema")
	b.put("/v1/proxies/9", `{"threads":3}`).is(404, "not_found")
}

func TestStatistics(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1}`).is(200, "")
	if s := b.get("/v1/bdbs/stats").list()[0]; s["uid"] != "1" {
		t.Errorf("uid of a database %#v", s["uid"])
	}
	if s := b.get("/v1/nodes/stats").list()[0]; s["uid"] != 1.0 {
		t.Errorf("uid of a node %#v", s["uid"])
	}
	last := b.get("/v1/bdbs/stats/last/1?interval=5min").ok()["1"].(map[string]any)
	if last["interval"] != "5min" || last["used_memory"] != 1048576.0 {
		t.Errorf("last %v", last)
	}
	b.get("/v1/bdbs/stats/1?interval=2min").is(400, "invalid_schema")
	for _, path := range []string{"/v1/nodes/stats/last", "/v1/shards/stats", "/v1/shards/stats/last/1", "/v1/cluster/stats/last", "/v1/endpoints/stats"} {
		b.get(path).is(200, "")
	}
	b.get("/v1/shards/stats/9").is(404, "shard_not_exist")
	if s := b.get("/v1/shards/stats").list()[0]; s["parent_uid"] != "1" || s["node_uid"] != "1" {
		t.Errorf("shard series %v", s)
	}
}

func TestModules(t *testing.T) {
	b := newBench(t, 1)
	all := b.get("/v1/modules").list()
	if len(all) != 4 || all[1]["module_name"] != "ReJSON" {
		t.Fatalf("modules %v", all)
	}
	uid, _ := all[0]["uid"].(string)
	if len(uid) != 32 {
		t.Errorf("module uid %s", uid)
	}
	b.get("/v1/modules/"+uid).is(200, "")
	b.get("/v1/modules/x").is(404, "module_not_exist")
	b.delete("/v2/modules/"+uid).is(406, "invalid_param")
	b.post("/v2/modules/user-defined", `{}`).is(403, "modules_upload_disabled")
	b.put("/v1/cluster", `{"allow_modules_upload":true}`).is(200, "")
	b.post("/v2/modules/user-defined", `{}`).is(501, "unsupported_resource")
}

func TestHealthReports(t *testing.T) {
	b := newBench(t, 2)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1}`).is(200, "")
	o := b.get("/v4/cluster/health").ok()
	if o["status"] != "ok" || o["fqdn"] != "cluster.local" || len(o["nodes"].([]any)) != 2 || len(o["database_infos"].([]any)) != 1 {
		t.Errorf("health %v", o)
	}
	if quiet := b.get("/v4/cluster/health?issues_only").ok(); len(quiet["nodes"].([]any)) != 0 {
		t.Errorf("issues only %v", quiet)
	}
	if db := b.get("/v4/db/1/health").ok(); db["availability"] != "up" || len(db["shards"].([]any)) != 1 {
		t.Errorf("database %v", db)
	}
	b.get("/v4/db/9/health").is(404, "db_not_found")
}

func TestReports(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"db","memory_size":1}`).is(200, "")
	r := b.get("/v1/usage_report")
	lines := strings.SplitAfter(strings.TrimSuffix(string(r.body), "\n"), "\n")
	sum := md5.Sum([]byte(lines[0]))
	if len(lines) != 2 || !strings.Contains(lines[1], hex.EncodeToString(sum[:])) || r.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("usage report %s", r.body)
	}
	zip, err := gzip.NewReader(bytes.NewReader(b.get("/v1/cluster/debuginfo").body))
	if err != nil {
		t.Fatal(err)
	}
	archive, files := tar.NewReader(zip), 0
	for {
		if _, err := archive.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files++
	}
	if files != 3 {
		t.Errorf("%d files in a support package", files)
	}
	for i, stamp := range []string{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"} {
		b.engine.Put(api.KindEvent, string(rune('1'+i)), api.Object{"time": stamp, "type": "node_joined"})
	}
	if all := b.get("/v1/logs?stime=2026-01-02T00:00:00Z&order=desc&limit=1").list(); len(all) != 1 || all[0]["time"] != "2026-01-03T00:00:00Z" {
		t.Errorf("logs %v", all)
	}
}

func TestLocalServices(t *testing.T) {
	b := newBench(t, 1)
	if o := b.get("/v1/local/services").ok(); o["cnm_https"].(map[string]any)["status"] != "RUNNING" {
		t.Errorf("services %v", o)
	}
	b.post("/v1/local/services", `{"operation_type":"dance","services":["cnm_http"]}`).is(400, "invalid_schema")
	b.post("/v1/local/services", `{"operation_type":"restart","services":["x"]}`).is(400, "invalid_schema")
	b.post("/v1/local/services", `{"operation_type":"restart","services":["cnm_http"]}`).is(200, "")
}

func TestClientCertificates(t *testing.T) {
	b := newBench(t, 1)
	certText, _ := pair(t, b.now.Add(time.Hour))
	block, _ := pem.Decode([]byte(certText))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	with := func(r *http.Request) {
		r.Header.Del("Authorization")
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	}
	b.do("GET", "/v1/bdbs", "", with).is(401, "")
	body, _ := json.Marshal(map[string]any{"certificates": []any{map[string]string{"name": "mtls_trusted_ca", "certificate": certText}}})
	b.put("/v1/cluster/certificates", string(body)).is(200, "")
	b.put("/v1/cluster", `{"mtls_certificate_authentication":true}`).is(200, "")
	b.do("GET", "/v1/bdbs", "", with).is(401, "")
	b.post("/v1/users", `{"auth_method":"certificate","certificate_subject_line":"CN=cluster.local","role_uids":[1]}`).is(200, "")
	b.do("GET", "/v1/bdbs", "", with).is(200, "")
}
