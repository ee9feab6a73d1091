package children

import (
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// Scrape is how the metrics of a cluster are read.
type Scrape struct {
	// CA is what to trust, in PEM, and ServerName the name that the certificate of the exporter carries.
	CA, ServerName string
	// Secret holds the credentials under names.UsernameKey and names.PasswordKey; empty where none are asked for.
	Secret string
}

// metricsMeta names an object that is there for metrics only. Its label tells it from the other children, so that it can
// be removed when it is no longer wanted.
func (c Cluster) metricsMeta(name string) metav1.ObjectMeta {
	meta := c.meta(name)
	meta.Labels[names.LabelPart] = names.PartMetrics
	return meta
}

// MetricsLeaderService leads to the one node that leads the cluster: each node tells about all of them, and whoever
// scrapes several counts everything several times.
func MetricsLeaderService(c Cluster) *corev1.Service {
	service := c.service(names.MetricsLeader(c.REC.Name), corev1.ServiceTypeClusterIP, nil, servicePort(names.MetricsLeaderPortName, names.MetricsPort))
	service.Labels[names.LabelService] = names.MetricsLeaderService
	service.Labels[names.LabelPart] = names.PartMetrics
	service.Spec.Selector[names.LabelMaster] = "1"
	service.Spec.ClusterIP = corev1.ClusterIPNone
	service.Spec.PublishNotReadyAddresses = true
	return service
}

// MetricsCA holds the certificate that the exporter of each node presents.
func MetricsCA(c Cluster, s Scrape) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: c.metricsMeta(names.MetricsCA(c.REC.Name)), Data: map[string]string{names.CAKey: s.CA}}
}

// MetricsFrom reads who may scrape from the annotation: a selector of namespaces; nil where nothing is asked.
func MetricsFrom(annotations map[string]string) (*metav1.LabelSelector, error) {
	text, asked := annotations[names.AnnotationMetricsFrom]
	if !asked {
		return nil, nil
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("it is empty; give the labels of the namespaces that may scrape, or remove it")
	}
	selector, err := metav1.ParseToLabelSelector(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a label selector: %w", text, err)
	}
	return selector, nil
}
