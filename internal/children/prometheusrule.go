package children

import (
	"fmt"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/alert"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// PrometheusRule holds the alerts about the cluster.
func PrometheusRule(c Cluster) *monitoringv1.PrometheusRule {
	rule := &monitoringv1.PrometheusRule{
		TypeMeta:   metav1.TypeMeta{APIVersion: monitoringv1.SchemeGroupVersion.String(), Kind: monitoringv1.PrometheusRuleKind},
		ObjectMeta: c.metricsMeta(c.REC.Name),
	}
	for _, group := range alert.Groups(c.alertScope()) {
		rules := make([]monitoringv1.Rule, 0, len(group.Alerts))
		for _, a := range group.Alerts {
			rules = append(rules, c.rule(a))
		}
		rule.Spec.Groups = append(rule.Spec.Groups, monitoringv1.RuleGroup{Name: group.Name, Rules: rules})
	}
	return rule
}

func (c Cluster) rule(a alert.Alert) monitoringv1.Rule {
	return monitoringv1.Rule{
		Alert: a.Name,
		Expr:  intstr.FromString(a.Expr),
		For:   ptr.To(monitoringv1.Duration(minutes(a.For))),
		// The namespace is what alerts are routed by, and sums over a cluster have lost it.
		Labels:      map[string]string{"severity": string(a.Severity), "namespace": c.REC.Namespace, "rec": c.REC.Name},
		Annotations: map[string]string{"summary": a.Summary, "description": a.Description, "runbook_url": a.Runbook()},
	}
}

func minutes(d time.Duration) string { return fmt.Sprintf("%dm", int(d.Minutes())) }

// alertScope is what the alerts need to know. Limits of the pods are in the spec and nowhere in the metrics.
func (c Cluster) alertScope() alert.Scope {
	scope := alert.Scope{
		Namespace: c.REC.Namespace, Cluster: c.REC.Name, FQDN: names.FQDN(c.REC.Name, c.REC.Namespace),
		NodesJob: names.Metrics(c.REC.Name), NodeMemory: nodeMemory(&c.REC.Spec),
	}
	if c.REC.Spec.IsPersistent() {
		size := VolumeSize(&c.REC.Spec)
		if c.Claim != nil {
			size = c.Claim.Spec.Resources.Requests[corev1.ResourceStorage]
		}
		scope.NodeStorage = size.Value()
	}
	return scope
}

// nodeMemory is what a node may use at most; 0 where nothing limits it.
func nodeMemory(spec *v1.RedisEnterpriseClusterSpec) int64 {
	resources := nodeResources(spec)
	return resources.Limits.Memory().Value()
}
