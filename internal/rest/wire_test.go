package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

// TestRequests holds the exact request of each call.
func TestRequests(t *testing.T) {
	yes := true
	for _, tc := range []struct {
		want, answer string
		send         func(context.Context, *rest.Client) error
	}{
		{"GET /v1/bootstrap", `{}`, func(ctx context.Context, c *rest.Client) error { _, err := c.GetBootstrap(ctx); return err }},
		{`POST /v1/bootstrap/create_cluster {"action":"create_cluster","cluster":{"name":"rec.ns.svc.cluster.local"},"credentials":{"username":"u","password":"p"}}`, ``,
			func(ctx context.Context, c *rest.Client) error {
				return c.StartBootstrap(ctx, rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: "rec.ns.svc.cluster.local"},
					Credentials: &rest.BootstrapCredential{Username: "u", Password: "p"}})
			}},
		{`POST /v1/bootstrap/validate/join_cluster {"action":"join_cluster","cluster":{"nodes":["10.0.0.1"]},"node":{"identity":{"uid":2,"addr":"10.0.0.2"}}}`, ``,
			func(ctx context.Context, c *rest.Client) error {
				return c.ValidateBootstrap(ctx, rest.Bootstrap{Action: rest.JoinCluster, Cluster: &rest.BootstrapCluster{Nodes: []string{"10.0.0.1"}},
					Node: &rest.BootstrapNode{Identity: &rest.BootstrapIdentity{UID: rest.Ptr(rest.UID(2)), Addr: "10.0.0.2"}}})
			}},
		{"GET /v1/cluster", `{}`, func(ctx context.Context, c *rest.Client) error { _, err := c.GetCluster(ctx); return err }},
		{`PUT /v1/cluster {"email_alerts":false}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.UpdateCluster(ctx, &rest.Cluster{EmailAlerts: rest.Ptr(false)})
		}},
		{`PUT /v1/cluster/policy {"slave_ha":true}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.UpdatePolicy(ctx, &rest.ClusterPolicy{SlaveHA: &yes})
		}},
		{`PUT /v1/cluster/services_configuration {"cm_server":{"operating_mode":"disabled"}}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.UpdateServices(ctx, rest.ServicesConfiguration{"cm_server": {OperatingMode: "disabled"}})
		}},
		{"GET /v1/metrics_config", `{}`, func(ctx context.Context, c *rest.Client) error { _, err := c.GetMetricsConfig(ctx); return err }},
		{`PUT /v1/metrics_config {"expose_db_tags":false,"metrics_tag_keys_exposed":[],"max_requests_in_flight":0}`, `{}`,
			func(ctx context.Context, c *rest.Client) error {
				return c.UpdateMetricsConfig(ctx, &rest.MetricsConfig{ExposeDBTags: rest.Ptr(false), MetricsTagKeysExposed: &rest.Strings{}, MaxRequestsInFlight: rest.Ptr(rest.Int(0))})
			}},
		{"GET /v1/cluster/check", `{}`, func(ctx context.Context, c *rest.Client) error { _, err := c.CheckCluster(ctx); return err }},
		{`POST /v1/cluster/actions/change_master {"node_uid":"2"}`, ``, func(ctx context.Context, c *rest.Client) error { return c.ChangeMaster(ctx, 2) }},
		{`PUT /v1/cluster/certificates {"certificates":[{"name":"api","certificate":"C","key":"K"}]}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.UpdateCertificates(ctx, []rest.Certificate{{Name: "api", Certificate: "C", Key: "K"}})
		}},
		{"GET /v1/nodes/status", `{"1":{"role":"master"}}`, func(ctx context.Context, c *rest.Client) error { _, err := c.NodeStatuses(ctx); return err }},
		{`PUT /v1/nodes/3 {"accept_servers":false}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.UpdateNode(ctx, 3, &rest.NodeUpdate{AcceptServers: rest.Ptr(false)})
		}},
		{`POST /v1/nodes/3/actions/maintenance_on {"evict_ha_replica":true}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.StartNodeAction(ctx, 3, rest.MaintenanceOn, rest.NodeActionRequest{EvictHAReplica: &yes})
		}},
		{`POST /v1/nodes/3/actions/remove {}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.StartNodeAction(ctx, 3, rest.RemoveNode, rest.NodeActionRequest{})
		}},
		{"GET /v1/bdbs?fields=uid,status", `[]`, func(ctx context.Context, c *rest.Client) error {
			_, err := c.ListBDBs(ctx, "uid", "status")
			return err
		}},
		{`POST /v1/bdbs?dry_run {"name":"db"}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.CheckCreateBDB(ctx, &rest.BDB{Name: rest.Ptr("db")})
		}},
		{`PUT /v1/bdbs/7 {"replication":false,"authentication_ssl_client_certs":[]}`, `{}`, func(ctx context.Context, c *rest.Client) error {
			_, err := c.UpdateBDB(ctx, 7, &rest.BDB{Replication: rest.Ptr(false), ClientCerts: &[]rest.ClientCert{}})
			return err
		}},
		{"DELETE /v1/bdbs/7", ``, func(ctx context.Context, c *rest.Client) error { return c.DeleteBDB(ctx, 7) }},
		{`POST /v1/bdbs/7/upgrade {"redis_version":"7.4"}`, `{}`, func(ctx context.Context, c *rest.Client) error {
			_, err := c.UpgradeBDB(ctx, 7, &rest.UpgradeRequest{RedisVersion: "7.4"})
			return err
		}},
		{`PUT /v1/bdbs/7/passwords {"password":"new"}`, ``, func(ctx context.Context, c *rest.Client) error { return c.ReplaceBDBPasswords(ctx, 7, "new") }},
		{`DELETE /v1/bdbs/7/passwords {"password":"old"}`, ``, func(ctx context.Context, c *rest.Client) error { return c.DeleteBDBPassword(ctx, 7, "old") }},
		{"GET /v1/bdbs/7/availability", ``, func(ctx context.Context, c *rest.Client) error { return c.CheckBDB(ctx, 7) }},
		{`POST /v1/bdbs/alerts/7 {"bdb_size":{"enabled":true,"threshold":"80"}}`, `{}`, func(ctx context.Context, c *rest.Client) error {
			return c.UpdateBDBAlerts(ctx, 7, map[string]rest.AlertSetting{"bdb_size": {Enabled: true, Threshold: rest.Ptr("80")}})
		}},
		{`PUT /v1/license {"license":"text"}`, ``, func(ctx context.Context, c *rest.Client) error { return c.UpdateLicense(ctx, "text") }},
		{`POST /v1/users/password {"username":"u","new_password":"n"}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.AddUserPassword(ctx, "u", "n")
		}},
		{`DELETE /v1/users/password {"username":"u","old_password":"o"}`, ``, func(ctx context.Context, c *rest.Client) error {
			return c.DeleteUserPassword(ctx, "u", "o")
		}},
		{"GET /v1/jsonschema?object=bdb", `{}`, func(ctx context.Context, c *rest.Client) error { _, err := c.GetSchema(ctx, "bdb"); return err }},
	} {
		t.Run(tc.want, func(t *testing.T) {
			var tr resttest.Transport
			method, rest, _ := strings.Cut(tc.want, " ")
			path, _, _ := strings.Cut(strings.Fields(rest)[0], "?")
			tr.On(method, path, resttest.Always(resttest.JSON(tc.answer)))
			if err := tc.send(context.Background(), client(&tr, nodeA)); err != nil {
				t.Fatal(err)
			}
			expect(t, tr.Lines(), tc.want)
		})
	}
}

// TestLenientAnswers feeds answers in the forms that versions send.
func TestLenientAnswers(t *testing.T) {
	var tr resttest.Transport
	ctx, c := context.Background(), client(&tr, nodeA)
	tr.On("GET", "/v1/nodes", resttest.Always(resttest.JSON(`[{"uid":1,"addr":"10.0.0.1","total_memory":8.0e9,"persistent_storage_size":1081100128256.0,"shard_list":["1",2],"new_key":{}}]`)))
	nodes, err := c.ListNodes(ctx)
	if err != nil || nodes[0].TotalMemory != 8_000_000_000 || nodes[0].PersistentStorageSize != 1081100128256 || !reflect.DeepEqual(nodes[0].ShardList, []rest.UID{1, 2}) {
		t.Errorf("nodes: %+v %v", nodes, err)
	}
	tr.On("GET", "/v1/shards", resttest.Always(resttest.JSON(`[{"uid":"5","bdb_uid":1,"node_uid":"2","role":"slave","status":"active","sync":{"progress":100,"status":"idle"}}]`)))
	shards, err := c.ListShards(ctx)
	if err != nil || shards[0].UID != 5 || shards[0].NodeUID != 2 || !shards[0].InSync() || !shards[0].Healthy() {
		t.Errorf("shards: %+v %v", shards, err)
	}
	tr.On("GET", "/v1/actions", resttest.Always(resttest.JSON(`{"actions":[{"action_uid":"a","progress":"100","creation_time":"176","node_uid":"","status":"completed"}],"state-machines":[{"action_uid":"b","name":"SMCreateBDB","status":"active","object_name":"bdb:1"}]}`)))
	actions, err := c.ListActions(ctx)
	if err != nil || len(actions) != 2 || actions[0].Progress != 100 || actions[0].Phase() != rest.Succeeded || actions[1].Phase() != rest.Running {
		t.Errorf("actions: %+v %v", actions, err)
	}
	tr.On("GET", "/v1/bootstrap", resttest.Always(resttest.JSON(`{"bootstrap_status":{"state":"error","error_code":"connect_error","error_details":{"message":"no route"}},"local_node_info":{"uid":"3","available_addrs":[{"address":"10.0.0.3"}]}}`)))
	boot, err := c.GetBootstrap(ctx)
	if err != nil || boot.Node.UID != 3 || boot.Node.Addresses()[0].Address != "10.0.0.3" || boot.Status.ErrorMessage() != "no route" {
		t.Errorf("bootstrap: %+v %v", boot, err)
	}
	tr.On("GET", "/v1/nodes/2/actions/maintenance_on", resttest.Always(resttest.JSON(`{"actions":[{"name":"maintenance_on","status":"failed"},{"name":"maintenance_on","status":"running","progress":33.0}]}`)))
	action, err := c.GetNodeAction(ctx, 2, rest.MaintenanceOn)
	if err != nil || action.Phase() != rest.Running || action.Progress != 33 {
		t.Errorf("node action: %+v %v", action, err)
	}
	tr.On("GET", "/v1/nodes/2/actions/maintenance_on", resttest.Always(resttest.JSON(`{"actions":[]}`)))
	if _, err := c.GetNodeAction(ctx, 2, rest.MaintenanceOn); !rest.IsNotFound(err) {
		t.Errorf("no node action: %v", err)
	}
	tr.On("GET", "/v1/bdbs/1", resttest.Always(resttest.JSON(`{"uid":1,"memory_size":1073741824.0,"backup_progress":0.0,"module_list":[{"module_name":"bf","module_args":["A","B"]}],"endpoints":[{"port":12000,"addr":["10.0.0.1"],"addr_type":"external"},{"port":12000,"addr_type":"internal","dns_name":"x"}],"crdt_replicas":"","replica_sources":[]}`)))
	b, err := c.GetBDB(ctx, 1)
	if err != nil || *b.MemorySize != 1<<30 || (*b.ModuleList)[0].Args != "A B" {
		t.Fatalf("bdb: %+v %v", b, err)
	}
	if e, ok := b.MainEndpoint(); !ok || e.DNSName != "x" {
		t.Errorf("endpoint: %+v", e)
	}
	tr.On("GET", "/v1/bdbs/alerts", resttest.Always(resttest.JSON(`{"1":{"bdb_size":{"enabled":true,"threshold":80,"state":false}}}`)))
	alerts, err := c.ListBDBAlerts(ctx)
	if err != nil || alerts[1]["bdb_size"].Threshold != "80" {
		t.Errorf("alerts: %+v %v", alerts, err)
	}
}

func TestAnonymousCallsCarryNoCredentials(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/bootstrap", resttest.Always(resttest.JSON(`{}`)))
	tr.On("POST", "/v1/bootstrap/create_cluster", resttest.Always(resttest.JSON(``)))
	c := client(&tr, nodeA)
	if _, err := c.GetBootstrapAnonymous(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := c.StartBootstrap(context.Background(), rest.Bootstrap{Action: rest.CreateCluster}); err != nil {
		t.Fatal(err)
	}
	for _, r := range tr.Requests() {
		if r.User != "" || r.Password != "" {
			t.Fatalf("%s carried credentials", r.Line())
		}
	}
}

// TestSecretsDoNotPrint prints everything that holds a secret in every way that fmt knows.
func TestSecretsDoNotPrint(t *testing.T) {
	const s = "geheim"
	for _, v := range []any{
		rest.Credentials{Username: "u", Password: s}, rest.BootstrapCredential{Username: "u", Password: s},
		rest.BDB{RedisPassword: rest.Ptr(s), AdminPassword: rest.Ptr(s), SASLPassword: rest.Ptr(s)}, &rest.BDB{RedisPassword: rest.Ptr(s)},
		rest.SyncSource{URI: s, ClientKey: s}, rest.BackupLocation{"type": "s3", "secret_access_key": s}, rest.User{Password: rest.Ptr(s)},
		rest.CRDBInstance{Cluster: &rest.CRDBCluster{Credentials: &rest.BootstrapCredential{Password: s}}, DBConfig: &rest.BDB{RedisPassword: rest.Ptr(s)}},
		rest.CRDB{DefaultDBConfig: &rest.BDB{RedisPassword: rest.Ptr(s)}}, &rest.CRDB{Instances: &[]rest.CRDBInstance{{DBConfig: &rest.BDB{AdminPassword: rest.Ptr(s)}}}},
		rest.Certificate{Name: "api", Key: s}, rest.License{License: s}, []rest.BDB{{RedisPassword: rest.Ptr(s)}},
		rest.Bootstrap{Action: "create_cluster", License: s, Credentials: &rest.BootstrapCredential{Password: s}},
	} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if _, list := v.([]rest.BDB); !list && strings.Contains(log.String(), s) {
			t.Errorf("%T is logged with its secret: %s", v, log.String())
		}
		if m, ok := v.(interface{ MarshalLog() any }); ok && strings.Contains(fmt.Sprint(m.MarshalLog()), s) {
			t.Errorf("%T marshals its secret for logs", v)
		}
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, s) {
				t.Errorf("%T prints its secret with %s: %s", v, format, text)
			}
		}
	}
}

func TestRedact(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"db","authentication_redis_pass":"x","tags":[{"key":"team","value":"a"}],"memory_size":1073741824}`: `{"authentication_redis_pass":"***","memory_size":1073741824,"name":"db","tags":[{"key":"team","value":"a"}]}`,
		`{"credentials":{"username":"u","password":"x"}}`:                                                            `{"credentials":{"password":"***","username":"u"}}`,
		`{"certificates":[{"name":"api","certificate":"C","key":"K"}]}`:                                              `{"certificates":[{"certificate":"C","key":"***","name":"api"}]}`,
		`{"backup_location":{"type":"s3","secret_access_key":"x"}}`:                                                  `{"backup_location":{"secret_access_key":"***","type":"s3"}}`,
		`{"replica_sources":[{"uri":"redis://admin:x@h:1","encryption":true}]}`:                                      `{"replica_sources":[{"encryption":true,"uri":"***"}]}`,
		`no JSON with a secret`: `***`,
		``:                      ``,
	} {
		if got := string(rest.Redact([]byte(body))); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", body, got, want)
		}
	}
}

func TestDryRunSendsNoWrite(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/bdbs", resttest.Always(resttest.JSON(`[]`)))
	var recorded []string
	c := rest.New(rest.Options{Addresses: func() []string { return []string{nodeA} }, Transport: &tr, Middleware: []rest.Middleware{
		rest.DryRun(func(method, path string, body []byte) { recorded = append(recorded, method+" "+path+" "+string(body)) })}})
	if _, err := c.ListBDBs(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateBDB(context.Background(), 1, &rest.BDB{RedisPassword: rest.Ptr("x"), Replication: rest.Ptr(true)}); err != nil {
		t.Fatal(err)
	}
	expect(t, tr.Lines(), "GET /v1/bdbs")
	expect(t, recorded, `PUT /v1/bdbs/1 {"authentication_redis_pass":"***","replication":true}`)
}

type observer []rest.Exchange

func (o *observer) ObserveExchange(e rest.Exchange) { *o = append(*o, e) }

func TestObserversSeeRoutesAndNoSecrets(t *testing.T) {
	var tr resttest.Transport
	tr.On("PUT", "/v1/bdbs/7", resttest.Always(resttest.Status(409, "db_busy", "")))
	var log bytes.Buffer
	var seen observer
	c := rest.New(rest.Options{Addresses: func() []string { return []string{nodeA} }, Transport: &tr,
		Credentials: func() rest.Credentials { return rest.Credentials{Username: "u", Password: "geheim"} },
		Middleware:  []rest.Middleware{rest.Observe(&seen), rest.Log(slog.New(slog.NewJSONHandler(&log, nil)))}})
	if _, err := c.UpdateBDB(context.Background(), 7, &rest.BDB{RedisPassword: rest.Ptr("geheim")}); !rest.IsBusy(err) {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Route != "/v1/bdbs/{uid}" || seen[0].Status != 409 || seen[0].Address != nodeA {
		t.Fatalf("seen %+v", seen)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line["path"] != "/v1/bdbs/7" || strings.Contains(log.String(), "geheim") {
		t.Fatalf("logged %s", log.String())
	}
}
