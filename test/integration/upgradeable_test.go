package integration

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/controllers"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/upgradeable"
)

// TestOLMIsToldOfARealCluster: what the operator itself writes into the status of a cluster closes the gate and opens it. The
// rest of the gate is tested in test/upgradegate.
func TestOLMIsToldOfARealCluster(t *testing.T) {
	s := newScene(t)
	s.foreign("_operatorconditions")
	condition := s.operatorCondition("operator.v1.1.0")
	if err := s.operator.Stop(); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.operator, err = world.Operator(t.Context(), s.namespace, func(o *command.ManagerOptions) {
		o.Gate = controllers.Gate{Condition: condition.GetName(), Limit: time.Hour, Pause: time.Second}
	}); err != nil {
		t.Fatal(err)
	}
	s.upgradeable(condition, "True", upgradeable.ReasonSafe)

	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3)}}
	s.create(rec)
	s.upgradeable(condition, "False", upgradeable.ReasonBootstrap, upgradeable.ReasonScaling)
	s.ready(rec, limitCluster)
	s.upgradeable(condition, "True", upgradeable.ReasonSafe)

	edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
		r.Spec.RedisEnterprisePodAnnotations = map[string]string{"example.org/round": "1"}
	})
	s.upgradeable(condition, "False", upgradeable.ReasonRolling)
}

// operatorCondition makes what OLM makes for an operator that it installed: the object, and the right to it alone.
func (s *scene) operatorCondition(name string) *unstructured.Unstructured {
	s.t.Helper()
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(kube.OperatorCondition)
	obj.SetNamespace(s.namespace)
	obj.SetName(name)
	s.create(obj)
	s.create(&rbacv1.Role{ObjectMeta: s.meta(name), Rules: []rbacv1.PolicyRule{{APIGroups: []string{kube.OperatorCondition.Group},
		Resources: []string{"operatorconditions"}, ResourceNames: []string{name}, Verbs: []string{"get", "update", "patch"}}}})
	s.create(&rbacv1.RoleBinding{ObjectMeta: s.meta(name), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: names.Owner}}})
	return obj
}

// upgradeable waits until OLM is told so.
func (s *scene) upgradeable(condition *unstructured.Unstructured, status string, reasons ...string) {
	s.t.Helper()
	s.eventually(limitWord, fmt.Sprintf("Upgradeable=%s because of %s", status, reasons), func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(condition), condition); err != nil {
			return err.Error()
		}
		list, _, err := unstructured.NestedSlice(condition.Object, "spec", "conditions")
		if err != nil {
			return err.Error()
		}
		for _, item := range list {
			c, isMap := item.(map[string]any)
			if isMap && c["type"] == "Upgradeable" && c["status"] == status && slices.Contains(reasons, fmt.Sprint(c["reason"])) {
				return ""
			}
		}
		return fmt.Sprint(list)
	})
}
