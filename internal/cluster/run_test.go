package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// bench is a cluster in a fake API server, with a scripted admin API.
type bench struct {
	t      *testing.T
	kind   *Kind
	client client.Client
	api    *script

	mu      sync.Mutex
	writes  []string
	deletes map[string][]int64 // grace periods by pod
}

// script answers the admin API and notes what is written to it.
type script struct {
	mu      sync.Mutex
	answers map[string]any // by path
	refuse  int            // status of every write, 0 for success
	written []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	answer, known := s.answers[r.URL.Path]
	switch {
	case r.Method != http.MethodGet && s.refuse != 0:
		w.WriteHeader(s.refuse)
		answer = map[string]string{"error_code": "refused", "description": "no"}
	case r.Method != http.MethodGet:
		s.written = append(s.written, r.Method+" "+r.URL.Path)
		answer = map[string]string{}
	case !known:
		w.WriteHeader(http.StatusNotFound)
		answer = map[string]string{"error_code": "not_found"}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return nil, err
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

func newBench(t *testing.T, objects ...client.Object) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme, v1alpha1.AddToScheme, monitoringv1.AddToScheme, ingress.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, deletes: map[string][]int64{}, api: &script{answers: map[string]any{}}}
	note := func(verb string, obj any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.writes = append(b.writes, fmt.Sprintf("%s %T", verb, obj))
	}
	b.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&v1.RedisEnterpriseCluster{}, &appsv1.StatefulSet{}, &appsv1.Deployment{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, o ...client.CreateOption) error {
				note("create", obj)
				return c.Create(ctx, obj, o...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, p client.Patch, o ...client.PatchOption) error {
				note("patch", obj)
				return c.Patch(ctx, obj, p, o...)
			},
			Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, o ...client.ApplyOption) error {
				note("apply", obj)
				return c.Apply(ctx, obj, o...)
			},
			Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, o ...client.DeleteOption) error {
				note("delete", obj)
				return b.delete(ctx, c, obj, o)
			},
		}).Build()
	links := link.NewRegistry(link.Options{Transport: func(types.NamespacedName) http.RoundTripper { return b.api }})
	t.Cleanup(links.Close)
	b.kind = &Kind{Client: b.client, Reader: b.client, Links: links, Platform: testPlatform}
	return b
}

// delete keeps pods as a kubelet does that has not ended them yet, and notes how long they were given.
func (b *bench) delete(ctx context.Context, c client.WithWatch, obj client.Object, options []client.DeleteOption) error {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return c.Delete(ctx, obj, options...)
	}
	given := client.DeleteOptions{}
	given.ApplyOptions(options)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deletes[pod.Name] = append(b.deletes[pod.Name], *given.GracePeriodSeconds)
	if *given.GracePeriodSeconds == 0 {
		return c.Delete(ctx, obj)
	}
	return nil
}

func (b *bench) get(name string, into client.Object) error {
	return b.client.Get(b.t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, into)
}

// run does what the loop does.
func (b *bench) run() (*v1.RedisEnterpriseCluster, error) {
	b.t.Helper()
	rec := &v1.RedisEnterpriseCluster{}
	if err := b.get("rec", rec); err != nil {
		b.t.Fatal(err)
	}
	run, err := b.kind.Run(b.t.Context(), rec)
	before := rec.DeepCopy()
	b.kind.Report(before, rec, run, err, epoch)
	if perr := client.IgnoreNotFound(b.client.Status().Patch(b.t.Context(), rec, client.MergeFrom(before))); perr != nil {
		b.t.Fatal(perr)
	}
	return rec, err
}

// start gives the cluster what Kubernetes and the bootstrappers would: pods, reports, a ready rigger, and an API.
func (b *bench) start() {
	b.t.Helper()
	set, rigger, notes := &appsv1.StatefulSet{}, &appsv1.Deployment{}, &corev1.ConfigMap{}
	for name, obj := range map[string]client.Object{"rec": set, "rec-services-rigger": rigger, "rec-bulletin-board": notes} {
		if err := b.get(name, obj); err != nil {
			b.t.Fatal(err)
		}
	}
	set.Status.CurrentRevision, set.Status.UpdateRevision = "a", "a"
	rigger.Status.ReadyReplicas = 1
	var list []map[string]any
	statuses := map[string]any{}
	for n := range 3 {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: names.Pod("rec", n), Labels: map[string]string{podRevision: "a"}},
			Spec:       set.Spec.Template.Spec,
			Status:     corev1.PodStatus{PodIP: address(n), Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
		for key, value := range set.Spec.Template.Labels {
			pod.Labels[key] = value
		}
		if err := b.client.Create(b.t.Context(), pod); err != nil {
			b.t.Fatal(err)
		}
		uid := fmt.Sprint(n + 1)
		notes.Data[board.Key(pod.Name)] = board.Report{State: rest.BootstrapCompleted, UID: uid, Address: address(n), Certificate: "pem"}.String()
		list = append(list, map[string]any{"uid": n + 1, "addr": address(n), "status": "active", "software_version": "8.2.0"})
		statuses[uid] = map[string]any{"role": map[bool]string{true: "master", false: "slave"}[n == 1]}
	}
	for _, err := range []error{b.client.Status().Update(b.t.Context(), set), b.client.Status().Update(b.t.Context(), rigger), b.client.Update(b.t.Context(), notes)} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	b.api.mu.Lock()
	defer b.api.mu.Unlock()
	b.api.answers = map[string]any{
		"/v1/nodes": list, "/v1/nodes/status": statuses, "/v1/bdbs": []any{}, "/v1/shards": []any{},
		"/v1/actions": map[string]any{"actions": []any{}, "state-machines": []any{}}, "/v1/cluster": map[string]any{"name": "rec"},
		"/v1/cluster/policy": map[string]any{"slave_ha_grace_period": 600}, "/v1/modules": []any{},
		"/v1/license": map[string]any{"license": "", "expired": false, "shards_limit": 4, "expiration_date": "2030-01-01T00:00:00Z"},
	}
}

func (b *bench) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = nil
}

func newBorn() *v1.RedisEnterpriseCluster {
	return newREC(func(r *v1.RedisEnterpriseCluster) { r.CreationTimestamp = metav1.NewTime(epoch) })
}

func TestRunFromNothingToRunning(t *testing.T) {
	b := newBench(t, newBorn())
	rec, err := b.run()
	if v := outcome.Of(err); v.Kind != outcome.KindWaiting || v.Reason != v1.ReasonBootstrapping {
		t.Fatalf("%v", err)
	}
	if rec.Spec.RedisEnterpriseImageSpec == nil || rec.Spec.RedisEnterpriseImageSpec.VersionTag != "8.2.0" {
		t.Errorf("REC-6 %+v", rec.Spec.RedisEnterpriseImageSpec)
	}
	if !slices.Contains(rec.Finalizers, names.ClusterFinalizer) {
		t.Errorf("REC-116 %v", rec.Finalizers)
	}
	secret := &corev1.Secret{}
	if err := b.get("rec", secret); err != nil || len(secret.Data["password"]) < 16 || string(secret.Data["username"]) != "demo@redis.com" || !metav1.IsControlledBy(secret, rec) {
		t.Errorf("REC-61 %v, %v", err, secret.OwnerReferences)
	}
	if rec, _ = b.run(); rec.Status.State != v1.ClusterBootstrappingFirstPod {
		t.Errorf("state %s", rec.Status.State)
	}
	again := &corev1.Secret{}
	if err := b.get("rec", again); err != nil || string(again.Data["password"]) != string(secret.Data["password"]) {
		t.Errorf("the password was drawn twice: %v", err)
	}

	b.start()
	if rec, err = b.run(); err != nil {
		t.Fatalf("%v", err)
	}
	if rec.Status.State != v1.ClusterRunning || rec.Status.SpecStatus != v1.SpecValid || rec.Status.ObservedGeneration != rec.Generation {
		t.Errorf("%+v", rec.Status)
	}
	for _, kind := range []string{v1.ConditionReady, v1.ConditionBootstrapComplete, v1.ConditionNodesHealthy, v1.ConditionLicenseValid} {
		if !meta.IsStatusConditionTrue(rec.Status.Conditions, kind) {
			t.Errorf("%s: %+v", kind, meta.FindStatusCondition(rec.Status.Conditions, kind))
		}
	}
	if l := rec.Status.LicenseStatus; l == nil || l.ShardsUsage != "0/4" || l.LicenseState != v1.LicenseStateValid {
		t.Errorf("REC-72 %+v", l)
	}
	notes := &corev1.ConfigMap{}
	if err := b.get("rec-bulletin-board", notes); err != nil || notes.Data[names.BoardFormed] != "true" || notes.Data[names.BoardMembers] == "" || notes.Data[board.Key("rec-0")] == "" {
		t.Errorf("REC-22 %v, %v", err, notes.Data)
	}
	pod := &corev1.Pod{}
	if err := b.get("rec-1", pod); err != nil || pod.Labels[names.LabelMaster] != "1" {
		t.Errorf("REC-8 %v, %v", err, pod.Labels)
	}
	if !slices.Equal(b.api.written, []string{"PUT /v1/cluster/policy"}) {
		t.Errorf("STB-5 %v", b.api.written)
	}
	b.quiet()
}

// quiet checks rule REC-12: a converged cluster is left alone.
func (b *bench) quiet() {
	b.t.Helper()
	b.api.mu.Lock()
	b.api.answers["/v1/cluster/policy"] = map[string]any{"slave_ha_grace_period": 1800}
	b.api.written = nil
	b.api.mu.Unlock()
	if _, err := b.kind.Links.Get(types.NamespacedName{Namespace: "ns", Name: "rec"}).Refresh(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	for range 3 {
		if _, err := b.run(); err != nil {
			b.t.Fatal(err)
		}
		b.forget()
		b.api.mu.Lock()
		b.api.written = nil
		b.api.mu.Unlock()
	}
	if _, err := b.run(); err != nil {
		b.t.Fatal(err)
	}
	if len(b.writes) > 0 || len(b.api.written) > 0 {
		b.t.Errorf("REC-12 written at rest: %v, %v", b.writes, b.api.written)
	}
}

func running(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, newBorn())
	_, _ = b.run() // it waits for the bootstrap
	b.start()
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) edit(change edit) {
	b.t.Helper()
	rec := &v1.RedisEnterpriseCluster{}
	if err := b.get("rec", rec); err != nil {
		b.t.Fatal(err)
	}
	change(rec)
	rec.Generation++
	if err := b.client.Update(b.t.Context(), rec); err != nil {
		b.t.Fatal(err)
	}
}

func TestREC28_AnInvalidSpecChangesNothing(t *testing.T) {
	b := running(t)
	b.edit(func(r *v1.RedisEnterpriseCluster) { annotate(r); nodes(2)(r) })
	b.forget()
	rec, err := b.run()
	if v := outcome.Of(err); v.Kind != outcome.KindRejected || v.Path != "spec.nodes" {
		t.Fatalf("%v", err)
	}
	if rec.Status.State != v1.ClusterInvalid || rec.Status.SpecStatus != v1.SpecInvalid || !meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionStalled) {
		t.Errorf("%+v", rec.Status)
	}
	if len(b.writes) != 0 {
		t.Errorf("%v", b.writes)
	}
	b.edit(func(r *v1.RedisEnterpriseCluster) { r.Spec.PodAnnotations = nil; nodes(3)(r) })
	if rec, err = b.run(); err != nil || rec.Status.State != v1.ClusterRunning || rec.Status.SpecStatus != v1.SpecValid {
		t.Errorf("a corrected spec heals: %s, %v", rec.Status.State, err)
	}
}

func TestREC43_AChangeOfTheTemplateIsWrittenWithItsPartition(t *testing.T) {
	b := running(t)
	b.edit(annotate)
	rec, err := b.run()
	if v := outcome.Of(err); v.Reason != v1.ReasonRollingUpdate || rec.Status.State != v1.ClusterRunningRollingUpdate {
		t.Fatalf("%s, %v", rec.Status.State, err)
	}
	set := &appsv1.StatefulSet{}
	if err := b.get("rec", set); err != nil || partition(set) != 3 || set.Spec.Template.Annotations["a"] != "b" || set.Annotations[AnnotationRollout] != v1.ReasonRollingUpdate {
		t.Errorf("%v: partition %d, %v", err, partition(set), set.Annotations)
	}
	set.Status.UpdateRevision = "b" // Kubernetes takes note
	if err := b.client.Status().Update(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	if _, err := b.run(); outcome.Of(err).Kind != outcome.KindWaiting {
		t.Fatal(err)
	}
	if err := b.get("rec", set); err != nil || partition(set) != 2 {
		t.Errorf("%v: partition %d", err, partition(set))
	}
}

func TestREC71_ALicence(t *testing.T) {
	for _, c := range []struct {
		name   string
		secret map[string][]byte
		refuse int
		path   string
	}{
		{"in a secret", map[string][]byte{"license": []byte("text")}, 0, ""},
		{"in no secret", nil, 0, "spec.licenseSecretName"},
		{"in a secret without the key", map[string][]byte{"licence": []byte("text")}, 0, "spec.licenseSecretName"},
		{"that the cluster refuses", map[string][]byte{"license": []byte("text")}, http.StatusNotAcceptable, "spec.licenseSecretName"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := running(t)
			if c.secret != nil {
				if err := b.client.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "l"}, Data: c.secret}); err != nil {
					t.Fatal(err)
				}
			}
			b.api.written, b.api.refuse = nil, c.refuse
			b.edit(func(r *v1.RedisEnterpriseCluster) { r.Spec.LicenseSecretName = "l" })
			rec, err := b.run()
			if v := outcome.Of(err); v.Path != c.path {
				t.Fatalf("%v", err)
			}
			if put := slices.Contains(b.api.written, "PUT /v1/license"); put != (c.path == "") {
				t.Errorf("%v", b.api.written)
			}
			if c.path != "" && (rec.Status.SpecStatus != v1.SpecInvalid || rec.Status.State != v1.ClusterRunning) {
				t.Errorf("%s, %s", rec.Status.SpecStatus, rec.Status.State)
			}
		})
	}
}

func TestREC61_AGivenSecretIsUsed(t *testing.T) {
	given := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "admin"}, Data: map[string][]byte{"username": []byte("a@b.c")}}
	b := newBench(t, given, newREC(func(r *v1.RedisEnterpriseCluster) { r.Spec.ClusterCredentialSecretName = "admin" }))
	if _, err := b.run(); outcome.Of(err).Path != "spec.clusterCredentialSecretName" || !strings.Contains(err.Error(), "password") {
		t.Errorf("%v", err)
	}
	given.Data["password"] = []byte("p\n")
	given.ResourceVersion = ""
	if err := b.client.Update(t.Context(), given); err != nil {
		t.Fatal(err)
	}
	b.start()
	rec, err := b.run()
	if err != nil || rec.Status.ClusterCredentialSecretName != "admin" {
		t.Errorf("%s, %v", rec.Status.ClusterCredentialSecretName, err)
	}
	if got := b.kind.Links.Get(client.ObjectKeyFromObject(rec)).Target().Credentials; got != (rest.Credentials{Username: "a@b.c", Password: "p"}) {
		t.Errorf("%s", got)
	}
	// The Secret goes: nothing may draw a new password for a cluster that has one.
	if err := b.client.Delete(t.Context(), given); err != nil {
		t.Fatal(err)
	}
	if _, err = b.run(); outcome.Of(err).Path != "spec.clusterCredentialSecretName" {
		t.Errorf("%v", err)
	}
	if err := b.get("admin", &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("%v", err)
	}
}

func TestINST3_ASecondClusterIsNotBuilt(t *testing.T) {
	first := newBorn()
	first.Name, first.UID, first.CreationTimestamp = "first", "u-first", metav1.NewTime(epoch.Add(-time.Hour))
	b := newBench(t, first, newBorn())
	rec, err := b.run()
	if v := outcome.Of(err); v.Kind != outcome.KindRejected || !strings.Contains(v.Message, "first") || rec.Status.State != v1.ClusterInvalid {
		t.Errorf("%s, %v", rec.Status.State, err)
	}
	if err := b.get("rec", &appsv1.StatefulSet{}); !apierrors.IsNotFound(err) {
		t.Errorf("%v", err)
	}
}
