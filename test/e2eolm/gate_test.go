//go:build e2eolm

package e2eolm

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// heldBack is OLM's reason for a release that waits because the running one says so.
const heldBack = "OperatorConditionNotUpgradeable"

// gate approves the next release in the middle of a rolling change: OLM must keep the running operator until the change is
// through, and then go on by itself.
func gate(t *testing.T, s *suite) {
	ctx := t.Context()
	w := s.writer(t, "gate-orders", shardedDB)
	before := s.podIDs(t)
	must(t, s.MergePatch(ctx, s.cluster(t), `{"spec":{"redisEnterprisePodAnnotations":{"e2e":"rolled"}}}`))
	must(t, s.Await(ctx, "operatorcondition/"+s.head.csv(), time.Minute, func() (bool, string, error) {
		status, reason, message := s.upgradeable(ctx, s.head)
		return status == string(metav1.ConditionFalse), fmt.Sprintf("Upgradeable=%s (%s) %s", status, reason, message), nil
	}))
	s.approve(t, s.next)
	t.Run("OLM holds the next release back while pods are replaced", func(t *testing.T) { s.isHeldBack(t, before) })
	must(t, s.Await(ctx, "pods", 6*time.Minute, func() (bool, string, error) {
		n := s.replaced(t, before)
		return n == len(before), fmt.Sprintf("%d of %d are new", n, len(before)), nil
	}))
	s.phase(t, s.next, "Succeeded", 5*time.Minute)
	must(t, s.AwaitDeployment(ctx, operator, 2*time.Minute))
	s.settled(t, s.next)
	t.Run("no acknowledged write is lost", func(t *testing.T) { s.nothingLost(t, w, time.Minute) })
	t.Run("the condition of the old release is gone", func(t *testing.T) {
		if _, err := s.object(ctx, conditionKind, s.head.csv()); err == nil {
			t.Error("it is still there")
		}
	})
}

// isHeldBack sees the new release wait while the old one still runs and the change is not through.
func (s *suite) isHeldBack(t *testing.T, before map[string]string) {
	t.Helper()
	ctx := t.Context()
	must(t, s.Await(ctx, "csv/"+s.next.csv(), 3*time.Minute, func() (bool, string, error) {
		if s.replaced(t, before) == len(before) {
			return false, "", fmt.Errorf("all pods are new already, and nothing was held back")
		}
		csv, err := s.object(ctx, csvKind, s.next.csv())
		if err != nil {
			return notYet(err)
		}
		now := fmt.Sprintf("%s (%s) %s", text(csv, "status", "phase"), text(csv, "status", "reason"), text(csv, "status", "message"))
		if text(csv, "status", "phase") == "Succeeded" {
			return false, now, fmt.Errorf("the upgrade went through during the change")
		}
		return text(csv, "status", "reason") == heldBack, now, nil
	}))
	s.runs(t, s.head)
}

// replaced counts the node pods that are not those from before.
func (s *suite) replaced(t *testing.T, before map[string]string) int {
	t.Helper()
	count := 0
	for name, id := range s.podIDs(t) {
		if before[name] != id {
			count++
		}
	}
	return count
}
