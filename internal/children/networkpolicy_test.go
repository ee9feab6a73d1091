package children

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// lets tells whether a policy lets a pod with labels in a namespace with labels reach a port of a pod that it selects.
func lets(t *testing.T, p *networkingv1.NetworkPolicy, samePlace bool, namespace, pod map[string]string, protocol corev1.Protocol, port int32) bool {
	t.Helper()
	matches := func(s *metav1.LabelSelector, set map[string]string) bool {
		selector, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			t.Fatal(err)
		}
		return selector.Matches(labels.Set(set))
	}
	for _, rule := range p.Spec.Ingress {
		from := len(rule.From) == 0
		for _, peer := range rule.From {
			switch {
			case peer.NamespaceSelector != nil:
				from = from || matches(peer.NamespaceSelector, namespace)
			case peer.PodSelector != nil:
				from = from || samePlace && matches(peer.PodSelector, pod)
			}
		}
		for _, r := range rule.Ports {
			last := r.Port.IntVal
			if r.EndPort != nil {
				last = *r.EndPort
			}
			if from && *r.Protocol == protocol && port >= r.Port.IntVal && port <= last {
				return true
			}
		}
	}
	return false
}

func TestTheMetricsPolicyClosesTheMetricsPortAndNoOther(t *testing.T) {
	c := fixture(t, "minimal")
	p := MetricsPolicy(c, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "ops"}})
	stranger, ops := map[string]string{"team": "x"}, map[string]string{"team": "ops"}
	for _, port := range []int32{53, 8001, 8069, 8071, 8080, 8443, 9443, 3333, 3346, 36379, 10000, 19999, 20000, 65535} {
		if !lets(t, p, false, stranger, nil, corev1.ProtocolTCP, port) {
			t.Errorf("TCP %d is closed", port)
		}
	}
	if !lets(t, p, false, stranger, nil, corev1.ProtocolUDP, 5353) {
		t.Error("DNS is closed")
	}
	for _, c := range []struct {
		name      string
		same      bool
		namespace map[string]string
		pod       map[string]string
		want      bool
	}{
		{"a stranger", false, stranger, nil, false},
		{"another pod of the namespace", true, stranger, map[string]string{"app": "shop"}, false},
		{"the namespace asked for", false, ops, nil, true},
		{"a node of the cluster", true, stranger, names.NodeLabels(c.REC.Name), true},
		{"a node of a cluster of that name elsewhere", false, stranger, names.NodeLabels(c.REC.Name), false},
	} {
		if got := lets(t, p, c.same, c.namespace, c.pod, corev1.ProtocolTCP, names.MetricsPort); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
