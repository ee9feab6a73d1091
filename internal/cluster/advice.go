package cluster

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
)

// advice is what whoever wrote a spec should know, although it is no reason to refuse it. The volumes that there are
// count more than those that the spec would have, since they do not grow with the memory; o may be nil.
func advice(spec *v1.RedisEnterpriseClusterSpec, o *Observed) []string {
	if !spec.IsPersistent() {
		return nil
	}
	enough := children.VolumeSize(&v1.RedisEnterpriseClusterSpec{RedisEnterpriseNodeResources: spec.RedisEnterpriseNodeResources})
	have := children.VolumeSize(spec)
	if made, ok := volumesOf(o); ok {
		have = made
	}
	if have.Cmp(enough) >= 0 {
		return nil
	}
	return []string{fmt.Sprintf("spec.persistentSpec.volumeSize: volumes of %s are small for the memory of the nodes; %s, five times as much, "+
		"leave room for what databases write while they save", have.String(), enough.String())}
}

// volumesOf is the size that the volumes of a cluster were made with.
func volumesOf(o *Observed) (resource.Quantity, bool) {
	if o == nil || o.Set == nil || len(o.Set.Spec.VolumeClaimTemplates) == 0 {
		return resource.Quantity{}, false
	}
	size, ok := o.Set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests[corev1.ResourceStorage]
	return size, ok
}
