package activeactive

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// pathCluster is the field that names the local cluster.
const pathCluster = "spec.redisEnterpriseCluster.name"

// clusterIsThere finds out whether there is a local cluster at all.
func clusterIsThere(in Inputs, _ Observed) error {
	db := in.Database
	switch {
	case in.Cluster != nil:
		if asked := askedCluster(db); asked != "" && asked != in.Cluster.Name {
			return outcome.Reject(pathCluster, "the database is in cluster %s and cannot move to %s", in.Cluster.Name, asked)
		}
		return nil
	case askedCluster(db) != "" || db.Status.RedisEnterpriseCluster != "":
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "the RedisEnterpriseCluster that takes part was not found in namespace %s", in.Namespace)
	case len(in.Clusters) == 0:
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "there is no RedisEnterpriseCluster in namespace %s yet", in.Namespace)
	}
	return outcome.Reject(pathCluster, "namespace %s has %d clusters: say which one is meant", in.Namespace, len(in.Clusters))
}

// clusterIsReady holds changes back while the cluster is not formed, being upgraded, recovered or deleted.
func clusterIsReady(in Inputs, obs Observed) error {
	cluster := in.Cluster
	wait := func(reason, format string) error { return outcome.Wait(reason, later, format, cluster.Name) }
	switch state := cluster.Status.State; {
	case !cluster.DeletionTimestamp.IsZero():
		return wait(v1alpha1.ReasonClusterNotReady, "cluster %s is being deleted")
	case neverFormed(cluster):
		return wait(v1alpha1.ReasonClusterNotReady, "cluster %s is not formed yet")
	case state == appv1.ClusterUpgrade:
		return wait(v1alpha1.ReasonClusterUpgrading, "cluster %s is being upgraded; changes wait until then")
	case recovering(cluster):
		return wait(v1alpha1.ReasonClusterNotReady, "cluster %s is being recovered")
	case state == appv1.ClusterInitializing && obs.CRDB == nil:
		return wait(v1alpha1.ReasonClusterNotReady, "the nodes of cluster %s are still joining")
	}
	return nil
}

func clusterAnswers(in Inputs, obs Observed) error {
	if obs.Err == nil {
		return nil
	}
	return outcome.Wait(appv1.ReasonClusterUnreachable, later, "cluster %s does not answer; the status is what was last seen", in.Cluster.Name)
}

// clusterIsOpen: the other participants come in from outside (AA-1).
func clusterIsOpen(in Inputs, _ Observed) error {
	settings, err := ingress.SettingsOf(in.Cluster)
	if err != nil || settings.Method == "" {
		return outcome.Wait(v1alpha1.ReasonNoWayIn, later,
			"cluster %s is not reached from outside, which replication needs; say how in its spec.ingressOrRouteSpec", in.Cluster.Name)
	}
	return nil
}

func neverFormed(cluster *appv1.RedisEnterpriseCluster) bool {
	return !meta.IsStatusConditionTrue(cluster.Status.Conditions, appv1.ConditionBootstrapComplete)
}

func recovering(cluster *appv1.RedisEnterpriseCluster) bool {
	return cluster.Status.State == appv1.ClusterRecoveryReset || cluster.Status.State == appv1.ClusterRecoveringFirstPod
}

// clusterGoesGrace is how long a database may take to go while its cluster is being deleted as well: longer than other
// participants that do not answer are waited for, since the cluster waits for it.
const clusterGoesGrace = detachAfter + 5*time.Minute

// silentFor is how long a cluster that is being deleted must have told nothing before it counts as gone. One call that
// fails is no sign of that.
const silentFor = time.Minute

// isSilent tells whether the cluster has not been read for a while.
func isSilent(in Inputs, obs Observed, now time.Time) bool {
	if obs.Err == nil || in.Link == nil {
		return false
	}
	return obs.Snapshot == nil || now.Sub(obs.Snapshot.Time) > silentFor
}

// mayLeave says why the resource may go without asking the cluster; empty when it must ask.
func mayLeave(in Inputs, obs Observed, now time.Time) string {
	cluster := in.Cluster
	switch {
	case cluster == nil:
		return "its cluster is gone"
	case cluster.DeletionTimestamp.IsZero():
		if neverFormed(cluster) && in.Database.Status.GUID == "" && !in.Task.Under() {
			return "its cluster was never formed"
		}
		return ""
	case neverFormed(cluster):
		return "its cluster is being deleted and was never formed"
	}
	since := cluster.DeletionTimestamp.Time
	if at := in.Database.DeletionTimestamp.Time; at.After(since) {
		since = at
	}
	switch waited := now.Sub(since); {
	case waited > silentFor && isSilent(in, obs, now):
		return "its cluster is being deleted and no longer answers"
	case waited > clusterGoesGrace:
		return "its cluster is being deleted and takes its part along"
	}
	return ""
}
