package database

import (
	"cmp"
	"slices"
	"strconv"
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
func (k *Kind) Report(before, db *v1alpha1.RedisEnterpriseDatabase, run Run, err error, now time.Time) []kube.Event {
	verdict := outcome.Of(err)
	late := verdict.Overdue(before.Status.Conditions, now)
	reportCluster(db, run)
	reportDatabase(db, run)
	reportAction(db, run)
	reportSpec(db, run, verdict)
	reportConditions(db, run, verdict)
	return eventsOf(before, db, run, verdict, late)
}

func reportCluster(db *v1alpha1.RedisEnterpriseDatabase, run Run) {
	if db.Status.DatabaseUID == "" && run.Inputs.Cluster != nil {
		db.Status.RedisEnterpriseCluster = run.Inputs.Cluster.Name
	}
}

// reportDatabase copies what the cluster says (REDB-19, REDB-22). What was last known stays while the cluster is silent.
func reportDatabase(db *v1alpha1.RedisEnterpriseDatabase, run Run) {
	have, status := run.Observed.BDB, &db.Status
	if have == nil {
		if run.Observed.Err == nil && run.Observed.Snapshot != nil {
			reportAbsence(db, run)
		}
		return
	}
	status.DatabaseUID = rest.Value(have.UID).String()
	if is := v1alpha1.DatabaseStatus(rest.Value(have.Status)); is != v1alpha1.DatabaseDeletePending || status.Status != v1alpha1.DatabaseCreationFailed || run.Removing {
		status.Status = is // a failed creation that is being cleared away is remembered as that
	}
	status.Version = cmp.Or(rest.Value(have.Version), rest.Value(have.RedisVer), status.Version)
	status.CreatedTime = cmp.Or(rest.Value(have.CreatedTime), status.CreatedTime)
	status.LastUpdated = cmp.Or(rest.Value(have.LastChanged), status.LastUpdated)
	status.BigstoreVersion = int(rest.Value(have.BigstoreVersion))
	if have.Endpoints != nil {
		status.InternalEndpoints = endpoints(*have.Endpoints)
	}
	if run.Observed.Snapshot != nil {
		status.ShardStatuses = shardStatuses(run.Observed.Snapshot.ShardsOf(rest.Value(have.UID)))
	}
	if run.Removing && status.Status != v1alpha1.DatabaseDeletePending && len(run.Done) > 0 {
		status.Status = v1alpha1.DatabaseDeletePending
	}
}

// reportAbsence: a database that was recorded and is gone keeps its uid, so that the loss stays visible; only a failed
// creation that was cleared away leaves nothing behind.
func reportAbsence(db *v1alpha1.RedisEnterpriseDatabase, run Run) {
	status := &db.Status
	if status.Status == v1alpha1.DatabaseCreationFailed {
		status.DatabaseUID = ""
	}
	if !run.Removing {
		status.Status = v1alpha1.DatabaseUnknown
	}
	status.InternalEndpoints, status.ShardStatuses = nil, nil
}

func endpoints(list []rest.Endpoint) []v1alpha1.InternalEndpoint {
	var out []v1alpha1.InternalEndpoint
	for _, e := range list {
		if e.AddrType != "external" {
			out = append(out, v1alpha1.InternalEndpoint{Host: e.DNSName, Port: int(e.Port)})
		}
	}
	return out
}

func shardStatuses(shards []rest.Shard) map[string]int {
	counts := map[string]int{}
	for _, s := range shards {
		counts[s.Status]++
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}

// reportAction follows the last change in the cluster (REDB-7). The cluster forgets actions that have ended.
func reportAction(db *v1alpha1.RedisEnterpriseDatabase, run Run) {
	status := &db.Status
	if run.ActionUID != "" {
		status.LastActionUID, status.LastActionStatus = run.ActionUID, ""
	}
	if status.LastActionUID == "" || run.Observed.Err != nil {
		return
	}
	switch action := run.Observed.action(status.LastActionUID); {
	case action != nil:
		status.LastActionStatus = action.Status
	case run.ActionUID != "":
		status.LastActionStatus = "pending"
	case run.Observed.BDB != nil && run.Observed.BDB.Settled() && status.LastActionStatus != "failed":
		status.LastActionStatus = "completed"
	}
}

// reportSpec says whether the spec is accepted and how far it was sent.
func reportSpec(db *v1alpha1.RedisEnterpriseDatabase, run Run, verdict outcome.Verdict) {
	status := &db.Status
	switch {
	case verdict.Kind == outcome.KindRejected && aboutSpec(verdict):
		status.SpecStatus = appv1.SpecInvalid
	case verdict.Kind != outcome.KindFailed && run.Inputs.Database != nil:
		status.SpecStatus = appv1.SpecValid
	}
	if run.Removing || !run.Sent && !run.told() {
		return
	}
	tags := bdb.ManagedTags(&db.Spec)
	fields, err := bdb.ManagedFields(bdb.Inputs{Name: db.Name, Spec: &db.Spec})
	if err != nil {
		fields = status.ManagedFields
	}
	if run.Sent {
		status.ObservedGeneration, status.ManagedTags, status.ManagedFields = db.Generation, tags, fields
		return
	}
	// The rest of the spec may be refused and taken back: what has gone out must be known by then.
	status.ManagedTags, status.ManagedFields = union(status.ManagedTags, tags), union(status.ManagedFields, fields)
}

// told is true when settings or tags were sent in this pass.
func (r Run) told() bool {
	return slices.ContainsFunc(r.Done, func(s Step) bool {
		switch s.(type) {
		case create, update:
			return true
		}
		return false
	})
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// aboutSpec tells rejections of the spec from findings about the database.
func aboutSpec(verdict outcome.Verdict) bool {
	switch verdict.Reason {
	case v1alpha1.ReasonDatabaseMissing, v1alpha1.ReasonCreationFailed:
		return false
	}
	return true
}

func reportConditions(db *v1alpha1.RedisEnterpriseDatabase, run Run, verdict outcome.Verdict) {
	conditions := slices.Clone(db.Status.Conditions)
	verdict.SetConditions(&conditions, db.Generation)
	if run.Observed.Err == nil && run.Observed.Snapshot != nil {
		meta.SetStatusCondition(&conditions, active(db))
	}
	reportExposure(db, &conditions, run)
	db.Status.Conditions = conditions
}

// active says whether clients are served. A change, an import or a rejected edit does not stop that.
func active(db *v1alpha1.RedisEnterpriseDatabase) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionDatabaseActive, Status: metav1.ConditionFalse, ObservedGeneration: db.Generation}
	switch db.Status.Status {
	case v1alpha1.DatabaseActive, v1alpha1.DatabaseActiveChangePending, v1alpha1.DatabaseImportPending:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonDatabaseActive
	case v1alpha1.DatabasePending:
		c.Reason = v1alpha1.ReasonCreating
	case v1alpha1.DatabaseCreationFailed:
		c.Reason = v1alpha1.ReasonCreationFailed
	case v1alpha1.DatabaseRecovery:
		c.Reason = v1alpha1.ReasonRecovering
	case v1alpha1.DatabaseDeletePending:
		c.Reason = appv1.ReasonDeleting
	default:
		c.Reason = v1alpha1.ReasonCreating
		if db.Status.DatabaseUID != "" {
			c.Reason = v1alpha1.ReasonDatabaseMissing
		}
	}
	return c
}

// eventsOf compares before and after: an event marks a change, not a pass.
func eventsOf(before, db *v1alpha1.RedisEnterpriseDatabase, run Run, verdict outcome.Verdict, late bool) []kube.Event {
	var events []kube.Event
	for _, step := range run.Done {
		if e := step.event(); e != nil {
			events = append(events, *e)
		}
	}
	if was, is := before.Status.Status, db.Status.Status; was != is && is != v1alpha1.DatabaseUnknown {
		events = append(events, kube.Normal(names.EventStatusChange, "status changed from "+strconv.Quote(string(was))+" to "+strconv.Quote(string(is))))
	}
	if paths := bdb.Unsupported(&db.Spec); len(paths) > 0 && before.Status.ObservedGeneration != db.Status.ObservedGeneration {
		events = append(events, kube.Warning(names.EventNotActedOn, strings.Join(paths, ", ")+": known, but not acted on by this version of the operator"))
	}
	return append(events, turn(before, db, run, verdict, late)...)
}

// turn tells of an outcome that was not there before.
func turn(before, db *v1alpha1.RedisEnterpriseDatabase, run Run, verdict outcome.Verdict, late bool) []kube.Event {
	was := meta.FindStatusCondition(before.Status.Conditions, appv1.ConditionReady)
	is := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Message == is.Message {
		return nil
	}
	switch {
	case verdict.Kind == outcome.KindRejected:
		return []kube.Event{kube.Warning(names.EventInvalidConfiguration, verdict.Message)}
	case late:
		return []kube.Event{kube.Warning(names.EventStillWaiting, verdict.Message)}
	case verdict.Kind != outcome.KindWaiting || was != nil && was.Reason == is.Reason:
		return nil
	case run.Removing && verdict.Reason != appv1.ReasonDeleting:
		return []kube.Event{kube.Warning(names.EventBlocked, verdict.Message)}
	case run.Removing, verdict.Reason == v1alpha1.ReasonChanging, verdict.Reason == v1alpha1.ReasonCreating:
		return nil // told by the step or by the change of status
	}
	return []kube.Event{kube.Normal(names.EventWaiting, verdict.Message)}
}
