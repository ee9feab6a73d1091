package activeactive

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// TestAA9_TheWebhookDoesNotRefuseWhatTheOthersAgreedOn edits on a participant that has what another one lacks: a Secret,
// and room in the licence for counting the shards twice.
func TestAA9_TheWebhookDoesNotRefuseWhatTheOthersAgreedOn(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	fresh := func(s *site) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace(), Name: "fresh"}, Data: map[string][]byte{names.PasswordKey: []byte("fresh")}}
	}
	for _, s := range sites {
		s.webhook = s.reviewed
		s.make(s.secret("first"))
	}
	east.make(east.orders(&v1alpha1.GlobalConfigurations{DatabaseSecretName: "common"}, "east", "west"))
	settled(sites...)
	west.make(fresh(west))
	shards := 3
	west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.DatabaseSecretName, db.Spec.GlobalConfigurations.ShardCount = "fresh", &shards
	})
	together("AA-12 east follows, and says what it lacks", sites, func(s *site, end error) (string, bool) {
		db := s.db()
		if s == west {
			return fmt.Sprint(db.Status.SecretsStatus), end == nil
		}
		ready, told := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady), meta.IsStatusConditionFalse(db.Status.Conditions, v1alpha1.ConditionSecretsInSync)
		list := db.Status.SecretsStatus
		return fmt.Sprint(ready, list), told && ready.Status == metav1.ConditionFalse && ready.Reason == appv1.ReasonMissingReference &&
			len(list) == 1 && list[0] == v1alpha1.SecretStatus{Name: "fresh", Status: appv1.SpecInvalid} && *db.Spec.GlobalConfigurations.ShardCount == shards
	})
	changed := east.db()
	changed.Spec.GlobalConfigurations.MemorySize = "200MB"
	if err := east.reviewed(t.Context(), east.client, changed); err != nil {
		t.Errorf("the Secret that is missing keeps another edit from being made: %v", err)
	}
	changed.Spec.GlobalConfigurations.DatabaseSecretName = "typo"
	if err := east.reviewed(t.Context(), east.client, changed); err == nil {
		t.Error("ADM-7 an edit may name a Secret that does not exist")
	}
	east.make(fresh(east))
	settled(sites...)
}

// TestAA9_ARefusedAdoptionIsTold: a policy here is against what the others agreed on, so that a person must look.
func TestAA9_ARefusedAdoptionIsTold(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west"))
	settled(sites...)
	east.webhook = func(_ context.Context, _ client.Client, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) error {
		if g := db.Spec.GlobalConfigurations; g != nil && g.MemorySize == "200MB" {
			return denied("no team has more than 100MB")
		}
		return nil
	}
	west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.MemorySize = "200MB"
	})
	together("east says what keeps it from following", sites, func(s *site, _ error) (string, bool) {
		ready := meta.FindStatusCondition(s.db().Status.Conditions, appv1.ConditionReady)
		return fmt.Sprint(ready), s == west || ready.Status == metav1.ConditionFalse && strings.Contains(ready.Message, "refused here: no team has more than 100MB")
	})
	east.webhook = nil
	settled(sites...)
	if got := east.db().Spec.GlobalConfigurations.MemorySize; got != "200MB" {
		t.Errorf("memory %s", got)
	}
}
