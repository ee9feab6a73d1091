package children

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// environment joins lists of variables. Of several with one name the first counts: ours come before the user's, and a
// container with a name twice could not be applied.
func environment(lists ...[]corev1.EnvVar) []corev1.EnvVar {
	var out []corev1.EnvVar
	for _, e := range slices.Concat(lists...) {
		if !slices.ContainsFunc(out, func(o corev1.EnvVar) bool { return o.Name == e.Name }) {
			out = append(out, e)
		}
	}
	return out
}

// podIdentity tells a container which pod it is in.
func podIdentity() []corev1.EnvVar {
	return []corev1.EnvVar{
		fieldEnv(names.EnvPodName, "metadata.name"),
		fieldEnv(names.EnvPodNamespace, "metadata.namespace"),
		fieldEnv(names.EnvPodIP, "status.podIP"),
	}
}

func fieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}}
}

func clusterIdentity(rec *v1.RedisEnterpriseCluster) []corev1.EnvVar {
	return []corev1.EnvVar{{Name: names.EnvCluster, Value: rec.Name}}
}

func enforceIPv4(spec *v1.RedisEnterpriseClusterSpec) []corev1.EnvVar {
	if !ptr.Deref(spec.EnforceIPv4, false) {
		return nil
	}
	return []corev1.EnvVar{{Name: "ENFORCE_IPV4", Value: "true"}}
}

// proxy is for nodes whose cluster asks for it. What the spec says of a proxy comes before, and counts.
func proxy(c Cluster) []corev1.EnvVar {
	if c.REC.Annotations[names.AnnotationProxy] != "true" {
		return nil
	}
	return c.Platform.Proxy
}

func timezone(spec *v1.RedisEnterpriseClusterSpec) []corev1.EnvVar {
	if spec.ContainerTimezone == nil || spec.ContainerTimezone.TimezoneName == "" {
		return nil
	}
	return []corev1.EnvVar{{Name: "TZ", Value: spec.ContainerTimezone.TimezoneName}}
}
