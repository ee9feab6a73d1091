// Package alerts holds the alerts of a cluster against everything that they depend on: the metrics that exist, the
// runbooks, and tests in which each of them fires and does not fire. The rules are written to a file from which promtool
// checks them (make lint-rules).
package alerts

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/alert"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/metrics"
	"github.com/open-redis-enterprise/operator/internal/names"
)

var update = flag.Bool("update", false, "write the rules anew")

var scope = alert.Scope{Namespace: "redis", Cluster: "rec", FQDN: "rec.redis.svc.cluster.local", NodesJob: "rec-prom",
	NodeMemory: 4 << 30, NodeStorage: 20 << 30}

func all() []alert.Alert {
	var list []alert.Alert
	for _, g := range alert.Groups(scope) {
		list = append(list, g.Alerts...)
	}
	return list
}

func TestRulesForPromtoolAreCurrent(t *testing.T) {
	rec := &v1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "redis", Name: "rec"}}
	got, err := yaml.Marshal(children.PrometheusRule(children.Cluster{REC: rec}).Spec)
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/rules.yaml"
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not current; run with -update and look at the difference", path)
	}
}

func TestEveryAlertIsComplete(t *testing.T) {
	camel := regexp.MustCompile(`^` + alert.Prefix + `([A-Z][a-z]+)+$`)
	seen := map[string]bool{}
	for _, a := range all() {
		id := a.Name + "/" + string(a.Severity)
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
		if !camel.MatchString(a.Name) || a.For <= 0 || a.Summary == "" || strings.HasSuffix(a.Summary, ".") || !strings.HasSuffix(a.Description, ".") {
			t.Errorf("%s: %+v", id, a)
		}
		if a.Severity != alert.Critical && a.Severity != alert.Warning {
			t.Errorf("%s: severity %q", id, a.Severity)
		}
	}
}

// runbooks is where the pages are that alerts point to.
const runbooks = "../../docs/runbooks"

func TestEveryAlertHasARunbook(t *testing.T) {
	wanted := map[string]bool{}
	for _, a := range all() {
		wanted[a.Name+".md"] = true
	}
	for page := range wanted {
		raw, err := os.ReadFile(filepath.Join(runbooks, page))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, heading := range []string{"# " + strings.TrimSuffix(page, ".md") + "\n", "\n## Meaning\n", "\n## Impact\n", "\n## Diagnosis\n", "\n## Mitigation\n"} {
			if !strings.Contains("\n"+string(raw), heading) {
				t.Errorf("%s has no %q", page, strings.TrimSpace(heading))
			}
		}
		if !strings.Contains(string(raw), "kubectl") {
			t.Errorf("%s gives no command", page)
		}
	}
}

func TestThePageListsEveryAlert(t *testing.T) {
	raw, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all() {
		if !strings.Contains(string(raw), "["+a.Name+"](runbooks/"+a.Name+".md) | "+string(a.Severity)) {
			t.Errorf("docs/metrics.md does not list %s (%s)", a.Name, a.Severity)
		}
	}
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|on|ignoring|group_left)\s*\([^)]*\)`)
	word     = regexp.MustCompile(`[a-z_A-Z:][\w:]*(\s*\()?`)
	keywords = []string{"and", "or", "unless", "by", "on"}
)

// metricsIn are the names of metrics in an expression.
func metricsIn(expr string) []string {
	found := map[string]bool{}
	for _, w := range word.FindAllString(quoted.ReplaceAllString(expr, " "), -1) {
		if !strings.HasSuffix(w, "(") && !slices.Contains(keywords, w) {
			found[w] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestMetricsIn(t *testing.T) {
	got := metricsIn(`histogram_quantile(0.9, sum by (le) (rate(a_bucket{x="y b"}[5m]) + on (z) b)) / (max by (c) (d) > 0) and up == 0`)
	if !slices.Equal(got, []string{"a_bucket", "b", "d", "up"}) {
		t.Errorf("%v", got)
	}
}

// beyond are metrics of others than the product and the operator.
var beyond = []string{"up"}

func TestMET1_EveryMetricExists(t *testing.T) {
	documented, served := documentedNames(t), servedNames(t)
	operators := map[string]bool{}
	for _, d := range metrics.Table {
		operators[d.Name] = true
	}
	for _, a := range all() {
		for _, name := range metricsIn(a.Expr) {
			switch {
			case slices.Contains(beyond, name):
			case strings.HasPrefix(name, metrics.Prefix):
				if !operators[name] {
					t.Errorf("%s: the operator exports no %s", a.Name, name)
				}
			default:
				if !documented[name] {
					t.Errorf("%s: %s is not documented", a.Name, name)
				}
				if !served[strings.TrimSuffix(name, "_bucket")] {
					t.Errorf("%s: the emulator exports no %s", a.Name, name)
				}
			}
		}
	}
	if names.MetricsPort != 8070 || names.Metrics("rec") != "rec-prom" || names.MetricsName != "prometheus" {
		t.Error("MET-1: the metrics are not where they are documented to be")
	}
}
