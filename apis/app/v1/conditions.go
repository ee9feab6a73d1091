package v1

// Condition types that every kind has. They follow the kstatus rules: Ready tells the result, Reconciling and Stalled
// are present with status True only while they apply.
const (
	// ConditionReady is True when the resource is as its spec says and usable.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator is on its way to what the spec says.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when the operator cannot go on before a person changes something.
	ConditionStalled = "Stalled"
)

// Condition types of a cluster.
const (
	// ConditionBootstrapComplete is True once the cluster has been formed and stays so.
	ConditionBootstrapComplete = "BootstrapComplete"
	// ConditionNodesHealthy is True when all wanted nodes have joined and the cluster calls them active.
	ConditionNodesHealthy = "NodesHealthy"
	// ConditionRollingUpdate is True while node pods are being replaced one by one.
	ConditionRollingUpdate = "RollingUpdate"
	// ConditionLicenseValid is True while the licence counts.
	ConditionLicenseValid = "LicenseValid"
	// ConditionPodsTakenOver tells whether the pods of a cluster that another operator made are this operator's by now. Other
	// clusters do not have it, and Ready does not depend on it.
	ConditionPodsTakenOver = "PodsTakenOver"
	// ConditionIngressReady is True when the cluster has been reached from outside by the method that the spec asks for.
	// It is absent when the spec asks for none, and Ready does not depend on it.
	ConditionIngressReady = "IngressReady"
)

// Reasons that conditions of every kind use.
const (
	// ReasonReady means: nothing is left to do.
	ReasonReady = "Ready"
	// ReasonProgressing means: a change is being carried out.
	ReasonProgressing = "Progressing"
	// ReasonWaiting means: the operator waits for time to pass or for another object, which the message names.
	ReasonWaiting = "Waiting"
	// ReasonInvalidSpec means: the spec is rejected; the message names the field.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonRejectedByCluster means: the cluster refused a setting; the message names the field and the answer.
	ReasonRejectedByCluster = "RejectedByCluster"
	// ReasonMissingReference means: a secret or resource that the spec names does not exist or lacks a key.
	ReasonMissingReference = "MissingReference"
	// ReasonReconcileFailed means: an attempt failed and is being repeated; the message tells the error.
	ReasonReconcileFailed = "ReconcileFailed"
	// ReasonClusterUnreachable means: no node of the cluster answers.
	ReasonClusterUnreachable = "ClusterUnreachable"
	// ReasonDeleting means: the resource is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonAddressPending means: a load balancer has no address yet; the message names its Service or its node.
	ReasonAddressPending = "AddressPending"
)

// Reasons that conditions of a cluster use.
const (
	// ReasonBootstrapping means: the first node is forming the cluster.
	ReasonBootstrapping = "Bootstrapping"
	// ReasonBootstrapped means: the cluster has been formed.
	ReasonBootstrapped = "Bootstrapped"
	// ReasonBootstrapFailed means: a node could not form or join the cluster; the message tells why.
	ReasonBootstrapFailed = "BootstrapFailed"
	// ReasonNodesJoining means: nodes are joining the cluster.
	ReasonNodesJoining = "NodesJoining"
	// ReasonPodRefused means: Kubernetes does not let a pod be created (pod security, a quota, a webhook); the message tells
	// why. Mend that, or what the spec adds to the pods; Kubernetes tries again by itself, in steps of up to 16 minutes.
	ReasonPodRefused = "PodRefused"
	// ReasonNodesActive means: all nodes are active.
	ReasonNodesActive = "NodesActive"
	// ReasonNodesDown means: at least one node is not active; the message names it.
	ReasonNodesDown = "NodesDown"
	// ReasonRollingUpdate means: node pods are being replaced for a change that is not an upgrade.
	ReasonRollingUpdate = "RollingUpdate"
	// ReasonUpgrade means: node pods are being replaced with another software version.
	ReasonUpgrade = "Upgrade"
	// ReasonUpgradeBlocked means: a check forbids the upgrade for now; the message names the check.
	ReasonUpgradeBlocked = "UpgradeBlocked"
	// ReasonTakeOverWaits means: the pods that another operator made keep running until a person lets them be replaced; the
	// message says how.
	ReasonTakeOverWaits = "TakeOverWaits"
	// ReasonUpToDate means: all node pods have the wanted form.
	ReasonUpToDate = "UpToDate"
	// ReasonRecovering means: the cluster is being recovered from its volumes.
	ReasonRecovering = "Recovering"
	// ReasonDatabasesExist means: deletion waits because databases of this cluster still exist.
	ReasonDatabasesExist = "DatabasesExist"
	// ReasonLicenseValid means: the licence counts.
	ReasonLicenseValid = "LicenseValid"
	// ReasonReached means: the cluster's own certificate answered at the host name.
	ReasonReached = "Reached"
	// ReasonKindNotServed means: this Kubernetes does not have the kind of object that the spec asks for.
	ReasonKindNotServed = "KindNotServed"
	// ReasonNotAllowed means: the operator's Role does not let it make the objects.
	ReasonNotAllowed = "NotAllowed"
	// ReasonHostUnresolved means: the host name has no address.
	ReasonHostUnresolved = "HostUnresolved"
	// ReasonHostUnreachable means: nothing that speaks TLS answers at the host name.
	ReasonHostUnreachable = "HostUnreachable"
	// ReasonForeignCertificate means: the certificate at the host name is not the cluster's.
	ReasonForeignCertificate = "ForeignCertificate"
	// ReasonLicenseExpired means: the licence has run out.
	ReasonLicenseExpired = "LicenseExpired"
)
