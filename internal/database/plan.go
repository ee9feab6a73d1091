package database

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Plan is what a pass will do.
type Plan struct {
	// Steps to take, in order.
	Steps []Step
	// End is how the pass ends once they are taken: nil, a wait or a rejection.
	End error
	// Complete is true when the cluster then knows all that the spec says.
	Complete bool
}

func stop(end error) Plan { return Plan{End: end} }

func act(end error, steps ...Step) Plan { return Plan{Steps: steps, End: end} }

// plan decides. It is the only place that does.
func plan(in Inputs, obs Observed) Plan {
	for _, mayAct := range []func(Inputs, Observed) error{
		specIsValid,
		clusterIsThere,
		clusterIsReady,
		clusterAnswers,
		accessIsAllowed, exposeFitsCluster,
		creationIsPossible,
	} {
		if err := mayAct(in, obs); err != nil {
			return stop(err)
		}
	}
	if steps := preparations(in, obs); len(steps) > 0 {
		return act(outcome.Wait(v1alpha1.ReasonCreating, atOnce, "the resource is being prepared"), steps...)
	}
	want, err := desired(in)
	if err != nil {
		return stop(err)
	}
	want.advanced = want.advanced || exposeTag(obs.BDB) != exposure(in.Database)
	if obs.BDB == nil {
		return planCreation(in, want)
	}
	return planChange(in, obs, want)
}

func specIsValid(in Inputs, _ Observed) error { return all(Validate(in.Database)) }

func clusterIsThere(in Inputs, _ Observed) error {
	db := in.Database
	switch {
	case in.Cluster != nil:
		if asked := db.Spec.ClusterName(); asked != "" && asked != in.Cluster.Name {
			return outcome.Reject(pathCluster, "the database is in cluster %s and cannot move to %s", in.Cluster.Name, asked)
		}
		return nil
	case recorded(db) != "":
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "%s: RedisEnterpriseCluster %s was not found in namespace %s",
			pathCluster, recorded(db), in.Namespace)
	case len(in.Clusters) == 0:
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "there is no RedisEnterpriseCluster in namespace %s yet", in.Namespace)
	}
	return outcome.Reject(pathCluster, "namespace %s has %d clusters: say which one is meant", in.Namespace, len(in.Clusters))
}

// clusterIsReady holds changes back while the cluster is not formed, being upgraded, recovered or deleted (REDB-21,
// REC-38). The status is refreshed all the same.
func clusterIsReady(in Inputs, obs Observed) error {
	cluster := in.Cluster
	switch {
	case !cluster.DeletionTimestamp.IsZero():
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "cluster %s is being deleted", cluster.Name)
	case neverFormed(cluster):
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "cluster %s is not formed yet", cluster.Name)
	case upgrading(cluster):
		return outcome.Wait(v1alpha1.ReasonClusterUpgrading, later, "cluster %s is being upgraded; changes wait until then", cluster.Name)
	case recovering(cluster):
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "cluster %s is being recovered", cluster.Name)
	case cluster.Status.State == appv1.ClusterInitializing && obs.BDB == nil:
		return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "the nodes of cluster %s are still joining", cluster.Name)
	}
	return nil
}

func clusterAnswers(in Inputs, obs Observed) error {
	if obs.Err == nil {
		return nil
	}
	return outcome.Wait(appv1.ReasonClusterUnreachable, later, "cluster %s does not answer; the status is what was last seen", in.Cluster.Name)
}

// creationIsPossible looks at a database that is not there before anything is prepared for it.
func creationIsPossible(in Inputs, obs Observed) error {
	db := in.Database
	switch {
	case obs.BDB != nil:
		return nil
	case obs.Stranger != nil:
		return &outcome.Rejected{Reason: v1alpha1.ReasonNameTaken, Path: "metadata.name", Message: fmt.Sprintf(
			"cluster %s already has a database %s (uid %s) that this resource did not make; it is left alone",
			in.Cluster.Name, db.Name, rest.Value(obs.Stranger.UID))}
	case recordedUID(db) != 0 && db.Status.Status != v1alpha1.DatabaseCreationFailed:
		return &outcome.Rejected{Reason: v1alpha1.ReasonDatabaseMissing, Path: "status.databaseUID", Message: fmt.Sprintf(
			"database %s is gone from cluster %s; an empty one would hide the loss, so none is made: recover the data, "+
				"or delete this resource and create it again", recordedUID(db), in.Cluster.Name)}
	case in.Taken != "":
		return errors.Join(rejectTaken(in.Taken), outcome.Wait(v1alpha1.ReasonNameTaken, serviceRecheck, "the name is tried again"))
	}
	return all(AgainstCluster(nil, db, obs.Snapshot))
}

// preparations are the steps that make the resource itself ready, before anything is done in the cluster.
func preparations(in Inputs, obs Observed) []Step {
	db := in.Database
	var steps []Step
	if !controllerutil.ContainsFinalizer(db, names.DatabaseFinalizer) {
		steps = append(steps, guard{})
	}
	if !usesSecret(&db.Spec) {
		return steps
	}
	if generated(db) && in.Secrets[db.SecretName()] == nil {
		made := makeSecret{name: db.SecretName()}
		if obs.BDB != nil { // somebody deleted the Secret: clients still have the password in force
			made.password = readable(obs.BDB.RedisPassword)
		}
		steps = append(steps, made)
	}
	if db.Spec.DatabaseSecretName == "" {
		steps = append(steps, nameSecret{db.SecretName()})
	}
	return steps
}

// planCreation covers the cells in which the database is not there.
func planCreation(in Inputs, want Desired) Plan {
	db := in.Database
	if in.Creating {
		return stop(outcome.Wait(v1alpha1.ReasonCreating, soon, "the answer to the creation was lost; waiting for the database to show up"))
	}
	step, err := want.creation()
	if err != nil {
		return stop(err)
	}
	created := act(outcome.Wait(v1alpha1.ReasonCreating, soon, "the database is being created"), step)
	created.Complete = db.Spec.AlertSettings == nil // alerts need a call of their own, once the database is there
	return created
}

// planChange covers the cells in which it is.
func planChange(in Inputs, obs Observed, want Desired) Plan {
	db, bdb := in.Database, obs.BDB
	advanced := db.Generation != db.Status.ObservedGeneration
	switch rest.Value(bdb.Status) {
	case rest.BDBCreationFailed:
		if mayRetry(db) {
			return act(outcome.Wait(v1alpha1.ReasonCreating, soon, "the database is being created anew"), clearFailed{rest.Value(bdb.UID)})
		}
		return stop(&outcome.Rejected{Reason: v1alpha1.ReasonCreationFailed, Message: "the cluster could not create the database" +
			because(obs, db) + "; it is tried again when the spec changes"})
	case rest.BDBRecovery:
		return stop(outcome.Wait(v1alpha1.ReasonRecovering, later, "the data of the database is being recovered"))
	case rest.BDBDeletePending:
		return stop(outcome.Wait(v1alpha1.ReasonChanging, soon, "the database is being deleted in the cluster, not by this resource"))
	case rest.BDBPending:
		return stop(outcome.Wait(v1alpha1.ReasonCreating, soon, "the database is being created"))
	}
	var steps []Step
	if step := publication(in, obs); step != nil {
		steps = append(steps, step)
	}
	changes, err := want.changes(obs)
	if err != nil {
		return act(err, steps...)
	}
	changing := outcome.Wait(v1alpha1.ReasonChanging, soon, "a change of the database is being made")
	switch {
	case !bdb.Settled():
		return Plan{Steps: steps, End: changing, Complete: len(changes) == 0}
	case len(changes) == 0:
		return Plan{Steps: steps, End: accessIsOpen(in, obs), Complete: true}
	case !advanced && failed(obs, db):
		return act(&outcome.Rejected{Reason: appv1.ReasonRejectedByCluster, Message: "the cluster could not carry out the last change" +
			because(obs, db)}, steps...)
	}
	return Plan{Steps: append(steps, changes[0]), End: changing, Complete: len(changes) == 1}
}

// mayRetry: a failed creation is tried again when the spec has changed since (REDB-20), and not before. Failing is the
// cluster's answer to the spec as it was; asking the same again would only fail again, for ever.
func mayRetry(db *v1alpha1.RedisEnterpriseDatabase) bool {
	told := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady)
	return told != nil && told.Reason == v1alpha1.ReasonCreationFailed && told.ObservedGeneration != db.Generation
}

// publication tells port and Services in the Secret once the database has an endpoint (REDB-10, REDB-11).
func publication(in Inputs, obs Observed) Step {
	db := in.Database
	endpoint, ready := obs.BDB.MainEndpoint()
	if !ready || endpoint.Port == 0 || !usesSecret(&db.Spec) {
		return nil
	}
	live, how := in.Secrets[db.SecretName()], reachOf(in, obs, int(endpoint.Port))
	if live == nil || !mayExtend(db, live) || published(db, live, how) {
		return nil
	}
	return publish{how: how, name: live.Name}
}

func published(db *v1alpha1.RedisEnterpriseDatabase, live *corev1.Secret, how reach) bool {
	for key, value := range connection(db, live, how).Data {
		if string(live.Data[key]) != string(value) {
			return false
		}
	}
	return !outdatedStartup(live, how)
}

func failed(obs Observed, db *v1alpha1.RedisEnterpriseDatabase) bool {
	action := obs.action(db.Status.LastActionUID)
	return action != nil && action.Phase() == rest.Failed
}

// because adds what the cluster says about the failed action, if it says anything.
func because(obs Observed, db *v1alpha1.RedisEnterpriseDatabase) string {
	if action := obs.action(db.Status.LastActionUID); action != nil && action.Message() != "" {
		return ": " + action.Message()
	}
	return ""
}
