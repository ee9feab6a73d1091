package children

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// bootstrapperContainer looks after the node beside it (rule REC-15).
func bootstrapperContainer(c Cluster) corev1.Container {
	spec := &c.REC.Spec
	return corev1.Container{
		Name:                     names.BootstrapperContainer,
		Image:                    c.bootstrapperImage(),
		ImagePullPolicy:          pullPolicy(spec.BootstrapperImageSpec),
		Args:                     []string{"bootstrapper"},
		Ports:                    []corev1.ContainerPort{{Name: names.ProbePortName, ContainerPort: names.ProbePort, Protocol: corev1.ProtocolTCP}},
		Env:                      environment(clusterIdentity(c.REC), podIdentity(), timezone(spec), spec.ExtraEnvVars),
		Resources:                bootstrapperResources(spec),
		VolumeMounts:             append([]corev1.VolumeMount{credentialsMount(), tokenMount()}, timezoneMounts(spec)...),
		LivenessProbe:            bootstrapperProbe(),
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          containerSecurity(),
	}
}

// bootstrapperProbe asks only whether the program still listens: what it serves there is about the node.
func bootstrapperProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:                  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(names.ProbePort)}},
		InitialDelaySeconds:           10,
		PeriodSeconds:                 10,
		TimeoutSeconds:                5,
		FailureThreshold:              6,
		TerminationGracePeriodSeconds: restartGrace(),
	}
}

func bootstrapperResources(spec *v1.RedisEnterpriseClusterSpec) corev1.ResourceRequirements {
	if spec.BootstrapperResources != nil {
		return *spec.BootstrapperResources
	}
	return guaranteed(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")})
}
