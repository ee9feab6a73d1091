package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// RedisEnterpriseRemoteCluster describes a cluster that takes part in Active-Active databases, the local one included.
// The operator checks regularly that the cluster can be reached with the given credentials.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=redisenterpriseremoteclusters,singular=redisenterpriseremotecluster,shortName=rerc,scope=Namespaced
// +kubebuilder:metadata:labels="app=redis-enterprise"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Spec Status",type=string,JSONPath=`.status.specStatus`
// +kubebuilder:printcolumn:name="Local",type=string,JSONPath=`.status.local`
// +operator-sdk:csv:customresourcedefinitions:displayName="Redis Enterprise Remote Cluster",order=3,resources={{Secret,v1,}}
type RedisEnterpriseRemoteCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Where the cluster is and how to log in.
	Spec RedisEnterpriseRemoteClusterSpec `json:"spec,omitempty"`
	// What the operator last saw. Written by the operator only.
	Status RedisEnterpriseRemoteClusterStatus `json:"status,omitempty"`
}

// RedisEnterpriseRemoteClusterList is a list of remote clusters.
//
// +kubebuilder:object:root=true
type RedisEnterpriseRemoteClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RedisEnterpriseRemoteCluster `json:"items"`
}

// RedisEnterpriseRemoteClusterSpec says where a cluster is and how to log in.
type RedisEnterpriseRemoteClusterSpec struct {
	// Host name of the cluster's API as the participating clusters reach it; different for each remote cluster.
	APIFQDNURL string `json:"apiFqdnUrl"`
	// Appended to the name of an Active-Active database to form its host name on this cluster. A change reaches the
	// databases that exist.
	// +optional
	DBFQDNSuffix string `json:"dbFqdnSuffix,omitempty"`
	// Port of the API. Default: 443.
	// +optional
	APIPort *int `json:"apiPort,omitempty"`
	// Namespace of the RedisEnterpriseCluster. Together with recName it must be unique among all participants, also
	// those in other Kubernetes clusters. Cannot change.
	RECNamespace string `json:"recNamespace"`
	// Name of the RedisEnterpriseCluster. Cannot change.
	RECName string `json:"recName"`
	// Secret with the keys `username` and `password` of the cluster's administrator. Its name must be
	// redis-enterprise- followed by the name of this resource. The key `ca.crt` may hold the certificates that the
	// cluster's API is trusted by; without it, the certificate seen at the first contact is.
	// +optional
	SecretName string `json:"secretName,omitempty"`
}

// RedisEnterpriseRemoteClusterStatus is the last known state of a remote cluster.
type RedisEnterpriseRemoteClusterStatus struct {
	// Whether this is the cluster of this operator.
	// +optional
	Local bool `json:"local,omitempty"`
	// Whether the operator accepts the spec: Valid or Invalid.
	// +optional
	SpecStatus appv1.SpecStatus `json:"specStatus,omitempty"`
	// Active when the cluster answers and accepts the credentials, otherwise Error.
	// +optional
	Status RemoteClusterStatus `json:"status,omitempty"`
	// Generation of the spec that this status talks about.
	// +optional
	ObservedGeneration int `json:"observedGeneration,omitempty"`
	// Resource version of the secret with which the cluster was last reached.
	// +optional
	InternalObservedSecretResourceVersion string `json:"internalObservedSecretResourceVersion,omitempty"`
	// Conditions: Ready, Reconciling and Stalled as for all kinds, Reachable, and Compatible.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
