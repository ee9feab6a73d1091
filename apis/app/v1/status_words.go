package v1

// ClusterState is the word in status.state of a cluster.
type ClusterState string

const (
	// ClusterPendingCreation: the resource was seen, its objects are not created yet.
	ClusterPendingCreation ClusterState = "PendingCreation"
	// ClusterBootstrappingFirstPod: the first node is starting and forming the cluster.
	ClusterBootstrappingFirstPod ClusterState = "BootstrappingFirstPod"
	// ClusterInitializing: the cluster exists, nodes are joining it.
	ClusterInitializing ClusterState = "Initializing"
	// ClusterRunning: everything is up.
	ClusterRunning ClusterState = "Running"
	// ClusterRunningRollingUpdate: up, while the node pods are replaced one by one for a change that is not an
	// upgrade.
	ClusterRunningRollingUpdate ClusterState = "RunningRollingUpdate"
	// ClusterUpgrade: the node pods are replaced one by one with another software version.
	ClusterUpgrade ClusterState = "Upgrade"
	// ClusterInvalidUpgrade: an upgrade is wanted but cannot be done now; a condition tells why.
	ClusterInvalidUpgrade ClusterState = "InvalidUpgrade"
	// ClusterRecoveryReset: recovery has begun, all node pods are being deleted.
	ClusterRecoveryReset ClusterState = "RecoveryReset"
	// ClusterRecoveringFirstPod: the first node recovers the configuration from its volume.
	ClusterRecoveringFirstPod ClusterState = "RecoveringFirstPod"
	// ClusterRecreating: pods are deleted so that a cluster that never held data can be formed again.
	ClusterRecreating ClusterState = "ClusterRecreating"
	// ClusterInvalid: the spec is rejected.
	ClusterInvalid ClusterState = "Invalid"
	// ClusterError: creating or updating an object failed in a way that needs a person.
	ClusterError ClusterState = "Error"
	// ClusterDeleting: the resource is being deleted.
	ClusterDeleting ClusterState = "Deleting"
)

// SpecStatus is the word in status.specStatus of every kind.
type SpecStatus string

const (
	// SpecValid: the operator accepts the spec.
	SpecValid SpecStatus = "Valid"
	// SpecInvalid: the operator rejects the spec and changes nothing because of it.
	SpecInvalid SpecStatus = "Invalid"
)

// PersistencePhase is the word in status.persistenceStatus.status of a cluster.
type PersistencePhase string

const (
	// PersistenceProvisioning: at least one volume claim is not bound yet.
	PersistenceProvisioning PersistencePhase = "Provisioning"
	// PersistenceProvisioned: all claims are bound and have the wanted size.
	PersistenceProvisioned PersistencePhase = "Provisioned"
	// PersistenceResizing: at least one claim is still growing.
	PersistenceResizing PersistencePhase = "Resizing"
	// PersistenceResizeFailed: the storage refused to grow at least one claim.
	PersistenceResizeFailed PersistencePhase = "ResizeFailed"
)

// CertificatesUpdateStatus is the word in status.certificatesStatus.updateStatus of a cluster.
type CertificatesUpdateStatus string

const (
	// CertificatesUpdateInProgress: a certificate that other clusters see is being replaced.
	CertificatesUpdateInProgress CertificatesUpdateStatus = "InProgress"
	// CertificatesUpdateCompleted: the cluster uses the certificates of the spec.
	CertificatesUpdateCompleted CertificatesUpdateStatus = "Completed"
)

// Words in status.licenseStatus.licenseState.
const (
	// LicenseStateValid: the licence counts today.
	LicenseStateValid = "Valid"
	// LicenseStateExpired: the licence has run out; databases serve on, configuration changes are refused.
	LicenseStateExpired = "Expired"
)
