package children

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/internal/names"
)

const highestPort = 65535

// MetricsPolicy closes the metrics port of the nodes to all but the namespaces asked for and the cluster's own pods.
//
// A pod that one policy selects is closed for everything that no policy allows, so this one has to allow all other ports
// to everybody: databases, admin API, and what the nodes say to each other.
func MetricsPolicy(c Cluster, from *metav1.LabelSelector) *networkingv1.NetworkPolicy {
	own := &metav1.LabelSelector{MatchLabels: names.ClusterLabels(c.REC.Name)}
	return &networkingv1.NetworkPolicy{
		ObjectMeta: c.metricsMeta(names.Metrics(c.REC.Name)),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: names.NodeLabels(c.REC.Name)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress: []networkingv1.NetworkPolicyIngressRule{
				{Ports: []networkingv1.NetworkPolicyPort{
					ports(corev1.ProtocolTCP, 1, names.MetricsPort-1),
					ports(corev1.ProtocolTCP, names.MetricsPort+1, highestPort),
					ports(corev1.ProtocolUDP, 1, highestPort),
				}},
				{
					From:  []networkingv1.NetworkPolicyPeer{{NamespaceSelector: from}, {PodSelector: own}},
					Ports: []networkingv1.NetworkPolicyPort{{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromInt32(names.MetricsPort))}},
				},
			},
		},
	}
}

func ports(protocol corev1.Protocol, first, last int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: ptr.To(intstr.FromInt32(first)), EndPort: &last}
}
