package children

import (
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// The paths of the exporter: everything that any node knows of the cluster, and what a node knows of itself.
const (
	metricsOfCluster = "/v2"
	metricsOfNode    = "/v2/node"
	scrapeInterval   = "15s"
	scrapeTimeout    = "10s"
	https            = monitoringv1.Scheme("https") // older versions know the word in small letters only
)

// nodeMetrics are taken from each node itself: what it thinks of the cluster counts most when the leader is gone.
const nodeMetrics = "has_quorum|is_primary"

// ServiceMonitor has Prometheus read the leader's view of the whole cluster, and from each node whether it is there and
// sees a majority. See docs/decisions/0014.
func ServiceMonitor(c Cluster, s Scrape) *monitoringv1.ServiceMonitor {
	cluster := names.FQDN(c.REC.Name, c.REC.Namespace)
	whole := c.scraped(s, names.MetricsLeaderPortName, metricsOfCluster)
	// The leader moves; its view does not become another one by that.
	whole.RelabelConfigs = []monitoringv1.RelabelConfig{
		replaced("cluster", cluster),
		replaced("instance", cluster),
		{Action: "labeldrop", Regex: "pod|container|endpoint"},
	}
	node := c.scraped(s, names.MetricsName, metricsOfNode)
	node.RelabelConfigs = []monitoringv1.RelabelConfig{replaced("cluster", cluster)}
	node.MetricRelabelConfigs = []monitoringv1.RelabelConfig{
		{Action: "keep", SourceLabels: []monitoringv1.LabelName{"__name__"}, Regex: nodeMetrics},
	}
	return &monitoringv1.ServiceMonitor{
		TypeMeta:   metav1.TypeMeta{APIVersion: monitoringv1.SchemeGroupVersion.String(), Kind: monitoringv1.ServiceMonitorsKind},
		ObjectMeta: c.metricsMeta(c.REC.Name),
		Spec: monitoringv1.ServiceMonitorSpec{
			Selector: metav1.LabelSelector{
				MatchLabels: names.ClusterLabels(c.REC.Name),
				MatchExpressions: []metav1.LabelSelectorRequirement{{Key: names.LabelService, Operator: metav1.LabelSelectorOpIn,
					Values: []string{names.MetricsLeaderService, names.MetricsService}}},
			},
			Endpoints: []monitoringv1.Endpoint{whole, node},
		},
	}
}

// scraped is a port to scrape over verified TLS.
func (c Cluster) scraped(s Scrape, port, path string) monitoringv1.Endpoint {
	e := monitoringv1.Endpoint{Port: port, Path: path, Scheme: ptr.To(https), Interval: scrapeInterval, ScrapeTimeout: scrapeTimeout, HonorLabels: true}
	e.TLSConfig = &monitoringv1.TLSConfig{}
	e.TLSConfig.ServerName = ptr.To(s.ServerName)
	e.TLSConfig.CA.ConfigMap = &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: names.MetricsCA(c.REC.Name)}, Key: names.CAKey}
	if s.Secret != "" {
		e.BasicAuth = &monitoringv1.BasicAuth{Username: secretKey(s.Secret, names.UsernameKey), Password: secretKey(s.Secret, names.PasswordKey)}
	}
	return e
}

func secretKey(secret, key string) corev1.SecretKeySelector {
	return corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key}
}

func replaced(label, value string) monitoringv1.RelabelConfig {
	return monitoringv1.RelabelConfig{Action: "replace", TargetLabel: label, Replacement: &value}
}
