//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// roll is how long all pods may take to be replaced.
const roll = 6 * time.Minute

// rollingUpdate changes resources and labels of the node pods under a writing client.
func rollingUpdate(t *testing.T, s *suite) {
	w := s.writer(t, "e2e-roll", shardedDB)
	pods := s.watchPods(t, 3)
	states := s.watchState(t, clusters, rec, "state")
	before := s.podIDs(t)
	s.patchCluster(t, `{"spec":{"redisEnterpriseNodeResources":{"requests":{"memory":"272Mi"}},"redisEnterprisePodAnnotations":{"e2e":"rolled"}}}`)
	s.rolled(t, before)
	t.Run("REC-43 the state was RunningRollingUpdate", func(t *testing.T) {
		passedThrough(t, states, appv1.ClusterRunningRollingUpdate)
	})
	t.Run("REC-42 one pod at a time", func(t *testing.T) { pods.check(t) })
	t.Run("no acknowledged write is lost", func(t *testing.T) { nothingLost(t, w, planned) })
	for name := range before {
		if pod := s.pod(t, name); pod.Annotations["e2e"] != "rolled" {
			t.Errorf("pod %s does not have the new template", name)
		}
	}
}

// upgrade changes the node image under two writing clients, and kills the operator after the first pod.
func upgrade(t *testing.T, s *suite) {
	replicated, single := s.writer(t, "e2e-upgrade-orders", shardedDB), s.writer(t, "e2e-upgrade-cache", singleDB)
	pods := s.watchPods(t, 3)
	states := s.watchState(t, clusters, rec, "state")
	before := s.podIDs(t)
	s.patchCluster(t, `{"spec":{"redisEnterpriseImageSpec":{"versionTag":"`+s.next+`"}}}`)
	must(t, s.Await(t.Context(), "first pod", roll, func() (bool, string, error) {
		return s.replaced(t, before) > 0, "", nil
	}))
	t.Log("the operator is killed in the middle")
	s.killOperator(t)
	s.rolled(t, before)
	t.Run("REC-42 the state was Upgrade", func(t *testing.T) { passedThrough(t, states, appv1.ClusterUpgrade) })
	t.Run("REC-42 one pod at a time", func(t *testing.T) { pods.check(t) })
	t.Run("no acknowledged write is lost from the replicated database", func(t *testing.T) { nothingLost(t, replicated, planned) })
	t.Run("no acknowledged write is lost from the single shard", func(t *testing.T) { nothingLost(t, single, planned) })
	t.Run("all nodes run the new version", func(t *testing.T) {
		// A tag is the version of the software and the number of the image built of it.
		s.nodesAre(t, 3, s.next[:strings.LastIndex(s.next, ".")])
	})
	s.columnsAreFilled(t, clusters, rec)
}

// scaleOut adds two nodes.
func scaleOut(t *testing.T, s *suite) {
	ctx := t.Context()
	before := s.podIDs(t)
	s.patchCluster(t, `{"spec":{"nodes":5}}`)
	must(t, s.AwaitCluster(ctx, rec, heal))
	t.Run("REC-32 two nodes have joined", func(t *testing.T) {
		s.podsRun(t, 5)
		s.nodesAre(t, 5, "")
	})
	for name, uid := range before {
		if string(s.pod(t, name).UID) != uid {
			t.Errorf("pod %s was replaced", name)
		}
	}
	t.Run("REC-33 scaling in is refused", func(t *testing.T) {
		err := s.MergePatch(ctx, s.cluster(t), `{"spec":{"nodes":3}}`)
		if err == nil || !strings.Contains(err.Error(), "spec.nodes") {
			t.Errorf("got %v", err)
		}
	})
}

func (s *suite) cluster(t *testing.T) *appv1.RedisEnterpriseCluster {
	t.Helper()
	var cluster appv1.RedisEnterpriseCluster
	must(t, s.Get(t.Context(), s.Key(rec), &cluster))
	return &cluster
}

func (s *suite) patchCluster(t *testing.T, patch string) {
	t.Helper()
	must(t, s.MergePatch(t.Context(), s.cluster(t), patch))
}

func (s *suite) podIDs(t *testing.T) map[string]string {
	t.Helper()
	pods, err := s.NodePods(t.Context(), rec)
	must(t, err)
	ids := map[string]string{}
	for _, pod := range pods {
		ids[pod.Name] = string(pod.UID)
	}
	return ids
}

// replaced counts the pods that are new and ready.
func (s *suite) replaced(t *testing.T, before map[string]string) int {
	t.Helper()
	pods, err := s.NodePods(t.Context(), rec)
	must(t, err)
	count := 0
	for _, pod := range pods {
		if before[pod.Name] != string(pod.UID) && isReady(&pod) {
			count++
		}
	}
	return count
}

// rolled waits until all pods are new and everything is ready.
func (s *suite) rolled(t *testing.T, before map[string]string) {
	t.Helper()
	must(t, s.Await(t.Context(), "pods", roll, func() (bool, string, error) {
		n := s.replaced(t, before)
		return n == len(before), fmt.Sprintf("%d of %d are new", n, len(before)), nil
	}))
	must(t, s.AwaitCluster(t.Context(), rec, heal))
	must(t, s.AwaitDatabase(t.Context(), shardedDB, heal))
	must(t, s.AwaitDatabase(t.Context(), singleDB, heal))
}

func passedThrough(t *testing.T, w *stateWatch, state appv1.ClusterState) {
	t.Helper()
	w.stop()
	seen := w.values()
	if !slices.Contains(seen, string(state)) || seen[len(seen)-1] != string(appv1.ClusterRunning) {
		t.Errorf("the states were %v", seen)
	}
}
