package v1

import corev1 "k8s.io/api/core/v1"

// PodSpec returns the attributes as a Kubernetes pod spec without containers. workloadRef is left out, because the
// Kubernetes API this operator is built with no longer has it. The result shares memory with a.
func (a *PodSpecAttributes) PodSpec() *corev1.PodSpec {
	if a == nil {
		return &corev1.PodSpec{}
	}
	return &corev1.PodSpec{
		Volumes:                       a.Volumes,
		InitContainers:                a.InitContainers,
		EphemeralContainers:           a.EphemeralContainers,
		RestartPolicy:                 a.RestartPolicy,
		TerminationGracePeriodSeconds: a.TerminationGracePeriodSeconds,
		ActiveDeadlineSeconds:         a.ActiveDeadlineSeconds,
		DNSPolicy:                     a.DNSPolicy,
		NodeSelector:                  a.NodeSelector,
		ServiceAccountName:            a.ServiceAccountName,
		DeprecatedServiceAccount:      a.DeprecatedServiceAccount,
		AutomountServiceAccountToken:  a.AutomountServiceAccountToken,
		NodeName:                      a.NodeName,
		HostNetwork:                   a.HostNetwork,
		HostPID:                       a.HostPID,
		HostIPC:                       a.HostIPC,
		ShareProcessNamespace:         a.ShareProcessNamespace,
		SecurityContext:               a.SecurityContext,
		ImagePullSecrets:              a.ImagePullSecrets,
		Hostname:                      a.Hostname,
		Subdomain:                     a.Subdomain,
		Affinity:                      a.Affinity,
		SchedulerName:                 a.SchedulerName,
		Tolerations:                   a.Tolerations,
		HostAliases:                   a.HostAliases,
		PriorityClassName:             a.PriorityClassName,
		Priority:                      a.Priority,
		DNSConfig:                     a.DNSConfig,
		ReadinessGates:                a.ReadinessGates,
		RuntimeClassName:              a.RuntimeClassName,
		EnableServiceLinks:            a.EnableServiceLinks,
		PreemptionPolicy:              a.PreemptionPolicy,
		Overhead:                      a.Overhead,
		TopologySpreadConstraints:     a.TopologySpreadConstraints,
		SetHostnameAsFQDN:             a.SetHostnameAsFQDN,
		OS:                            a.OS,
		HostUsers:                     a.HostUsers,
		SchedulingGates:               a.SchedulingGates,
		ResourceClaims:                a.ResourceClaims,
		Resources:                     a.Resources,
		HostnameOverride:              a.HostnameOverride,
		SchedulingGroup:               a.SchedulingGroup,
	}
}
