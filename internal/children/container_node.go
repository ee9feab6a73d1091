package children

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// nodeContainer runs the Redis Enterprise node. Nothing is assumed of its image but its ports and directories.
func nodeContainer(c Cluster) corev1.Container {
	spec := &c.REC.Spec
	return corev1.Container{
		Name:            names.NodeContainer,
		Image:           c.nodeImage(),
		ImagePullPolicy: pullPolicy(spec.RedisEnterpriseImageSpec),
		Ports: []corev1.ContainerPort{
			{Name: names.SentinelName, ContainerPort: names.SentinelPort, Protocol: corev1.ProtocolTCP},
			{Name: names.UIPortName, ContainerPort: names.UIPort, Protocol: corev1.ProtocolTCP},
			{Name: names.APIPortName, ContainerPort: names.APIPort, Protocol: corev1.ProtocolTCP},
			{Name: names.MetricsName, ContainerPort: names.MetricsPort, Protocol: corev1.ProtocolTCP},
		},
		Env:                      environment(podIdentity(), enforceIPv4(spec), timezone(spec), spec.ExtraEnvVars, proxy(c)),
		Resources:                nodeResources(spec),
		VolumeMounts:             append(append(nodeMounts(), timezoneMounts(spec)...), spec.RedisEnterpriseVolumeMounts...),
		StartupProbe:             startupProbe(),
		LivenessProbe:            livenessProbe(),
		ReadinessProbe:           readinessProbe(),
		Lifecycle:                &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{HTTPGet: probePath(names.PathPreStop)}},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          nodeSecurity(spec),
	}
}

// nodeSecurity is the restricted profile with a writable root (rule REC-107). Only allowAutoAdjustment, which says so in
// its description, leaves that profile.
func nodeSecurity(spec *v1.RedisEnterpriseClusterSpec) *corev1.SecurityContext {
	security := containerSecurity()
	security.ReadOnlyRootFilesystem = ptr.To(false)
	s := spec.SecurityContext
	if s != nil && s.ResourceLimits != nil && s.ResourceLimits.AllowAutoAdjustment {
		security.AllowPrivilegeEscalation = ptr.To(true)
		security.Capabilities.Add = []corev1.Capability{"SYS_RESOURCE"}
	}
	return security
}

// nodeResources has limits equal to requests by default: Guaranteed quality of service (rule STB-1).
func nodeResources(spec *v1.RedisEnterpriseClusterSpec) corev1.ResourceRequirements {
	if spec.RedisEnterpriseNodeResources != nil {
		return *spec.RedisEnterpriseNodeResources
	}
	return guaranteed(defaultNodeResources())
}

func defaultNodeResources() corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("4Gi")}
}

func guaranteed(list corev1.ResourceList) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Limits: list, Requests: list.DeepCopy()}
}
