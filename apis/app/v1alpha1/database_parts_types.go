package v1alpha1

// Persistence says how data is written to disk.
type Persistence string

const (
	// PersistenceDisabled writes nothing.
	PersistenceDisabled Persistence = "disabled"
	// PersistenceAOFEverySecond appends every write to a file that is flushed once a second.
	PersistenceAOFEverySecond Persistence = "aofEverySecond"
	// PersistenceAOFAlways appends every write to a file and flushes it before the answer.
	PersistenceAOFAlways Persistence = "aofAlways"
	// PersistenceSnapshot1Hour writes a snapshot every hour.
	PersistenceSnapshot1Hour Persistence = "snapshotEvery1Hour"
	// PersistenceSnapshot6Hour writes a snapshot every six hours.
	PersistenceSnapshot6Hour Persistence = "snapshotEvery6Hour"
	// PersistenceSnapshot12Hour writes a snapshot every twelve hours.
	PersistenceSnapshot12Hour Persistence = "snapshotEvery12Hour"
)

// ShardsPlacement says how shards are laid out over the nodes.
type ShardsPlacement string

const (
	// PlacementDense gathers shards on few nodes.
	PlacementDense ShardsPlacement = "dense"
	// PlacementSparse spreads shards over many nodes.
	PlacementSparse ShardsPlacement = "sparse"
)

// TLSMode says where TLS is required.
type TLSMode string

const (
	// TLSDisabled requires it nowhere.
	TLSDisabled TLSMode = "disabled"
	// TLSEnabled requires it from clients and replication.
	TLSEnabled TLSMode = "enabled"
	// TLSReplica requires it from replication only.
	TLSReplica TLSMode = "replica_ssl"
)

// DatabaseType is the protocol of a database.
type DatabaseType string

const (
	// DatabaseRedis speaks the Redis protocol.
	DatabaseRedis DatabaseType = "redis"
	// DatabaseMemcached speaks the memcached protocol.
	DatabaseMemcached DatabaseType = "memcached"
)

// ClusterReference names a RedisEnterpriseCluster.
type ClusterReference struct {
	// Name of the cluster resource.
	Name string `json:"name"`
}

// DatabaseModule is a module that a database loads.
type DatabaseModule struct {
	// Arguments of the module.
	// +optional
	Config string `json:"config,omitempty"`
	// Name as in status.modules of the cluster, such as search or ReJSON; not the display name.
	Name string `json:"name"`
	// Deprecated: version of the module. Leave it as it is while redisVersion changes.
	// +optional
	Version string `json:"version,omitempty"`
}

// DatabaseOSSClusterSettings says how OSS cluster clients outside Kubernetes reach a database.
type DatabaseOSSClusterSettings struct {
	// Whether they can. Needs ossClusterSettings.externalAccessType LoadBalancer in the cluster.
	// +optional
	EnableExternalAccess bool `json:"enableExternalAccess,omitempty"`
}

// ConnectionSchedulingPolicy says how the proxy picks a connection to a shard.
type ConnectionSchedulingPolicy string

// ConnectionLimitType says what limits on connections are counted per.
type ConnectionLimitType string

// ConnectionSettings controls the connections between the proxy and the shards.
type ConnectionSettings struct {
	// Connections that the proxy keeps open to each shard. Default: 5.
	// +optional
	InternalConnections *int `json:"internalConnections,omitempty"`
	// How the proxy picks one of them: cmp (least loaded), mru (most recently used), spread or mnp.
	// +kubebuilder:validation:Enum=cmp;mru;spread;mnp
	// +optional
	ConnectionSchedulingPolicy ConnectionSchedulingPolicy `json:"connectionSchedulingPolicy,omitempty"`
	// Connections reserved for single clients, in all; 0, the default, is no limit.
	// +optional
	GlobalMaxDedicatedConnections *int `json:"globalMaxDedicatedConnections,omitempty"`
	// Connections reserved for single clients that are kept ready. Default: 2.
	// +optional
	MinDedicatedConnections *int `json:"minDedicatedConnections,omitempty"`
	// What internalConnections is counted per: per-thread (default) or per-shard.
	// +kubebuilder:validation:Enum=per-thread;per-shard
	// +optional
	ConnectionLimitType ConnectionLimitType `json:"connectionLimitType,omitempty"`
}

// Kinds of replica sources.
const (
	// ReplicaSourceSecret means: the source is described by a secret.
	ReplicaSourceSecret = "SECRET"
	// ReplicaSourceREDB means: the source is another database of this operator.
	ReplicaSourceREDB = "REDB"
)

// ReplicaSource is a database to copy from.
type ReplicaSource struct {
	// Secret with a certificate and key with which this database identifies itself to the source. Switches TLS on.
	// +optional
	ClientKeySecret string `json:"clientKeySecret,omitempty"`
	// Compression of the traffic, from 0 (none) to 6.
	// +optional
	Compression *int `json:"compression,omitempty"`
	// Name of the secret or of the RedisEnterpriseDatabase.
	ReplicaSourceName string `json:"replicaSourceName"`
	// SECRET for a secret whose key `uri` tells address and password of the source, REDB for a
	// RedisEnterpriseDatabase of the same operator.
	ReplicaSourceType string `json:"replicaSourceType"`
	// Secret whose key `cert` holds the certificate that the source shows. Switches TLS on.
	// +optional
	ServerCertSecret string `json:"serverCertSecret,omitempty"`
	// Server name to ask for in TLS. Needed when the source is behind an ingress or route.
	// +optional
	TLSSNIName string `json:"tlsSniName,omitempty"`
}

// RolePermissionType is the origin of a role and an ACL.
type RolePermissionType string

// RolePermissionRedisEnterprise means: role and ACL are named as in the cluster.
const RolePermissionRedisEnterprise RolePermissionType = "redis-enterprise"

// RolePermission lets a role of the cluster use the database with an ACL.
type RolePermission struct {
	// Name of an ACL in the cluster, with exact spelling.
	ACL string `json:"acl"`
	// Name of a role in the cluster, with exact spelling.
	Role string `json:"role"`
	// Origin of both; always redis-enterprise.
	// +kubebuilder:validation:Enum=redis-enterprise
	// +kubebuilder:default=redis-enterprise
	Type RolePermissionType `json:"type"`
}

// DatabaseUpgradeSpec says how modules are treated when the database is upgraded.
type DatabaseUpgradeSpec struct {
	// Deprecated: whether modules are upgraded to their latest version too. Default: true.
	UpgradeModulesToLatest bool `json:"upgradeModulesToLatest"`
}

// DatabaseActiveActive ties a database to an Active-Active database. It has no effect.
type DatabaseActiveActive struct {
	// Name of the Active-Active database.
	Name string `json:"name"`
	// Name of the participating cluster.
	ParticipatingClusterName string `json:"participatingClusterName"`
}
