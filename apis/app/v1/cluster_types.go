package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RedisEnterpriseCluster describes one Redis Enterprise cluster: how many nodes it has, what they run on, and the
// cluster-wide settings that the operator keeps equal to this description. An empty spec is legal and gives a
// three-node cluster with persistent storage and a trial licence.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=redisenterpriseclusters,singular=redisenterprisecluster,shortName=rec,scope=Namespaced
// +kubebuilder:metadata:labels="app=redis-enterprise"
// +kubebuilder:printcolumn:name="Nodes",type=string,JSONPath=`.spec.nodes`
// +kubebuilder:printcolumn:name="Shards",type=string,JSONPath=`.status.licenseStatus.shardsUsage`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.redisEnterpriseImageSpec.versionTag`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Spec Status",type=string,JSONPath=`.status.specStatus`
// +kubebuilder:printcolumn:name="License State",type=string,JSONPath=`.status.licenseStatus.licenseState`
// +kubebuilder:printcolumn:name="License Expiration Date",type=string,JSONPath=`.status.licenseStatus.expirationDate`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +operator-sdk:csv:customresourcedefinitions:displayName="Redis Enterprise Cluster",order=1,resources={{StatefulSet,v1,},{Deployment,v1,},{Pod,v1,},{Service,v1,},{EndpointSlice,v1,},{Secret,v1,},{ConfigMap,v1,},{PersistentVolumeClaim,v1,},{PodDisruptionBudget,v1,},{ServiceAccount,v1,},{Role,v1,},{RoleBinding,v1,},{NetworkPolicy,v1,},{Ingress,v1,},{Route,v1,"routes.route.openshift.io"},{ServiceMonitor,v1,"servicemonitors.monitoring.coreos.com"},{PrometheusRule,v1,"prometheusrules.monitoring.coreos.com"}}
type RedisEnterpriseCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the cluster should be. Every field is optional.
	Spec RedisEnterpriseClusterSpec `json:"spec,omitempty"`
	// What the operator last saw. Written by the operator only.
	Status RedisEnterpriseClusterStatus `json:"status,omitempty"`
}

// RedisEnterpriseClusterList is a list of clusters.
//
// +kubebuilder:object:root=true
type RedisEnterpriseClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RedisEnterpriseCluster `json:"items"`
}

// RedisEnterpriseClusterSpec is the wanted state of a cluster.
//
// Changing a field that ends up in the node pods rolls them one at a time; settings of the cluster itself are
// applied through its admin API without a restart. Settings that are absent from the beginning are left to the
// cluster.
type RedisEnterpriseClusterSpec struct {
	// External access to the API and to Active-Active databases, older form. Use ingressOrRouteSpec; the two
	// exclude each other.
	// +optional
	ActiveActive *ActiveActive `json:"activeActive,omitempty"`

	// Further topology keys over which node pods are spread, in addition to the default one
	// (kubernetes.io/hostname, or the rack label). Each key adds one required anti-affinity term, so there must be
	// at least as many different values of it as there are nodes.
	// +optional
	AntiAffinityAdditionalTopologyKeys []string `json:"antiAffinityAdditionalTopologyKeys,omitempty"`

	// Auditing of database connections: where records go and the default for new databases.
	// +optional
	Auditing *Auditing `json:"auditing,omitempty"`

	// Cluster-wide rules about access control.
	// +optional
	AccessControl *AccessControl `json:"accessControl,omitempty"`

	// Image of the bootstrapper container, which forms and joins the cluster beside each node. Default: the image
	// of the running operator. It must be of the same version as the operator.
	// +optional
	BootstrapperImageSpec *ImageSpec `json:"bootstrapperImageSpec,omitempty"`

	// Resources of the bootstrapper container. Default: 100m CPU and 128Mi memory, limits equal to requests.
	// +optional
	BootstrapperResources *corev1.ResourceRequirements `json:"bootstrapperResources,omitempty"`

	// Secret with the keys `username` and `password` of the cluster administrator. Default: the name of this
	// resource; the secret is created with a generated password when it does not exist. May later name another
	// existing secret whose credentials the cluster already accepts.
	// +optional
	ClusterCredentialSecretName string `json:"clusterCredentialSecretName,omitempty"`

	// Vault role with which node pods log in. Only used when clusterCredentialSecretType is vault. Cannot change.
	// +optional
	ClusterCredentialSecretRole string `json:"clusterCredentialSecretRole,omitempty"`

	// Where secrets named in this and all other resources of the operator are read: `kubernetes` (default) or
	// `vault`. Cannot change.
	// +kubebuilder:validation:Enum=vault;kubernetes
	// +optional
	ClusterCredentialSecretType CredentialSecretType `json:"clusterCredentialSecretType,omitempty"`

	// Set to true to rebuild a cluster that lost the majority of its nodes from the configuration on its volumes.
	// The operator sets it back to false at the end. Needs persistentSpec.enabled.
	// +optional
	ClusterRecovery bool `json:"clusterRecovery,omitempty"`

	// Address family of the node pods, IPv4 or IPv6. Reserved. Cannot change.
	// +kubebuilder:validation:Enum=IPv4;IPv6
	// +optional
	RedisEnterpriseIPFamily corev1.IPFamily `json:"redisEnterpriseIPFamily,omitempty"`

	// Time zone of the node, bootstrapper and services rigger containers. Default: the one of the images (UTC).
	// +optional
	ContainerTimezone *ContainerTimezone `json:"containerTimezone,omitempty"`

	// Whether the operator creates the service account serviceAccountName. Default: true.
	// +optional
	CreateServiceAccount *bool `json:"createServiceAccount,omitempty"`

	// Whether databases created from now on encrypt the traffic between their shards. A database can say otherwise.
	// +optional
	DataInternodeEncryption *bool `json:"dataInternodeEncryption,omitempty"`

	// Whether the cluster encrypts the private keys it stores.
	// +optional
	EncryptPkeys *bool `json:"encryptPkeys,omitempty"`

	// Whether certificate-based logins to databases are checked against the external directory. Default: false.
	// +optional
	DMCExternalCBAAuthentication *bool `json:"dmcExternalCBAAuthentication,omitempty"`

	// Which fields a usage report holds: `restricted` (default) or `all`.
	// +kubebuilder:validation:Enum=all;restricted
	// +optional
	UsageReportFields UsageReportFields `json:"usageReportFields,omitempty"`

	// Certificates of the cluster, each from a secret. Absent ones stay as the cluster generated them.
	// +optional
	Certificates *Certificates `json:"certificates,omitempty"`

	// Makes the nodes use IPv4 addresses only. Default: false.
	// +optional
	EnforceIPv4 *bool `json:"enforceIPv4,omitempty"`

	// Environment variables added to all containers of the node pods.
	// +optional
	ExtraEnvVars []corev1.EnvVar `json:"extraEnvVars,omitempty"`

	// Labels added to every object that the operator and the services rigger create. Volume claims get them only
	// when they are created.
	// +optional
	ExtraLabels map[string]string `json:"extraLabels,omitempty"`

	// Entries added to /etc/hosts of the node pods.
	// +optional
	HostAliases []HostAlias `json:"hostAliases,omitempty"`

	// External access to the API and to Active-Active databases through an ingress controller, OpenShift routes
	// or Istio.
	// +optional
	IngressOrRouteSpec *IngressOrRouteSpec `json:"ingressOrRouteSpec,omitempty"`

	// Settings of the Services that belong to the cluster and its databases.
	// +optional
	Services *Services `json:"services,omitempty"`

	// Access from outside Kubernetes for databases that speak the OSS cluster protocol.
	// +optional
	OSSClusterSettings *OSSClusterSettings `json:"ossClusterSettings,omitempty"`

	// LDAP directory for logins to the cluster and to databases. Managed from the moment it is first set; removing
	// it then removes the configuration from the cluster.
	// +optional
	LDAP *LDAPSpec `json:"ldap,omitempty"`

	// Single sign-on to the admin console through SAML.
	// +optional
	SSO *SSOSpec `json:"sso,omitempty"`

	// Licence text. Empty means trial. Prefer licenseSecretName; the two exclude each other.
	// +optional
	License string `json:"license,omitempty"`

	// Secret whose key `license` holds the licence. A changed secret is applied without touching this resource.
	// +optional
	LicenseSecretName string `json:"licenseSecretName,omitempty"`

	// What the metrics endpoint of the nodes exposes and how much it keeps.
	// +optional
	MetricsConfig *MetricsConfig `json:"metricsConfig,omitempty"`

	// Kubernetes nodes on which node pods, the services rigger and the usage reporter may run. With rack awareness
	// it also limits which Kubernetes nodes must carry the rack label.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// OCSP checks of the proxy certificate. Needs a proxy certificate that names a responder.
	// +optional
	OCSPConfiguration *OCSPConfiguration `json:"ocspConfiguration,omitempty"`

	// Number of nodes of the cluster: odd and at least 3, which is the default. It may be raised; lowering it is
	// refused.
	// +optional
	Nodes *int32 `json:"nodes,omitempty"`

	// Persistent storage of the nodes. Default: enabled, with the default storage class.
	// +optional
	PersistentSpec *PersistentSpec `json:"persistentSpec,omitempty"`

	// Annotations of the node pods and of the services rigger pod.
	// +optional
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`

	// Annotations of the node pods only.
	// +optional
	RedisEnterprisePodAnnotations map[string]string `json:"redisEnterprisePodAnnotations,omitempty"`

	// Replaces the default anti-affinity of the node pods, which keeps them on different Kubernetes nodes.
	// +optional
	PodAntiAffinity *corev1.PodAntiAffinity `json:"podAntiAffinity,omitempty"`

	// What to do with node pods that hang while they start.
	// +optional
	PodStartingPolicy *PodStartingPolicy `json:"podStartingPolicy,omitempty"`

	// Tolerations of the node pods, the services rigger and the usage reporter.
	// +optional
	PodTolerations []corev1.Toleration `json:"podTolerations,omitempty"`

	// Priority class of the node pods, the services rigger and the usage reporter. It must exist.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// Secrets with registry credentials, used by every pod the operator makes.
	// +optional
	PullSecrets []PullSecret `json:"pullSecrets,omitempty"`

	// Label of Kubernetes nodes whose value is the rack of the pods that run there. Setting it makes the cluster
	// rack aware and spreads the pods over racks. All eligible Kubernetes nodes must carry the label.
	// +optional
	RackAwarenessNodeLabel string `json:"rackAwarenessNodeLabel,omitempty"`

	// Anything else of a pod spec to be merged in the node pods. What the operator sets itself wins.
	// +optional
	RedisEnterpriseAdditionalPodSpecAttributes *PodSpecAttributes `json:"redisEnterpriseAdditionalPodSpecAttributes,omitempty"`

	// Image of the Redis Enterprise node. Default: the version this operator was released for, written here when
	// the resource is created. Changing versionTag upgrades the cluster.
	// +optional
	RedisEnterpriseImageSpec *ImageSpec `json:"redisEnterpriseImageSpec,omitempty"`

	// Resources of the node container. Default: 2 CPU and 4Gi memory, limits equal to requests. Keep them equal:
	// a node that loses memory to its neighbours loses data.
	// +optional
	RedisEnterpriseNodeResources *corev1.ResourceRequirements `json:"redisEnterpriseNodeResources,omitempty"`

	// Optional services of the cluster that can be switched off.
	// +optional
	RedisEnterpriseServicesConfiguration *ServicesConfiguration `json:"redisEnterpriseServicesConfiguration,omitempty"`

	// Image of the services rigger. Default: the image of the running operator.
	// +optional
	RedisEnterpriseServicesRiggerImageSpec *ImageSpec `json:"redisEnterpriseServicesRiggerImageSpec,omitempty"`

	// Resources of the services rigger. Default: 500m CPU and 500Mi memory.
	// +optional
	RedisEnterpriseServicesRiggerResources *corev1.ResourceRequirements `json:"redisEnterpriseServicesRiggerResources,omitempty"`

	// Seconds that a node pod may take to hand over its shards before Kubernetes kills it. Default: 31536000, one
	// year, because killing a node early can lose data.
	// +optional
	RedisEnterpriseTerminationGracePeriodSeconds *int64 `json:"redisEnterpriseTerminationGracePeriodSeconds,omitempty"`

	// Mounts added to the node container; see volumes.
	// +optional
	RedisEnterpriseVolumeMounts []corev1.VolumeMount `json:"redisEnterpriseVolumeMounts,omitempty"`

	// Which Redis versions databases may be upgraded to: `major` releases only, or the `latest` one.
	// +kubebuilder:validation:Enum=major;latest
	// +optional
	RedisUpgradePolicy RedisUpgradePolicy `json:"redisUpgradePolicy,omitempty"`

	// Whether databases created from now on speak RESP3. Removing the field changes nothing.
	// +optional
	RESP3Default *bool `json:"resp3Default,omitempty"`

	// Security settings of the node containers.
	// +optional
	SecurityContext *SecurityContext `json:"securityContext,omitempty"`

	// Where databases of this cluster back up to, cluster-wide part.
	// +optional
	Backup *ClusterBackup `json:"backup,omitempty"`

	// Service account of the node and services rigger pods. Default: the name of this resource. Cannot change.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Settings of the services rigger, which makes the Services of the databases.
	// +optional
	ServicesRiggerSpec *ServicesRiggerSpec `json:"servicesRiggerSpec,omitempty"`

	// Containers added to the node pods, for example to ship logs.
	// +optional
	SideContainersSpec []corev1.Container `json:"sideContainersSpec,omitempty"`

	// How long the cluster waits before it rebuilds lost replicas elsewhere.
	// +optional
	SlaveHA *SlaveHA `json:"slaveHA,omitempty"`

	// Annotations of the admin console Service. They win over services.servicesAnnotations.
	// +optional
	UIAnnotations map[string]string `json:"uiAnnotations,omitempty"`

	// Type of the admin console Service. Default: ClusterIP.
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;ExternalName
	// +optional
	UIServiceType corev1.ServiceType `json:"uiServiceType,omitempty"`

	// Flash storage that extends the memory of databases. Needs local disks. Cannot be added later.
	// +optional
	RedisOnFlashSpec *RedisOnFlashSpec `json:"redisOnFlashSpec,omitempty"`

	// Upgrades of the cluster software.
	// +optional
	UpgradeSpec *ClusterUpgradeSpec `json:"upgradeSpec,omitempty"`

	// Usage reports.
	// +optional
	UsageMeter *UsageMeter `json:"usageMeter,omitempty"`

	// Modules that the nodes download and offer to databases, beside the bundled ones.
	// +optional
	UserDefinedModules []UserDefinedModule `json:"userDefinedModules,omitempty"`

	// Login name of the cluster administrator. Default: the one in the credential secret, or demo@redis.com when
	// the operator creates the secret. Ignored with Vault.
	// +optional
	Username string `json:"username,omitempty"`

	// Secret whose key `vault.ca` holds the certificate of Vault's CA. Default: vault-ca-cert.
	// +optional
	VaultCASecret string `json:"vaultCASecret,omitempty"`

	// Volumes added to the node pods, for redisEnterpriseVolumeMounts and side containers.
	// +optional
	Volumes []corev1.Volume `json:"volumes,omitempty"`
}
