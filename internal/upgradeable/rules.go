package upgradeable

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

// Reasons of a Verdict. They are words to match on.
const (
	// ReasonSafe means: nothing speaks against a new operator.
	ReasonSafe = "Safe"
	// ReasonRecovery means: a cluster is being recovered from its volumes.
	ReasonRecovery = "ClusterRecoveryInProgress"
	// ReasonRolling means: the nodes of a cluster are being replaced, for an upgrade or another change.
	ReasonRolling = "RollingUpgradeInProgress"
	// ReasonBootstrap means: a cluster is being formed.
	ReasonBootstrap = "BootstrapInProgress"
	// ReasonScaling means: nodes are joining a cluster.
	ReasonScaling = "ScalingInProgress"
	// ReasonRedundancy means: a cluster has lost a node or does not answer, or a database has lost a shard.
	ReasonRedundancy = "InsufficientRedundancy"
	// ReasonDatabaseUpgrade means: a database is moved to another Redis version, or an Active-Active database is changed
	// on all of its clusters.
	ReasonDatabaseUpgrade = "DatabaseUpgradeInProgress"
	// ReasonDatabaseRestore means: data is being brought into a database.
	ReasonDatabaseRestore = "DatabaseRestoreInProgress"
	// ReasonDegraded means: something is not as it should be, and nothing has moved for so long that it does not hold an
	// upgrade back any more: what is missing may be what the next version brings.
	ReasonDegraded = "UpgradeAllowedWhileDegraded"
)

// rule is one thing that speaks against a new operator. words go on after the name of the object.
type rule[T any] struct {
	reason, words string
	holds         func(T) bool
}

// clusterRules are asked in this order; the first that holds is what is told. A cluster that is being deleted holds
// nothing back: there is nothing left to keep safe.
var clusterRules = []rule[*appv1.RedisEnterpriseCluster]{
	{ReasonRecovery, "is being recovered", recovering},
	{ReasonRolling, "is replacing its nodes", rolling},
	{ReasonBootstrap, "is being formed", forming},
	{ReasonScaling, "is waiting for nodes to join", joining},
	{ReasonRedundancy, "does not have all of its nodes", lacksNodes},
}

func recovering(rec *appv1.RedisEnterpriseCluster) bool {
	switch rec.Status.State {
	case appv1.ClusterRecoveryReset, appv1.ClusterRecoveringFirstPod, appv1.ClusterRecreating:
		return true
	}
	return false
}

// rolling goes by the condition too: a state that matters more, such as Error, hides that pods are being replaced.
func rolling(rec *appv1.RedisEnterpriseCluster) bool {
	state := rec.Status.State
	return state == appv1.ClusterUpgrade || state == appv1.ClusterRunningRollingUpdate ||
		meta.IsStatusConditionTrue(rec.Status.Conditions, appv1.ConditionRollingUpdate)
}

// forming holds until the cluster exists. A spec that is refused, or objects that Kubernetes refuses, form nothing.
func forming(rec *appv1.RedisEnterpriseCluster) bool {
	switch rec.Status.State {
	case "", appv1.ClusterPendingCreation, appv1.ClusterBootstrappingFirstPod:
		return true
	}
	return false
}

func joining(rec *appv1.RedisEnterpriseCluster) bool {
	nodes := unhealthy(rec)
	if nodes == nil {
		return rec.Status.State == appv1.ClusterInitializing
	}
	return nodes.Reason == appv1.ReasonNodesJoining
}

// lacksNodes is asked of clusters that exist; one that was never formed has nothing to lose.
func lacksNodes(rec *appv1.RedisEnterpriseCluster) bool {
	return unhealthy(rec) != nil && meta.IsStatusConditionTrue(rec.Status.Conditions, appv1.ConditionBootstrapComplete)
}

// unhealthy is the condition that says what is wrong with the nodes, nil while it says that all are well or is not there.
func unhealthy(rec *appv1.RedisEnterpriseCluster) *metav1.Condition {
	nodes := meta.FindStatusCondition(rec.Status.Conditions, appv1.ConditionNodesHealthy)
	if nodes == nil || nodes.Status == metav1.ConditionTrue {
		return nil
	}
	return nodes
}

// databaseRules are asked of each database, in this order.
var databaseRules = []rule[*v1alpha1.RedisEnterpriseDatabase]{
	{ReasonDatabaseRestore, "is being filled with data", restoring},
	{ReasonDatabaseUpgrade, "is being upgraded", upgrading},
	{ReasonRedundancy, "does not have all of its shards", lacksShards},
}

func restoring(db *v1alpha1.RedisEnterpriseDatabase) bool {
	return db.Status.Status == v1alpha1.DatabaseImportPending || db.Status.Status == v1alpha1.DatabaseRecovery
}

// upgrading tells a change of version from other changes by the version that is wanted. The words major and latest never
// move a database by themselves.
func upgrading(db *v1alpha1.RedisEnterpriseDatabase) bool {
	wanted, is := db.Spec.RedisVersion, db.Status.Version
	return db.Status.Status == v1alpha1.DatabaseActiveChangePending && strings.Contains(wanted, ".") &&
		!strings.HasPrefix(is+".", wanted+".")
}

func lacksShards(db *v1alpha1.RedisEnterpriseDatabase) bool {
	if db.Status.Status != v1alpha1.DatabaseActive {
		return false
	}
	for state, shards := range db.Status.ShardStatuses {
		if state != shardActive && shards > 0 {
			return true
		}
	}
	return false
}

// shardActive is how the cluster calls a shard that is well.
const shardActive = "active"

// activeActiveRules are asked of each Active-Active database.
var activeActiveRules = []rule[*v1alpha1.RedisEnterpriseActiveActiveDatabase]{
	{ReasonDatabaseUpgrade, "is being changed on its clusters", changing},
}

func changing(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) bool {
	switch db.Status.Status {
	case v1alpha1.ActiveActivePending, v1alpha1.ActiveActiveChangePending, v1alpha1.ActiveActiveDeletePending:
		return true
	}
	return false
}

// first is the first rule that holds.
func first[T any](rules []rule[T], of T) (reason, words string) {
	for _, r := range rules {
		if r.holds(of) {
			return r.reason, r.words
		}
	}
	return "", ""
}
