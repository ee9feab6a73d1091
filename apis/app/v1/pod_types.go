package v1

import corev1 "k8s.io/api/core/v1"

// ContainerTimezone sets the time zone of containers: exactly one of its fields.
type ContainerTimezone struct {
	// Uses the local time of the Kubernetes node.
	// +optional
	PropagateHost *PropagateHost `json:"propagateHost,omitempty"`
	// Name of a time zone, such as Europe/Berlin; becomes the environment variable TZ.
	// +optional
	TimezoneName string `json:"timezoneName,omitempty"`
}

// PropagateHost mounts the local time of the Kubernetes node. It has no settings; write {}.
type PropagateHost struct{}

// PullSecret names a secret with registry credentials.
type PullSecret struct {
	// Name of the secret.
	// +optional
	Name string `json:"name,omitempty"`
}

// HostAlias is a line of /etc/hosts.
type HostAlias struct {
	// Names for the address.
	// +listType=atomic
	// +optional
	Hostnames []string `json:"hostnames,omitempty"`
	// Address.
	// +optional
	IP string `json:"ip,omitempty"`
}

// PodSpecAttributes is a pod spec without containers, to be merged in a pod that the operator makes. The fields mean
// what they mean in a Kubernetes pod.
//
// It is a type of its own, not an embedded PodSpec, for two reasons: containers is required there, and fields that a
// Kubernetes release drops again, such as workloadRef, must stay acceptable here.
type PodSpecAttributes struct {
	// +listType=map
	// +listMapKey=name
	// +optional
	Volumes []corev1.Volume `json:"volumes,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +optional
	InitContainers []corev1.Container `json:"initContainers,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +optional
	EphemeralContainers []corev1.EphemeralContainer `json:"ephemeralContainers,omitempty"`
	// +optional
	RestartPolicy corev1.RestartPolicy `json:"restartPolicy,omitempty"`
	// +optional
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
	// +optional
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`
	// +optional
	DNSPolicy corev1.DNSPolicy `json:"dnsPolicy,omitempty"`
	// +mapType=atomic
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// +optional
	DeprecatedServiceAccount string `json:"serviceAccount,omitempty"`
	// +optional
	AutomountServiceAccountToken *bool `json:"automountServiceAccountToken,omitempty"`
	// +optional
	NodeName string `json:"nodeName,omitempty"`
	// +optional
	HostNetwork bool `json:"hostNetwork,omitempty"`
	// +optional
	HostPID bool `json:"hostPID,omitempty"`
	// +optional
	HostIPC bool `json:"hostIPC,omitempty"`
	// +optional
	ShareProcessNamespace *bool `json:"shareProcessNamespace,omitempty"`
	// +optional
	SecurityContext *corev1.PodSecurityContext `json:"securityContext,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +optional
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// +optional
	Hostname string `json:"hostname,omitempty"`
	// +optional
	Subdomain string `json:"subdomain,omitempty"`
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// +optional
	SchedulerName string `json:"schedulerName,omitempty"`
	// +listType=atomic
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// +listType=map
	// +listMapKey=ip
	// +optional
	HostAliases []corev1.HostAlias `json:"hostAliases,omitempty"`
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// +optional
	Priority *int32 `json:"priority,omitempty"`
	// +optional
	DNSConfig *corev1.PodDNSConfig `json:"dnsConfig,omitempty"`
	// +listType=atomic
	// +optional
	ReadinessGates []corev1.PodReadinessGate `json:"readinessGates,omitempty"`
	// +optional
	RuntimeClassName *string `json:"runtimeClassName,omitempty"`
	// +optional
	EnableServiceLinks *bool `json:"enableServiceLinks,omitempty"`
	// +optional
	PreemptionPolicy *corev1.PreemptionPolicy `json:"preemptionPolicy,omitempty"`
	// +optional
	Overhead corev1.ResourceList `json:"overhead,omitempty"`
	// +listType=map
	// +listMapKey=topologyKey
	// +listMapKey=whenUnsatisfiable
	// +optional
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// +optional
	SetHostnameAsFQDN *bool `json:"setHostnameAsFQDN,omitempty"`
	// +optional
	OS *corev1.PodOS `json:"os,omitempty"`
	// +optional
	HostUsers *bool `json:"hostUsers,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +optional
	SchedulingGates []corev1.PodSchedulingGate `json:"schedulingGates,omitempty"`
	// +listType=map
	// +listMapKey=name
	// +optional
	ResourceClaims []corev1.PodResourceClaim `json:"resourceClaims,omitempty"`
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// +optional
	HostnameOverride *string `json:"hostnameOverride,omitempty"`
	// +optional
	SchedulingGroup *corev1.PodSchedulingGroup `json:"schedulingGroup,omitempty"`
	// Kubernetes 1.35 only: newer releases have schedulingGroup instead. Accepted, and not passed on to them.
	// +optional
	WorkloadRef *WorkloadReference `json:"workloadRef,omitempty"`
}

// WorkloadReference is what Kubernetes 1.35 used to tie a pod to a workload.
type WorkloadReference struct {
	// Name of the workload.
	Name string `json:"name"`
	// Name of the pod group inside the workload.
	PodGroup string `json:"podGroup"`
	// Key that tells replicas of the pod group apart.
	// +optional
	PodGroupReplicaKey string `json:"podGroupReplicaKey,omitempty"`
}
