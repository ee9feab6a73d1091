package outcome

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// SetConditions writes Ready, Reconciling and Stalled from the outcome of a run, by the rules of kstatus: the latter
// two are present only while they apply. All other conditions are left alone.
//
// A failure says nothing about the resource, so it keeps Ready as it was unless the spec is newer than that.
func (v Verdict) SetConditions(conditions *[]metav1.Condition, generation int64) {
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(conditions, metav1.Condition{Type: kind, Status: status, ObservedGeneration: generation,
			Reason: reason, Message: message})
	}
	clear := func(kind string) { meta.RemoveStatusCondition(conditions, kind) }
	switch v.Kind {
	case Done:
		set(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonReady, "")
		clear(v1.ConditionReconciling)
		clear(v1.ConditionStalled)
	case KindWaiting:
		set(v1.ConditionReady, metav1.ConditionFalse, v.reason(), v.Message)
		set(v1.ConditionReconciling, metav1.ConditionTrue, v.reason(), v.Message)
		clear(v1.ConditionStalled)
	case KindRejected:
		set(v1.ConditionReady, metav1.ConditionFalse, v.reason(), v.Message)
		set(v1.ConditionStalled, metav1.ConditionTrue, v.reason(), v.Message)
		clear(v1.ConditionReconciling)
	case KindFailed:
		ready := meta.FindStatusCondition(*conditions, v1.ConditionReady)
		if ready == nil || ready.ObservedGeneration != generation {
			set(v1.ConditionReady, metav1.ConditionUnknown, v.reason(), v.Message)
		}
		set(v1.ConditionReconciling, metav1.ConditionTrue, v.reason(), v.Message)
		clear(v1.ConditionStalled)
	}
}

// reason is never empty: the API server refuses a condition without one.
func (v Verdict) reason() string {
	switch {
	case v.Reason != "":
		return v.Reason
	case v.Kind == KindWaiting:
		return v1.ReasonWaiting
	default:
		return v1.ReasonInvalidSpec
	}
}

// WaitingSince tells since when the conditions say that the resource is not where it should be.
func WaitingSince(conditions []metav1.Condition) (time.Time, bool) {
	c := meta.FindStatusCondition(conditions, v1.ConditionReconciling)
	if c == nil || c.Status != metav1.ConditionTrue {
		return time.Time{}, false
	}
	return c.LastTransitionTime.Time, true
}

// overdue is how long a wait may last before people are warned. It goes on all the same.
const overdue = 10 * time.Minute

// overdueNote ends the message of such a wait, and so is told once.
const overdueNote = " (for more than 10 minutes now)"

// Overdue tells whether a wait has lasted too long by the conditions that the resource had, and adds that to the message.
func (v *Verdict) Overdue(before []metav1.Condition, now time.Time) bool {
	since, waiting := WaitingSince(before)
	if v.Kind != KindWaiting || !waiting || now.Sub(since) < overdue {
		return false
	}
	v.Message += overdueNote
	return true
}
