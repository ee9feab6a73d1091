package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RedisEnterpriseClusterStatus is the last known state of a cluster.
type RedisEnterpriseClusterStatus struct {
	// Whether the operator accepts the spec: Valid or Invalid. With an invalid spec nothing is changed and the
	// last accepted configuration stays in force; the Ready condition tells what is wrong.
	// +optional
	SpecStatus SpecStatus `json:"specStatus,omitempty"`

	// Where the cluster is in its life, for example BootstrappingFirstPod, Initializing, Running, Upgrade or Error.
	// +optional
	State ClusterState `json:"state,omitempty"`

	// Modules that databases of this cluster can use.
	// +optional
	Modules []Module `json:"modules,omitempty"`

	// Last OCSP answer about the proxy certificate.
	// +optional
	OCSPStatus *OCSPStatus `json:"ocspStatus,omitempty"`

	// The licence as the cluster reports it.
	// +optional
	LicenseStatus *LicenseStatus `json:"licenseStatus,omitempty"`

	// Database versions that the cluster can run.
	// +optional
	BundledDatabaseVersions []BundledDatabaseVersion `json:"bundledDatabaseVersions,omitempty"`

	// Optional parts of the cluster configuration that the operator has taken over because they were set once.
	// +optional
	ManagedAPIs *ManagedAPIs `json:"managedAPIs,omitempty"`

	// Progress of certificate changes that Active-Active databases must learn about.
	// +optional
	CertificatesStatus *CertificatesStatus `json:"certificatesStatus,omitempty"`

	// Credential secret in use now.
	// +optional
	ClusterCredentialSecretName string `json:"clusterCredentialSecretName,omitempty"`

	// Method of external access in use now.
	// +optional
	IngressOrRouteMethodStatus string `json:"ingressOrRouteMethodStatus,omitempty"`

	// State of the volume claims of the nodes.
	// +optional
	PersistenceStatus *PersistenceStatus `json:"persistenceStatus,omitempty"`

	// Address family in use.
	// +optional
	RedisEnterpriseIPFamily string `json:"redisEnterpriseIPFamily,omitempty"`

	// Generation of the spec that this status talks about. Together with the Ready condition it tells whether a
	// change has been carried out.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready, Reconciling and Stalled as for all kinds, BootstrapComplete, NodesHealthy, RollingUpdate
	// and LicenseValid for a cluster.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Module is a module that databases can load.
type Module struct {
	// Name to use in the modules list of a database.
	// +optional
	Name string `json:"name,omitempty"`
	// Name as the admin console shows it.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Versions on offer.
	// +optional
	Versions []string `json:"versions,omitempty"`
}

// OCSPStatus is the answer of an OCSP responder about the proxy certificate.
type OCSPStatus struct {
	// State of the certificate, such as good or revoked.
	// +optional
	CertStatus string `json:"certStatus,omitempty"`
	// When a newer answer will be there.
	// +optional
	NextUpdate string `json:"nextUpdate,omitempty"`
	// When the responder signed the answer.
	// +optional
	ProducedAt string `json:"producedAt,omitempty"`
	// Responder that was asked.
	// +optional
	ResponderURL string `json:"responderUrl,omitempty"`
	// When the certificate was revoked, if it was.
	// +optional
	RevocationTime string `json:"revocationTime,omitempty"`
	// When the answer was known to be correct.
	// +optional
	ThisUpdate string `json:"thisUpdate,omitempty"`
}

// LicenseStatus is the licence as the cluster reports it.
type LicenseStatus struct {
	// Valid or Expired.
	// +optional
	LicenseState string `json:"licenseState,omitempty"`
	// First day on which the licence counts.
	// +optional
	ActivationDate string `json:"activationDate,omitempty"`
	// Last day on which the licence counts.
	// +optional
	ExpirationDate string `json:"expirationDate,omitempty"`
	// Shards in use and allowed, as "used/limit".
	// +optional
	ShardsUsage string `json:"shardsUsage,omitempty"`
	// Features that the licence allows.
	// +optional
	Features []string `json:"features,omitempty"`
	// Whom the licence was issued to.
	// +optional
	Owner string `json:"owner,omitempty"`
	// Shards on flash in use.
	// +optional
	FlashShards int32 `json:"flashShards,omitempty"`
	// Shards on flash allowed. Absent or null when the licence does not tell them apart.
	// +optional
	// +nullable
	FlashShardsLimit *int32 `json:"flashShardsLimit,omitempty"`
	// Shards in memory in use.
	// +optional
	RAMShards int32 `json:"ramShards,omitempty"`
	// Shards in memory allowed. Absent or null when the licence does not tell them apart.
	// +optional
	// +nullable
	RAMShardsLimit *int32 `json:"ramShardsLimit,omitempty"`
	// Shards allowed in all.
	// +optional
	ShardsLimit int `json:"shardsLimit,omitempty"`
}

// BundledDatabaseVersion is a database version that the cluster can run.
type BundledDatabaseVersion struct {
	// Type of database, such as redis.
	DBType string `json:"dbType"`
	// What databases of this version can do.
	// +optional
	FeatureSupport *FeatureSupport `json:"featureSupport,omitempty"`
	// Whether this is a major release.
	// +optional
	Major bool `json:"major,omitempty"`
	// Version number.
	Version string `json:"version"`
}

// FeatureSupport tells what databases of a version can do.
type FeatureSupport struct {
	// Whether they can be Active-Active.
	ActiveActive bool `json:"activeActive"`
	// Whether they can use flash storage.
	Flex bool `json:"flex"`
}

// ManagedAPIs lists optional parts of the configuration that the operator has taken over.
type ManagedAPIs struct {
	// True once spec.ldap was set; from then on its absence means no LDAP.
	// +optional
	LDAP bool `json:"ldap,omitempty"`
}

// CertificatesStatus follows changes of the certificates that other clusters see.
type CertificatesStatus struct {
	// Counts changes of the proxy and syncer certificates. Active-Active databases that have seen a smaller number
	// are updated.
	// +optional
	Generation int64 `json:"generation,omitempty"`
	// InProgress while such a change is being applied, Completed afterwards.
	// +optional
	UpdateStatus CertificatesUpdateStatus `json:"updateStatus,omitempty"`
}

// PersistenceStatus is the state of the volume claims of all nodes.
type PersistenceStatus struct {
	// State of the claim that is furthest behind: Provisioning, Provisioned, Resizing or ResizeFailed.
	// +optional
	Status PersistencePhase `json:"status,omitempty"`
	// Claims that have the wanted size out of all claims, as "2/3".
	// +optional
	Succeeded string `json:"succeeded,omitempty"`
}
