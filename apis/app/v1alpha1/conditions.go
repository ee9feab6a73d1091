package v1alpha1

// Condition types of databases, beside Ready, Reconciling and Stalled, which package v1 defines for every kind.
const (
	// ConditionDatabaseActive is True while the database serves clients, also during a change.
	ConditionDatabaseActive = "DatabaseActive"
	// ConditionExposed is True when a way in from outside of Kubernetes has been asked for and can be made; the message has
	// its address. Absent without the annotation that asks.
	ConditionExposed = "Exposed"
	// ConditionReplicating is True while all sources or peers of a database are in sync. Absent without any.
	ConditionReplicating = "Replicating"
	// ConditionSecretsInSync is True when the secrets of an Active-Active database are the same on all clusters.
	ConditionSecretsInSync = "SecretsInSync"
)

// ConditionReachable is True while a remote cluster answers and accepts the credentials.
const ConditionReachable = "Reachable"

// ConditionCompatible is False while the clock or the version of a remote cluster differs from the local one by more than
// Active-Active databases should have to bear. Absent while the remote cluster is not reached.
const ConditionCompatible = "Compatible"

// Reasons that conditions of databases use.
const (
	// ReasonDatabaseActive means: the database serves clients.
	ReasonDatabaseActive = "DatabaseActive"
	// ReasonCreating means: the database is being created.
	ReasonCreating = "Creating"
	// ReasonCreationFailed means: the cluster could not create the database.
	ReasonCreationFailed = "CreationFailed"
	// ReasonChanging means: a change of the database is being made.
	ReasonChanging = "Changing"
	// ReasonClusterNotReady means: the cluster that should hold the database is not formed or being recovered.
	ReasonClusterNotReady = "ClusterNotReady"
	// ReasonClusterUpgrading means: changes wait until the cluster has been upgraded.
	ReasonClusterUpgrading = "ClusterUpgrading"
	// ReasonDatabaseMissing means: the database existed and is gone from the cluster. It is not made again by itself,
	// because an empty database would hide the loss.
	ReasonDatabaseMissing = "DatabaseMissing"
	// ReasonNameTaken means: the cluster already has a database of this name that this resource did not make.
	ReasonNameTaken = "NameTaken"
	// ReasonRecovering means: the data of the database is being recovered.
	ReasonRecovering = "Recovering"
	// ReasonExposed means: the services rigger has been told to lead a host name to the database.
	ReasonExposed = "Exposed"
	// ReasonNoWayIn means: the cluster of the database has no way in from outside.
	ReasonNoWayIn = "NoWayIn"
	// ReasonInSync means: all sources or peers are in sync.
	ReasonInSync = "InSync"
	// ReasonSecretDiffers means: a secret of an Active-Active database is not the same here as on the other clusters.
	ReasonSecretDiffers = "SecretDiffers"
	// ReasonTaskFailed means: an attempt to change an Active-Active database failed for a reason that may pass, and is repeated.
	ReasonTaskFailed = "TaskFailed"
	// ReasonOutOfSync means: at least one source or peer is not in sync; the message names it.
	ReasonOutOfSync = "OutOfSync"
)

// Reasons that the condition Reachable uses.
const (
	// ReasonReachable means: the remote cluster answers and accepts the credentials.
	ReasonReachable = "Reachable"
	// ReasonUnreachable means: the remote cluster does not answer.
	ReasonUnreachable = "Unreachable"
	// ReasonAccessDenied means: the remote cluster does not accept the credentials.
	ReasonAccessDenied = "AccessDenied"
	// ReasonConnecting means: nobody has tried yet.
	ReasonConnecting = "Connecting"
	// ReasonWrongCluster means: a cluster answers that is not the one in the spec.
	ReasonWrongCluster = "WrongCluster"
	// ReasonInUse means: an Active-Active database lists the remote cluster, so it is not let go.
	ReasonInUse = "InUse"
)

// Reasons that the condition Compatible uses.
const (
	// ReasonCompatible means: clock and version agree.
	ReasonCompatible = "Compatible"
	// ReasonClocksDiffer means: the clocks are more than five seconds apart.
	ReasonClocksDiffer = "ClocksDiffer"
	// ReasonVersionsDiffer means: the clusters run different releases.
	ReasonVersionsDiffer = "VersionsDiffer"
)
