//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// scraped is how long it may take from a change to Prometheus's knowing: its operator, a minute until the kubelet brings the
// new configuration into the pod, the reload, a scrape each 15 or 30 s.
const scraped = 4 * time.Minute

// metrics lets a real Prometheus read the cluster through the objects that the operator has made for it.
func metrics(t *testing.T, s *suite) {
	if !*withParts {
		t.Log("left out: -parts")
		return
	}
	must(t, monitoringv1.AddToScheme(s.Scheme()))
	s.monitor(t) // what this asks for is looked at last: until then it has arrived
	p := prometheus{s.parts()}
	db := s.exposed(t) // it has a tag
	t.Cleanup(func() { s.remove(t, db) })
	s.patchCluster(t, `{"spec":{"metricsConfig":{"exposeDatabaseTags":true,"metricsTagKeysExposed":["team"]}}}`)
	t.Run("MET-1 MET-2 every target of the cluster is up, over verified TLS", func(t *testing.T) { p.targetsAreUp(t, s) })
	t.Run("MET-3 tags are labels", func(t *testing.T) {
		p.awaitSamples(t, fmt.Sprintf(`count by (db) ({namespace=%q,team="payments"})`, s.Namespace), 1)
	})
	t.Run("the loss of a node is told", func(t *testing.T) { p.nodeLost(t, s) })
	t.Run("MET-5 the operator is read too, by those who may", func(t *testing.T) {
		p.awaitSamples(t, `up{job="redis-enterprise-operator-metrics"} == 1`, 2)
	})
	t.Run("every alert is loaded and can be evaluated", func(t *testing.T) { p.alertsEvaluate(t, s) })
	t.Run("every query of the dashboards has data", func(t *testing.T) { p.dashboardsHaveData(t, s) })
}

// targetsAreUp waits until each node and the leader's view are scraped, and looks at how.
func (p prometheus) targetsAreUp(t *testing.T, s *suite) {
	nodes, err := s.NodePods(t.Context(), rec)
	must(t, err)
	var up []target
	must(t, p.Await(t.Context(), "targets", scraped, func() (bool, string, error) {
		all, err := p.targets(t.Context())
		if err != nil {
			return notYet(err)
		}
		up = nil
		var words []string
		for _, each := range all {
			if each.Labels["namespace"] != s.Namespace || !strings.HasPrefix(each.ScrapePool, "serviceMonitor/"+s.Namespace+"/"+rec+"/") {
				continue
			}
			if each.Health == "up" {
				up = append(up, each)
			} else {
				words = append(words, each.ScrapeURL+" "+each.Health+" "+each.LastError)
			}
		}
		return len(words) == 0 && len(up) >= len(nodes)+1, fmt.Sprintf("%d up; %v", len(up), words), nil
	}))
	for _, each := range up {
		if !strings.HasPrefix(each.ScrapeURL, "https://") {
			t.Errorf("%s is read in the clear", each.ScrapeURL)
		}
	}
	var config struct{ YAML string }
	must(t, p.ask(t.Context(), "status/config", nil, &config))
	if !strings.Contains(config.YAML, "server_name:") || strings.Contains(config.YAML, "insecure_skip_verify: true") {
		t.Errorf("certificates are not verified:\n%s", config.YAML)
	}
}

// awaitSamples waits until an expression gives that many samples or more.
func (p prometheus) awaitSamples(t *testing.T, expression string, least int) []sample {
	t.Helper()
	var last []sample
	must(t, p.Await(t.Context(), expression, scraped, func() (bool, string, error) {
		samples, err := p.query(t.Context(), expression)
		if err != nil {
			return notYet(err)
		}
		last = samples
		return len(samples) >= least, fmt.Sprintf("%d samples", len(samples)), nil
	}))
	return last
}

// rule is a PrometheusRule: the one that the operator has made for the cluster, or the one about the operator.
func (s *suite) rule(t *testing.T, name string) *monitoringv1.PrometheusRule {
	t.Helper()
	var rule monitoringv1.PrometheusRule
	must(t, s.Await(t.Context(), "prometheusrule/"+name, time.Minute, func() (bool, string, error) {
		err := s.Get(t.Context(), s.Key(name), &rule)
		return err == nil, fmt.Sprint(err), nil
	}))
	return &rule
}

// alertsEvaluate waits until Prometheus has evaluated each rule about the cluster and about the operator.
func (p prometheus) alertsEvaluate(t *testing.T, s *suite) {
	var want []string
	for _, group := range append(s.rule(t, rec).Spec.Groups, s.rule(t, operator).Spec.Groups...) {
		for _, rule := range group.Rules {
			want = append(want, rule.Alert+" "+rule.Labels["severity"])
		}
	}
	must(t, p.Await(t.Context(), "alerts", scraped, func() (bool, string, error) {
		all, err := p.rules(t.Context())
		if err != nil {
			return notYet(err)
		}
		healthy, words := 0, []string{}
		for _, rule := range all {
			switch {
			case !slices.Contains(want, rule.Name+" "+rule.Labels["severity"]) || rule.Labels[nowLabel] != "":
			case rule.Health == "ok":
				healthy++
			case rule.Health != "unknown": // not evaluated yet
				words = append(words, rule.Name+": "+rule.LastError)
			}
		}
		if len(words) > 0 {
			return false, "", fmt.Errorf("%v", words)
		}
		return healthy == len(want), fmt.Sprintf("%d of %d evaluated", healthy, len(want)), nil
	}))
	t.Logf("%d alerts", len(want))
}

// nowLabel marks copies of alerts that do not wait until their condition has held for minutes.
const nowLabel = "e2e"

// nodeLost takes a node away for as long as the alerts need, and then gives it back.
func (p prometheus) nodeLost(t *testing.T, s *suite) {
	ctx := t.Context()
	impatient := s.impatient(t)
	must(t, p.ApplyObject(ctx, impatient))
	t.Cleanup(func() { s.remove(t, impatient) })
	firing := func(alert, state, now string) string {
		return fmt.Sprintf(`ALERTS{alertname=%q,alertstate=%q,rec=%q,%s=%q}`, alert, state, rec, nowLabel, now)
	}
	must(t, p.Await(ctx, "copies of the alerts", scraped, func() (bool, string, error) {
		all, err := p.rules(ctx)
		return err == nil && slices.ContainsFunc(all, func(r loadedRule) bool { return r.Labels[nowLabel] == "now" && r.Health == "ok" }), fmt.Sprint(err), nil
	}))
	for _, alert := range []string{"RedisEnterpriseNodeDown", "RedisEnterpriseShardDown"} {
		if samples, err := p.query(ctx, firing(alert, "firing", "now")); err != nil || len(samples) > 0 {
			t.Fatalf("%s fires before anything has happened: %v %v", alert, samples, err)
		}
	}
	victim := s.holder(t)
	s.cordon(t, true)
	t.Cleanup(func() { s.cordon(t, false) })
	must(t, s.LosePod(ctx, victim))
	p.awaitSamples(t, firing("RedisEnterpriseNodeDown", "firing", "now"), 1)
	p.awaitSamples(t, firing("RedisEnterpriseShardDown", "firing", "now"), 1)
	p.awaitSamples(t, fmt.Sprintf(`ALERTS{alertname="RedisEnterpriseNodeDown",rec=%q,%s=""}`, rec, nowLabel), 1)
	s.cordon(t, false)
	must(t, s.AwaitCluster(ctx, rec, heal))
	must(t, s.AwaitDatabase(ctx, shardedDB, heal))
	for _, alert := range []string{"RedisEnterpriseNodeDown", "RedisEnterpriseShardDown"} {
		must(t, p.Await(ctx, alert, scraped, func() (bool, string, error) {
			samples, err := p.query(ctx, firing(alert, "firing", "now"))
			return err == nil && len(samples) == 0, "still fires", err
		}))
	}
}

// impatient are the same alerts without the time for which their condition must hold.
func (s *suite) impatient(t *testing.T) *monitoringv1.PrometheusRule {
	t.Helper()
	copied := &monitoringv1.PrometheusRule{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: "e2e-impatient"}}
	s.rule(t, rec).Spec.DeepCopyInto(&copied.Spec)
	for i := range copied.Spec.Groups {
		group := &copied.Spec.Groups[i]
		group.Name = "e2e-" + group.Name
		for j := range group.Rules {
			group.Rules[j].For = ptr.To(monitoringv1.Duration("0s"))
			group.Rules[j].Labels[nowLabel] = "now"
		}
	}
	return copied
}

// holder is the pod of a node that holds a shard with a copy elsewhere, and does not lead the cluster.
func (s *suite) holder(t *testing.T) string {
	t.Helper()
	pods, err := s.NodePods(t.Context(), rec)
	must(t, err)
	master, err := s.MasterPod(t.Context(), rec, shardedDB)
	must(t, err)
	for _, pod := range pods {
		if pod.Labels[names.LabelMaster] != "1" && pod.Name != master {
			return pod.Name
		}
	}
	t.Fatal("no such node")
	return ""
}

// cordon keeps new pods from the machine, as a person does who knows that it is broken, or lets them in again.
func (s *suite) cordon(t *testing.T, closed bool) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var machines corev1.NodeList
	must(t, s.List(ctx, &machines))
	for i := range machines.Items {
		must(t, s.MergePatch(ctx, &machines.Items[i], fmt.Sprintf(`{"spec":{"unschedulable":%t}}`, closed)))
	}
}
