package v1alpha1

// GlobalConfigurations holds the settings of an Active-Active database that all participating clusters share. The
// fields mean what they mean in a RedisEnterpriseDatabase unless said here; a few are checked differently, which is
// why it is a type of its own.
type GlobalConfigurations struct {
	// Alerts of the database on every participating cluster.
	// +optional
	AlertSettings *GlobalAlertSettings `json:"alertSettings,omitempty"`

	// Periodic backups on every participating cluster. Secrets must exist in each of them.
	// +optional
	Backup *GlobalBackup `json:"backup,omitempty"`

	// Secrets whose key `cert` holds a certificate that clients may identify themselves with. A non-empty list
	// makes the database refuse other clients.
	// +optional
	ClientAuthenticationCertificates []string `json:"clientAuthenticationCertificates,omitempty"`

	// Whether traffic between the shards of this database is encrypted. Default at creation: the setting of the
	// cluster. Removing the field changes nothing.
	// +optional
	DataInternodeEncryption *bool `json:"dataInternodeEncryption,omitempty"`

	// Port of the database inside each cluster. Default: chosen by the cluster. Cannot change.
	// +optional
	DatabasePort *int `json:"databasePort,omitempty"`

	// Port of the Kubernetes Services of the database. Default: as servicesRiggerSpec of the cluster says.
	// +optional
	DatabaseServicePort *int `json:"databaseServicePort,omitempty"`

	// Auditing of connections.
	// +optional
	Auditing *GlobalAuditing `json:"auditing,omitempty"`

	// Secret whose key `password` holds the password of the default user. It must exist with the same content in
	// every participating cluster; the operator does not create it.
	// +optional
	DatabaseSecretName string `json:"databaseSecretName,omitempty"`

	// Whether clients can log in as the default user. Default: true. With false no secret is created or updated.
	// +optional
	DefaultUser *bool `json:"defaultUser,omitempty"`

	// What is evicted when memory is full, such as volatile-lru (default), allkeys-lru or noeviction.
	// +optional
	EvictionPolicy string `json:"evictionPolicy,omitempty"`

	// Refused: Active-Active databases cannot use flash storage.
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

	// Refused: external access is not possible for Active-Active databases.
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

	// Ignored; use spec.redisEnterpriseCluster.
	// +optional
	RedisEnterpriseCluster *ClusterReference `json:"redisEnterpriseCluster,omitempty"`

	// Refused: an Active-Active database copies from its participants only.
	// +optional
	ReplicaSources []ReplicaSource `json:"replicaSources,omitempty"`

	// Whether each shard has a replica on another node. Default: false. memorySize counts both.
	// +optional
	Replication *bool `json:"replication,omitempty"`

	// Which roles may use the database with which ACL. Both must exist on every participating cluster.
	// +optional
	RolesPermissions []RolePermission `json:"rolesPermissions,omitempty"`

	// Whether the database can have more than one shard. Default: true. Cannot change.
	// +optional
	ShardingEnabled *bool `json:"shardingEnabled,omitempty"`

	// Number of shards. Default: 1. Without shardingEnabled: true, one shard at creation rules out more for good.
	// +optional
	ShardCount *int `json:"shardCount,omitempty"`

	// Whether shards gather on few nodes (dense, the default) or spread over many (sparse).
	// +optional
	ShardsPlacement string `json:"shardsPlacement,omitempty"`

	// Where TLS is required: disabled (default), enabled for clients and replication, or replica_ssl for replication
	// only.
	// +kubebuilder:validation:Enum=disabled;enabled;replica_ssl
	// +optional
	TLSMode TLSMode `json:"tlsMode,omitempty"`

	// Protocol of the database; only redis is possible.
	// +kubebuilder:validation:Enum=redis;memcached
	// +optional
	Type DatabaseType `json:"type,omitempty"`

	// Refused, like isRof.
	// +optional
	RoFRAMSize string `json:"rofRamSize,omitempty"`

	// Refused, like isRof.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	RoFRAMRatio *int `json:"rofRamRatio,omitempty"`

	// Refused, like isRof.
	// +optional
	SearchOnBigstore *bool `json:"searchOnBigstore,omitempty"`

	// Redis version, as x.y, or major or latest. A change on one cluster upgrades the database on all.
	// +optional
	RedisVersion string `json:"redisVersion,omitempty"`

	// Deprecated: how modules are treated when the database is upgraded.
	// +optional
	UpgradeSpec *DatabaseUpgradeSpec `json:"upgradeSpec,omitempty"`

	// Accepted and ignored.
	// +optional
	ActiveActive *DatabaseActiveActive `json:"activeActive,omitempty"`

	// Not applicable: Active-Active databases speak the Redis protocol.
	// +optional
	MemcachedSASLSecretName string `json:"memcachedSaslSecretName,omitempty"`

	// Whether clients may speak RESP3. Default at creation: the setting of the cluster. Removing the field changes
	// nothing.
	// +optional
	RESP3 *bool `json:"resp3,omitempty"`

	// Tags of the database on every participating cluster; see the same field of RedisEnterpriseDatabase.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`
}

// GlobalAuditing says whether connections to an Active-Active database are audited.
type GlobalAuditing struct {
	// Whether they are.
	// +optional
	DBConnsAuditing *bool `json:"dbConnsAuditing,omitempty"`
}

// GlobalBackup says how often an Active-Active database is backed up and where to: exactly one place.
type GlobalBackup struct {
	// Azure Blob Storage.
	// +optional
	ABS *BackupABS `json:"abs,omitempty"`
	// FTP server.
	// +optional
	FTP *GlobalBackupFTP `json:"ftp,omitempty"`
	// Google Cloud Storage.
	// +optional
	GCS *BackupGCS `json:"gcs,omitempty"`
	// Seconds between backups. Default: 86400.
	// +optional
	Interval *int `json:"interval,omitempty"`
	// Seconds after midnight at which backups start, as in RedisEnterpriseDatabase.
	// +optional
	IntervalOffset *int `json:"intervalOffset,omitempty"`
	// Directory of the nodes.
	// +optional
	Mount *BackupMount `json:"mount,omitempty"`
	// Amazon S3 or a store with the same interface.
	// +optional
	S3 *BackupS3 `json:"s3,omitempty"`
	// SFTP server.
	// +optional
	SFTP *GlobalBackupSFTP `json:"sftp,omitempty"`
	// OpenStack Swift.
	// +optional
	Swift *GlobalBackupSwift `json:"swift,omitempty"`
}

// GlobalBackupFTP is BackupFTP without a check of the address.
type GlobalBackupFTP struct {
	// Address, ftp:// or ftps://, with user and password if needed.
	URL string `json:"url"`
}

// GlobalBackupSFTP is BackupSFTP without a check of the address.
type GlobalBackupSFTP struct {
	// Address, sftp://user@host/directory.
	SFTPURL string `json:"sftp_url"`
	// Secret whose key `Key` holds the private key.
	SFTPSecretName string `json:"sftpSecretName"`
}

// GlobalBackupSwift is BackupSwift without a check of the address.
type GlobalBackupSwift struct {
	// Address of the authentication service.
	AuthURL string `json:"auth_url"`
	// Name of the container.
	Container string `json:"container"`
	// Prefix of the object names. Default: none.
	// +optional
	Prefix string `json:"prefix,omitempty"`
	// Secret with the keys `User` and `Key`.
	SwiftSecretName string `json:"swiftSecretName"`
}
