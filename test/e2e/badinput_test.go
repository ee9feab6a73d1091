//go:build e2e

package e2e

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// badInput is what the operator itself says to a spec that the webhook did not stop: a sentence that names the path, in
// status and in an event; nothing else changes; and a correction heals without anything being restarted.
func badInput(t *testing.T, s *suite) {
	s.bypassAdmission(t)
	var taken appv1alpha1.RedisEnterpriseDatabase
	must(t, s.Get(t.Context(), s.Key(shardedDB), &taken))
	port := taken.Status.InternalEndpoints[0].Port
	cases := []struct {
		name, path, correction string
		spoil                  func(*appv1alpha1.RedisEnterpriseDatabase)
	}{
		{"REDB-8 a memory size that is none", "spec.memorySize", `{"spec":{"memorySize":"100MB"}}`,
			func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "12XB" }},
		{"ADM-6 a port in use", "spec.databasePort", `{"spec":{"databasePort":null}}`,
			func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = ptr.To(port) }},
		{"REDB-14 a missing Secret", "spec.databaseSecretName", "",
			func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseSecretName = "e2e-password" }},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			db := s.Cache()
			db.Name = "e2e-bad"
			test.spoil(db)
			s.badDatabase(t, db, test.path, test.correction)
		})
	}
	t.Run("REC-28 a cluster of two nodes", s.badCluster)
}

func (s *suite) badDatabase(t *testing.T, db *appv1alpha1.RedisEnterpriseDatabase, path, correction string) {
	ctx := t.Context()
	before := s.generations(t)
	must(t, s.ApplyObject(ctx, db))
	t.Cleanup(func() { s.remove(t, db) })
	s.awaitSentence(t, db, path, func() []metav1.Condition { return db.Status.Conditions })
	if after := s.generations(t); !maps.Equal(before, after) {
		t.Errorf("something else changed: before %v, after %v", before, after)
	}
	if db.Status.DatabaseUID != "" {
		t.Errorf("database %s was made of it", db.Status.DatabaseUID)
	}
	if correction == "" {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: db.Spec.DatabaseSecretName},
			StringData: map[string]string{names.PasswordKey: "a password of the test"}}
		must(t, s.Create(ctx, secret))
		t.Cleanup(func() { s.remove(t, secret) })
	} else {
		must(t, s.MergePatch(ctx, db, correction))
	}
	must(t, s.AwaitDatabase(ctx, db.Name, time.Minute))
}

func (s *suite) badCluster(t *testing.T) {
	before := s.generations(t)
	s.patchCluster(t, `{"spec":{"nodes":2}}`)
	cluster := s.cluster(t)
	t.Cleanup(func() {
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"nodes":3}}`))
		if err := s.Patch(context.WithoutCancel(t.Context()), cluster, patch); err != nil {
			t.Error(err)
		}
	})
	s.awaitSentence(t, cluster, "spec.nodes", func() []metav1.Condition { return cluster.Status.Conditions })
	if cluster.Status.SpecStatus != appv1.SpecInvalid {
		t.Errorf("specStatus is %q", cluster.Status.SpecStatus)
	}
	if after := s.generations(t); !maps.Equal(before, after) {
		t.Errorf("something else changed: before %v, after %v", before, after)
	}
	s.patchCluster(t, `{"spec":{"nodes":3}}`)
	must(t, s.AwaitCluster(t.Context(), rec, time.Minute))
	if cluster = s.cluster(t); cluster.Status.SpecStatus != appv1.SpecValid {
		t.Errorf("specStatus is %q after the correction", cluster.Status.SpecStatus)
	}
}

// awaitSentence waits for the path in the Ready condition and in a warning.
func (s *suite) awaitSentence(t *testing.T, obj client.Object, path string, conditions func() []metav1.Condition) {
	t.Helper()
	must(t, s.Await(t.Context(), obj.GetName(), time.Minute, func() (bool, string, error) {
		if err := s.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			return false, "", err
		}
		ready := meta.FindStatusCondition(conditions(), appv1.ConditionReady)
		if ready == nil || ready.Status == metav1.ConditionTrue {
			return false, "no sentence yet", nil
		}
		return strings.Contains(ready.Message, path), ready.Message, nil
	}))
	must(t, s.Await(t.Context(), "event", time.Minute, func() (bool, string, error) {
		events, err := s.Core.CoreV1().Events(s.Namespace).List(t.Context(), metav1.ListOptions{
			FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(obj.GetUID())).String()})
		if err != nil {
			return false, "", err
		}
		for _, event := range events.Items {
			if event.Type == corev1.EventTypeWarning && strings.Contains(event.Message, path) {
				return true, event.Reason + ": " + event.Message, nil
			}
		}
		return false, "none yet", nil
	}))
}

// remove deletes an object at the end of a test and waits until it is gone.
func (s *suite) remove(t *testing.T, obj client.Object) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if err := client.IgnoreNotFound(s.Delete(ctx, obj)); err != nil {
		t.Error(err)
	}
	if err := s.AwaitGone(ctx, obj, 2*time.Minute); err != nil {
		t.Error(err)
	}
}

// bypassAdmission keeps the webhook out of the namespace until the test ends.
func (s *suite) bypassAdmission(t *testing.T) {
	t.Helper()
	s.selectAdmission(t, &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{s.Namespace}}}})
	t.Cleanup(func() { s.selectAdmission(t, &metav1.LabelSelector{}) })
	probe := s.Cache()
	probe.Name, probe.Spec.MemorySize = "e2e-probe", "12XB"
	must(t, s.Await(t.Context(), "webhook", time.Minute, func() (bool, string, error) {
		err := s.Create(t.Context(), probe.DeepCopy(), client.DryRunAll)
		return err == nil, "not bypassed yet", nil
	}))
}

func (s *suite) selectAdmission(t *testing.T, selector *metav1.LabelSelector) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var hooks admissionregistrationv1.ValidatingWebhookConfiguration
	must(t, s.Get(ctx, client.ObjectKey{Name: names.AdmissionWebhook}, &hooks))
	before := hooks.DeepCopy()
	for i := range hooks.Webhooks {
		hooks.Webhooks[i].NamespaceSelector = selector
	}
	must(t, s.Patch(ctx, &hooks, client.MergeFrom(before)))
}
