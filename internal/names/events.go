package names

// Event reasons: CamelCase words that users and alerts may match on. They are API.
const (
	// EventInvalidConfiguration: the spec was refused; the message names the spec path.
	EventInvalidConfiguration = "InvalidConfiguration"
	// EventStatusChange: status.state (REC) or status.status (REDB) took a new value.
	EventStatusChange = "StatusChange"
	// EventNotActedOn: the spec has a field this operator version knows but does not act on yet.
	EventNotActedOn = "FieldNotActedOn"
	// EventAdvice: the spec is followed, and whoever wrote it should know what the message says.
	EventAdvice = "Advice"
	// EventFound: objects that were there before the cluster belong to it from now on.
	EventFound = "AlreadyThere"
	// EventNamespaceLeftOut: databases of a namespace are not served, because the operator may not read it.
	EventNamespaceLeftOut = "NamespaceLeftOut"
	// EventWaiting: reconciliation waits for something; the message says for what.
	EventWaiting = "Waiting"
	// EventStillWaiting: a wait has lasted longer than its limit.
	EventStillWaiting = "StillWaiting"
	// EventCreated, EventUpdated and EventDeleted mark changes made through the cluster's REST API.
	EventCreated = "Created"
	EventUpdated = "Updated"
	EventDeleted = "Deleted"
	// EventDrift: a setting changed outside of the operator was put back.
	EventDrift = "DriftRepaired"
	// EventBlocked: a deletion waits for something a person can see and act on.
	EventBlocked = "DeletionBlocked"
	// EventRolling: the node pods are being replaced one at a time.
	EventRolling = "RollingUpdate"
	// EventIngressReady and EventIngressNotReady: the way in from outside opened, or a person must look at it.
	EventIngressReady    = "IngressReady"
	EventIngressNotReady = "IngressNotReady"
	// EventConnected and EventNotConnected: a remote cluster answers and accepts the credentials, or does not any more.
	EventConnected    = "RemoteClusterConnected"
	EventNotConnected = "RemoteClusterNotConnected"
	// EventDiscovered: a resource was made because another cluster has it.
	EventDiscovered = "Discovered"
	// EventNotDiscovered: the resource of a database that another cluster has could not be made here.
	EventNotDiscovered = "NotDiscovered"
	// EventAdopted: a spec follows what was changed on another cluster.
	EventAdopted = "AdoptedFromPeer"
	// EventMergeConflict: two clusters changed the same field; the message names it and whose value counts.
	EventMergeConflict = "MergeConflict"
	// EventReplicating and EventNotReplicating: the links of an Active-Active database came up, or one went down.
	EventReplicating    = "Replicating"
	EventNotReplicating = "NotReplicating"
	// EventTaskFailed: a change of an Active-Active database did not come about; the message has the clusters' words.
	EventTaskFailed = "TaskFailed"
	// EventClustersDiffer: a remote cluster has another clock or version than the local one.
	EventClustersDiffer = "RemoteClusterDiffers"
	// EventCertificatePinned: the certificate of a remote cluster was seen for the first time and is the one trusted from now on.
	EventCertificatePinned = "CertificatePinned"
	// EventTakenOver: a cluster that another operator made is taken over; the message says for what its pods wait.
	EventTakenOver = "TakenOver"
	// EventLeftOut: a database gets no Service, or no way in from outside; the message says which and why.
	EventLeftOut = "LeftOut"
	// EventBootstrapFailed: a node could not form or join the cluster; the message carries the server's error code.
	EventBootstrapFailed = "BootstrapFailed"
)
