package v1alpha1

// DatabaseStatus is the word in status.status of a database: its state in the cluster.
type DatabaseStatus string

const (
	// DatabaseUnknown: the cluster has not told yet.
	DatabaseUnknown DatabaseStatus = ""
	// DatabasePending: the database is being created.
	DatabasePending DatabaseStatus = "pending"
	// DatabaseActive: the database serves clients.
	DatabaseActive DatabaseStatus = "active"
	// DatabaseActiveChangePending: the database serves clients while a change is being made.
	DatabaseActiveChangePending DatabaseStatus = "active-change-pending"
	// DatabaseDeletePending: the database is being deleted.
	DatabaseDeletePending DatabaseStatus = "delete-pending"
	// DatabaseImportPending: data is being imported.
	DatabaseImportPending DatabaseStatus = "import-pending"
	// DatabaseCreationFailed: the database could not be created.
	DatabaseCreationFailed DatabaseStatus = "creation-failed"
	// DatabaseRecovery: the database waits for, or undergoes, recovery of its data.
	DatabaseRecovery DatabaseStatus = "recovery"
)

// RemoteClusterStatus is the word in status.status of a remote cluster.
type RemoteClusterStatus string

const (
	// RemoteClusterActive: the cluster answers and accepts the credentials.
	RemoteClusterActive RemoteClusterStatus = "Active"
	// RemoteClusterError: it does not.
	RemoteClusterError RemoteClusterStatus = "Error"
)

// ActiveActiveStatus is the word in status.status of an Active-Active database.
type ActiveActiveStatus string

const (
	// ActiveActiveUnknown: nothing is known yet.
	ActiveActiveUnknown ActiveActiveStatus = ""
	// ActiveActivePending: the database is being created.
	ActiveActivePending ActiveActiveStatus = "pending"
	// ActiveActiveActive: the database serves clients.
	ActiveActiveActive ActiveActiveStatus = "active"
	// ActiveActiveChangePending: the database serves clients while a change is being made.
	ActiveActiveChangePending ActiveActiveStatus = "active-change-pending"
	// ActiveActiveDeletePending: the database is being deleted.
	ActiveActiveDeletePending ActiveActiveStatus = "delete-pending"
	// ActiveActiveCreationFailed: the database could not be created.
	ActiveActiveCreationFailed ActiveActiveStatus = "creation-failed"
	// ActiveActiveError: a change failed in a way that needs a person.
	ActiveActiveError ActiveActiveStatus = "error"
)

// ReplicationStatus tells whether changes flow between participating clusters.
type ReplicationStatus string

const (
	// ReplicationUp: they do.
	ReplicationUp ReplicationStatus = "up"
	// ReplicationDown: they do not, at least in one direction.
	ReplicationDown ReplicationStatus = "down"
)
