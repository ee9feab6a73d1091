package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// RedisEnterpriseDatabaseStatus is the last known state of a database.
type RedisEnterpriseDatabaseStatus struct {
	// When the database was created.
	// +optional
	CreatedTime string `json:"createdTime,omitempty"`

	// Number of the database in the cluster. Once set, a database that has gone missing is reported, not made again.
	// +optional
	DatabaseUID string `json:"databaseUID,omitempty"`

	// Addresses of the database inside the cluster.
	// +optional
	InternalEndpoints []InternalEndpoint `json:"internalEndpoints,omitempty"`

	// State of the last change, such as running or completed.
	// +optional
	LastActionStatus string `json:"lastActionStatus,omitempty"`

	// Identifier of the last change in the cluster.
	// +optional
	LastActionUID string `json:"lastActionUid,omitempty"`

	// When the database was last changed.
	// +optional
	LastUpdated string `json:"lastUpdated,omitempty"`

	// Generation of the spec that has been sent to the cluster completely.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Cluster that holds the database.
	// +optional
	RedisEnterpriseCluster string `json:"redisEnterpriseCluster,omitempty"`

	// State of copying, one entry for each replica source.
	// +optional
	ReplicaSourceStatuses []ReplicaSourceStatus `json:"replicaSourceStatuses,omitempty"`

	// Number of shards in each state, such as active: 2.
	// +optional
	ShardStatuses map[string]int `json:"shardStatuses,omitempty"`

	// State of backups.
	// +optional
	BackupInfo *BackupInfo `json:"backupInfo,omitempty"`

	// Whether the operator accepts the spec: Valid or Invalid.
	// +optional
	SpecStatus appv1.SpecStatus `json:"specStatus,omitempty"`

	// State of the database in the cluster: pending, active, active-change-pending, delete-pending, import-pending,
	// creation-failed or recovery. Empty while it is not known.
	// +optional
	Status DatabaseStatus `json:"status,omitempty"`

	// Redis version of the database.
	// +optional
	Version string `json:"version,omitempty"`

	// Active-Active database that this one belongs to.
	// +optional
	ActiveActive *DatabaseActiveActive `json:"activeActive,omitempty"`

	// Generation of flash support: 1 Auto Tiering, 2 Flex.
	// +optional
	BigstoreVersion int `json:"bigstoreVersion,omitempty"`

	// Roles and ACLs in force, from rolesPermissions and from role resources together.
	// +optional
	RolesPermissions []RolePermissionStatus `json:"rolesPermissions,omitempty"`

	// Keys of the tags that came from the spec.
	// +optional
	ManagedTags []string `json:"managedTags,omitempty"`

	// Optional fields that were set once and go back to their default when they are removed.
	// +optional
	ManagedFields []string `json:"managedFields,omitempty"`

	// Conditions: Ready, Reconciling and Stalled as for all kinds, DatabaseActive and Replicating for a database.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// InternalEndpoint is an address of a database inside the cluster.
type InternalEndpoint struct {
	// Host name.
	// +optional
	Host string `json:"host,omitempty"`
	// Port.
	// +optional
	Port int `json:"port,omitempty"`
}

// ReplicaSourceStatus is the state of copying from one source.
type ReplicaSourceStatus struct {
	// Host of the source, which tells the sources apart.
	EndpointHost string `json:"endpointHost"`
	// Milliseconds by which the copy is behind.
	// +optional
	Lag int `json:"lag,omitempty"`
	// Last error of copying.
	// +optional
	LastError string `json:"lastError,omitempty"`
	// When the source last sent something.
	// +optional
	LastUpdate string `json:"lastUpdate,omitempty"`
	// Bytes of the first full copy.
	// +optional
	RDBSize int `json:"rdbSize,omitempty"`
	// Bytes of the first full copy that have arrived.
	// +optional
	RDBTransferred int `json:"rdbTransferred,omitempty"`
	// State, such as syncing, in-sync or out-of-sync.
	// +optional
	Status string `json:"status,omitempty"`
}

// BackupInfo is the state of the backups of a database.
type BackupInfo struct {
	// Why the last backup failed.
	// +optional
	BackupFailureReason string `json:"backupFailureReason,omitempty"`
	// Number of backups that are kept.
	// +optional
	BackupHistory int `json:"backupHistory,omitempty"`
	// Seconds between backups.
	// +optional
	BackupInterval int `json:"backupInterval,omitempty"`
	// Seconds after midnight at which backups start.
	// +optional
	BackupIntervalOffset int `json:"backupIntervalOffset,omitempty"`
	// How far the running backup is, in percent.
	// +optional
	BackupProgressPercentage int `json:"backupProgressPercentage,omitempty"`
	// State of the last backup.
	// +optional
	BackupStatus string `json:"backupStatus,omitempty"`
	// When the last backup was made.
	// +optional
	LastBackupTime string `json:"lastBackupTime,omitempty"`
}

// RolePermissionStatus is a pair of role and ACL in force.
type RolePermissionStatus struct {
	// The role.
	Role RolePermissionReference `json:"role"`
	// The ACL.
	ACL RolePermissionReference `json:"acl"`
}

// RolePermissionReference names a role or an ACL.
type RolePermissionReference struct {
	// Kind of the resource, or of the object in the cluster.
	// +optional
	Kind string `json:"kind,omitempty"`
	// Its name.
	// +optional
	Name string `json:"name,omitempty"`
}
