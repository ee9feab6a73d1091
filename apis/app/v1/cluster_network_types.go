package v1

import corev1 "k8s.io/api/core/v1"

// ExposureMethod is the kind of object that makes the cluster reachable from outside Kubernetes.
type ExposureMethod string

const (
	// ExposureIngress makes Ingress objects for an ingress controller that passes TLS through.
	ExposureIngress ExposureMethod = "ingress"
	// ExposureOpenShiftRoute makes OpenShift routes with passthrough termination.
	ExposureOpenShiftRoute ExposureMethod = "openShiftRoute"
	// ExposureIstio makes an Istio gateway and virtual services.
	ExposureIstio ExposureMethod = "istio"
)

// ActiveActive is the older form of IngressOrRouteSpec.
type ActiveActive struct {
	// Host name under which the API of this cluster is reached from outside.
	APIIngressURL string `json:"apiIngressUrl"`
	// Appended to the name of a database to form its host name.
	DBIngressSuffix string `json:"dbIngressSuffix"`
	// Annotations of the Ingress objects.
	// +optional
	IngressAnnotations map[string]string `json:"ingressAnnotations,omitempty"`
	// Kind of object to create: openShiftRoute or ingress.
	// +kubebuilder:validation:Enum=openShiftRoute;ingress
	Method ExposureMethod `json:"method"`
}

// IngressOrRouteSpec says how the API and Active-Active databases are reached from outside Kubernetes.
type IngressOrRouteSpec struct {
	// Host name under which the API of this cluster is reached from outside.
	APIFQDNURL string `json:"apiFqdnUrl"`
	// Appended to the name of a database, without anything in between, to form its host name. It usually starts
	// with a hyphen or a dot.
	DBFQDNSuffix string `json:"dbFqdnSuffix"`
	// Annotations of the Ingress objects. With method ingress the key kubernetes.io/ingress.class is needed.
	// +optional
	IngressAnnotations map[string]string `json:"ingressAnnotations,omitempty"`
	// Kind of object to create: openShiftRoute, ingress or istio.
	// +kubebuilder:validation:Enum=openShiftRoute;ingress;istio
	Method ExposureMethod `json:"method"`
}

// Services holds settings of the Services that belong to the cluster and its databases.
type Services struct {
	// The Service of the API, named like the cluster.
	// +optional
	APIService *APIService `json:"apiService,omitempty"`
	// Annotations of all Services that the operator and the services rigger make. Annotations that others put on
	// a Service are never overwritten or removed.
	// +optional
	ServicesAnnotations map[string]string `json:"servicesAnnotations,omitempty"`
}

// APIService holds settings of the API Service.
type APIService struct {
	// Type of the Service. Default: ClusterIP.
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	// +optional
	Type corev1.ServiceType `json:"type,omitempty"`
}

// ExternalAccessType says how OSS cluster databases are reached from outside Kubernetes.
type ExternalAccessType string

const (
	// ExternalAccessLoadBalancer gives each node pod a load balancer of its own, and one to the cluster.
	ExternalAccessLoadBalancer ExternalAccessType = "LoadBalancer"
	// ExternalAccessDisabled allows no external access.
	ExternalAccessDisabled ExternalAccessType = "Disabled"
)

// OSSClusterSettings says how databases that speak the OSS cluster protocol are reached from outside Kubernetes.
// Such clients connect to each node themselves, so one address for the whole cluster is not enough.
type OSSClusterSettings struct {
	// LoadBalancer or Disabled. Default: Disabled, which refuses databases that ask for external access.
	// +kubebuilder:validation:Enum=LoadBalancer;Disabled
	// +optional
	ExternalAccessType ExternalAccessType `json:"externalAccessType,omitempty"`
	// Settings of the load balancers.
	// +optional
	LoadBalancer *OSSLoadBalancer `json:"loadBalancer,omitempty"`
	// Address ranges of pods, in CIDR notation. Clients in these ranges are told pod addresses instead of load
	// balancer addresses; the network must keep their source address.
	// +optional
	PodCIDRs []string `json:"podCIDRs,omitempty"`
}

// OSSLoadBalancer holds settings of the load balancer Services of the node pods.
type OSSLoadBalancer struct {
	// Annotations of these Services. They win over services.servicesAnnotations.
	// +optional
	ServiceAnnotations map[string]string `json:"serviceAnnotations,omitempty"`
	// Cluster or Local. Default: Local when podCIDRs is set, otherwise Cluster.
	// +kubebuilder:validation:Enum=Cluster;Local
	// +optional
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`
}

// ServiceNaming is the rule by which database Services get their names.
type ServiceNaming string

const (
	// ServiceNamingDatabase names the Service like the database.
	ServiceNamingDatabase ServiceNaming = "bdb_name"
	// ServiceNamingPort names the Service redis-<port>.
	ServiceNamingPort ServiceNaming = "redis-port"
)

// ServicePortPolicy is the rule by which database Services get their port.
type ServicePortPolicy string

const (
	// ServicePortDatabase uses the port of the database.
	ServicePortDatabase ServicePortPolicy = "DatabasePortForward"
	// ServicePortRedis uses 6379 whatever the port of the database is.
	ServicePortRedis ServicePortPolicy = "RedisDefaultPort"
)

// ServicesRiggerSpec holds settings of the services rigger.
type ServicesRiggerSpec struct {
	// Which Services each database gets, a comma-separated list of cluster_ip, headless and load_balancer.
	// Default: cluster_ip,headless.
	// +optional
	DatabaseServiceType string `json:"databaseServiceType,omitempty"`
	// Environment variables added to the services rigger.
	// +optional
	ExtraEnvVars []corev1.EnvVar `json:"extraEnvVars,omitempty"`
	// bdb_name (default) names Services after the database, redis-port after its port.
	// +kubebuilder:validation:Enum=bdb_name;redis-port
	// +optional
	ServiceNaming ServiceNaming `json:"serviceNaming,omitempty"`
	// Anything else of a pod spec to be merged in the services rigger pod. What the operator sets itself wins;
	// tolerations are added up.
	// +optional
	ServicesRiggerAdditionalPodSpecAttributes *PodSpecAttributes `json:"servicesRiggerAdditionalPodSpecAttributes,omitempty"`
	// Annotations of the services rigger pod.
	// +optional
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
	// DatabasePortForward (default) gives a Service the port of its database, RedisDefaultPort gives it 6379. A
	// database can ask for another port with databaseServicePort.
	// +kubebuilder:validation:Enum=DatabasePortForward;RedisDefaultPort
	// +optional
	DatabaseServicePortPolicy ServicePortPolicy `json:"databaseServicePortPolicy,omitempty"`
}
