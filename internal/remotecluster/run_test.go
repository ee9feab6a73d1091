package remotecluster

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// stage is a Kubernetes with one remote cluster, and the cluster itself.
type stage struct {
	t      *testing.T
	kind   *Kind
	far    *far
	client client.Client
	writes int
}

// onStage makes one. The resource is there, its Secret is not.
func onStage(t *testing.T, objects ...client.Object) *stage {
	t.Helper()
	own, ca := valid(t, farCluster)
	s := &stage{t: t, far: newFar(t, own, ca)}
	objects = append(objects, remote("far", func(spec *v1alpha1.RedisEnterpriseRemoteClusterSpec) {
		spec.APIFQDNURL, spec.RECName, spec.RECNamespace, spec.SecretName = farHost, "far", "there", ""
	}))
	s.client = interceptor.NewClient(clientWith(t, objects...).(client.WithWatch), interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			s.writes++
			return c.Patch(ctx, obj, patch, opts...)
		},
	})
	s.kind = &Kind{Client: s.client, Live: s.client, Prober: NewProber(ProberOptions{Dial: s.far.connect}), Namespace: "ns"}
	t.Cleanup(s.kind.Prober.Close)
	return s
}

// secret writes the Secret of the remote cluster.
func (s *stage) secret(data map[string]string) *corev1.Secret {
	s.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "redis-enterprise-far"}, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	if err := s.client.Create(s.t.Context(), secret); err != nil {
		if err := s.client.Update(s.t.Context(), secret); err != nil {
			s.t.Fatal(err)
		}
	}
	return secret
}

func (s *stage) credentials(password string) *corev1.Secret {
	s.t.Helper()
	return s.secret(map[string]string{names.UsernameKey: "admin", names.PasswordKey: password, names.CAKey: string(s.far.ca)})
}

// pass is what the loop does.
func (s *stage) pass() (*v1alpha1.RedisEnterpriseRemoteCluster, []kube.Event, outcome.Verdict) {
	s.t.Helper()
	obj := s.kind.New()
	if err := s.client.Get(s.t.Context(), types.NamespacedName{Namespace: "ns", Name: "far"}, obj); err != nil {
		s.t.Fatal(err)
	}
	run, err := s.kind.Run(s.t.Context(), obj)
	before := obj.DeepCopy()
	events := s.kind.Report(before, obj, run, err, time.Now())
	changed, perr := kube.PatchStatus(s.t.Context(), s.client, before, obj)
	if perr != nil {
		s.t.Fatal(perr)
	}
	if changed {
		s.writes++
	}
	return obj, events, outcome.Of(err)
}

// until passes until the word is there, and returns the events on the way.
func (s *stage) until(want v1alpha1.RemoteClusterStatus) (*v1alpha1.RedisEnterpriseRemoteCluster, string) {
	s.t.Helper()
	var told []string
	var obj *v1alpha1.RedisEnterpriseRemoteCluster
	eventually(s.t, func() bool {
		var events []kube.Event
		obj, events, _ = s.pass()
		for _, e := range events {
			told = append(told, e.Reason+": "+e.Message)
		}
		return obj.Status.Status == want
	})
	return obj, strings.Join(told, "\n")
}

func condition(obj *v1alpha1.RedisEnterpriseRemoteCluster, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(obj.Status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

func TestRERC2_TheSecret(t *testing.T) {
	s := onStage(t)
	for _, c := range []struct {
		name string
		data map[string]string
		want string
	}{
		{"it is not there", nil, "Secret redis-enterprise-far was not found in namespace ns"},
		{"it has no password", map[string]string{names.UsernameKey: "admin"}, "has no password"},
		{"it has no user name", map[string]string{names.PasswordKey: "p"}, "has no username"},
		{"its CA is none", map[string]string{names.UsernameKey: "admin", names.PasswordKey: "p", names.CAKey: "x"}, "holds no certificate"},
	} {
		t.Run("RERC-2 "+c.name, func(t *testing.T) {
			if c.data != nil {
				s.secret(c.data)
			}
			obj, events, verdict := s.pass()
			if verdict.Kind != outcome.KindRejected || verdict.Path != "spec.secretName" || !strings.Contains(verdict.Message, c.want) {
				t.Errorf("%+v", verdict)
			}
			if obj.Status.SpecStatus != appv1.SpecInvalid || obj.Status.Status != v1alpha1.RemoteClusterError || condition(obj, v1alpha1.ConditionReachable).Status != metav1.ConditionUnknown {
				t.Errorf("%+v", obj.Status)
			}
			if last := events[len(events)-1]; last.Reason != names.EventInvalidConfiguration || !last.Warning {
				t.Errorf("%+v", events)
			}
			if _, again, _ := s.pass(); len(again) > 0 {
				t.Errorf("told twice: %+v", again)
			}
		})
	}
	if s.far.dials > 0 {
		t.Errorf("%d connections without credentials to show", s.far.dials)
	}
	t.Run("RERC-2 a complete one is used", func(t *testing.T) {
		secret := s.credentials(farPassword)
		obj, _ := s.until(v1alpha1.RemoteClusterActive)
		if obj.Status.InternalObservedSecretResourceVersion != secret.ResourceVersion || obj.Status.SpecStatus != appv1.SpecValid {
			t.Errorf("%+v", obj.Status)
		}
	})
}

func TestRERC6_StatusFollowsTheCluster(t *testing.T) {
	s := onStage(t)
	s.credentials(farPassword)
	obj, told := s.until(v1alpha1.RemoteClusterActive)
	if !meta.IsStatusConditionTrue(obj.Status.Conditions, appv1.ConditionReady) || condition(obj, v1alpha1.ConditionReachable).Status != metav1.ConditionTrue ||
		obj.Status.ObservedGeneration != 1 || obj.Status.Local || obj.Status.SpecStatus != appv1.SpecValid {
		t.Errorf("%+v", obj.Status)
	}
	for _, want := range []string{`status changed from "" to "Active"`, names.EventConnected} {
		if !strings.Contains(told, want) {
			t.Errorf("no event %s in\n%s", want, told)
		}
	}
	t.Run("at rest nothing is written and told", func(t *testing.T) {
		s.writes = 0
		for range 5 {
			if _, events, _ := s.pass(); len(events) > 0 {
				t.Errorf("%+v", events)
			}
		}
		if s.writes > 0 {
			t.Errorf("%d writes", s.writes)
		}
	})
	t.Run("RERC-8 a Secret that is wrong, and right again", func(t *testing.T) {
		good := obj.Status.InternalObservedSecretResourceVersion
		s.credentials("wrong")
		obj, told := s.until(v1alpha1.RemoteClusterError)
		stalled := condition(obj, appv1.ConditionStalled)
		if stalled.Reason != v1alpha1.ReasonAccessDenied || !strings.Contains(stalled.Message, "Secret redis-enterprise-far") || strings.Contains(told, "wrong") || !strings.Contains(told, names.EventNotConnected) {
			t.Errorf("%+v\n%s", stalled, told)
		}
		if obj.Status.InternalObservedSecretResourceVersion != good || obj.Status.SpecStatus != appv1.SpecValid {
			t.Errorf("%+v", obj.Status)
		}
		mended := s.credentials(farPassword)
		if obj, _ = s.until(v1alpha1.RemoteClusterActive); obj.Status.InternalObservedSecretResourceVersion != mended.ResourceVersion {
			t.Errorf("%+v", obj.Status)
		}
	})
	t.Run("RERC-8 an address that is wrong", func(t *testing.T) {
		obj, _, _ := s.pass()
		obj.Spec.APIFQDNURL, obj.Generation = "elsewhere.example.com", 2
		if err := s.client.Update(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		obj, _ = s.until(v1alpha1.RemoteClusterError)
		if c := condition(obj, appv1.ConditionReconciling); c.Reason != v1alpha1.ReasonUnreachable || !strings.Contains(c.Message, "elsewhere.example.com:443") || obj.Status.ObservedGeneration != 2 {
			t.Errorf("%+v, generation %d", c, obj.Status.ObservedGeneration)
		}
	})
}

func TestRERC5_FirstContactIsNotedBeforeCredentialsAreSent(t *testing.T) {
	s := onStage(t)
	s.secret(map[string]string{names.UsernameKey: "admin", names.PasswordKey: farPassword})
	var obj *v1alpha1.RedisEnterpriseRemoteCluster
	eventually(t, func() bool {
		obj, _, _ = s.pass()
		return obj.Annotations[names.AnnotationCertificate] != ""
	})
	if s.far.calls > 0 {
		t.Error("something was asked before the certificate was noted")
	}
	if got := obj.Annotations[names.AnnotationCertificate]; got != printOf(t, s.far.ca) || obj.Status.Status == v1alpha1.RemoteClusterActive {
		t.Errorf("%s, %+v", got, obj.Status)
	}
	s.until(v1alpha1.RemoteClusterActive)
	t.Run("another certificate later is refused until somebody says so", func(t *testing.T) {
		s.kind.Prober.Remove(types.NamespacedName{Namespace: "ns", Name: "far"})
		renewed, ca := valid(t, farCluster)
		next := newFar(t, renewed, ca)
		s.far.change(func(f *far) { f.server = next.server })
		obj, _ := s.until(v1alpha1.RemoteClusterError)
		if c := condition(obj, appv1.ConditionStalled); c.Reason != appv1.ReasonForeignCertificate || !strings.Contains(c.Message, printOf(t, ca)) || next.calls > 0 {
			t.Errorf("%+v, %d calls", c, next.calls)
		}
		delete(obj.Annotations, names.AnnotationCertificate)
		if err := s.client.Update(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		if obj, _ = s.until(v1alpha1.RemoteClusterActive); obj.Annotations[names.AnnotationCertificate] != printOf(t, ca) {
			t.Errorf("%v", obj.Annotations)
		}
	})
}

// ownLinks is a link to the local cluster that answers nothing, but knows whom it trusts.
func ownLinks(t *testing.T, key types.NamespacedName, ca []byte) *link.Registry {
	t.Helper()
	links := link.NewRegistry(link.Options{Transport: func(types.NamespacedName) http.RoundTripper { return http.NewFileTransport(http.Dir(t.TempDir())) }})
	t.Cleanup(links.Close)
	links.Ensure(key, link.Target{Addresses: []string{"127.0.0.1"}, ServerName: "local", CA: ca})
	return links
}

func TestRERC3_TheLocalCluster(t *testing.T) {
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "there", Name: "far"}}
	for _, c := range []struct {
		name      string
		namespace string
		objects   []client.Object
		local     bool
	}{
		{"recName and recNamespace of this operator's cluster", "there", []client.Object{rec}, true},
		{"another namespace", "ns", []client.Object{rec}, false},
		{"another name", "there", []client.Object{&appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "there", Name: "rec"}}}, false},
		{"no cluster yet", "there", nil, false},
	} {
		t.Run("RERC-3 "+c.name, func(t *testing.T) {
			s := onStage(t, c.objects...)
			s.kind.Namespace = c.namespace
			s.secret(map[string]string{names.UsernameKey: "admin", names.PasswordKey: farPassword})
			obj, _, _ := s.pass()
			if obj.Status.Local != c.local {
				t.Errorf("local %t", obj.Status.Local)
			}
		})
	}
	t.Run("RERC-1 it is asked through its address outside, and no first contact is needed", func(t *testing.T) {
		s := onStage(t, rec.DeepCopy())
		s.kind.Namespace = "there"
		s.secret(map[string]string{names.UsernameKey: "admin", names.PasswordKey: farPassword})
		if _, _, verdict := s.pass(); verdict.Reason != v1alpha1.ReasonClusterNotReady {
			t.Errorf("without a certificate of its own: %+v", verdict)
		}
		s.kind.Links = ownLinks(t, client.ObjectKeyFromObject(rec), s.far.ca)
		obj, _ := s.until(v1alpha1.RemoteClusterActive)
		if !obj.Status.Local || obj.Annotations[names.AnnotationCertificate] != "" || s.far.asked != farHost {
			t.Errorf("%+v, %v, asked for %s", obj.Status, obj.Annotations, s.far.asked)
		}
	})
}

func TestRERC4_OneResourcePerCluster(t *testing.T) {
	rival := remote("rival", func(spec *v1alpha1.RedisEnterpriseRemoteClusterSpec) {
		spec.RECName, spec.RECNamespace = "far", "there"
	})
	t.Run("RERC-4 the older resource has the cluster", func(t *testing.T) {
		first := rival.DeepCopy()
		first.Name, first.Spec.SecretName = "a", "" // of the same age, and before far
		s := onStage(t, first)
		s.credentials(farPassword)
		if obj, _, verdict := s.pass(); verdict.Path != "spec.recName" || obj.Status.SpecStatus != appv1.SpecInvalid {
			t.Errorf("%+v", verdict)
		}
		if err := s.client.Delete(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		s.until(v1alpha1.RemoteClusterActive)
	})
	t.Run("RERC-4 a younger one takes nothing away", func(t *testing.T) {
		s := onStage(t, rival)
		s.credentials(farPassword)
		s.until(v1alpha1.RemoteClusterActive)
	})
}

func TestRERC9_DeletionWaitsForItsUsers(t *testing.T) {
	user := &v1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "orders"},
		Spec: v1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{ParticipatingClusters: []v1alpha1.ParticipatingCluster{{Name: "near"}, {Name: "far"}}}}
	s := onStage(t, user)
	s.credentials(farPassword)
	obj, _ := s.until(v1alpha1.RemoteClusterActive)
	if err := s.client.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	obj, events, verdict := s.pass()
	if verdict.Kind != outcome.KindWaiting || verdict.Reason != v1alpha1.ReasonInUse || !strings.Contains(verdict.Message, "team/orders") {
		t.Errorf("%+v", verdict)
	}
	if len(events) != 1 || events[0].Reason != names.EventBlocked || !events[0].Warning || condition(obj, appv1.ConditionReady).Reason != v1alpha1.ReasonInUse {
		t.Errorf("%+v, %+v", events, obj.Status.Conditions)
	}
	if _, again, _ := s.pass(); len(again) > 0 {
		t.Errorf("told twice: %+v", again)
	}
	user.Spec.ParticipatingClusters = user.Spec.ParticipatingClusters[:1]
	if err := s.client.Update(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	run, err := s.kind.Run(t.Context(), obj)
	if len(run.Done) != 1 || outcome.Of(err).Reason != appv1.ReasonDeleting {
		t.Errorf("%v, %v", run.Done, err)
	}
	if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("it is still there: %v", err)
	}
	t.Run("RERC-9 nothing but its users keeps it", func(t *testing.T) {
		s := onStage(t)
		obj, _, _ := s.pass() // no Secret, never reached
		if err := s.client.Delete(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			t.Fatal(err)
		}
		if run, err := s.kind.Run(t.Context(), obj); len(run.Done) != 1 || outcome.Of(err).Reason != appv1.ReasonDeleting {
			t.Errorf("%v, %v", run.Done, err)
		}
	})
}

func TestRERC5_VersionsAndClocksAreTold(t *testing.T) {
	for _, c := range []struct {
		name   string
		here   string
		result Result
		reason string
		says   string
	}{
		{"all agrees", "8.0.20-23", Result{Version: "8.0.9-1"}, v1alpha1.ReasonCompatible, ""},
		{"nothing is known here yet", "", Result{Version: "8.0.9-1"}, v1alpha1.ReasonCompatible, ""},
		{"another release", "8.2.0-12", Result{Version: "8.0.20-23"}, v1alpha1.ReasonVersionsDiffer, "it runs release 8.0 and the local cluster 8.2"},
		{"a clock that is ahead", "8.0.20-23", Result{Version: "8.0.20-23", Skew: 30 * time.Second}, v1alpha1.ReasonClocksDiffer, "at least 30s ahead of the local one"},
		{"a clock that is behind, and another release", "7.22.0-1", Result{Version: "8.0.20-23", Skew: -time.Hour}, v1alpha1.ReasonClocksDiffer, "at least 1h0m0s behind the local one"},
	} {
		t.Run("RERC-5 "+c.name, func(t *testing.T) {
			obj := remote("far")
			before := obj.DeepCopy()
			c.result.Finding = Reached
			run := Run{Inputs: Inputs{Remote: obj}, Observed: Observed{Result: c.result, Version: c.here}}
			events := (&Kind{}).Report(before, obj, run, nil, time.Now())
			got := condition(obj, v1alpha1.ConditionCompatible)
			if got.Reason != c.reason || !strings.Contains(got.Message, c.says) || (got.Status == metav1.ConditionTrue) != (c.says == "") {
				t.Errorf("%+v", got)
			}
			warned := false
			for _, e := range events {
				warned = warned || e.Reason == names.EventClustersDiffer && e.Warning
			}
			if warned != (c.says != "") || obj.Status.Status != v1alpha1.RemoteClusterActive {
				t.Errorf("%+v, %s", events, obj.Status.Status)
			}
		})
	}
}
