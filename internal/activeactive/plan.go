package activeactive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Pauses between looks. The poller of the link and the pulse wake the resource as soon as something changes; these are
// for when they do not.
const (
	atOnce = 100 * time.Millisecond
	soon   = time.Second
	later  = 15 * time.Second
)

// Plan is what a pass will do.
type Plan struct {
	// Steps to take, in order.
	Steps []Step
	// End is how the pass ends once they are taken: nil, a wait or a rejection.
	End error
	// Complete is true when all participants then have what the spec says.
	Complete bool
}

// asks tells whether the participants are to change something. That must not rest on an old reading: what another one has
// changed since would look like something that was taken back here (AA-9).
func (p Plan) asks() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { _, is := s.(request); return is })
}

func stop(end error) Plan { return Plan{End: end} }

func act(end error, steps ...Step) Plan { return Plan{Steps: steps, End: end} }

// plan decides. It is the only place that does.
func plan(in Inputs, obs Observed, now time.Time) Plan {
	if !in.Database.DeletionTimestamp.IsZero() {
		return planRemoval(in, obs, now)
	}
	for _, mayAct := range []func(Inputs, Observed) error{
		specIsValid, clusterIsThere, clusterIsReady, clusterAnswers,
	} {
		if err := mayAct(in, obs); err != nil {
			return stop(err)
		}
	}
	if !controllerutil.ContainsFinalizer(in.Database, names.ActiveActiveFinalizer) {
		return act(outcome.Wait(v1alpha1.ReasonCreating, atOnce, "the resource is being prepared"), guard{})
	}
	if p, under := planTask(in, obs, now); under {
		return p
	}
	if p, ends := planEnd(in, obs); ends {
		return p
	}
	if err := participantsAreKnown(in); err != nil {
		return stop(err)
	}
	switch {
	case obs.CRDB == nil:
		return planCreation(in, obs, now)
	case obs.BDB == nil:
		return stop(outcome.Wait(v1alpha1.ReasonCreating, soon, "the part of this cluster is not there yet"))
	}
	return planChange(in, obs, now)
}

// planEnd covers what other participants ended.
func planEnd(in Inputs, obs Observed) (p Plan, ends bool) {
	switch {
	case obs.CRDB == nil && isRecorded(in):
		return planLoss(in, obs), true
	case obs.CRDB == nil:
		return Plan{}, false
	case obs.Local == nil || obs.Replication.Expelled:
		return act(outcome.Wait(appv1.ReasonDeleting, soon, "another participating cluster removed this one"),
			leave{"cluster " + in.own() + " takes part no more"}), true
	case obs.BDB != nil && rest.Value(obs.BDB.Status) == rest.BDBDeletePending:
		return stop(outcome.Wait(v1alpha1.ReasonChanging, soon, "the part of this cluster is being deleted")), true
	}
	return Plan{}, false
}

func specIsValid(in Inputs, _ Observed) error {
	if errs := Validate(in.Database); len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// participantsAreKnown: each has a remote cluster, and exactly one of them is the local cluster (AA-1).
func participantsAreKnown(in Inputs) error {
	own, found := in.own(), false
	for _, p := range in.Database.Spec.ParticipatingClusters {
		remote := in.remote(p.Name)
		switch {
		case remote == nil:
			return outcome.Missing(pathClusters, "RedisEnterpriseRemoteCluster %s was not found in namespace %s", p.Name, in.Namespace)
		case remote.Spec.DBFQDNSuffix == "":
			return outcome.Reject(pathClusters, "RedisEnterpriseRemoteCluster %s has no spec.dbFqdnSuffix, by which the others reach the database", p.Name)
		}
		found = found || clusterOf(remote) == own
	}
	if err := entryIsHere(in); err != nil {
		return err
	}
	if !found {
		return outcome.Reject(pathClusters, "the local cluster %s is not among them; to take it out, edit the resource on another participating cluster", own)
	}
	return nil
}

// isRecorded tells whether the database is known to have existed.
func isRecorded(in Inputs) bool { return in.Database.Status.GUID != "" }

// planTask follows the task that was written down. One that the cluster does not know was never asked for, or its result
// is no longer kept: either way the database itself tells what is left to do.
func planTask(in Inputs, obs Observed, now time.Time) (p Plan, under bool) {
	task := obs.Task
	if task == nil || !in.Task.Under() {
		return Plan{}, false
	}
	switch task.Phase() {
	case rest.Running:
		reason, doing := v1alpha1.ReasonChanging, "the participating clusters are working on a change"
		if in.Task.Operation == opCreate {
			reason, doing = v1alpha1.ReasonCreating, "the participating clusters are making the database"
		}
		return stop(outcome.Wait(reason, soon, "%s", doing)), true
	case rest.Failed:
		return act(outcome.Wait(v1alpha1.ReasonChanging, atOnce, "the change failed: %s", task.Message()), conclude{in.Task.over(task, now)}), true
	}
	steps := []Step{conclude{in.Task.over(task, now)}}
	if agreed, learned := in.passedOn(); learned {
		steps = append([]Step{agree{terms: agreed}}, steps...) // first, since the record that tells what was sent goes with the task
	}
	return act(outcome.Wait(v1alpha1.ReasonChanging, atOnce, "the change is made"), steps...), true
}

// planLoss covers a database that was there and is there no more. Its deletion on another cluster, and the removal of
// this one, end like that on purpose: the resource goes too (AA-14, AA-25). A cluster that is younger than the resource
// never had it, so that what happened is for a person to say.
func planLoss(in Inputs, obs Observed) Plan {
	db := in.Database
	switch {
	case obs.BDB != nil:
		return stop(outcome.Wait(v1alpha1.ReasonChanging, soon, "the part of this cluster is being deleted"))
	case db.CreationTimestamp.Before(&in.Cluster.CreationTimestamp):
		return stop(&outcome.Rejected{Reason: v1alpha1.ReasonDatabaseMissing, Path: "status.guid", Message: fmt.Sprintf(
			"database %s is gone, and cluster %s is younger than this resource: it was made anew. Delete the resource, and add the cluster again on another participant",
			db.Status.GUID, in.Cluster.Name)})
	}
	return act(outcome.Wait(appv1.ReasonDeleting, soon, "the database is gone from this cluster"),
		leave{"the database was deleted, or this cluster taken out of it, on another participating cluster"})
}

// planCreation makes the database.
func planCreation(in Inputs, obs Observed, now time.Time) Plan {
	db := in.Database
	switch {
	case obs.Stranger != nil:
		return stop(&outcome.Rejected{Reason: v1alpha1.ReasonNameTaken, Path: "metadata.name", Message: fmt.Sprintf(
			"cluster %s already has a database %s (uid %s) that this resource did not make; it is left alone",
			in.Cluster.Name, db.Name, rest.Value(obs.Stranger.UID))})
	case obs.BDB != nil:
		return stop(outcome.Wait(v1alpha1.ReasonCreating, soon, "the database is there and waits for the other participating clusters"))
	}
	for _, mayAct := range []func(Inputs, Observed) error{clusterIsOpen, servicesAreNamed, hostsAreNames, shardsFitLicence} {
		if err := mayAct(in, obs); err != nil {
			return stop(err)
		}
	}
	local := localTerms(in, Terms{})
	if err := reachable(in, local.Sites); err != nil {
		return stop(err)
	}
	want := desired(in, nil, local.Sites)
	if err := firstOf(want.password.problem, certificatesAreThere(in)); err != nil {
		return stop(err)
	}
	body, err := want.body()
	if err != nil {
		return stop(err)
	}
	ask := request{op: opCreate, body: body, what: "create Active-Active database " + db.Name + " on " + strings.Join(slices.Sorted(maps.Keys(local.Sites)), ", ")}
	return planRequest(in, now, ask, digest(local.tree(), want.password.print))
}

// planRequest asks for a task, unless the same has just failed.
func planRequest(in Inputs, now time.Time, ask request, wish string) Plan {
	record := in.Task.next(ask.op, wish)
	if record.Failures > 0 {
		if pause := in.Task.rest(now); pause > 0 {
			return stop(afterFailure(in.Task, pause))
		}
	}
	record.Prints = ask.prints
	ask.record = record
	reason := v1alpha1.ReasonChanging
	if ask.op == opCreate {
		reason = v1alpha1.ReasonCreating
	}
	return act(outcome.Wait(reason, soon, "the participating clusters are told: %s", ask.what), note{record}, ask)
}

// afterFailure is the end of a pass while the same is not asked for again. A failure that will pass is waited for; another
// is for a person, and is tried again seldom.
func afterFailure(r Record, pause time.Duration) error {
	reason := appv1.ReasonRejectedByCluster
	if r.Operation == opCreate {
		reason = v1alpha1.ReasonCreationFailed
	}
	switch {
	case r.Path != "":
		return outcome.Refused(r.Path, "%s", r.Message)
	case r.Passing:
		return outcome.Wait(v1alpha1.ReasonTaskFailed, pause, "the last attempt (%s) failed and is repeated: %s", r.Operation, r.Message)
	}
	return &outcome.Rejected{Reason: reason, Message: fmt.Sprintf("the participating clusters could not carry out the change (%s): %s", r.Operation, r.Message)}
}

// reachable: nothing is asked of clusters that are known not to answer.
func reachable(in Inputs, sites map[string]Site) error {
	for _, cluster := range slices.Sorted(maps.Keys(sites)) {
		remote := in.remoteOf(cluster)
		if remote == nil {
			continue
		}
		if remote.Status.Status != v1alpha1.RemoteClusterActive {
			return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "remote cluster %s is not Active yet; its own conditions say why", remote.Name)
		}
		if _, known := in.Credentials[remote.Name]; !known {
			return outcome.Wait(v1alpha1.ReasonClusterNotReady, later, "Secret %s with the credentials of remote cluster %s is not complete", CredentialsName(remote), remote.Name)
		}
	}
	return nil
}

func certificatesAreThere(in Inputs) error {
	for _, ref := range References(in.Database) {
		if ref.Key != names.CertKey {
			continue
		}
		if err := usable(ref, in.Secrets[ref.Secret], in.Database.Namespace); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
