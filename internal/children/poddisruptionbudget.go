package children

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// PodDisruptionBudget keeps a majority of the nodes up while Kubernetes nodes are drained (rule STB-2).
func PodDisruptionBudget(c Cluster) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: c.meta(c.REC.Name),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: ptr.To(intstr.FromInt32(c.REC.Spec.NodeCount()/2 + 1)),
			Selector:     &metav1.LabelSelector{MatchLabels: names.NodeLabels(c.REC.Name)},
		},
	}
}
