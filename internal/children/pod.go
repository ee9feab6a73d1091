package children

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// user is the account that every container runs as (rule REC-13).
const user int64 = 1001

// nodePod is the template of the node pods: the node, the bootstrapper, and what the user adds.
func nodePod(c Cluster) corev1.PodTemplateSpec {
	spec := &c.REC.Spec
	pod := corev1.PodSpec{
		ServiceAccountName:            c.REC.ServiceAccountName(),
		AutomountServiceAccountToken:  ptr.To(false), // only the bootstrapper gets a token, see tokenVolume
		EnableServiceLinks:            ptr.To(false),
		TerminationGracePeriodSeconds: ptr.To(gracePeriod(spec)),
		SecurityContext:               podSecurity(),
		Containers:                    append([]corev1.Container{nodeContainer(c), bootstrapperContainer(c)}, spec.SideContainersSpec...),
		Volumes:                       nodeVolumes(c),
		HostAliases:                   hostAliases(spec),
		Affinity:                      &corev1.Affinity{PodAntiAffinity: antiAffinity(c.REC)},
	}
	place(&pod, spec)
	pod.SecurityContext.FSGroup = ptr.To(user)
	pod.SecurityContext.FSGroupChangePolicy = ptr.To(corev1.FSGroupChangeOnRootMismatch)
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      c.labels(names.NodeLabels(c.REC.Name)),
			Annotations: merged(nodeContainerIsDefault, spec.PodAnnotations, spec.RedisEnterprisePodAnnotations),
		},
		Spec: eachVariableOnce(override(pod, spec.RedisEnterpriseAdditionalPodSpecAttributes)),
	}
}

// eachVariableOnce keeps the last of variables that have one name in a container, as the kubelet does. People's
// manifests have such, and a server-side apply refuses them.
func eachVariableOnce(pod corev1.PodSpec) corev1.PodSpec {
	for _, list := range []*[]corev1.Container{&pod.InitContainers, &pod.Containers} {
		*list = slices.Clone(*list)
		for i := range *list {
			env := (*list)[i].Env
			var once []corev1.EnvVar
			for n, v := range env {
				later := slices.ContainsFunc(env[n+1:], func(o corev1.EnvVar) bool { return o.Name == v.Name })
				if !later {
					once = append(once, v)
				}
			}
			(*list)[i].Env = once
		}
	}
	return pod
}

var nodeContainerIsDefault = map[string]string{"kubectl.kubernetes.io/default-container": names.NodeContainer}

// place applies what nodes and rigger share about where they run and what they pull with (rule REC-19).
func place(pod *corev1.PodSpec, spec *v1.RedisEnterpriseClusterSpec) {
	pod.NodeSelector = spec.NodeSelector
	pod.Tolerations = slices.Clone(spec.PodTolerations)
	pod.PriorityClassName = spec.PriorityClassName
	for _, s := range spec.PullSecrets {
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, corev1.LocalObjectReference{Name: s.Name})
	}
}

func gracePeriod(spec *v1.RedisEnterpriseClusterSpec) int64 {
	return ptr.Deref(spec.RedisEnterpriseTerminationGracePeriodSeconds, v1.DefaultTerminationGracePeriodSeconds)
}

func hostAliases(spec *v1.RedisEnterpriseClusterSpec) []corev1.HostAlias {
	var out []corev1.HostAlias
	for _, a := range spec.HostAliases {
		out = append(out, corev1.HostAlias{IP: a.IP, Hostnames: a.Hostnames})
	}
	return out
}

// podSecurity meets the restricted Pod Security Standard.
func podSecurity() *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{
		RunAsNonRoot:   ptr.To(true),
		RunAsUser:      ptr.To(user),
		RunAsGroup:     ptr.To(user),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// containerSecurity meets the restricted Pod Security Standard.
func containerSecurity() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		Privileged:               ptr.To(false),
		AllowPrivilegeEscalation: ptr.To(false),
		ReadOnlyRootFilesystem:   ptr.To(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// antiAffinity keeps the nodes of a cluster on different machines unless the user says otherwise (rule REC-18).
func antiAffinity(rec *v1.RedisEnterpriseCluster) *corev1.PodAntiAffinity {
	if rec.Spec.PodAntiAffinity != nil {
		return rec.Spec.PodAntiAffinity
	}
	anti := &corev1.PodAntiAffinity{}
	for _, key := range append([]string{corev1.LabelHostname}, rec.Spec.AntiAffinityAdditionalTopologyKeys...) {
		anti.RequiredDuringSchedulingIgnoredDuringExecution = append(anti.RequiredDuringSchedulingIgnoredDuringExecution,
			corev1.PodAffinityTerm{TopologyKey: key, LabelSelector: &metav1.LabelSelector{MatchLabels: names.NodeLabels(rec.Name)}})
	}
	return anti
}
