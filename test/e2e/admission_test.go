//go:build e2e

package e2e

import (
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// admission sends what must not get in.
func admission(t *testing.T, s *suite) {
	t.Run("ADM-13 an eviction policy that does not exist is denied by the documented webhook", func(t *testing.T) {
		db := s.Cache()
		db.Name, db.Spec.EvictionPolicy = "e2e-illegal", "illegal"
		s.denied(t, db, "illegal")
	})
	t.Run("ADM-6 a memory size that is none is denied", func(t *testing.T) {
		db := s.Cache()
		db.Name, db.Spec.MemorySize = "e2e-memory", "12XB"
		s.denied(t, db, "spec.memorySize")
	})
	t.Run("REC-28 a cluster of two nodes is denied", func(t *testing.T) {
		cluster := s.SmallCluster(s.node)
		cluster.Spec.Nodes = ptr.To[int32](2)
		s.denied(t, cluster, "spec.nodes")
	})
	t.Run("ADM-1 the operator has put its certificate into the webhook configuration", func(t *testing.T) {
		var hooks admissionregistrationv1.ValidatingWebhookConfiguration
		must(t, s.Get(t.Context(), client.ObjectKey{Name: names.AdmissionWebhook}, &hooks))
		for _, hook := range hooks.Webhooks {
			if len(hook.ClientConfig.CABundle) == 0 {
				t.Errorf("webhook %s has no caBundle", hook.Name)
			}
		}
	})
}

// denied applies an object that the webhook must refuse, with a sentence that has the word in it.
func (s *suite) denied(t *testing.T, obj client.Object, word string) {
	t.Helper()
	err := s.ApplyObject(t.Context(), obj)
	if err == nil {
		t.Fatalf("%s got in", obj.GetName())
	}
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !strings.Contains(err.Error(), "denied the request") {
		t.Errorf("refused by something else: %v", err)
	}
	for _, want := range []string{names.AdmissionName, word} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
