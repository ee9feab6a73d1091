package cluster

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Report writes the status from what a run found and how it ended, and returns the events of what changed.
func (k *Kind) Report(before, rec *v1.RedisEnterpriseCluster, run Run, err error, now time.Time) []kube.Event {
	verdict := outcome.Of(err)
	late := verdict.Overdue(before.Status.Conditions, now)
	status := &rec.Status
	status.ObservedGeneration = rec.Generation
	reportCluster(rec, run)
	reportConditions(rec, run)
	reportEntrance(rec, run)
	verdict.SetConditions(&status.Conditions, rec.Generation)
	switch {
	case verdict.Kind == outcome.KindRejected:
		status.SpecStatus = v1.SpecInvalid
		if verdict.Reason == v1.ReasonUpgradeBlocked && run.Validated {
			status.SpecStatus = v1.SpecValid // nothing is wrong with the spec; it cannot be followed today
		}
	case verdict.Kind != outcome.KindFailed:
		status.SpecStatus = v1.SpecValid
	}
	if f := factsOf(before, rec, run, verdict, err); run.Observed != nil || f.deleting || f.broken || f.previous == "" {
		status.State = stateOf(f)
	} // else nothing was seen, and the state stays as it was
	return events(before, rec, run, verdict, late)
}

// factsOf reads the facts for the state off a run.
func factsOf(before, rec *v1.RedisEnterpriseCluster, run Run, verdict outcome.Verdict, err error) facts {
	f := facts{previous: before.Status.State, deleting: rec.DeletionTimestamp != nil, formed: formed(rec)}
	f.upgradeBlocked = verdict.Reason == v1.ReasonUpgradeBlocked
	f.invalid = verdict.Kind == outcome.KindRejected && !run.Validated
	f.broken = verdict.Kind == outcome.KindFailed && needsPerson(err)
	o := run.Observed
	if o == nil {
		return f
	}
	f.built = o.Set != nil
	f.rolling, f.upgrading = run.Rollout.Rolling, run.Rollout.Upgrade
	reason, sentence := membership(rec, o)
	f.complete = sentence == ""
	f.silent = reason == v1.ReasonClusterUnreachable && !longSilent(o)
	f.broken = f.broken || reason == v1.ReasonClusterUnreachable && longSilent(o)
	return f
}

// needsPerson tells failures that repeating will not cure from those that it may.
func needsPerson(err error) bool {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return false // the end of the namespace is the end of this resource too
	}
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)
}

// longSilent tells whether the cluster has not answered for longer than an election takes.
func longSilent(o *Observed) bool {
	return o.Snapshot != nil && o.Snapshot.Known() && o.Snapshot.Tried.Sub(o.Snapshot.Time) > unreachableAfter
}

// reportConditions writes the conditions that only clusters have.
func reportConditions(rec *v1.RedisEnterpriseCluster, run Run) {
	o := run.Observed
	if o == nil {
		return
	}
	set := func(kind string, holds bool, reason, message string) {
		status := metav1.ConditionFalse
		if holds {
			status = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&rec.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: rec.Generation})
	}
	reason, sentence := membership(rec, o)
	if o.Formed {
		set(v1.ConditionBootstrapComplete, true, v1.ReasonBootstrapped, "")
	} else {
		set(v1.ConditionBootstrapComplete, false, reason, sentence)
	}
	if sentence == "" {
		reason = v1.ReasonNodesActive
	}
	set(v1.ConditionNodesHealthy, sentence == "", reason, sentence)
	reportTakeOver(rec, run)
	switch {
	case run.Rollout.Rolling:
		set(v1.ConditionRollingUpdate, true, run.Rollout.reason(), run.Rollout.Waits)
	case run.Rollout.Blocked != nil:
		set(v1.ConditionRollingUpdate, false, v1.ReasonUpgradeBlocked, run.Rollout.Blocked.Error())
	case run.Validated:
		set(v1.ConditionRollingUpdate, false, v1.ReasonUpToDate, "")
	}
	if o.Snapshot != nil && o.Snapshot.License != nil {
		if o.Snapshot.License.Expired {
			set(v1.ConditionLicenseValid, false, v1.ReasonLicenseExpired, "the licence expired on "+o.Snapshot.License.ExpirationDate)
		} else {
			set(v1.ConditionLicenseValid, true, v1.ReasonLicenseValid, "")
		}
	}
}

// events tell of what changed since the last status, never of what is merely still so.
func events(before, rec *v1.RedisEnterpriseCluster, run Run, verdict outcome.Verdict, late bool) []kube.Event {
	var list []kube.Event
	if text := strings.Join(run.Set, "; "); text != "" {
		list = append(list, kube.Normal(names.EventUpdated, text))
	}
	list = append(list, verdictEvents(before, rec, run, verdict, late)...)
	list = append(list, entranceEvents(before, rec)...)
	list = append(list, takeOverEvents(before, rec, run)...)
	list = append(list, foundEvents(run)...)
	if was, is := before.Status.State, rec.Status.State; was != is {
		event := kube.Normal(names.EventStatusChange, fmt.Sprintf("%s → %s", or(string(was), "new"), is))
		event.Warning = is == v1.ClusterInvalid || is == v1.ClusterInvalidUpgrade || is == v1.ClusterError
		list = append(list, event)
	}
	if rec.DeletionTimestamp == nil && before.Status.ObservedGeneration != rec.Generation {
		for _, path := range notActedOn(&rec.Spec) {
			list = append(list, kube.Warning(names.EventNotActedOn, path+" is known, but this version of the operator does not act on it yet"))
		}
		for _, path := range ingress.Unused(rec) {
			list = append(list, kube.Warning(names.EventNotActedOn, path+" has no effect: only Ingresses take annotations"))
		}
		for _, sentence := range advice(&rec.Spec, run.Observed) {
			list = append(list, kube.Warning(names.EventAdvice, sentence))
		}
	}
	return list
}

// verdictEvents tell of a refusal, a blocked deletion, a failed bootstrap, a released pod or a wait that has lasted too long
// when its words are new.
func verdictEvents(before, rec *v1.RedisEnterpriseCluster, run Run, verdict outcome.Verdict, late bool) []kube.Event {
	if said(before, v1.ConditionReady) == said(rec, v1.ConditionReady) && before.Status.ObservedGeneration == rec.Generation {
		return nil
	}
	switch {
	case verdict.Kind == outcome.KindRejected:
		return []kube.Event{kube.Warning(names.EventInvalidConfiguration, verdict.Message)}
	case verdict.Kind != outcome.KindWaiting:
		return nil
	case len(run.Blockers) > 0:
		return []kube.Event{kube.Warning(names.EventBlocked, verdict.Message)}
	case verdict.Reason == v1.ReasonBootstrapFailed:
		return []kube.Event{kube.Warning(names.EventBootstrapFailed, verdict.Message)}
	case run.Rollout.Rolling && strings.HasSuffix(verdict.Message, "is being replaced"):
		return []kube.Event{kube.Normal(names.EventRolling, verdict.Message)}
	case late:
		return []kube.Event{kube.Warning(names.EventStillWaiting, verdict.Message)}
	}
	return nil
}

func said(rec *v1.RedisEnterpriseCluster, condition string) string {
	if c := meta.FindStatusCondition(rec.Status.Conditions, condition); c != nil {
		return c.Message
	}
	return ""
}
