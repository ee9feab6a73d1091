package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// RedisEnterpriseCluster is the older form of the kind of the same name in v1, which has the same fields. It is served
// for manifests that still name it; the operator itself reads and writes v1.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=redisenterpriseclusters,singular=redisenterprisecluster,shortName=rec,scope=Namespaced
// +kubebuilder:deprecatedversion:warning="app.redislabs.com/v1alpha1 RedisEnterpriseCluster is deprecated; use app.redislabs.com/v1 RedisEnterpriseCluster"
// +kubebuilder:printcolumn:name="Nodes",type=string,JSONPath=`.spec.nodes`
// +kubebuilder:printcolumn:name="Shards",type=string,JSONPath=`.status.licenseStatus.shardsUsage`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.redisEnterpriseImageSpec.versionTag`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Spec Status",type=string,JSONPath=`.status.specStatus`
// +kubebuilder:printcolumn:name="License State",type=string,JSONPath=`.status.licenseStatus.licenseState`
// +kubebuilder:printcolumn:name="License Expiration Date",type=string,JSONPath=`.status.licenseStatus.expirationDate`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +operator-sdk:csv:customresourcedefinitions:displayName="Redis Enterprise Cluster",order=5,resources={{StatefulSet,v1,},{Deployment,v1,},{Pod,v1,},{Service,v1,},{EndpointSlice,v1,},{Secret,v1,},{ConfigMap,v1,},{PersistentVolumeClaim,v1,},{PodDisruptionBudget,v1,},{ServiceAccount,v1,},{Role,v1,},{RoleBinding,v1,},{NetworkPolicy,v1,},{Ingress,v1,},{Route,v1,"routes.route.openshift.io"},{ServiceMonitor,v1,"servicemonitors.monitoring.coreos.com"},{PrometheusRule,v1,"prometheusrules.monitoring.coreos.com"}}
type RedisEnterpriseCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the cluster should be. Every field is optional; v1 explains the fields at length.
	Spec RedisEnterpriseClusterSpec `json:"spec,omitempty"`
	// What the operator last saw. Written by the operator only.
	Status appv1.RedisEnterpriseClusterStatus `json:"status,omitempty"`
}

// RedisEnterpriseClusterList is a list of clusters.
//
// +kubebuilder:object:root=true
type RedisEnterpriseClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RedisEnterpriseCluster `json:"items"`
}

// FreeForm is an object whose content is kept as it is, whatever it holds.
//
// +kubebuilder:validation:Type=object
// +kubebuilder:pruning:PreserveUnknownFields
type FreeForm struct {
	runtime.RawExtension `json:",inline"`
}

// ClusterActiveActive differs from the type in v1 in that method may also be istio.
type ClusterActiveActive struct {
	// Host name under which the API of this cluster is reached from outside.
	APIIngressURL string `json:"apiIngressUrl"`
	// Appended to the name of a database to form its host name.
	DBIngressSuffix string `json:"dbIngressSuffix"`
	// Annotations of the Ingress objects.
	// +optional
	IngressAnnotations map[string]string `json:"ingressAnnotations,omitempty"`
	// Kind of object to create: openShiftRoute, ingress or istio.
	// +kubebuilder:validation:Enum=openShiftRoute;ingress;istio
	Method appv1.ExposureMethod `json:"method"`
}

// ClusterServicesRiggerSpec differs from the type in v1 in that the additional pod attributes are not checked.
type ClusterServicesRiggerSpec struct {
	// Which Services each database gets, a comma-separated list of cluster_ip, headless and load_balancer.
	// +optional
	DatabaseServiceType string `json:"databaseServiceType,omitempty"`
	// Environment variables added to the services rigger.
	// +optional
	ExtraEnvVars []corev1.EnvVar `json:"extraEnvVars,omitempty"`
	// bdb_name (default) names Services after the database, redis-port after its port.
	// +kubebuilder:validation:Enum=bdb_name;redis-port
	// +optional
	ServiceNaming appv1.ServiceNaming `json:"serviceNaming,omitempty"`
	// Anything else of a pod spec to be merged in the services rigger pod.
	// +optional
	ServicesRiggerAdditionalPodSpecAttributes *FreeForm `json:"servicesRiggerAdditionalPodSpecAttributes,omitempty"`
	// Annotations of the services rigger pod.
	// +optional
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
	// DatabasePortForward (default) gives a Service the port of its database, RedisDefaultPort gives it 6379.
	// +kubebuilder:validation:Enum=DatabasePortForward;RedisDefaultPort
	// +optional
	DatabaseServicePortPolicy appv1.ServicePortPolicy `json:"databaseServicePortPolicy,omitempty"`
}

// RedisEnterpriseClusterSpec has the fields of the type of the same name in v1. It is spelt out because three of them
// are checked less strictly here, as they always were.
type RedisEnterpriseClusterSpec struct {
	// External access to the API and to Active-Active databases, older form.
	// +optional
	ActiveActive *ClusterActiveActive `json:"activeActive,omitempty"`
	// Further topology keys over which node pods are spread, in addition to the default one
	// (kubernetes.io/hostname, or the rack label).
	// +optional
	AntiAffinityAdditionalTopologyKeys []string `json:"antiAffinityAdditionalTopologyKeys,omitempty"`
	// Auditing of database connections: where records go and the default for new databases.
	// +optional
	Auditing *appv1.Auditing `json:"auditing,omitempty"`
	// Cluster-wide rules about access control.
	// +optional
	AccessControl *appv1.AccessControl `json:"accessControl,omitempty"`
	// Image of the bootstrapper container, which forms and joins the cluster beside each node.
	// +optional
	BootstrapperImageSpec *appv1.ImageSpec `json:"bootstrapperImageSpec,omitempty"`
	// Resources of the bootstrapper container.
	// +optional
	BootstrapperResources *corev1.ResourceRequirements `json:"bootstrapperResources,omitempty"`
	// Secret with the keys `username` and `password` of the cluster administrator.
	// +optional
	ClusterCredentialSecretName string `json:"clusterCredentialSecretName,omitempty"`
	// Vault role with which node pods log in.
	// +optional
	ClusterCredentialSecretRole string `json:"clusterCredentialSecretRole,omitempty"`
	// Where secrets named in this and all other resources of the operator are read: `kubernetes` (default) or
	// `vault`.
	// +kubebuilder:validation:Enum=vault;kubernetes
	// +optional
	ClusterCredentialSecretType appv1.CredentialSecretType `json:"clusterCredentialSecretType,omitempty"`
	// Set to true to rebuild a cluster that lost the majority of its nodes from the configuration on its volumes.
	// +optional
	ClusterRecovery bool `json:"clusterRecovery,omitempty"`
	// Address family of the node pods, IPv4 or IPv6.
	// +kubebuilder:validation:Enum=IPv4;IPv6
	// +optional
	RedisEnterpriseIPFamily corev1.IPFamily `json:"redisEnterpriseIPFamily,omitempty"`
	// Time zone of the node, bootstrapper and services rigger containers.
	// +optional
	ContainerTimezone *appv1.ContainerTimezone `json:"containerTimezone,omitempty"`
	// Whether the operator creates the service account serviceAccountName.
	// +optional
	CreateServiceAccount *bool `json:"createServiceAccount,omitempty"`
	// Whether databases created from now on encrypt the traffic between their shards.
	// +optional
	DataInternodeEncryption *bool `json:"dataInternodeEncryption,omitempty"`
	// Whether the cluster encrypts the private keys it stores.
	// +optional
	EncryptPkeys *bool `json:"encryptPkeys,omitempty"`
	// Whether certificate-based logins to databases are checked against the external directory.
	// +optional
	DMCExternalCBAAuthentication *bool `json:"dmcExternalCBAAuthentication,omitempty"`
	// Which fields a usage report holds: `restricted` (default) or `all`.
	// +kubebuilder:validation:Enum=all;restricted
	// +optional
	UsageReportFields appv1.UsageReportFields `json:"usageReportFields,omitempty"`
	// Certificates of the cluster, each from a secret.
	// +optional
	Certificates *appv1.Certificates `json:"certificates,omitempty"`
	// Makes the nodes use IPv4 addresses only.
	// +optional
	EnforceIPv4 *bool `json:"enforceIPv4,omitempty"`
	// Environment variables added to all containers of the node pods.
	// +optional
	ExtraEnvVars []corev1.EnvVar `json:"extraEnvVars,omitempty"`
	// Labels added to every object that the operator and the services rigger create.
	// +optional
	ExtraLabels map[string]string `json:"extraLabels,omitempty"`
	// Entries added to /etc/hosts of the node pods.
	// +optional
	HostAliases []appv1.HostAlias `json:"hostAliases,omitempty"`
	// External access to the API and to Active-Active databases through an ingress controller, OpenShift routes or
	// Istio.
	// +optional
	IngressOrRouteSpec *appv1.IngressOrRouteSpec `json:"ingressOrRouteSpec,omitempty"`
	// Settings of the Services that belong to the cluster and its databases.
	// +optional
	Services *appv1.Services `json:"services,omitempty"`
	// Access from outside Kubernetes for databases that speak the OSS cluster protocol.
	// +optional
	OSSClusterSettings *appv1.OSSClusterSettings `json:"ossClusterSettings,omitempty"`
	// LDAP directory for logins to the cluster and to databases.
	// +optional
	LDAP *appv1.LDAPSpec `json:"ldap,omitempty"`
	// Single sign-on to the admin console through SAML.
	// +optional
	SSO *appv1.SSOSpec `json:"sso,omitempty"`
	// Licence text.
	// +optional
	License string `json:"license,omitempty"`
	// Secret whose key `license` holds the licence.
	// +optional
	LicenseSecretName string `json:"licenseSecretName,omitempty"`
	// What the metrics endpoint of the nodes exposes and how much it keeps.
	// +optional
	MetricsConfig *appv1.MetricsConfig `json:"metricsConfig,omitempty"`
	// Kubernetes nodes on which node pods, the services rigger and the usage reporter may run.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// OCSP checks of the proxy certificate.
	// +optional
	OCSPConfiguration *appv1.OCSPConfiguration `json:"ocspConfiguration,omitempty"`
	// Number of nodes of the cluster: odd and at least 3, which is the default.
	// +optional
	Nodes *int32 `json:"nodes,omitempty"`
	// Persistent storage of the nodes.
	// +optional
	PersistentSpec *appv1.PersistentSpec `json:"persistentSpec,omitempty"`
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
	PodStartingPolicy *appv1.PodStartingPolicy `json:"podStartingPolicy,omitempty"`
	// Tolerations of the node pods, the services rigger and the usage reporter.
	// +optional
	PodTolerations []corev1.Toleration `json:"podTolerations,omitempty"`
	// Priority class of the node pods, the services rigger and the usage reporter.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// Secrets with registry credentials, used by every pod the operator makes.
	// +optional
	PullSecrets []appv1.PullSecret `json:"pullSecrets,omitempty"`
	// Label of Kubernetes nodes whose value is the rack of the pods that run there.
	// +optional
	RackAwarenessNodeLabel string `json:"rackAwarenessNodeLabel,omitempty"`
	// Anything else of a pod spec to be merged in the node pods.
	// +optional
	RedisEnterpriseAdditionalPodSpecAttributes *FreeForm `json:"redisEnterpriseAdditionalPodSpecAttributes,omitempty"`
	// Image of the Redis Enterprise node.
	// +optional
	RedisEnterpriseImageSpec *appv1.ImageSpec `json:"redisEnterpriseImageSpec,omitempty"`
	// Resources of the node container.
	// +optional
	RedisEnterpriseNodeResources *corev1.ResourceRequirements `json:"redisEnterpriseNodeResources,omitempty"`
	// Optional services of the cluster that can be switched off.
	// +optional
	RedisEnterpriseServicesConfiguration *appv1.ServicesConfiguration `json:"redisEnterpriseServicesConfiguration,omitempty"`
	// Image of the services rigger.
	// +optional
	RedisEnterpriseServicesRiggerImageSpec *appv1.ImageSpec `json:"redisEnterpriseServicesRiggerImageSpec,omitempty"`
	// Resources of the services rigger.
	// +optional
	RedisEnterpriseServicesRiggerResources *corev1.ResourceRequirements `json:"redisEnterpriseServicesRiggerResources,omitempty"`
	// Seconds that a node pod may take to hand over its shards before Kubernetes kills it.
	// +optional
	RedisEnterpriseTerminationGracePeriodSeconds *int64 `json:"redisEnterpriseTerminationGracePeriodSeconds,omitempty"`
	// Mounts added to the node container; see volumes.
	// +optional
	RedisEnterpriseVolumeMounts []corev1.VolumeMount `json:"redisEnterpriseVolumeMounts,omitempty"`
	// Which Redis versions databases may be upgraded to: `major` releases only, or the `latest` one.
	// +kubebuilder:validation:Enum=major;latest
	// +optional
	RedisUpgradePolicy appv1.RedisUpgradePolicy `json:"redisUpgradePolicy,omitempty"`
	// Whether databases created from now on speak RESP3.
	// +optional
	RESP3Default *bool `json:"resp3Default,omitempty"`
	// Security settings of the node containers.
	// +optional
	SecurityContext *appv1.SecurityContext `json:"securityContext,omitempty"`
	// Where databases of this cluster back up to, cluster-wide part.
	// +optional
	Backup *appv1.ClusterBackup `json:"backup,omitempty"`
	// Service account of the node and services rigger pods.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// Settings of the services rigger, which makes the Services of the databases.
	// +optional
	ServicesRiggerSpec *ClusterServicesRiggerSpec `json:"servicesRiggerSpec,omitempty"`
	// Containers added to the node pods, for example to ship logs.
	// +optional
	SideContainersSpec []FreeForm `json:"sideContainersSpec,omitempty"`
	// How long the cluster waits before it rebuilds lost replicas elsewhere.
	// +optional
	SlaveHA *appv1.SlaveHA `json:"slaveHA,omitempty"`
	// Annotations of the admin console Service.
	// +optional
	UIAnnotations map[string]string `json:"uiAnnotations,omitempty"`
	// Type of the admin console Service.
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;ExternalName
	// +optional
	UIServiceType corev1.ServiceType `json:"uiServiceType,omitempty"`
	// Flash storage that extends the memory of databases.
	// +optional
	RedisOnFlashSpec *appv1.RedisOnFlashSpec `json:"redisOnFlashSpec,omitempty"`
	// Upgrades of the cluster software.
	// +optional
	UpgradeSpec *appv1.ClusterUpgradeSpec `json:"upgradeSpec,omitempty"`
	// Usage reports.
	// +optional
	UsageMeter *appv1.UsageMeter `json:"usageMeter,omitempty"`
	// Modules that the nodes download and offer to databases, beside the bundled ones.
	// +optional
	UserDefinedModules []appv1.UserDefinedModule `json:"userDefinedModules,omitempty"`
	// Login name of the cluster administrator.
	// +optional
	Username string `json:"username,omitempty"`
	// Secret whose key `vault.ca` holds the certificate of Vault's CA.
	// +optional
	VaultCASecret string `json:"vaultCASecret,omitempty"`
	// Volumes added to the node pods, for redisEnterpriseVolumeMounts and side containers.
	// +optional
	Volumes []corev1.Volume `json:"volumes,omitempty"`
}
