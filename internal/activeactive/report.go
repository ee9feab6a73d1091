package activeactive

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Report writes the status from what the pass found and how it ended, and returns the events of what changed.
func (k *Kind) Report(before, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run Run, err error, now time.Time) []kube.Event {
	verdict := outcome.Of(err)
	late := verdict.Overdue(before.Status.Conditions, now)
	after := run.Inputs
	after.Database = db
	after.Task = Record{}
	after.remember() // the steps may have written something down
	if after.Cluster != nil && db.Status.GUID == "" {
		db.Status.RedisEnterpriseCluster = after.Cluster.Name
	}
	reportSpec(db, run, verdict)
	if run.Observed.Err == nil && run.Observed.Snapshot != nil {
		reportDatabase(after, run)
		reportSites(before, after, run)
		db.Status.SecretsStatus = secretsStatus(after, run.Observed.CRDB)
	}
	reportTask(after, run)
	reportConditions(before, after, run, verdict)
	return eventsOf(before, db, run, verdict, late)
}

// reportSpec says whether the spec is accepted and how far it was sent.
func reportSpec(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run Run, verdict outcome.Verdict) {
	status := &db.Status
	switch {
	case !db.DeletionTimestamp.IsZero():
		return
	case verdict.Kind == outcome.KindRejected && aboutSpec(verdict):
		status.SpecStatus = appv1.SpecInvalid
	case verdict.Kind != outcome.KindFailed && run.Inputs.Database != nil:
		status.SpecStatus = appv1.SpecValid
	}
	if run.Sent {
		status.ObservedGeneration = db.Generation
		status.ManagedTags = bdb.ManagedTags(db.Spec.GlobalConfigurations.DatabaseSpec())
	}
}

// aboutSpec tells rejections of the spec from findings about the database and the other clusters.
func aboutSpec(verdict outcome.Verdict) bool {
	switch verdict.Reason {
	case v1alpha1.ReasonDatabaseMissing, v1alpha1.ReasonCreationFailed, v1alpha1.ReasonSecretDiffers:
		return false
	}
	return true
}

// reportDatabase writes the documented word (AA-22) and the identifier.
func reportDatabase(in Inputs, run Run) {
	db, obs := in.Database, run.Observed
	status := &db.Status
	if obs.CRDB != nil {
		status.GUID = guid(obs)
	}
	status.Status = wordOf(in, obs)
}

func wordOf(in Inputs, obs Observed) v1alpha1.ActiveActiveStatus {
	task := in.Task
	switch {
	case !in.Database.DeletionTimestamp.IsZero():
		return v1alpha1.ActiveActiveDeletePending
	case obs.CRDB == nil && task.failed() && task.Operation == opCreate:
		return v1alpha1.ActiveActiveCreationFailed
	case obs.CRDB == nil && isRecorded(in):
		return v1alpha1.ActiveActiveError
	case obs.CRDB == nil && task.Serial > 0:
		return v1alpha1.ActiveActivePending
	case obs.CRDB == nil:
		return v1alpha1.ActiveActiveUnknown
	case task.failed() && !task.Passing:
		return v1alpha1.ActiveActiveError
	case obs.BDB == nil, rest.Value(obs.BDB.Status) == rest.BDBPending:
		return v1alpha1.ActiveActivePending
	case rest.Value(obs.BDB.Status) == rest.BDBDeletePending:
		return v1alpha1.ActiveActiveDeletePending
	case task.Under(), task.failed(), !obs.BDB.Settled():
		return v1alpha1.ActiveActiveChangePending
	}
	return v1alpha1.ActiveActiveActive
}

// unseen tells whether nobody has looked at the links yet since this operator began, or began to lead, and the status tells
// what another one saw. Until the first look, which comes at once, that is the best that anybody knows.
func unseen(before *v1alpha1.RedisEnterpriseActiveActiveDatabase, obs Observed) bool {
	return obs.CRDB != nil && !obs.Replication.Known && before.Status.GUID == guid(obs) && before.Status.ReplicationStatus != ""
}

// reportSites tells of each participant (AA-23, AA-24).
func reportSites(before *v1alpha1.RedisEnterpriseActiveActiveDatabase, in Inputs, run Run) {
	obs, status := run.Observed, &in.Database.Status
	if unseen(before, obs) {
		return
	}
	status.ParticipatingClusters, status.ReplicationStatus = nil, ""
	if obs.CRDB == nil {
		return
	}
	all := obs.Replication.Known && replicates(obs) == nil
	for _, inst := range rest.Value(obs.CRDB.Instances) {
		site := v1alpha1.ParticipatingClusterStatus{Name: in.nameOf(inst.ClusterName()), ID: int64(rest.Value(inst.ID))}
		if obs.Replication.Known {
			site.ReplicationStatus = upOrDown(obs.Replication.Up[inst.ClusterName()])
		}
		status.ParticipatingClusters = append(status.ParticipatingClusters, site)
	}
	if obs.Replication.Known {
		status.ReplicationStatus = upOrDown(all)
	}
}

func upOrDown(up bool) v1alpha1.ReplicationStatus {
	if up {
		return v1alpha1.ReplicationUp
	}
	return v1alpha1.ReplicationDown
}

// reportTask tells of the last task, and of the certificates that the others know.
func reportTask(in Inputs, run Run) {
	status := &in.Database.Status
	if run.TaskID != "" {
		status.LastTaskUID = run.TaskID
	}
	if in.Agreed != nil && in.Agreed.Generation > 0 {
		status.ClusterCertificatesGeneration = in.Agreed.Generation
	}
}

func reportConditions(before *v1alpha1.RedisEnterpriseActiveActiveDatabase, in Inputs, run Run, verdict outcome.Verdict) {
	db, obs := in.Database, run.Observed
	conditions, unseen := slices.Clone(db.Status.Conditions), unseen(before, obs)
	if !unseen || !run.Sent || verdict.Reason != v1alpha1.ReasonOutOfSync {
		verdict.SetConditions(&conditions, db.Generation)
	}
	if obs.Err == nil && obs.Snapshot != nil {
		meta.SetStatusCondition(&conditions, active(db))
		if !unseen {
			setOrDrop(&conditions, replicating(in, obs))
		}
		setOrDrop(&conditions, inSync(db))
	}
	db.Status.Conditions = conditions
}

func setOrDrop(conditions *[]metav1.Condition, c metav1.Condition) {
	if c.Status == "" {
		meta.RemoveStatusCondition(conditions, c.Type)
		return
	}
	meta.SetStatusCondition(conditions, c)
}

// active says whether this cluster serves clients. A change or a link that is down does not stop that.
func active(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionDatabaseActive, Status: metav1.ConditionFalse, ObservedGeneration: db.Generation, Reason: v1alpha1.ReasonCreating}
	switch db.Status.Status {
	case v1alpha1.ActiveActiveActive, v1alpha1.ActiveActiveChangePending:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonDatabaseActive
	case v1alpha1.ActiveActiveError:
		c.Reason = v1alpha1.ReasonDatabaseMissing
		if len(db.Status.ParticipatingClusters) > 0 {
			c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonDatabaseActive
		}
	case v1alpha1.ActiveActiveCreationFailed:
		c.Reason = v1alpha1.ReasonCreationFailed
	case v1alpha1.ActiveActiveDeletePending:
		c.Reason = appv1.ReasonDeleting
	}
	return c
}

// replicating says whether all links are up; it is absent as long as there are none.
func replicating(in Inputs, obs Observed) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionReplicating, ObservedGeneration: in.Database.Generation}
	if obs.CRDB == nil || !obs.Replication.Known {
		return c
	}
	c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonInSync
	if err := replicates(obs); err != nil {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, v1alpha1.ReasonOutOfSync, err.Error()
	}
	return c
}

// inSync says whether the Secrets here are the common ones; it is absent without any.
func inSync(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionSecretsInSync, ObservedGeneration: db.Generation}
	var wrong []string
	for _, s := range db.Status.SecretsStatus {
		if s.Status == appv1.SpecInvalid {
			wrong = append(wrong, s.Name)
		}
	}
	switch {
	case len(db.Status.SecretsStatus) == 0:
		return c
	case len(wrong) > 0:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonSecretDiffers
		c.Message = "missing, or not the same as on the other participating clusters: " + strings.Join(wrong, ", ")
	default:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonInSync
	}
	return c
}

// eventsOf compares before and after: an event marks a change, not a pass.
func eventsOf(before, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run Run, verdict outcome.Verdict, late bool) []kube.Event {
	var events []kube.Event
	for _, step := range run.Done {
		events = append(events, step.events()...)
	}
	if was, is := before.Status.Status, db.Status.Status; was != is && is != v1alpha1.ActiveActiveUnknown {
		events = append(events, kube.Normal(names.EventStatusChange, fmt.Sprintf("status changed from %q to %q", was, is)))
	}
	if paths := unsupported(db); len(paths) > 0 && before.Status.ObservedGeneration != db.Status.ObservedGeneration {
		events = append(events, kube.Warning(names.EventNotActedOn, strings.Join(paths, ", ")+": known, but not acted on by this version of the operator"))
	}
	events = append(events, linkEvents(before, db)...)
	return append(events, turn(before, db, run, verdict, late)...)
}

// unsupported lists the fields that the spec sets and nothing is done about.
func unsupported(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []string {
	var out []string
	for _, path := range bdb.Unsupported(db.Spec.GlobalConfigurations.DatabaseSpec()) {
		if path = globalPath(path); path != pathRoles {
			out = append(out, path)
		}
	}
	return out
}

// linkEvents tell when replication came up or went down.
func linkEvents(before, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []kube.Event {
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReplicating)
	is := meta.FindStatusCondition(db.Status.Conditions, v1alpha1.ConditionReplicating)
	switch {
	case is == nil || was != nil && was.Status == is.Status:
		return nil
	case is.Status == metav1.ConditionTrue:
		return []kube.Event{kube.Normal(names.EventReplicating, "all links between the participating clusters are up")}
	case was == nil:
		return nil // they are being made
	}
	return []kube.Event{kube.Warning(names.EventNotReplicating, is.Message)}
}

// turn tells of an outcome that was not there before.
func turn(before, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run Run, verdict outcome.Verdict, late bool) []kube.Event {
	was := meta.FindStatusCondition(before.Status.Conditions, appv1.ConditionReady)
	is := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Message == is.Message {
		return nil
	}
	removing := !db.DeletionTimestamp.IsZero()
	switch {
	case verdict.Kind == outcome.KindRejected:
		return []kube.Event{kube.Warning(names.EventInvalidConfiguration, verdict.Message)}
	case late:
		return []kube.Event{kube.Warning(names.EventStillWaiting, verdict.Message)}
	case verdict.Kind != outcome.KindWaiting || was != nil && was.Reason == is.Reason:
		return nil
	case removing && verdict.Reason != appv1.ReasonDeleting && verdict.Reason != v1alpha1.ReasonChanging:
		return []kube.Event{kube.Warning(names.EventBlocked, verdict.Message)}
	case removing, len(run.Done) > 0, verdict.Reason == v1alpha1.ReasonChanging, verdict.Reason == v1alpha1.ReasonCreating, verdict.Reason == v1alpha1.ReasonOutOfSync:
		return nil // told by the step or by the change of status
	}
	return []kube.Event{kube.Normal(names.EventWaiting, verdict.Message)}
}
