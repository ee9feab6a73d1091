package children

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Exposed is a database that cluster-aware clients reach from outside Kubernetes.
type Exposed struct {
	UID  int64
	Port int32
}

// PodLoadBalancer leads to one node pod, on the ports of the exposed databases (rule NET-12): a cluster-aware client
// connects to the very node that holds a key. There is none without a database to lead to.
func PodLoadBalancer(c Cluster, ordinal int, databases []Exposed) *corev1.Service {
	return c.loadBalancer(names.PodLoadBalancer(c.REC.Name, ordinal), databases, map[string]string{names.LabelPodName: names.Pod(c.REC.Name, ordinal)})
}

// ClusterLoadBalancer leads to the nodes of the cluster. With one exposed database these are the pods that hold its
// endpoints; with more, all of them, since no label of a pod says "one of these".
func ClusterLoadBalancer(c Cluster, databases []Exposed) *corev1.Service {
	selector := map[string]string{}
	if len(databases) == 1 {
		key, value := names.BDBLabel(databases[0].UID)
		selector[key] = value
	}
	return c.loadBalancer(names.ClusterLoadBalancer(c.REC.Name), databases, selector)
}

func (c Cluster) loadBalancer(name string, databases []Exposed, selector map[string]string) *corev1.Service {
	if len(databases) == 0 {
		return nil
	}
	var settings v1.OSSClusterSettings
	if s := c.REC.Spec.OSSClusterSettings; s != nil {
		settings = *s
	}
	var annotations map[string]string
	if settings.LoadBalancer != nil {
		annotations = settings.LoadBalancer.ServiceAnnotations
	}
	service := c.service(name, corev1.ServiceTypeLoadBalancer, annotations, databasePorts(databases)...)
	service.Spec.Selector = merged(service.Spec.Selector, selector)
	service.Spec.ExternalTrafficPolicy = trafficPolicy(settings)
	return service
}

// trafficPolicy keeps the client's address where clients are told apart by it (rule NET-13).
func trafficPolicy(s v1.OSSClusterSettings) corev1.ServiceExternalTrafficPolicy {
	switch {
	case s.LoadBalancer != nil && s.LoadBalancer.ExternalTrafficPolicy != "":
		return s.LoadBalancer.ExternalTrafficPolicy
	case len(s.PodCIDRs) > 0:
		return corev1.ServiceExternalTrafficPolicyLocal
	}
	return corev1.ServiceExternalTrafficPolicyCluster
}

// databasePorts are in order, so that the same databases make the same Service.
func databasePorts(databases []Exposed) []corev1.ServicePort {
	sorted := slices.Clone(databases)
	slices.SortFunc(sorted, func(a, b Exposed) int { return int(a.Port - b.Port) })
	var out []corev1.ServicePort
	for _, db := range sorted {
		out = append(out, corev1.ServicePort{
			Name: names.DatabaseName + "-" + strconv.Itoa(int(db.Port)), Protocol: corev1.ProtocolTCP,
			Port: db.Port, TargetPort: intstr.FromInt32(db.Port),
		})
	}
	return out
}
