package v1alpha1

// Condition types of databases, beside Ready, Reconciling and Stalled, which package v1 defines for every kind.
const (
	// ConditionDatabaseActive is True while the database serves clients, also during a change.
	ConditionDatabaseActive = "DatabaseActive"
	// ConditionReplicating is True while all sources or peers of a database are in sync. Absent without any.
	ConditionReplicating = "Replicating"
	// ConditionSecretsInSync is True when the secrets of an Active-Active database are the same on all clusters.
	ConditionSecretsInSync = "SecretsInSync"
)

// ConditionReachable is True while a remote cluster answers and accepts the credentials.
const ConditionReachable = "Reachable"

// Reasons that conditions of databases use.
const (
	// ReasonDatabaseActive: the database serves clients.
	ReasonDatabaseActive = "DatabaseActive"
	// ReasonCreating: the database is being created.
	ReasonCreating = "Creating"
	// ReasonCreationFailed: the cluster could not create the database.
	ReasonCreationFailed = "CreationFailed"
	// ReasonChanging: a change of the database is being made.
	ReasonChanging = "Changing"
	// ReasonClusterNotReady: the cluster that should hold the database is not formed or being recovered.
	ReasonClusterNotReady = "ClusterNotReady"
	// ReasonClusterUpgrading: changes wait until the cluster has been upgraded.
	ReasonClusterUpgrading = "ClusterUpgrading"
	// ReasonDatabaseMissing: the database existed and is gone from the cluster. It is not made again by itself,
	// because an empty database would hide the loss.
	ReasonDatabaseMissing = "DatabaseMissing"
	// ReasonNameTaken: the cluster already has a database of this name that this resource did not make.
	ReasonNameTaken = "NameTaken"
	// ReasonRecovering: the data of the database is being recovered.
	ReasonRecovering = "Recovering"
	// ReasonInSync: all sources or peers are in sync.
	ReasonInSync = "InSync"
	// ReasonOutOfSync: at least one source or peer is not in sync; the message names it.
	ReasonOutOfSync = "OutOfSync"
)

// Reasons that the condition Reachable uses.
const (
	// ReasonReachable: the remote cluster answers and accepts the credentials.
	ReasonReachable = "Reachable"
	// ReasonUnreachable: the remote cluster does not answer.
	ReasonUnreachable = "Unreachable"
	// ReasonAccessDenied: the remote cluster does not accept the credentials.
	ReasonAccessDenied = "AccessDenied"
)
