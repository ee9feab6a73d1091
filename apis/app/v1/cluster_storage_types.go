package v1

import "k8s.io/apimachinery/pkg/api/resource"

// PersistentSpec describes the persistent storage of the nodes.
type PersistentSpec struct {
	// Whether a larger volumeSize makes the operator expand the existing volumes. Default: false. Needs a storage
	// class that allows expansion; not possible together with redisOnFlashSpec.
	// +optional
	EnablePersistentVolumeResize bool `json:"enablePersistentVolumeResize,omitempty"`
	// Whether the nodes have persistent volumes. Default: true. Without them a restarted node starts empty, and a
	// lost cluster cannot be recovered. Cannot change.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
	// Storage class of the volumes, block storage only. Default: the default class of Kubernetes. Cannot change.
	// +optional
	StorageClassName string `json:"storageClassName,omitempty"`
	// Size of each volume, a whole number with a unit. Default: five times the memory request of a node. It may
	// only grow, see enablePersistentVolumeResize.
	// +optional
	VolumeSize *resource.Quantity `json:"volumeSize,omitempty"`
}

// BigStoreDriver is the engine that keeps data on flash.
type BigStoreDriver string

const (
	// BigStoreRocksDB is the older engine.
	BigStoreRocksDB BigStoreDriver = "rocksdb"
	// BigStoreSpeedb is the current engine.
	BigStoreSpeedb BigStoreDriver = "speedb"
)

// RedisOnFlashSpec describes the flash storage of the nodes.
type RedisOnFlashSpec struct {
	// Whether the nodes have flash storage.
	Enabled bool `json:"enabled"`
	// Deprecated, use bigStoreDriver.
	// +kubebuilder:validation:Enum=rocksdb
	// +optional
	FlashStorageEngine BigStoreDriver `json:"flashStorageEngine,omitempty"`
	// Storage class of the flash volumes; local disks are expected.
	StorageClassName string `json:"storageClassName"`
	// Size of each flash volume.
	// +optional
	FlashDiskSize *resource.Quantity `json:"flashDiskSize,omitempty"`
	// Engine that keeps data on flash: speedb (default) or rocksdb.
	// +kubebuilder:validation:Enum=rocksdb;speedb
	// +optional
	BigStoreDriver BigStoreDriver `json:"bigStoreDriver,omitempty"`
}

// ClusterBackup holds the cluster-wide part of backup settings.
type ClusterBackup struct {
	// Object store with an S3 interface.
	// +optional
	S3 *ClusterBackupS3 `json:"s3,omitempty"`
}

// ClusterBackupS3 names an object store with an S3 interface.
type ClusterBackupS3 struct {
	// Secret whose key `cert` holds the certificate of the store's CA.
	// +optional
	CACertificateSecretName string `json:"caCertificateSecretName,omitempty"`
	// Address of the store. Default: Amazon S3.
	// +optional
	URL string `json:"url,omitempty"`
}
