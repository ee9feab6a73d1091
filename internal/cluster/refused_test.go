package cluster

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// refusedAt is an event as the StatefulSet controller writes it.
func refusedAt(set types.UID, pod, why string, at time.Time) corev1.Event {
	return corev1.Event{InvolvedObject: corev1.ObjectReference{UID: set}, LastTimestamp: metav1.NewTime(at),
		Message: "Create Pod " + pod + " in StatefulSet rec failed error: " + why}
}

func TestREC21_WhyAPodIsNotCreated(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	o.Set.UID = "set"
	o.Pods, o.Formed = nil, false
	for name, c := range map[string]struct {
		events []corev1.Event
		want   string
	}{
		"no event says nothing":             {nil, ""},
		"the newest counts":                 {[]corev1.Event{refusedAt("set", "rec-0", "new", epoch.Add(time.Minute)), refusedAt("set", "rec-0", "old", epoch)}, "new"},
		"another pod's is not this one's":   {[]corev1.Event{refusedAt("set", "rec-1", "quota", epoch)}, ""},
		"another set of the name is passed": {[]corev1.Event{refusedAt("earlier", "rec-0", "quota", epoch)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusal("rec", o, c.events); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("the first pod", func(t *testing.T) {
		o.Refusal = "pods \"rec-0\" is forbidden: exceeded quota"
		reason, said := membership(rec, o)
		if reason != v1.ReasonPodRefused || !strings.Contains(said, "rec-0") || !strings.Contains(said, "exceeded quota") {
			t.Errorf("%s: %s", reason, said)
		}
	})
	t.Run("a later pod", func(t *testing.T) {
		o := healthy(rec)
		o.Pods, o.Refusal = o.Pods[:2], "exceeded quota"
		reason, said := membership(rec, o)
		if reason != v1.ReasonPodRefused || !strings.Contains(said, "2 of 3 nodes") || !strings.Contains(said, "exceeded quota") {
			t.Errorf("%s: %s", reason, said)
		}
	})
}
