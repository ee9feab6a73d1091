package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/standin"
)

// keptObjects are those that a take-over must not make anew.
func (v *vendor) keptObjects() []client.Object {
	return []client.Object{
		&appsv1.StatefulSet{ObjectMeta: v.scene.meta("rec")},
		&corev1.Service{ObjectMeta: v.scene.meta("rec")},
		&corev1.Service{ObjectMeta: v.scene.meta("rec-ui")},
		&corev1.Service{ObjectMeta: v.scene.meta("rec-prom")},
		&corev1.Secret{ObjectMeta: v.scene.meta("rec")},
		&corev1.Secret{ObjectMeta: v.scene.meta("redb-orders")},
		&corev1.ServiceAccount{ObjectMeta: v.scene.meta("rec")},
		&rbacv1.Role{ObjectMeta: v.scene.meta("rec")},
		&corev1.ConfigMap{ObjectMeta: v.scene.meta("rec-bulletin-board")},
	}
}

// identities are the uids of pods, claims and kept objects.
func (v *vendor) identities() (pods, others map[string]types.UID) {
	v.t.Helper()
	pods, others = map[string]types.UID{}, map[string]types.UID{}
	for _, pod := range v.pods(v.t.Context()) {
		pods[pod.Name] = pod.UID
	}
	var claims corev1.PersistentVolumeClaimList
	if err := world.Client.List(v.t.Context(), &claims, client.InNamespace(v.namespace)); err != nil {
		v.t.Fatal(err)
	}
	for i := range claims.Items {
		others["claim "+claims.Items[i].Name] = claims.Items[i].UID
	}
	for _, obj := range v.keptObjects() {
		if err := world.Client.Get(v.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			v.t.Fatal(err)
		}
		others[fmt.Sprintf("%T %s", obj, obj.GetName())] = obj.GetUID()
	}
	return pods, others
}

func (v *vendor) set() *appsv1.StatefulSet {
	v.t.Helper()
	set := &appsv1.StatefulSet{}
	if err := world.Client.Get(v.t.Context(), v.key("rec"), set); err != nil {
		v.t.Fatal(err)
	}
	return set
}

// value is what the database holds.
func (v *vendor) value(t *testing.T, want string) {
	t.Helper()
	v.eventually(limitDatabase, "the value "+want, func(ctx context.Context) string {
		err := v.withRedis("orders", vendorsPassword, func(c *redis.Client) error {
			got, err := c.Get(ctx, "kept").Result()
			if err == nil && got != want {
				return fmt.Errorf("it is %q", got)
			}
			return err
		})
		if err != nil {
			return err.Error()
		}
		return ""
	})
}

func TestTakeOver(t *testing.T) {
	s := stage(t)
	v := vendors(s)
	pods, others := v.identities()
	before := v.set()
	s.start()

	t.Run("nothing is trusted that nobody vouches for", func(t *testing.T) {
		s.condition(v.rec, appv1.ConditionPodsTakenOver, metav1.ConditionFalse, limitWord)
		waits := s.condition(v.rec, appv1.ConditionReady, metav1.ConditionFalse, limitWord)
		if !strings.Contains(waits.Message, names.BoardTrusted) {
			t.Errorf("%s", waits.Message)
		}
		s.event("rec", corev1.EventTypeNormal, names.EventTakenOver, names.AnnotationReplacePods)
	})
	t.Run("cluster and database are served once their certificate is known", func(*testing.T) {
		edit(s, &corev1.ConfigMap{ObjectMeta: s.meta("rec-bulletin-board")}, func(c *corev1.ConfigMap) { c.Data[names.BoardTrusted] = v.certificate(t) })
		s.ready(v.rec, limitCluster)
		s.ready(v.db, limitDatabase)
	})
	t.Run("INST-3 everything is adopted, and nothing is made anew but the rigger", func(t *testing.T) { v.adopted(t, pods, others, before) })
	if err := v.withRedis("orders", vendorsPassword, func(c *redis.Client) error { return c.Set(t.Context(), "kept", "yes", 0).Err() }); err != nil {
		t.Fatal(err)
	}
	t.Run("a change that pods do not feel, and another operator, leave them alone", func(t *testing.T) {
		edit(s, v.rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.SlaveHA = &appv1.SlaveHA{SlaveHAGracePeriod: 900} })
		s.ready(v.rec, limitCluster)
		s.restart()
		s.settleWrites()
		s.ready(v.rec, limitCluster)
		if now, _ := v.identities(); !maps.Equal(now, pods) {
			t.Errorf("pods %v, before %v", now, pods)
		}
	})
	t.Run("REC-42 once a person agrees the pods are replaced one by one", func(t *testing.T) {
		watch := s.watchPods()
		edit(s, v.rec, func(r *appv1.RedisEnterpriseCluster) {
			metav1.SetMetaDataAnnotation(&r.ObjectMeta, names.AnnotationReplacePods, "true")
		})
		s.condition(v.rec, appv1.ConditionPodsTakenOver, metav1.ConditionTrue, limitRoll)
		s.ready(v.rec, limitRoll)
		watch.check(t)
		v.replaced(t, pods, others)
		s.ready(v.db, limitDatabase)
		v.value(t, "yes")
	})
}

// adopted checks that all is ours now, and as it was.
func (v *vendor) adopted(t *testing.T, pods, others map[string]types.UID, before *appsv1.StatefulSet) {
	nowPods, now := v.identities()
	if !maps.Equal(nowPods, pods) || !maps.Equal(now, others) {
		t.Errorf("pods %v, before %v; objects %v, before %v", nowPods, pods, now, others)
	}
	if set := v.set(); set.Generation != before.Generation {
		t.Error("the StatefulSet of the other operator was changed")
	}
	for _, obj := range append(v.keptObjects(), &policyv1.PodDisruptionBudget{ObjectMeta: v.scene.meta("rec")}, &appsv1.Deployment{ObjectMeta: v.scene.meta("rec-services-rigger")}) {
		if err := world.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			t.Error(err)
		} else if !metav1.IsControlledBy(obj, v.rec) || obj.GetLabels()["redis.io/cluster"] != "rec" {
			t.Errorf("%T %s: %v, %v", obj, obj.GetName(), obj.GetOwnerReferences(), obj.GetLabels())
		}
		if budget, ok := obj.(*policyv1.PodDisruptionBudget); ok && (budget.Spec.MinAvailable == nil || budget.Spec.MaxUnavailable != nil) {
			t.Errorf("%+v", budget.Spec)
		}
		if rigger, ok := obj.(*appsv1.Deployment); ok && (len(rigger.Spec.Template.Spec.Containers) != 1 || rigger.Spec.Template.Spec.Containers[0].Image == standin.ForeignImage) {
			t.Errorf("%+v", rigger.Spec.Template.Spec.Containers)
		}
	}
	if v.rec.Generation != 1 || v.rec.Status.State != appv1.ClusterRunning {
		t.Errorf("generation %d, state %s", v.rec.Generation, v.rec.Status.State)
	}
}

// replaced checks that nothing of the other operator's pods is left, and that the data is where it was.
func (v *vendor) replaced(t *testing.T, pods, others map[string]types.UID) {
	_, now := v.identities()
	if !maps.Equal(now, others) {
		t.Errorf("objects %v, before %v", now, others)
	}
	for _, pod := range v.pods(t.Context()) {
		if pods[pod.Name] == pod.UID {
			t.Errorf("%s is the old pod", pod.Name)
		}
		node, helper := pod.Spec.Containers[0], pod.Spec.Containers[1]
		if len(pod.Spec.Containers) != 2 || helper.Image == standin.ForeignImage || node.ReadinessProbe.Exec != nil || node.Lifecycle.PreStop.Exec != nil {
			t.Errorf("%+v", pod.Spec.Containers)
		}
		if slices.ContainsFunc(node.Env, func(e corev1.EnvVar) bool { return e.Name == "THEIRS" }) ||
			slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == "theirs" }) {
			t.Errorf("something of theirs is left: %+v", pod.Spec)
		}
		if !slices.ContainsFunc(node.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == vendorsData && m.Name == names.StorageClaim }) {
			t.Errorf("the data is no longer at its place: %+v", node.VolumeMounts)
		}
	}
}
