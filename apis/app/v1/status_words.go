package v1

// ClusterState is the word in status.state of a cluster.
type ClusterState string

const (
	// ClusterPendingCreation means: the resource was seen, its objects are not created yet.
	ClusterPendingCreation ClusterState = "PendingCreation"
	// ClusterBootstrappingFirstPod means: the first node is starting and forming the cluster.
	ClusterBootstrappingFirstPod ClusterState = "BootstrappingFirstPod"
	// ClusterInitializing means: the cluster exists, nodes are joining it.
	ClusterInitializing ClusterState = "Initializing"
	// ClusterRunning means: everything is up.
	ClusterRunning ClusterState = "Running"
	// ClusterRunningRollingUpdate means: up, while the node pods are replaced one by one for a change that is not an
	// upgrade.
	ClusterRunningRollingUpdate ClusterState = "RunningRollingUpdate"
	// ClusterUpgrade means: the node pods are replaced one by one with another software version.
	ClusterUpgrade ClusterState = "Upgrade"
	// ClusterInvalidUpgrade means: an upgrade is wanted but cannot be done now; a condition tells why.
	ClusterInvalidUpgrade ClusterState = "InvalidUpgrade"
	// ClusterRecoveryReset means: recovery has begun, all node pods are being deleted.
	ClusterRecoveryReset ClusterState = "RecoveryReset"
	// ClusterRecoveringFirstPod means: the first node recovers the configuration from its volume.
	ClusterRecoveringFirstPod ClusterState = "RecoveringFirstPod"
	// ClusterRecreating means: pods are deleted so that a cluster that never held data can be formed again.
	ClusterRecreating ClusterState = "ClusterRecreating"
	// ClusterInvalid means: the spec is rejected.
	ClusterInvalid ClusterState = "Invalid"
	// ClusterError means: creating or updating an object failed in a way that needs a person.
	ClusterError ClusterState = "Error"
	// ClusterDeleting means: the resource is being deleted.
	ClusterDeleting ClusterState = "Deleting"
)

// SpecStatus is the word in status.specStatus of every kind.
type SpecStatus string

const (
	// SpecValid means: the operator accepts the spec.
	SpecValid SpecStatus = "Valid"
	// SpecInvalid means: the operator rejects the spec and changes nothing because of it.
	SpecInvalid SpecStatus = "Invalid"
)

// PersistencePhase is the word in status.persistenceStatus.status of a cluster.
type PersistencePhase string

const (
	// PersistenceProvisioning means: at least one volume claim is not bound yet.
	PersistenceProvisioning PersistencePhase = "Provisioning"
	// PersistenceProvisioned means: all claims are bound and have the wanted size.
	PersistenceProvisioned PersistencePhase = "Provisioned"
	// PersistenceResizing means: at least one claim is still growing.
	PersistenceResizing PersistencePhase = "Resizing"
	// PersistenceResizeFailed means: the storage refused to grow at least one claim.
	PersistenceResizeFailed PersistencePhase = "ResizeFailed"
)

// CertificatesUpdateStatus is the word in status.certificatesStatus.updateStatus of a cluster.
type CertificatesUpdateStatus string

const (
	// CertificatesUpdateInProgress means: a certificate that other clusters see is being replaced.
	CertificatesUpdateInProgress CertificatesUpdateStatus = "InProgress"
	// CertificatesUpdateCompleted means: the cluster uses the certificates of the spec.
	CertificatesUpdateCompleted CertificatesUpdateStatus = "Completed"
)

// Words in status.licenseStatus.licenseState.
const (
	// LicenseStateValid means: the licence counts today.
	LicenseStateValid = "Valid"
	// LicenseStateExpired means: the licence has run out; databases serve on, configuration changes are refused.
	LicenseStateExpired = "Expired"
)
