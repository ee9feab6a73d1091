package integration

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestRollout(t *testing.T) {
	s := newScene(t)
	rec := s.cluster()
	s.database("kept", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", Replication: ptr.To(true)})

	t.Run("REC-43 a changed template replaces one pod at a time, whoever leads", func(t *testing.T) {
		before := s.pods(t.Context())
		watch := s.watchPods()
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
			r.Spec.RedisEnterprisePodAnnotations = map[string]string{"example.org/round": "1"}
		})
		s.state(rec, appv1.ClusterRunningRollingUpdate, limitWord)
		s.restart() // the next operator goes on where this one was
		s.ready(rec, limitRoll)
		watch.check(t)
		for _, pod := range s.pods(t.Context()) {
			if pod.Annotations["example.org/round"] != "1" {
				t.Errorf("%s still has the old template", pod.Name)
			}
			if slices.ContainsFunc(before, func(old corev1.Pod) bool { return old.UID == pod.UID }) {
				t.Errorf("%s is the old pod", pod.Name)
			}
		}
		if rec.Status.State != appv1.ClusterRunning {
			t.Errorf("state %s", rec.Status.State)
		}
	})
	t.Run("REC-42 another version is an upgrade", func(t *testing.T) {
		watch := s.watchPods()
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
			r.Spec.RedisEnterpriseImageSpec = &appv1.ImageSpec{VersionTag: "8.2.1-10.1"}
		})
		s.state(rec, appv1.ClusterUpgrade, limitWord)
		s.ready(rec, limitRoll)
		watch.check(t)
		for _, pod := range s.pods(t.Context()) {
			if image := pod.Spec.Containers[0].Image; image != "quay.io/open-redis-enterprise/emulator:8.2.1-10.1" {
				t.Errorf("%s runs %s", pod.Name, image)
			}
		}
		var set appsv1.StatefulSet
		if err := world.Client.Get(t.Context(), s.key("rec"), &set); err != nil {
			t.Fatal(err)
		}
		if p := *set.Spec.UpdateStrategy.RollingUpdate.Partition; p != 3 {
			t.Errorf("at rest the partition is %d: a template edited by hand would replace pods", p)
		}
	})
	t.Run("the database is still there", func(*testing.T) {
		s.ready(&appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("kept")}, limitDatabase)
	})
}

func (s *scene) pods(ctx context.Context) []corev1.Pod {
	s.t.Helper()
	var pods corev1.PodList
	if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(names.NodeLabels("rec"))); err != nil {
		s.t.Fatal(err)
	}
	return pods.Items
}

// state waits for a state of the cluster.
func (s *scene) state(rec *appv1.RedisEnterpriseCluster, want appv1.ClusterState, limit time.Duration) {
	s.t.Helper()
	s.eventually(limit, "state "+string(want), func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); err != nil {
			return err.Error()
		}
		if rec.Status.State == want {
			return ""
		}
		return fmt.Sprintf("%s: %+v", rec.Status.State, rec.Status.Conditions)
	})
}

// podWatch looks all the time whether more than one pod is away. A pod that has been ready counts as there until it is
// deleted: nodes that are too slow to answer for a while are not what the operator does.
type podWatch struct {
	stop func()
	wg   sync.WaitGroup
	away []string
}

func (s *scene) watchPods() *podWatch {
	ctx, stop := context.WithCancel(s.t.Context())
	w := &podWatch{stop: stop}
	w.wg.Go(func() {
		wasReady := map[types.UID]bool{}
		for ctx.Err() == nil {
			var pods corev1.PodList
			if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(names.NodeLabels("rec"))); err == nil {
				up := 0
				for i := range pods.Items {
					pod := &pods.Items[i]
					wasReady[pod.UID] = wasReady[pod.UID] || podReady(pod)
					if pod.DeletionTimestamp == nil && wasReady[pod.UID] {
						up++
					}
				}
				if up < 2 {
					w.away = append(w.away, fmt.Sprintf("%s: %d of 3 pods were up", metav1.Now().Format(time.TimeOnly), up))
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	return w
}

func (w *podWatch) check(t *testing.T) {
	t.Helper()
	w.stop()
	w.wg.Wait()
	if len(w.away) > 0 {
		t.Errorf("%d times: %s", len(w.away), w.away[0])
	}
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
