package lifecycle

import (
	"context"
	"strings"
	"testing"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

func TestActsOnRemotes(t *testing.T) {
	for version, want := range map[string]bool{"1.0.0": false, "1.1.0": true, "1.1.1": true, "2.0.0": true, "any": false} {
		if actsOnRemotes(version) != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
}

// remoteAt is a remote cluster with what an operator says of it.
func remoteAt(host string, local bool, word appv1alpha1.RemoteClusterStatus, conditions ...metav1.Condition) *appv1alpha1.RedisEnterpriseRemoteCluster {
	remote := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: at("rec-east")}
	remote.Generation, remote.Spec.APIFQDNURL = 2, host
	remote.Status.Local, remote.Status.Status, remote.Status.Conditions = local, word, conditions
	return remote
}

func said(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, ObservedGeneration: 2, Reason: reason, Message: message}
}

// TestRERC3_OutcomeOfTheLocalCluster: it is reached, or its host name leads nowhere; nothing else ends the wait.
func TestRERC3_OutcomeOfTheLocalCluster(t *testing.T) {
	const host = "api.example.com"
	active, failed := appv1alpha1.RemoteClusterActive, appv1alpha1.RemoteClusterError
	ready := said(appv1.ConditionReady, metav1.ConditionTrue, appv1.ReasonReady, "")
	notReady := said(appv1.ConditionReady, metav1.ConditionFalse, "any", "any")
	reached := said(appv1alpha1.ConditionReachable, metav1.ConditionTrue, "any", "")
	unresolved := said(appv1alpha1.ConditionReachable, metav1.ConditionFalse, appv1.ReasonHostUnresolved, host+" does not resolve here")
	of := func(reason, message string) metav1.Condition {
		return said(appv1alpha1.ConditionReachable, metav1.ConditionFalse, reason, message)
	}
	old := unresolved
	old.ObservedGeneration = 1
	for name, c := range map[string]struct {
		remote             *appv1alpha1.RedisEnterpriseRemoteCluster
		settled, isReached bool
	}{
		"reached":                             {remoteAt(host, true, active, ready, reached), true, true},
		"in no DNS":                           {remoteAt(host, true, failed, notReady, unresolved), true, false},
		"nobody there":                        {remoteAt(host, true, failed, notReady, of(appv1alpha1.ReasonUnreachable, host+" cannot be connected to")), true, false},
		"nothing was said":                    {remoteAt(host, true, ""), false, false},
		"not known as the local one":          {remoteAt(host, false, active, ready, reached), false, false},
		"the word differs":                    {remoteAt(host, true, failed, ready, reached), false, false},
		"ready and not reachable":             {remoteAt(host, true, active, ready, unresolved), false, false},
		"of the spec before":                  {remoteAt(host, true, failed, notReady, old), false, false},
		"of another host":                     {remoteAt("other.example.com", true, failed, notReady, unresolved), false, false},
		"that does not name the host":         {remoteAt(host, true, failed, notReady, of(appv1.ReasonHostUnresolved, "does not resolve")), false, false},
		"refused credentials are no such end": {remoteAt(host, true, failed, notReady, of(appv1alpha1.ReasonAccessDenied, host+" does not accept them")), false, false},
	} {
		if settled, isReached := outcomeOf(c.remote, host); settled != c.settled || isReached != c.isReached {
			t.Errorf("%s: settled %v, reached %v", name, settled, isReached)
		}
	}
}

// TestRERC2_ARemoteClusterWithoutItsSecret has to be told by the name of that Secret.
func TestRERC2_ARemoteClusterWithoutItsSecret(t *testing.T) {
	for message, want := range map[string]v1alpha3.State{"Secret redis-enterprise-rec-east was not found": v1alpha3.PassState, "something is wrong": v1alpha3.FailState} {
		s := world(t, options(), remoteAt("h", false, appv1alpha1.RemoteClusterError,
			said(appv1.ConditionReady, metav1.ConditionFalse, appv1.ReasonMissingReference, message)))
		if got := result(s, func(ctx context.Context, t report.T) { s.lacksCredentials(ctx, t, "rec-east") }); got.State != want {
			t.Errorf("%s: %+v", message, got)
		}
	}
}

// TestAA1_ADatabaseThatWaits has to say for which participant.
func TestAA1_ADatabaseThatWaits(t *testing.T) {
	for message, want := range map[string]v1alpha3.State{"remote cluster rec-west is not Active yet": v1alpha3.PassState, "not Active yet": v1alpha3.FailState} {
		db := &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: at("sessions")}
		db.Generation = 2
		db.Status.Conditions = []metav1.Condition{said(appv1.ConditionReady, metav1.ConditionFalse, appv1alpha1.ReasonClusterNotReady, message)}
		s := world(t, options(), db)
		if got := result(s, func(ctx context.Context, t report.T) {
			s.waitsForParticipants(ctx, t, "sessions", []string{"rec-west"})
		}); got.State != want {
			t.Errorf("%s: %+v", message, got)
		}
	}
}

// TestNotActedOn: a release that does not act on an example may not call it ready.
func TestNotActedOn(t *testing.T) {
	for status, want := range map[metav1.ConditionStatus]v1alpha3.State{metav1.ConditionFalse: v1alpha3.PassState, metav1.ConditionTrue: v1alpha3.FailState} {
		remote := remoteAt("h", false, "", said(appv1.ConditionReady, status, "NotActedOn", "it is not acted on"))
		s := world(t, options(), remote)
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(remote)
		if err != nil {
			t.Fatal(err)
		}
		example := &unstructured.Unstructured{Object: content}
		example.SetGroupVersionKind(appv1alpha1.GroupVersion.WithKind(remoteKind))
		got := result(s, func(ctx context.Context, t report.T) { s.isAnswered(ctx, t, example) })
		if got.State != want || want == v1alpha3.FailState && !strings.Contains(strings.Join(got.Errors, " "), "says that it is ready") {
			t.Errorf("%s: %+v", status, got)
		}
	}
}

// TestCopyCredentials: only what a remote cluster needs is copied.
func TestCopyCredentials(t *testing.T) {
	s := world(t, options(), &corev1.Secret{ObjectMeta: at(firstCluster),
		Data: map[string][]byte{names.UsernameKey: []byte("u"), names.PasswordKey: []byte("p"), "other": []byte("x")}})
	if err := s.copyCredentials(t.Context(), "rec-east"); err != nil {
		t.Fatal(err)
	}
	var made corev1.Secret
	if err := s.Get(t.Context(), s.Key("redis-enterprise-rec-east"), &made); err != nil {
		t.Fatal(err)
	}
	if len(made.Data) != 2 || string(made.Data[names.UsernameKey]) != "u" || string(made.Data[names.PasswordKey]) != "p" {
		t.Errorf("%d keys", len(made.Data))
	}
}
