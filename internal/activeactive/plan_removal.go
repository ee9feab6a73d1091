package activeactive

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// detachAfter is how long a deletion waits for participants that do not answer. After that it does without them: they
// keep their data until they purge it.
const detachAfter = 10 * time.Minute

// gone is the end of a pass after which only somebody else's finalizer can keep the resource.
var gone = outcome.Wait(appv1.ReasonDeleting, later, "the resource is released")

// planRemoval deletes the database on all participants (AA-25). The way out depends neither on a local cluster that is
// gone nor, for ever, on others that do not answer.
func planRemoval(in Inputs, obs Observed, now time.Time) Plan {
	if !controllerutil.ContainsFinalizer(in.Database, names.ActiveActiveFinalizer) {
		return stop(gone)
	}
	if why := mayLeave(in, obs, now); why != "" {
		return act(gone, release{why})
	}
	if obs.Err != nil {
		return stop(outcome.Wait(appv1.ReasonClusterUnreachable, later, "the deletion waits for cluster %s, which does not answer", in.Cluster.Name))
	}
	if p, under := planTask(in, obs, now); under {
		return p
	}
	switch {
	case obs.CRDB == nil && obs.BDB == nil:
		return act(gone, release{"the database is gone from this cluster"})
	case obs.CRDB == nil:
		return stop(outcome.Wait(appv1.ReasonDeleting, soon, "the cluster is deleting its part"))
	case in.Cluster.Status.State == appv1.ClusterUpgrade && in.Cluster.DeletionTimestamp.IsZero():
		return stop(outcome.Wait(v1alpha1.ReasonClusterUpgrading, later, "the deletion waits until cluster %s has been upgraded", in.Cluster.Name))
	case obs.Local != nil && !obs.Replication.Known:
		return stop(outcome.Wait(appv1.ReasonDeleting, soon, "the other participating clusters are asked whether this one is still among them"))
	case obs.Local == nil || obs.Replication.Expelled:
		return planPurge(in, obs, now)
	}
	return planDeletion(in, obs, now)
}

// planPurge drops what is left on a cluster that the others took out by force. It must not ask for a deletion: what it
// knows is outdated, and that would go to all that once took part.
func planPurge(in Inputs, obs Observed, now time.Time) Plan {
	for _, part := range rest.Value(obs.CRDB.LocalDatabases) {
		ask := request{op: opPurge, guid: guid(obs), remove: part.ID, what: "purge the part that this cluster kept"}
		return planRequest(in, now, ask, digest(part.ID))
	}
	return act(gone, release{"this cluster has no part in the database any more"})
}

// planDeletion asks all participants, and at last only those that answer. Where none is known not to, the deletion has
// failed for another reason, and goes on with this one alone.
func planDeletion(in Inputs, obs Observed, now time.Time) Plan {
	var others, silent []rest.Int
	for _, inst := range rest.Value(obs.CRDB.Instances) {
		if inst.ClusterName() == in.own() {
			continue
		}
		others = append(others, rest.Value(inst.ID))
		if failed(in.Remotes, inst.ClusterName()) {
			silent = append(silent, rest.Value(inst.ID))
		}
	}
	if len(silent) == 0 {
		silent = others
	}
	waited := now.Sub(in.Database.DeletionTimestamp.Time)
	if len(others) > 0 && waited > detachAfter && in.Task.failed() && (in.Task.Operation == opDelete || in.Task.Operation == opDetach) {
		ask := request{op: opDetach, guid: guid(obs), detach: silent,
			what: "go on without the participating clusters that do not answer, which keep their data until it is purged there: " + in.Task.Message}
		return planRequest(in, now, ask, digest(silent))
	}
	ask := request{op: opDelete, guid: guid(obs), what: "delete Active-Active database " + in.Database.Name + " on all participating clusters"}
	return planRequest(in, now, ask, digest(len(others)))
}
