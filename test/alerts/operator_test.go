package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/internal/alert"
	"github.com/open-redis-enterprise/operator/internal/metrics"
)

const operatorConfig = "../../config/prometheus"

func read[T any](t *testing.T, file string) T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(operatorConfig, file))
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := yaml.UnmarshalStrict(raw, &out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}

func TestRulesOfTheOperatorForPromtoolAreCurrent(t *testing.T) {
	rule := read[monitoringv1.PrometheusRule](t, "prometheusrule.yaml")
	got, err := yaml.Marshal(rule.Spec)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(operatorConfig, "operator.rules.yaml")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not current; run with -update", path)
	}
}

var ownMetric = regexp.MustCompile(`redis_enterprise_operator_\w+|workqueue_\w+|leader_election_\w+`)

func TestEveryAlertAboutTheOperatorIsComplete(t *testing.T) {
	known := map[string]bool{}
	for _, d := range append(append([]metrics.Definition{}, metrics.Table...), metrics.Borrowed...) {
		known[d.Name] = true
	}
	tests, err := os.ReadFile(filepath.Join(operatorConfig, "operator.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rule := read[monitoringv1.PrometheusRule](t, "prometheusrule.yaml")
	seen := 0
	for _, group := range rule.Spec.Groups {
		for _, a := range group.Rules {
			seen++
			if !regexp.MustCompile(`^RedisEnterpriseOperator[A-Z][A-Za-z]+$`).MatchString(a.Alert) {
				t.Errorf("%q is no name", a.Alert)
			}
			if s := a.Labels["severity"]; s != "warning" && s != "critical" && s != "info" {
				t.Errorf("%s: severity %q", a.Alert, s)
			}
			if a.Annotations["summary"] == "" || a.Annotations["description"] == "" || a.For == nil {
				t.Errorf("%s: summary, description or time is missing", a.Alert)
			}
			if want := alert.RunbookBase + a.Alert + ".md"; a.Annotations["runbook_url"] != want {
				t.Errorf("%s: runbook %s, want %s", a.Alert, a.Annotations["runbook_url"], want)
			}
			page, err := os.ReadFile("../../docs/runbooks/" + a.Alert + ".md")
			if err != nil {
				t.Error(err)
			}
			for _, heading := range []string{"## Meaning", "## Impact", "## Diagnosis", "## Mitigation"} {
				if !strings.Contains(string(page), heading) {
					t.Errorf("%s: the runbook has no %s", a.Alert, heading)
				}
			}
			used := ownMetric.FindAllString(a.Expr.String(), -1)
			if len(used) == 0 {
				t.Errorf("%s uses no metric of the operator", a.Alert)
			}
			for _, name := range used {
				if !known[name] {
					t.Errorf("%s uses %s, which does not exist", a.Alert, name)
				}
			}
			if !strings.Contains(string(tests), a.Alert) {
				t.Errorf("%s is not tested to fire", a.Alert)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d alerts", seen)
	}
}

// The scrape is verified and authorized: by a certificate that the operator keeps, and with a token from a Secret.
func TestTheScrapeOfTheOperatorIsProtected(t *testing.T) {
	monitor := read[monitoringv1.ServiceMonitor](t, "servicemonitor.yaml")
	e := monitor.Spec.Endpoints[0]
	if e.Scheme == nil || *e.Scheme != "https" || e.TLSConfig.CA.Secret == nil || e.TLSConfig.CA.Secret.Name != "admission-tls" || e.TLSConfig.InsecureSkipVerify != nil {
		t.Errorf("TLS: %+v", e.TLSConfig)
	}
	if e.Authorization == nil || e.Authorization.Credentials == nil || e.BearerTokenFile != "" || !e.HonorLabels { //nolint:staticcheck // that it is not used is what is asked
		t.Errorf("authorization: %+v", e)
	}
}
