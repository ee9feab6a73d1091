package cluster

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

func database(namespace, name, cluster string) *v1alpha1.RedisEnterpriseDatabase {
	db := &v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if cluster != "" {
		db.Spec.RedisEnterpriseCluster = &v1alpha1.ClusterReference{Name: cluster}
	}
	return db
}

func TestREC116_DeletionWaitsForDatabasesAndThenEnds(t *testing.T) {
	b := running(t)
	own, far, other := database("ns", "orders", ""), database("consumer", "carts", "rec"), database("ns", "strange", "elsewhere")
	for _, db := range []*v1alpha1.RedisEnterpriseDatabase{own, far, other} {
		if err := b.client.Create(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	rec := &v1.RedisEnterpriseCluster{}
	if err := b.get("rec", rec); err != nil {
		t.Fatal(err)
	}
	if err := b.client.Delete(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	rec, err := b.run()
	if v := outcome.Of(err); v.Reason != v1.ReasonDatabasesExist || !strings.HasSuffix(v.Message, "consumer/carts, orders") || rec.Status.State != v1.ClusterDeleting {
		t.Fatalf("%s, %v", rec.Status.State, err)
	}
	if err := b.get("rec", &appsv1.StatefulSet{}); err != nil {
		t.Errorf("the cluster must serve while databases are being deleted: %v", err)
	}
	if b.kind.Links.Get(client.ObjectKeyFromObject(rec)) == nil {
		t.Error("databases cannot be deleted without the link")
	}
	for _, db := range []*v1alpha1.RedisEnterpriseDatabase{own, far} {
		if err := b.client.Delete(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = b.run(); outcome.Of(err).Reason != v1.ReasonDeleting {
		t.Fatal(err)
	}
	for name, obj := range map[string]client.Object{"rec": &appsv1.StatefulSet{}, "rec-services-rigger": &appsv1.Deployment{}, "rec-bulletin-board": &corev1.ConfigMap{}} {
		if err := b.get(name, obj); !apierrors.IsNotFound(err) {
			t.Errorf("%T is still there: %v", obj, err)
		}
	}
	if b.kind.Links.Get(client.ObjectKeyFromObject(rec)) != nil {
		t.Error("the link is still there")
	}
	if got := b.deletes["rec-0"]; !slices.Equal(got, []int64{int64(teardownGrace)}) {
		t.Errorf("STB-3 a pod of a deleted cluster gets %v seconds, not a year", got)
	}
	if err := b.client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace("ns")); err != nil {
		t.Fatal(err)
	}
	if _, err = b.run(); err != nil {
		t.Fatal(err)
	}
	if err := b.get("rec", &v1.RedisEnterpriseCluster{}); !apierrors.IsNotFound(err) {
		t.Errorf("%v", err)
	}
}

func TestSTB7_AStuckPodIsRemovedByForce(t *testing.T) {
	deleted := epoch
	for _, c := range []struct {
		name  string
		asked time.Duration // when the pod was asked to end, after the cluster was deleted
		grace *int64        // nil: it was not asked
		now   time.Duration
		want  []int64
	}{
		{"a pod that runs gets a short time", 0, nil, time.Second, []int64{20}},
		{"a pod that drains for up to a year gets less", -time.Hour, ptr.To(v1.DefaultTerminationGracePeriodSeconds), time.Second, []int64{20}},
		{"a pod that is ending is left alone", time.Second, ptr.To[int64](20), 10 * time.Second, nil},
		{"a pod that was ending before is given its time", -time.Hour, ptr.To[int64](20), 10 * time.Second, nil},
		{"a pod that is stuck goes by force", time.Second, ptr.To[int64](20), time.Minute, []int64{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec-0", UID: "p", Finalizers: []string{"test/keep"}}}
			if c.grace != nil {
				at := metav1.NewTime(deleted.Add(c.asked + time.Duration(*c.grace)*time.Second))
				pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &at, c.grace
			}
			b := newBench(t, pod.DeepCopy())
			if err := b.kind.endPod(t.Context(), pod, deleted, deleted.Add(c.now)); err != nil {
				t.Fatal(err)
			}
			if got := b.deletes["rec-0"]; !slices.Equal(got, c.want) {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestREC28_AnInvalidClusterCanBeDeleted(t *testing.T) {
	rec := newREC(nodes(2))
	rec.Finalizers = []string{names.ClusterFinalizer}
	b := newBench(t, rec)
	if _, err := b.run(); outcome.Of(err).Kind != outcome.KindRejected {
		t.Fatal(err)
	}
	if err := b.get("rec", rec); err != nil {
		t.Fatal(err)
	}
	if err := b.client.Delete(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	if err := b.get("rec", rec); !apierrors.IsNotFound(err) {
		t.Errorf("%v", err)
	}
}
