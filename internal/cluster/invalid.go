package cluster

import (
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// origins say which field of the spec a part of a StatefulSet comes from, the longer before the shorter.
var origins = []struct{ part, path string }{
	{"spec.volumeClaimTemplates", "spec.persistentSpec"},
	{"spec.template.metadata.annotations", "spec.redisEnterprisePodAnnotations"},
	{"spec.template.metadata.labels", "spec.extraLabels"},
	{"spec.template.spec.tolerations", "spec.podTolerations"},
	{"spec.template.spec.affinity.podAntiAffinity", "spec.podAntiAffinity"},
	{"spec.template.spec.nodeSelector", "spec.nodeSelector"},
	{"spec.template.spec.priorityClassName", "spec.priorityClassName"},
	{"spec.template.spec.volumes", "spec.volumes"},
	{"spec.template.spec.containers[0]", "spec.redisEnterpriseNodeResources"},
	{"spec.template.spec.containers[1]", "spec.bootstrapperResources"},
	{"spec.template.spec.containers", "spec.sideContainersSpec"},
	{"spec.template.spec", "spec.redisEnterpriseAdditionalPodSpecAttributes"},
}

// invalidObject turns what the API server says of an object that it finds invalid into a rejection: the object was made of the
// spec, so the spec is what a person must mend. Any other error stays what it is.
func invalidObject(err error) error {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return err
	}
	s := status.Status()
	if s.Details == nil || len(s.Details.Causes) == 0 {
		return outcome.Reject("spec", "Kubernetes refuses what it comes to: %s", s.Message)
	}
	var all []error
	for _, cause := range s.Details.Causes {
		all = append(all, outcome.Reject(origin(s.Details.Kind, cause.Field), "Kubernetes refuses the %s made of it: %s: %s",
			s.Details.Kind, cause.Field, cause.Message))
	}
	return errors.Join(all...)
}

// origin is the field of the spec that a field of an object comes from, as far as that is known.
func origin(kind, field string) string {
	for _, o := range origins {
		if kind == "StatefulSet" && strings.HasPrefix(field, o.part) {
			return o.path
		}
	}
	return "spec"
}
