package alerts

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/metrics"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	operator "github.com/open-redis-enterprise/operator/internal/metrics"
)

// documentedNames are those that the product documents for version 2.
func documentedNames(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile("../../internal/emulator/metrics/testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "v2" {
			known[f[1]] = true
		}
	}
	return known
}

// small is the least cluster that has something of everything.
type small struct{}

func (small) Leader() string                { return "" }
func (small) Authorized(*http.Request) bool { return true }

func (small) Snapshot(context.Context) (metrics.Snapshot, error) {
	return metrics.Snapshot{
		Self: "1",
		Cluster: metrics.Cluster{Name: "rec", Watchdogs: []metrics.Watchdog{{Node: "1"}}, LicenseExpires: time.Now().Add(time.Hour),
			LicenseShards: map[string]int64{"ram": 4}},
		Nodes:     []metrics.Node{{UID: "1", Up: true, Certificates: map[string]time.Time{"proxy": time.Now()}}},
		Databases: []metrics.Database{{UID: "1"}},
		Shards: []metrics.Shard{{UID: "1", Database: "1", Node: "1", Role: "master", Up: true, Info: map[string]string{
			"used_memory": "1", "maxmemory": "2", "mem_clients_slaves": "0"}}},
		Endpoints: []metrics.Endpoint{{Database: "1", Node: "1", Stats: proxy.Stats{}}},
		Syncers:   []metrics.Syncer{{Database: "1", Source: "1", Type: "crdt", Link: &crdb.State{}}},
	}, nil
}

// servedNames are those that an emulated node serves.
func servedNames(t *testing.T) map[string]bool {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(small{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for name := range families {
		served[name] = true
	}
	return served
}

// Nothing is documented about metrics of the operator, so ours are additions: they must never take a name of the product,
// which comes out of the same Prometheus.
func TestMET5_MetricsOfTheOperatorHaveNamesOfTheirOwn(t *testing.T) {
	documented := documentedNames(t)
	for _, d := range operator.Table {
		if documented[d.Name] || !strings.HasPrefix(d.Name, operator.Prefix) {
			t.Errorf("%s", d.Name)
		}
	}
	if len(operator.Table) == 0 {
		t.Error("the operator tells nothing")
	}
}
