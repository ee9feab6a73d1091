package remotecluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Report writes the status (RERC-6) and tells of what changed.
func (k *Kind) Report(before, remote *v1alpha1.RedisEnterpriseRemoteCluster, run Run, err error, _ time.Time) []kube.Event {
	verdict := outcome.Of(err)
	conditions := slices.Clone(remote.Status.Conditions)
	verdict.SetConditions(&conditions, remote.Generation)
	remote.Status.Conditions = conditions
	if run.Inputs.Remote == nil { // nothing was found out
		return nil
	}
	if remote.DeletionTimestamp.IsZero() {
		reportWords(remote, run, verdict)
		reportReachable(remote, run.Observed.Result, verdict)
		reportCompatible(remote, run)
	}
	return eventsOf(before, remote, run, verdict)
}

// reportWords writes the documented part of the status. A cluster that nobody has asked yet leaves the last word as it was.
func reportWords(remote *v1alpha1.RedisEnterpriseRemoteCluster, run Run, verdict outcome.Verdict) {
	status := &remote.Status
	status.Local = run.Inputs.Local
	status.SpecStatus = appv1.SpecValid
	refused := verdict.Kind == outcome.KindRejected && (verdict.Reason == appv1.ReasonInvalidSpec || verdict.Reason == appv1.ReasonMissingReference)
	if refused {
		status.SpecStatus = appv1.SpecInvalid
	}
	switch finding := run.Observed.Result.Finding; {
	case finding == Reached:
		status.Status = v1alpha1.RemoteClusterActive
		status.InternalObservedSecretResourceVersion = run.Observed.Result.SecretVersion
	case refused, finding != NotYet && finding != FirstContact:
		status.Status = v1alpha1.RemoteClusterError
	default:
		return
	}
	status.ObservedGeneration = int(remote.Generation)
}

func reportReachable(remote *v1alpha1.RedisEnterpriseRemoteCluster, result Result, verdict outcome.Verdict) {
	c := metav1.Condition{Type: v1alpha1.ConditionReachable, Status: metav1.ConditionFalse, ObservedGeneration: remote.Generation,
		Reason: result.Finding.reason(), Message: result.Message}
	switch result.Finding {
	case Reached:
		c.Status = metav1.ConditionTrue
	case NotYet, FirstContact:
		c.Status = metav1.ConditionUnknown
		if verdict.Kind != outcome.Done && verdict.Reason != "" {
			c.Reason, c.Message = verdict.Reason, verdict.Message
		}
	}
	meta.SetStatusCondition(&remote.Status.Conditions, c)
}

// reportCompatible compares with the local cluster. The clock is the operator's: it runs where the local cluster does.
func reportCompatible(remote *v1alpha1.RedisEnterpriseRemoteCluster, run Run) {
	result := run.Observed.Result
	if result.Finding != Reached {
		meta.RemoveStatusCondition(&remote.Status.Conditions, v1alpha1.ConditionCompatible)
		return
	}
	c := metav1.Condition{Type: v1alpha1.ConditionCompatible, Status: metav1.ConditionTrue, ObservedGeneration: remote.Generation, Reason: v1alpha1.ReasonCompatible}
	var differs []string
	if here, there := run.Observed.Version, result.Version; here != "" && there != "" && releaseOf(here) != releaseOf(there) {
		c.Reason = v1alpha1.ReasonVersionsDiffer
		differs = append(differs, fmt.Sprintf("it runs release %s and the local cluster %s: bring both to the same", releaseOf(there), releaseOf(here)))
	}
	if result.Skew != 0 {
		c.Reason = v1alpha1.ReasonClocksDiffer
		how := "ahead of"
		if result.Skew < 0 {
			how = "behind"
		}
		differs = append(differs, fmt.Sprintf("its clock is at least %s %s the local one: synchronize both with NTP, or concurrent writes are decided for the wrong side", result.Skew.Abs(), how))
	}
	if len(differs) > 0 {
		c.Status, c.Message = metav1.ConditionFalse, strings.Join(differs, "; ")
	}
	meta.SetStatusCondition(&remote.Status.Conditions, c)
}

// eventsOf compares before and after: an event marks a change, not a pass.
func eventsOf(before, remote *v1alpha1.RedisEnterpriseRemoteCluster, run Run, verdict outcome.Verdict) []kube.Event {
	var events []kube.Event
	for _, step := range run.Done {
		if e := step.event(); e != nil {
			events = append(events, *e)
		}
	}
	if was, is := before.Status.Status, remote.Status.Status; was != is {
		events = append(events, kube.Normal(names.EventStatusChange, fmt.Sprintf("status changed from %q to %q", was, is)))
	}
	if c := turned(before, remote, v1alpha1.ConditionCompatible); c != nil && c.Status == metav1.ConditionFalse {
		events = append(events, kube.Warning(names.EventClustersDiffer, c.Message))
	}
	ready := turned(before, remote, appv1.ConditionReady)
	if ready == nil {
		return events
	}
	return append(events, turn(remote, verdict)...)
}

// turn tells of an outcome that was not there before.
func turn(remote *v1alpha1.RedisEnterpriseRemoteCluster, verdict outcome.Verdict) []kube.Event {
	switch {
	case verdict.Kind == outcome.Done && remote.DeletionTimestamp.IsZero():
		return []kube.Event{kube.Normal(names.EventConnected, remote.Spec.APIFQDNURL+" answers and accepts the credentials")}
	case verdict.Reason == v1alpha1.ReasonInUse:
		return []kube.Event{kube.Warning(names.EventBlocked, verdict.Message)}
	case verdict.Kind == outcome.KindRejected && remote.Status.SpecStatus == appv1.SpecInvalid:
		return []kube.Event{kube.Warning(names.EventInvalidConfiguration, verdict.Message)}
	case remote.Status.Status == v1alpha1.RemoteClusterError && verdict.Reason != v1alpha1.ReasonConnecting && remote.DeletionTimestamp.IsZero():
		return []kube.Event{kube.Warning(names.EventNotConnected, verdict.Message)}
	}
	return nil
}

// turned returns a condition that says something else than before.
func turned(before, after *v1alpha1.RedisEnterpriseRemoteCluster, kind string) *metav1.Condition {
	was, is := meta.FindStatusCondition(before.Status.Conditions, kind), meta.FindStatusCondition(after.Status.Conditions, kind)
	if is == nil || was != nil && was.Status == is.Status && was.Reason == is.Reason && was.Message == is.Message {
		return nil
	}
	return is
}
