package metrics

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

//go:embed testdata/names.txt
var documented string

// names are the documented names and kinds of a version.
func names(version string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(documented) {
		if f := strings.Fields(line); f[0] == version {
			m[f[1]] = f[2]
		}
	}
	return m
}

// transition are names that the documented table of successors uses although the list of names lacks them.
var transition = map[string]bool{
	"db_memory_limit_bytes": true, "redis_server_instantaneous_ops_per_sec": true, "redis_server_used_memory_lua": true,
	"redis_server_pubsub_channels": true, "namedprocess_namegroup_thread_count": true, "db_replication_factor": true,
	"node_cpu_seconds_total": true, "node_memory_MemTotal_bytes": true, // of the node exporter within
}

// absent are documented names that the emulator does not have, by prefix: it has no modules, no flash, no Replica Of, no states of a
// syncer that are numbers nobody explains, and does not keep statistics of value sizes or of pipelines.
var absent = map[string][]string{
	"v2": {
		"redis_server_search_", "database_syncer_flush_counter", "database_syncer_internal_state", "database_syncer_state", "redis_server_hashes_", "redis_server_lists_", "redis_server_sets_",
		"redis_server_strings_", "redis_server_zsets_", "endpoint_longest_pipeline_histogram",
	},
	"v1": {
		"bdb_crdt_", "bdb_replicaof_", "node_available_flash", "node_bigstore_", "node_provisional_flash", "listener_auth_", "listener_cmd_",
		"bdb_fork_cpu_", "bdb_main_thread_cpu_", "redis_keys_trimmed", "redis_keyspace_write_", "redis_max_process_mem", "redis_process_cpu_usage_percent",
		"redis_process_max_fds", "redis_process_open_fds", "redis_process_virtual_memory_bytes", "redis_repl_touch_bytes",
	},
}

// absentEndings are those by their ending: extremes over the time between two scrapes are not kept.
var absentEndings = []string{"_max", "_min", "_median", "_started_res"}

type source struct {
	snapshot   Snapshot
	err        error
	leader     string
	authorized bool
}

func (s *source) Snapshot(context.Context) (Snapshot, error) { return s.snapshot, s.err }
func (s *source) Leader() string                             { return s.leader }
func (s *source) Authorized(*http.Request) bool              { return s.authorized }

// realSource measures a real shard behind a real endpoint.
func realSource(t *testing.T) *source {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := shard.Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	_ = l.Close()
	p, err := shard.Start(ctx, shard.Config{Dir: t.TempDir(), Address: at, Settings: shard.Settings{MemoryBytes: 1 << 26, AOF: shard.AOFEverySec}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	e, err := proxy.Listen("127.0.0.1:0", proxy.Config{Backends: []proxy.Backend{{ID: "1", Addr: at.String()}}, DefaultUser: true}, proxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	c, err := resp.Dial(ctx, e.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, args := range [][]string{{"SET", "a", "1"}, {"SET", "b", "1"}, {"GET", "a"}, {"GET", "nope"}} {
		if _, err := c.Do(ctx, args...); err != nil {
			t.Fatal(err)
		}
	}
	info, err := p.Info(ctx, "everything")
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Now().Add(100 * time.Hour)
	return &source{authorized: true, snapshot: Snapshot{
		Self: "1",
		Cluster: Cluster{
			Name: "c.local", Users: 2, LicenseExpires: expires, LicenseShards: map[string]int64{"ram": 4},
			Watchdogs: []Watchdog{
				{Node: "1", HasQuorum: true, IsPrimary: true, LiveNodes: 2, TotalNodes: 3}, {Node: "3", LiveNodes: 2, TotalNodes: 3},
			},
			TagKeys: []string{"team", "a-b", "db", "absent"},
		},
		Nodes: []Node{{UID: "1", Up: true, FreeMemory: 5, TotalMemory: 9, CPU: map[string]map[string]float64{"0": {"idle": 3, "user": 1}}, Certificates: map[string]time.Time{"proxy": expires}}, {UID: "2"}},
		Databases: []Database{{
			UID: "7", Name: "db \"x\"", Status: "active-change-pending", MemoryLimit: 1 << 26, Port: 12000, TLSMode: "disabled",
			Tags: map[string]string{"a-b": "c", "team": "core", "db": "x", "unlisted": "y"},
		}},
		Shards: []Shard{
			{UID: "1", Database: "7", Node: "1", Role: "master", Up: true, Info: info},
			{UID: "2", Database: "7", Node: "2", Role: "slave"},
		},
		Endpoints: []Endpoint{{Database: "7", Node: "1", Stats: e.Stats()}},
		Syncers: []Syncer{{Database: "7", Source: "1", Type: "replicaof"}, {Database: "7", Source: "2", Type: "crdt", Link: &crdb.State{
			Status: crdb.InSync, Lag: 12 * time.Millisecond, Held: 3 * time.Millisecond, Received: 900, Read: 700, Taken: 600, Asked: 9, Keys: 8,
			Source: crdb.Connection{Up: true, Since: time.Now().Add(-time.Hour)}, Target: crdb.Connection{Up: true, Since: time.Now()}}}},
	}}
}

func scrape(t *testing.T, h http.Handler, path string) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return families
}

func TestNamesAreTheDocumentedOnes(t *testing.T) {
	h := Handler(realSource(t))
	for version, path := range map[string]string{"v2": "/v2", "v1": "/"} {
		known, got := names(version), scrape(t, h, path)
		for name, f := range got {
			kind, ok := known[name]
			if !ok && !transition[name] {
				t.Errorf("%s %s is not documented", version, name)
			}
			if ok && version == "v2" && kind != strings.ToLower(f.GetType().String()) {
				t.Errorf("%s is a %s, documented as %s", name, f.GetType(), kind)
			}
		}
		for name := range known {
			if got[strings.TrimSuffix(name, "_bucket")] == nil && !excused(version, name) {
				t.Errorf("%s %s is missing", version, name)
			}
		}
	}
}

func excused(version, name string) bool {
	for _, p := range absent[version] {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	for _, s := range absentEndings {
		if version == "v1" && strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

// value is the value of the sample with all of the labels.
func value(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		match := true
		for i := 0; i < len(labels); i += 2 {
			match = match && have[labels[i]] == labels[i+1]
		}
		if match {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Errorf("no %s with %v", name, labels)
	return -1
}

func TestValues(t *testing.T) {
	s := realSource(t)
	h := Handler(s)
	got := scrape(t, h, "/v2")
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"endpoint_write_requests", []string{"cluster", "c.local", "db", "7", "node", "1"}, 2},
		{"endpoint_read_responses", []string{"db", "7"}, 2},
		{"redis_server_db_keys", []string{"redis", "1", "role", "master"}, 2},
		{"redis_server_up", []string{"redis", "1"}, 1},
		{"redis_server_up", []string{"redis", "2", "role", "slave"}, 0},
		{"redis_server_maxmemory", []string{"redis", "1"}, 1 << 26},
		{"db_status", []string{"db", "7"}, 1},
		{"db_config", []string{"db_name", "db \"x\"", "db_port", "12000", "tls_mode", "disabled"}, 1},
		{"db_tags", []string{"team", "core"}, 1},
		{"redis_server_master_link_status", []string{"redis", "1"}, 3},
		{"shard_ping_failures", []string{"shard_uid", "2", "role", "slave"}, 1},
		{"node_cert_expires_in_seconds", []string{"logical_name", "proxy", "path", "/etc/opt/redislabs/proxy_cert.pem"}, -2},
		{"node_cpu_seconds_total", []string{"cpu", "0", "mode", "idle"}, 3},
		{"has_quorum", []string{"node", "3", "has_witness_disk", "False"}, 0},
		{"total_live_nodes_count", []string{"node", "1"}, 2},
		{"database_syncer_current_status", []string{"syncer_type", "replicaof"}, 1},
		{"database_syncer_src_connectivity_state", []string{"syncer_type", "replicaof"}, 0},
		{"database_syncer_current_status", []string{"syncer_type", "crdt", "replica_id", "2", "db", "7"}, 0},
		{"database_syncer_src_connectivity_state", []string{"syncer_type", "crdt"}, 1},
		{"database_syncer_dst_connectivity_state", []string{"syncer_type", "crdt"}, 1},
		{"database_syncer_lag_ms", []string{"syncer_type", "crdt"}, 12},
		{"database_syncer_dst_lag", []string{"syncer_type", "crdt"}, 3},
		{"database_syncer_src_repl_offset", []string{"syncer_type", "crdt"}, 700},
		{"database_syncer_dst_repl_offset", []string{"syncer_type", "crdt"}, 600},
		{"database_syncer_ingress_bytes", []string{"syncer_type", "crdt"}, 900},
		{"database_syncer_ingress_bytes_decompressed", []string{"syncer_type", "crdt"}, 700},
		{"database_syncer_total_requests", []string{"syncer_type", "crdt"}, 9},
		{"database_syncer_total_responses", []string{"syncer_type", "crdt"}, 8},
		{"node_metrics_up", []string{"node", "2"}, 0},
		{"license_shards_limit", []string{"shard_type", "ram"}, 4},
		{"license_expiration_days", nil, 4},
		{"has_quorum", nil, 1},
	} {
		if v := value(t, got, c.name, c.labels...); v != c.want && c.want != -2 { // -2: any
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, v, c.want)
		}
	}
	latency := got["endpoint_write_requests_latency_histogram"].GetMetric()[0].GetHistogram()
	if latency.GetSampleCount() != 2 || latency.GetSampleSum() <= 0 {
		t.Errorf("latency: %v", latency)
	}
	t.Run("one node without its labels", func(t *testing.T) {
		for name, f := range scrape(t, h, "/v2/node") {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if l.GetName() == "node" || l.GetName() == "cluster" || (l.GetName() == "redis" && l.GetValue() == "2") {
						t.Errorf("%s has %s=%s", name, l.GetName(), l.GetValue())
					}
				}
			}
		}
	})
	t.Run("rates come from two scrapes", func(t *testing.T) {
		var r rates
		start := time.Now()
		r.of("x", 100, start)
		if got := r.of("x", 300, start.Add(2*time.Second)); got != 100 {
			t.Errorf("rate %v", got)
		}
		if got := r.of("x", 900, start.Add(2500*time.Millisecond)); got != 100 {
			t.Errorf("a rate too soon: %v", got)
		}
		if got := r.of("x", 5, start.Add(10*time.Second)); got != 0 {
			t.Errorf("after a restart: %v", got)
		}
	})
}

func TestMET3_TagsBecomeLabelsOnlyIfListedAndFit(t *testing.T) {
	s := realSource(t)
	tags := func() []string {
		var out []string
		for _, m := range scrape(t, Handler(s), "/v2")["db_tags"].GetMetric() {
			for _, l := range m.GetLabel() {
				out = append(out, l.GetName()+"="+l.GetValue())
			}
		}
		return out
	}
	if got := tags(); !slices.Equal(got, []string{"cluster=c.local", "db=7", "team=core"}) {
		t.Errorf("%v", got)
	}
	s.snapshot.Cluster.TagKeys = []string{"absent"}
	if got := tags(); got != nil {
		t.Errorf("nothing fits, and yet %v", got)
	}
	s.snapshot.Cluster.TagKeys = nil
	if got := tags(); got != nil {
		t.Errorf("nothing is exposed, and yet %v", got)
	}
}

func TestOutagesLast(t *testing.T) {
	var r rates
	start := time.Now()
	r.down("x", true, start)
	if got := r.down("x", true, start.Add(30*time.Second)); got != 30 {
		t.Errorf("%v", got)
	}
	if got := r.down("x", false, start.Add(31*time.Second)); got != 0 {
		t.Errorf("%v", got)
	}
}

func TestAnswersThatAreNoMetrics(t *testing.T) {
	s := &source{authorized: true, leader: "https://10.0.0.2:8070"}
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		Handler(s).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	if r := ask("/"); r.Code != http.StatusTemporaryRedirect || r.Header().Get("Location") != "https://10.0.0.2:8070/" {
		t.Errorf("version 1 on a follower: %d %s", r.Code, r.Header().Get("Location"))
	}
	if r := ask("/v2"); r.Code != http.StatusOK {
		t.Errorf("version 2 on a follower: %d", r.Code)
	}
	s.authorized = false
	if r := ask("/v2"); r.Code != http.StatusUnauthorized {
		t.Errorf("without credentials: %d", r.Code)
	}
	s.authorized, s.err = true, errors.New("no quorum")
	if r := ask("/v2"); r.Code != http.StatusServiceUnavailable {
		t.Errorf("without a snapshot: %d", r.Code)
	}
	if r := ask("/nope"); r.Code != http.StatusNotFound {
		t.Errorf("an unknown path: %d %s", r.Code, r.Body)
	}
}
