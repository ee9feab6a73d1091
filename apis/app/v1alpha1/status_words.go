package v1alpha1

// DatabaseStatus is the word in status.status of a database: its state in the cluster.
type DatabaseStatus string

const (
	// DatabaseUnknown means: the cluster has not told yet.
	DatabaseUnknown DatabaseStatus = ""
	// DatabasePending means: the database is being created.
	DatabasePending DatabaseStatus = "pending"
	// DatabaseActive means: the database serves clients.
	DatabaseActive DatabaseStatus = "active"
	// DatabaseActiveChangePending means: the database serves clients while a change is being made.
	DatabaseActiveChangePending DatabaseStatus = "active-change-pending"
	// DatabaseDeletePending means: the database is being deleted.
	DatabaseDeletePending DatabaseStatus = "delete-pending"
	// DatabaseImportPending means: data is being imported.
	DatabaseImportPending DatabaseStatus = "import-pending"
	// DatabaseCreationFailed means: the database could not be created.
	DatabaseCreationFailed DatabaseStatus = "creation-failed"
	// DatabaseRecovery means: the database waits for, or undergoes, recovery of its data.
	DatabaseRecovery DatabaseStatus = "recovery"
)

// RemoteClusterStatus is the word in status.status of a remote cluster.
type RemoteClusterStatus string

const (
	// RemoteClusterActive means: the cluster answers and accepts the credentials.
	RemoteClusterActive RemoteClusterStatus = "Active"
	// RemoteClusterError means: it does not.
	RemoteClusterError RemoteClusterStatus = "Error"
)

// ActiveActiveStatus is the word in status.status of an Active-Active database.
type ActiveActiveStatus string

const (
	// ActiveActiveUnknown means: nothing is known yet.
	ActiveActiveUnknown ActiveActiveStatus = ""
	// ActiveActivePending means: the database is being created.
	ActiveActivePending ActiveActiveStatus = "pending"
	// ActiveActiveActive means: the database serves clients.
	ActiveActiveActive ActiveActiveStatus = "active"
	// ActiveActiveChangePending means: the database serves clients while a change is being made.
	ActiveActiveChangePending ActiveActiveStatus = "active-change-pending"
	// ActiveActiveDeletePending means: the database is being deleted.
	ActiveActiveDeletePending ActiveActiveStatus = "delete-pending"
	// ActiveActiveCreationFailed means: the database could not be created.
	ActiveActiveCreationFailed ActiveActiveStatus = "creation-failed"
	// ActiveActiveError means: a change failed in a way that needs a person.
	ActiveActiveError ActiveActiveStatus = "error"
)

// ReplicationStatus tells whether changes flow between participating clusters.
type ReplicationStatus string

const (
	// ReplicationUp means: they do.
	ReplicationUp ReplicationStatus = "up"
	// ReplicationDown means: they do not, at least in one direction.
	ReplicationDown ReplicationStatus = "down"
)
