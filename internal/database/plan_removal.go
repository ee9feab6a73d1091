package database

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// clusterGoesGrace is how long a database may take to go while its cluster is being deleted as well. After that the
// cluster takes the data along, and waiting would only keep the namespace from ending.
const clusterGoesGrace = 30 * time.Second

// Pauses between looks. The poller of the link wakes the resource as soon as its database changes; these are for when
// it does not.
const (
	atOnce = 100 * time.Millisecond
	soon   = 2 * time.Second
	later  = 15 * time.Second
)

// gone is the end of a pass after which only somebody else's finalizer can keep the resource.
var gone = outcome.Wait(appv1.ReasonDeleting, later, "the resource is released")

// planRemoval decides how to end (REDB-41). The way out never depends on a cluster that is gone.
func planRemoval(in Inputs, obs Observed, now time.Time) Plan {
	db := in.Database
	if !controllerutil.ContainsFinalizer(db, names.DatabaseFinalizer) {
		return stop(gone)
	}
	if why := mayLeave(in, obs, now); why != "" {
		return act(gone, release{why})
	}
	switch {
	case obs.Err != nil:
		return stop(outcome.Wait(appv1.ReasonClusterUnreachable, later, "the deletion waits for cluster %s, which does not answer", in.Cluster.Name))
	case in.Creating && obs.BDB == nil:
		return stop(outcome.Wait(appv1.ReasonDeleting, soon, "a creation may still be under way; waiting for its end before the resource goes"))
	case obs.BDB == nil:
		return act(gone, release{"the database is gone"})
	case upgrading(in.Cluster) && in.Cluster.DeletionTimestamp.IsZero():
		return stop(outcome.Wait(v1alpha1.ReasonClusterUpgrading, later, "the deletion waits until cluster %s has been upgraded", in.Cluster.Name))
	case rest.Value(obs.BDB.Status) == rest.BDBDeletePending:
		return stop(outcome.Wait(appv1.ReasonDeleting, soon, "the cluster is deleting the database"))
	}
	return act(outcome.Wait(appv1.ReasonDeleting, soon, "the cluster is deleting the database"), remove{rest.Value(obs.BDB.UID)})
}

// mayLeave says why the resource may go without asking the cluster; empty when it must ask.
func mayLeave(in Inputs, obs Observed, now time.Time) string {
	db := in.Database
	switch {
	case in.Cluster == nil && (len(in.Clusters) == 0 || recorded(db) != ""):
		return "its cluster is gone"
	case in.Cluster == nil:
		return "it was never made in a cluster"
	case in.Cluster.DeletionTimestamp.IsZero():
		if neverFormed(in.Cluster) && db.Status.DatabaseUID == "" {
			return "its cluster was never formed"
		}
		return ""
	case obs.Err != nil && in.Link != nil || neverFormed(in.Cluster):
		return "its cluster is being deleted and no longer answers"
	case now.Sub(latest(db.DeletionTimestamp.Time, in.Cluster.DeletionTimestamp.Time)) > clusterGoesGrace:
		return "its cluster is being deleted and takes the database along"
	}
	return ""
}

// recorded is the cluster that the database is known to live in, or should.
func recorded(db *v1alpha1.RedisEnterpriseDatabase) string {
	if db.Status.RedisEnterpriseCluster != "" {
		return db.Status.RedisEnterpriseCluster
	}
	return db.Spec.ClusterName()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// neverFormed tells whether the cluster has not been bootstrapped, so that no database can be in it.
func neverFormed(cluster *appv1.RedisEnterpriseCluster) bool {
	return !meta.IsStatusConditionTrue(cluster.Status.Conditions, appv1.ConditionBootstrapComplete)
}

// upgrading tells whether the operator leaves databases alone because the cluster is being upgraded (REDB-21, REC-38).
func upgrading(cluster *appv1.RedisEnterpriseCluster) bool {
	return cluster.Status.State == appv1.ClusterUpgrade
}

// recovering tells whether the cluster is being put together again from its volumes.
func recovering(cluster *appv1.RedisEnterpriseCluster) bool {
	switch cluster.Status.State {
	case appv1.ClusterRecoveryReset, appv1.ClusterRecoveringFirstPod:
		return true
	}
	return false
}
