package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// RedisEnterpriseActiveActiveDatabase describes a database that several clusters hold together, each taking writes.
// Create it on one participating cluster; the operators make it on the others. Deleting it on one participant deletes
// it everywhere.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=redisenterpriseactiveactivedatabases,singular=redisenterpriseactiveactivedatabase,shortName=reaadb,scope=Namespaced
// +kubebuilder:metadata:labels="app=redis-enterprise"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Spec Status",type=string,JSONPath=`.status.specStatus`
// +kubebuilder:printcolumn:name="Linked REDBs",type=string,JSONPath=`.status.linkedRedbs[*]`
// +kubebuilder:printcolumn:name="Replication Status",type=string,JSONPath=`.status.replicationStatus`
// +operator-sdk:csv:customresourcedefinitions:displayName="Redis Enterprise Active-Active Database",order=4,resources={{Secret,v1,},{Service,v1,}}
type RedisEnterpriseActiveActiveDatabase struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the database should be and which clusters hold it.
	Spec RedisEnterpriseActiveActiveDatabaseSpec `json:"spec,omitempty"`
	// What the operator last saw. Written by the operator only.
	Status RedisEnterpriseActiveActiveDatabaseStatus `json:"status,omitempty"`
}

// RedisEnterpriseActiveActiveDatabaseList is a list of Active-Active databases.
//
// +kubebuilder:object:root=true
type RedisEnterpriseActiveActiveDatabaseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RedisEnterpriseActiveActiveDatabase `json:"items"`
}

// RedisEnterpriseActiveActiveDatabaseSpec is the wanted state of an Active-Active database.
type RedisEnterpriseActiveActiveDatabaseSpec struct {
	// Cluster of this operator that takes part. Default: the one cluster of the operator. Cannot change.
	// +optional
	RedisEnterpriseCluster *ClusterReference `json:"redisEnterpriseCluster,omitempty"`
	// Clusters that hold the database, at least two, one of them the local one. Adding an entry adds a copy,
	// removing one removes the copy and its data. The list is always given as a whole.
	ParticipatingClusters []ParticipatingCluster `json:"participatingClusters"`
	// Settings that all participating clusters share.
	// +optional
	GlobalConfigurations *GlobalConfigurations `json:"globalConfigurations,omitempty"`
}

// ParticipatingCluster is a cluster that holds the database.
type ParticipatingCluster struct {
	// Name of a RedisEnterpriseRemoteCluster.
	Name string `json:"name"`
	// Port under which the other clusters reach the database. Default: 443, or for a database that exists the port
	// it has.
	// +optional
	ExternalReplicationPort *int `json:"externalReplicationPort,omitempty"`
	// Namespace of the resource on that cluster. Default: the namespace of its RedisEnterpriseCluster. Cannot
	// change.
	// +optional
	Namespace string `json:"namespace,omitempty"`
}

// RedisEnterpriseActiveActiveDatabaseStatus is the last known state of an Active-Active database.
type RedisEnterpriseActiveActiveDatabaseStatus struct {
	// State of the database: pending, active, active-change-pending, delete-pending, creation-failed or error. Empty
	// while it is not known.
	// +optional
	Status ActiveActiveStatus `json:"status,omitempty"`
	// Whether the operator accepts the spec: Valid or Invalid.
	// +optional
	SpecStatus appv1.SpecStatus `json:"specStatus,omitempty"`
	// Not used.
	// +optional
	LinkedREDBs []string `json:"linkedRedbs,omitempty"`
	// State of each participating cluster.
	// +optional
	ParticipatingClusters []ParticipatingClusterStatus `json:"participatingClusters,omitempty"`
	// Identifier of the database, the same on all clusters.
	// +optional
	GUID string `json:"guid,omitempty"`
	// Identifier of the last task that changed the database.
	// +optional
	LastTaskUID string `json:"lastTaskUid,omitempty"`
	// Cluster of this operator that takes part.
	// +optional
	RedisEnterpriseCluster string `json:"redisEnterpriseCluster,omitempty"`
	// Whether changes flow between all participants: up or down.
	// +kubebuilder:validation:Enum=up;down
	// +optional
	ReplicationStatus ReplicationStatus `json:"replicationStatus,omitempty"`
	// Certificate generation of the local cluster that the other participants know.
	// +optional
	ClusterCertificatesGeneration int64 `json:"clusterCertificatesGeneration,omitempty"`
	// State of each secret that globalConfigurations names.
	// +optional
	SecretsStatus []SecretStatus `json:"secretsStatus,omitempty"`
	// Keys of the tags that came from the spec.
	// +optional
	ManagedTags []string `json:"managedTags,omitempty"`
	// Generation of the spec that has been sent to the clusters completely.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready, Reconciling and Stalled as for all kinds, DatabaseActive, Replicating and SecretsInSync.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ParticipatingClusterStatus is the state of one participating cluster.
type ParticipatingClusterStatus struct {
	// Name of the RedisEnterpriseRemoteCluster.
	Name string `json:"name"`
	// Number of the cluster inside the database.
	// +optional
	ID int64 `json:"id,omitempty"`
	// Whether changes flow to and from this cluster: up or down.
	// +kubebuilder:validation:Enum=up;down
	// +optional
	ReplicationStatus ReplicationStatus `json:"replicationStatus,omitempty"`
}

// SecretStatus is the state of a secret that must be the same on all participating clusters.
type SecretStatus struct {
	// Name of the secret.
	Name string `json:"name"`
	// Invalid when the secret is missing here or differs from the other clusters, otherwise Valid.
	// +kubebuilder:validation:Enum=Valid;Invalid
	// +optional
	Status appv1.SpecStatus `json:"status,omitempty"`
}
