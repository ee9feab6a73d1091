package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RedisEnterpriseDatabase describes one database of a Redis Enterprise cluster. Its metadata.name is the name of the
// database in the cluster. Deleting the resource deletes the database and its data. An empty spec is legal and gives
// a database of 100MB without persistence and replication.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=redisenterprisedatabases,singular=redisenterprisedatabase,shortName=redb,scope=Namespaced
// +kubebuilder:metadata:labels="app=redis-enterprise"
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="Port",type=string,JSONPath=`.status.internalEndpoints[*].port`
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.status.redisEnterpriseCluster`
// +kubebuilder:printcolumn:name="Shards",type=string,JSONPath=`.status.shardStatuses.active`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Spec Status",type=string,JSONPath=`.status.specStatus`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +operator-sdk:csv:customresourcedefinitions:displayName="Redis Enterprise Database",order=2,resources={{Secret,v1,},{Service,v1,},{Ingress,v1,},{Route,v1,"routes.route.openshift.io"}}
type RedisEnterpriseDatabase struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the database should be. Every field is optional.
	Spec RedisEnterpriseDatabaseSpec `json:"spec,omitempty"`
	// What the operator last saw. Written by the operator only.
	Status RedisEnterpriseDatabaseStatus `json:"status,omitempty"`
}

// RedisEnterpriseDatabaseList is a list of databases.
//
// +kubebuilder:object:root=true
type RedisEnterpriseDatabaseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RedisEnterpriseDatabase `json:"items"`
}

// RedisEnterpriseDatabaseSpec is the wanted state of a database. A field that is removed falls back to its default
// unless its description says otherwise.
type RedisEnterpriseDatabaseSpec struct {
	// Alerts of the database, each with a switch and a threshold.
	// +optional
	AlertSettings *AlertSettings `json:"alertSettings,omitempty"`

	// Periodic backups: an interval and exactly one place to put them. Removing the block stops backups.
	// +optional
	Backup *BackupSpec `json:"backup,omitempty"`

	// Secrets whose key `cert` holds a certificate that clients may identify themselves with. A non-empty list
	// makes the database refuse other clients.
	// +optional
	ClientAuthenticationCertificates []string `json:"clientAuthenticationCertificates,omitempty"`

	// Whether traffic between the shards of this database is encrypted. Default at creation: the setting of the
	// cluster. Removing the field changes nothing.
	// +optional
	DataInternodeEncryption *bool `json:"dataInternodeEncryption,omitempty"`

	// Port of the database inside the cluster, unique there. Default: chosen by the cluster. Cannot change.
	// +optional
	DatabasePort *int `json:"databasePort,omitempty"`

	// Port of the Kubernetes Services of the database. Default: as servicesRiggerSpec of the cluster says.
	// +optional
	DatabaseServicePort *int `json:"databaseServicePort,omitempty"`

	// Auditing of this database. Needs an audit listener in the cluster.
	// +optional
	Auditing *DatabaseAuditing `json:"auditing,omitempty"`

	// Secret whose key `password` holds the password of the default user. Default: redb-<name>, created with a
	// generated password when it does not exist; its name is then written here. An empty password means no
	// authentication. Not used by memcached databases.
	// +optional
	DatabaseSecretName string `json:"databaseSecretName,omitempty"`

	// Whether clients can log in as the default user. Default: true. With false no secret is created or updated.
	// +optional
	DefaultUser *bool `json:"defaultUser,omitempty"`

	// What is evicted when memory is full, such as volatile-lru (default), allkeys-lru or noeviction.
	// +optional
	EvictionPolicy string `json:"evictionPolicy,omitempty"`

	// Whether the database extends its memory with flash storage. Needs redisOnFlashSpec in the cluster. Default:
	// false. Cannot change.
	// +optional
	IsRoF *bool `json:"isRof,omitempty"`

	// Memory of the database, all shards and replicas together, as a number with a unit: 100MB, 0.5GB, 10Gi. Units
	// are powers of 1024. Default and minimum: 100MB, with flash 1GB.
	// +optional
	MemorySize string `json:"memorySize,omitempty"`

	// Modules to load. Bundled modules come by themselves from Redis 8 on; list them only for older versions or
	// for modules of your own.
	// +optional
	ModulesList []DatabaseModule `json:"modulesList,omitempty"`

	// Whether clients speak the OSS cluster protocol and connect to the shards directly. Default: false.
	// +optional
	OSSCluster *bool `json:"ossCluster,omitempty"`

	// How OSS cluster clients outside Kubernetes reach the database.
	// +optional
	OSSClusterSettings *DatabaseOSSClusterSettings `json:"ossClusterSettings,omitempty"`

	// How data is written to disk. Default: disabled.
	// +kubebuilder:validation:Enum=disabled;aofEverySecond;aofAlways;snapshotEvery1Hour;snapshotEvery6Hour;snapshotEvery12Hour
	// +optional
	Persistence Persistence `json:"persistence,omitempty"`

	// On which nodes clients connect: single, all-master-shards or all-nodes. Default: single, with ossCluster
	// all-master-shards.
	// +optional
	ProxyPolicy string `json:"proxyPolicy,omitempty"`

	// Connections between the proxy and the shards.
	// +optional
	ConnectionSettings *ConnectionSettings `json:"connectionSettings,omitempty"`

	// Whether a shard and its replica are kept in different racks. Needs a rack-aware cluster and replication.
	// +optional
	RackAware *bool `json:"rackAware,omitempty"`

	// Cluster that holds the database. Default: the one cluster of the operator. Cannot change.
	// +optional
	RedisEnterpriseCluster *ClusterReference `json:"redisEnterpriseCluster,omitempty"`

	// Databases that this one copies from. An empty list stops copying.
	// +optional
	ReplicaSources []ReplicaSource `json:"replicaSources,omitempty"`

	// Whether each shard has a replica on another node. Default: false. memorySize counts both.
	// +optional
	Replication *bool `json:"replication,omitempty"`

	// Deprecated in favour of role resources: which roles of the cluster may use the database with which ACL.
	// +optional
	RolesPermissions []RolePermission `json:"rolesPermissions,omitempty"`

	// Only for Active-Active databases; refused here.
	// +optional
	ShardingEnabled *bool `json:"shardingEnabled,omitempty"`

	// Number of shards. Default: 1. Changing it moves data between shards while the database stays in use.
	// +optional
	ShardCount *int `json:"shardCount,omitempty"`

	// Whether shards gather on few nodes (dense, the default) or spread over many (sparse).
	// +kubebuilder:validation:Enum=dense;sparse
	// +optional
	ShardsPlacement ShardsPlacement `json:"shardsPlacement,omitempty"`

	// Where TLS is required: disabled (default), enabled for clients and replication, or replica_ssl for replication
	// only.
	// +kubebuilder:validation:Enum=disabled;enabled;replica_ssl
	// +optional
	TLSMode TLSMode `json:"tlsMode,omitempty"`

	// Protocol of the database: redis (default) or memcached. Cannot change.
	// +kubebuilder:validation:Enum=redis;memcached
	// +optional
	Type DatabaseType `json:"type,omitempty"`

	// Memory of a database with flash storage that is real memory, at least a tenth of memorySize.
	// +optional
	RoFRAMSize string `json:"rofRamSize,omitempty"`

	// Percentage of a database with flash storage that is real memory. Default: 50.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	RoFRAMRatio *int `json:"rofRamRatio,omitempty"`

	// Whether search indexes may live on flash storage. Needs Redis 8.6. Default: false.
	// +optional
	SearchOnBigstore *bool `json:"searchOnBigstore,omitempty"`

	// Redis version, as x.y, or major or latest. Default: the newest that the cluster's redisUpgradePolicy allows.
	// Changing it upgrades the database. Not for memcached.
	// +optional
	RedisVersion string `json:"redisVersion,omitempty"`

	// Deprecated: how modules are treated when the database is upgraded.
	// +optional
	UpgradeSpec *DatabaseUpgradeSpec `json:"upgradeSpec,omitempty"`

	// Accepted and ignored; use a RedisEnterpriseActiveActiveDatabase.
	// +optional
	ActiveActive *DatabaseActiveActive `json:"activeActive,omitempty"`

	// Secret with the keys `username` and `password` of a memcached database.
	// +optional
	MemcachedSASLSecretName string `json:"memcachedSaslSecretName,omitempty"`

	// Whether clients may speak RESP3. Default at creation: the setting of the cluster. Removing the field changes
	// nothing.
	// +optional
	RESP3 *bool `json:"resp3,omitempty"`

	// Tags of the database. They are added to tags made elsewhere and win over them; a tag removed here is removed
	// from the database. Keys the operator uses itself are refused.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`
}
