package upgradegate

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/controllers"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/upgradeable"
)

var (
	running = appv1.RedisEnterpriseClusterStatus{State: appv1.ClusterRunning}
	rolls   = appv1.RedisEnterpriseClusterStatus{State: appv1.ClusterRunningRollingUpdate}
	quick   = controllers.Gate{Condition: csv, Limit: time.Hour, Pause: 100 * time.Millisecond}
)

// TestUpgradeGate begins where OLM is not there at all, so it comes first: what is served once stays.
func TestUpgradeGate(t *testing.T) {
	w := newWorld(t, "gate")
	w.cluster("rec", running)
	r := w.replica(quick)

	t.Run("Trap13 an API that is absent breaks nothing", func(t *testing.T) {
		w.in(t).eventually("three looks", func() string { return unless(r.asked() > 2, "not yet") })
		if n := r.count("", 0); n != 0 {
			t.Fatalf("%d calls for objects of a kind that is not served", n)
		}
	})
	serve(t)
	t.Run("nor does a right that OLM has not granted yet", func(t *testing.T) {
		w.in(t).eventually("three refusals", func() string { return unless(r.count(http.MethodGet, http.StatusForbidden) > 2, "not yet") })
	})
	w.grantAsOLM()
	t.Run("nor an object that is absent", func(t *testing.T) {
		w.in(t).eventually("three looks", func() string { return unless(r.count(http.MethodGet, http.StatusNotFound) > 2, "not yet") })
	})
	w.condition()
	t.Run("what comes later is picked up, and what others wrote stays", func(t *testing.T) {
		_, all := w.in(t).told(metav1.ConditionTrue, upgradeable.ReasonSafe, "")
		if len(all.Conditions) != 2 || all.Conditions[0].Type != "example.org/Other" || all.Conditions[0].LastTransitionTime.UTC().Year() != 2026 {
			t.Errorf("conditions %+v", all.Conditions)
		}
		if len(all.Overrides) != 1 || all.Overrides[0].Reason != "Admin" || fmt.Sprint(all.Deployments, all.ServiceAccounts) != fmt.Sprintf("[%s] [%s]", names.Owner, names.Owner) {
			t.Errorf("%+v", all)
		}
	})
	t.Run("Trap14 nothing is listed or watched", func(t *testing.T) {
		// The path of a list or watch ends in the plural; both would have been refused.
		before := r.count(http.MethodGet, http.StatusForbidden)
		reads := r.count(http.MethodGet, http.StatusOK)
		w.in(t).eventually("three looks", func() string { return unless(r.count(http.MethodGet, http.StatusOK) > reads+2, "not yet") })
		if after := r.count(http.MethodGet, http.StatusForbidden); after != before {
			t.Errorf("%d refused reads, then %d", before, after)
		}
	})
	t.Run("a cluster that rolls is named, and forgotten when it has rolled", func(t *testing.T) {
		w := w.in(t)
		w.status("rec", rolls)
		w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "gate/rec")
		w.status("rec", running)
		w.told(metav1.ConditionTrue, upgradeable.ReasonSafe, "")
	})
	t.Run("at rest nothing is written", func(t *testing.T) {
		w := w.in(t)
		before, _ := w.told(metav1.ConditionTrue, upgradeable.ReasonSafe, "")
		writes, reads := r.count(http.MethodPatch, 0), r.count(http.MethodGet, 0)
		w.eventually("five more looks", func() string { return unless(r.count(http.MethodGet, 0) > reads+5, "not yet") })
		if after, _ := w.told(metav1.ConditionTrue, upgradeable.ReasonSafe, ""); after != before || r.count(http.MethodPatch, 0) != writes {
			t.Errorf("version %s, then %s; %d writes, then %d", before, after, writes, r.count(http.MethodPatch, 0))
		}
	})
	t.Run("what was taken away is told again", func(t *testing.T) {
		w := w.in(t)
		obj, _, err := w.read(t.Context())
		if err == nil {
			err = w.client.Delete(t.Context(), obj)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.condition()
		w.told(metav1.ConditionTrue, upgradeable.ReasonSafe, "")
	})
	t.Run("an operator that is killed leaves its word, and the next one goes on", func(t *testing.T) {
		w := w.in(t)
		w.status("rec", rolls)
		before, _ := w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "gate/rec")
		r.stop()
		next := w.replica(quick)
		w.eventually("looks of the next one", func() string { return unless(next.count(http.MethodGet, 0) > 2, "not yet") })
		if after, _ := w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "gate/rec"); after != before || next.count(http.MethodPatch, 0) != 0 {
			t.Errorf("version %s, then %s, after %d writes", before, after, next.count(http.MethodPatch, 0))
		}
		w.status("rec", running)
		w.told(metav1.ConditionTrue, upgradeable.ReasonSafe, "")
		if next.count(http.MethodPatch, 0) != 1 {
			t.Errorf("%d writes for one change", next.count(http.MethodPatch, 0))
		}
	})
}

func unless(done bool, what string) string {
	if done {
		return ""
	}
	return what
}

func TestOnlyTheLeaderTellsOLM(t *testing.T) {
	w := newWorld(t, "leader")
	serve(t)
	w.condition()
	w.grantAsOLM()
	w.cluster("rec", rolls)
	first := w.replica(quick)
	<-first.elected
	second := w.replica(quick)
	w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "leader/rec")
	w.status("rec", running)
	w.told(metav1.ConditionTrue, upgradeable.ReasonSafe, "")
	if n := second.count("", 0); n != 0 {
		t.Errorf("the other replica made %d calls", n)
	}
	first.stop()
	<-second.elected
	w.status("rec", rolls)
	w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "leader/rec")
}

// TestWithoutANameNobodyIsTold: OLM is not there, so there is nothing to run. Whatever was added would need the manager.
func TestWithoutANameNobodyIsTold(t *testing.T) {
	if err := controllers.OperatorConditions.Add(t.Context(), controllers.Shared{Namespace: "nameless"}); err != nil {
		t.Error(err)
	}
}

func TestAClusterThatIsStuckDoesNotHoldForEver(t *testing.T) {
	w := newWorld(t, "stuck")
	serve(t)
	w.condition()
	w.grantAsOLM()
	long := metav1.NewTime(time.Now().Add(-2 * time.Hour))
	stuck := rolls
	stuck.Conditions = []metav1.Condition{
		{Type: appv1.ConditionRollingUpdate, Status: metav1.ConditionTrue, Reason: appv1.ReasonRollingUpdate, LastTransitionTime: long},
		{Type: appv1.ConditionNodesHealthy, Status: metav1.ConditionFalse, Reason: appv1.ReasonNodesDown, LastTransitionTime: long},
	}
	w.cluster("rec", stuck)
	// The cluster was made just now, and that counts as a movement until the limit has passed: time alone changes the answer.
	gate := quick
	gate.Limit, gate.Pause = 3*time.Second, time.Hour
	w.replica(gate)
	w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "stuck/rec")
	w.told(metav1.ConditionTrue, upgradeable.ReasonDegraded, "stuck/rec")

	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: w.meta("rec")}
	pin := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"true"}}}`, names.AnnotationHoldUpgrade))
	if err := w.client.Patch(t.Context(), rec, pin); err != nil {
		t.Fatal(err)
	}
	w.told(metav1.ConditionFalse, upgradeable.ReasonRolling, "stuck/rec")
}
