package cluster

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

func TestREC116_ClaimsThatAnEarlierClusterLeft(t *testing.T) {
	claim := func() *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "redis-enterprise-storage-rec-0", Labels: names.ClusterLabels("rec")}}
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}, Data: map[string][]byte{names.UsernameKey: []byte("u"), names.PasswordKey: []byte("p")}}
	for _, c := range []struct {
		name string
		mend func(*bench) error
	}{
		{"are deleted", func(b *bench) error { return b.client.Delete(t.Context(), claim()) }},
		{"get their password back", func(b *bench) error { return b.client.Create(t.Context(), secret) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, newBorn(), claim())
			rec, err := b.run()
			verdict := outcome.Of(err)
			if verdict.Kind != outcome.KindRejected || !strings.Contains(verdict.Message, "redis-enterprise-storage-rec-0") || verdict.Path != "spec.clusterCredentialSecretName" {
				t.Fatalf("%v", err)
			}
			if rec.Status.State != v1.ClusterInvalid {
				t.Errorf("state %s", rec.Status.State)
			}
			if err := b.get("rec", &corev1.Secret{}); !apierrors.IsNotFound(err) {
				t.Errorf("another password was drawn: %v", err)
			}
			if err := c.mend(b); err != nil {
				t.Fatal(err)
			}
			if rec, err = b.run(); outcome.Of(err).Reason != v1.ReasonBootstrapping {
				t.Errorf("mended: %v", err)
			}
			if err := b.get("rec", &appsv1.StatefulSet{}); err != nil || rec.Status.State == v1.ClusterInvalid {
				t.Errorf("state %s, %v", rec.Status.State, err)
			}
		})
	}
}

func TestREC27_AWaitThatLastsIsWarnedOfOnce(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	o.Formed, o.Snapshot, o.Board = false, nil, nil
	run := Run{Inputs: inputs(rec), Observed: o, Validated: true}
	waits := outcome.Wait(v1.ReasonBootstrapping, soon, "pod rec-0 is starting and forming the cluster")
	k := &Kind{}
	warned := 0
	for minute := range 30 {
		now := epoch.Add(time.Duration(minute) * time.Minute)
		for i := range rec.Status.Conditions { // the library stamps them with the time of the test
			if minute == 1 {
				rec.Status.Conditions[i].LastTransitionTime = metav1.NewTime(epoch)
			}
		}
		before := rec.DeepCopy()
		got := told(k.Report(before, rec, run, waits, now), names.EventStillWaiting)
		if len(got) > 0 && (minute < 10 || !strings.Contains(got[0], "pod rec-0 is starting")) {
			t.Errorf("after %d minutes: %v", minute, got)
		}
		warned += len(got)
	}
	if warned != 1 {
		t.Errorf("warned %d times", warned)
	}
}
