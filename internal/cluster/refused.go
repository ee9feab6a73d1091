package cluster

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// failedCreate is the reason of the events that Kubernetes writes about pods it could not create. A StatefulSet says it
// nowhere else: not in its status, and there is no pod to say it of itself.
const failedCreate = "FailedCreate"

// observeRefusal reads why Kubernetes does not create a pod that should be there: pod security, a quota, a webhook. It
// asks only while a pod is missing, and what cannot be read is not known.
func (k *Kind) observeRefusal(ctx context.Context, o *Observed) {
	if o.Set == nil || len(o.Pods) >= int(replicas(o.Set)) {
		return
	}
	var events corev1.EventList
	err := k.Reader.List(ctx, &events, client.InNamespace(o.Set.Namespace), client.MatchingFields{
		"involvedObject.kind": "StatefulSet", "involvedObject.name": o.Set.Name, "reason": failedCreate})
	if err != nil {
		log.FromContext(ctx).V(1).Info("events about pods not read", "error", err.Error())
		return
	}
	o.Refusal = refusal(o.Set.Name, o, events.Items)
}

// refusal is the newest event about the first pod that is missing, without the words in front of the reason.
func refusal(rec string, o *Observed, events []corev1.Event) string {
	var missing string
	for n := range replicas(o.Set) {
		if o.pod(rec, n) == nil {
			missing = names.Pod(rec, int(n))
			break
		}
	}
	var newest *corev1.Event
	for i := range events {
		e := &events[i]
		if e.InvolvedObject.UID == o.Set.UID && strings.Contains(e.Message, " Pod "+missing+" in ") && (newest == nil || lastTime(newest).Before(lastTime(e))) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	_, why, cut := strings.Cut(newest.Message, " error: ")
	if !cut {
		why = newest.Message
	}
	return strings.TrimSpace(why)
}

func lastTime(e *corev1.Event) time.Time {
	if e.Series != nil {
		return e.Series.LastObservedTime.Time
	}
	if !e.LastTimestamp.IsZero() {
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}
