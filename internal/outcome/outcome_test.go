package outcome

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// refusal is a rejection of a package below.
type refusal struct{}

func (refusal) Error() string           { return "spec.databasePort: taken" }
func (refusal) SpecPath() string        { return "spec.databasePort" }
func (refusal) ConditionReason() string { return v1.ReasonRejectedByCluster }

func TestOf(t *testing.T) {
	fast := Wait("DatabaseBusy", time.Second, "the database is busy")
	slow := Wait("PodsRolling", time.Minute, "pods are rolling")
	bad := Reject("spec.memorySize", "12XB is no size")
	boom := errors.New("boom")
	for _, tc := range []struct {
		name    string
		err     error
		kind    Kind
		reason  string
		message string
		retry   bool
		after   time.Duration
	}{
		{name: "no error is done"},
		{name: "a wait keeps its delay", err: fast, kind: KindWaiting, reason: "DatabaseBusy", message: "the database is busy", after: time.Second},
		{name: "a wrapped wait keeps its meaning", err: fmt.Errorf("applying: %w", fast), kind: KindWaiting, reason: "DatabaseBusy",
			message: "the database is busy", after: time.Second},
		{name: "a wait without delay gets the default", err: &Waiting{Reason: "X", Message: "x"}, kind: KindWaiting, reason: "X", message: "x", after: DefaultWait},
		{name: "a rejection names the path", err: bad, kind: KindRejected, reason: v1.ReasonInvalidSpec, message: "spec.memorySize: 12XB is no size"},
		{name: "a rejection of a package below counts as one", err: fmt.Errorf("creating: %w", refusal{}), kind: KindRejected,
			reason: v1.ReasonRejectedByCluster, message: "spec.databasePort: taken"},
		{name: "a failure keeps what was being done", err: fmt.Errorf("reading the secret: %w", boom), kind: KindFailed,
			reason: v1.ReasonReconcileFailed, message: "reading the secret: boom", retry: true},
		{name: "of several waits the shortest delay wins and the first is shown", err: errors.Join(slow, fast), kind: KindWaiting,
			reason: "PodsRolling", message: "pods are rolling", after: time.Second},
		{name: "a rejection is shown before waits and failures", err: errors.Join(fast, boom, fmt.Errorf("spec: %w", bad)), kind: KindRejected,
			reason: v1.ReasonInvalidSpec, message: "spec.memorySize: 12XB is no size", retry: true, after: time.Second},
		{name: "a failure is shown before a wait", err: errors.Join(fast, boom), kind: KindFailed, reason: v1.ReasonReconcileFailed,
			message: "the database is busy\nboom", retry: true, after: time.Second},
		{name: "local ports do not make the message differ", err: errors.New("read tcp 10.0.0.1:40112->10.0.0.2:9443: reset"),
			kind: KindFailed, reason: v1.ReasonReconcileFailed, message: "read tcp 10.0.0.2:9443: reset", retry: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := Of(tc.err)
			if v.Kind != tc.kind || v.Reason != tc.reason || v.Message != tc.message || v.retry != tc.retry || v.after != tc.after {
				t.Fatalf("got %+v", v)
			}
		})
	}
}

func TestResult(t *testing.T) {
	boom := errors.New("boom")
	for _, tc := range []struct {
		name     string
		err      error
		from, to time.Duration
		fails    bool
	}{
		{name: "done comes back at the drift interval", from: Drift, to: Drift + Drift/10},
		{name: "rejected comes back at the drift interval", err: Reject("spec.x", "no"), from: Drift, to: Drift + Drift/10},
		{name: "waiting comes back after its delay", err: Wait("X", time.Minute, "x"), from: time.Minute, to: 66 * time.Second},
		{name: "failed is returned", err: errors.Join(boom, Wait("X", time.Second, "x")), fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Result(tc.err)
			if tc.fails != (err != nil) || tc.fails && !errors.Is(err, boom) {
				t.Fatalf("error is %v", err)
			}
			if r.RequeueAfter < tc.from || r.RequeueAfter > tc.to {
				t.Fatalf("requeue after %s, want %s to %s", r.RequeueAfter, tc.from, tc.to)
			}
		})
	}
}

func TestSetConditions(t *testing.T) {
	status := func(c []metav1.Condition, kind string) metav1.ConditionStatus {
		if found := meta.FindStatusCondition(c, kind); found != nil {
			return found.Status
		}
		return "absent"
	}
	var c []metav1.Condition
	meta.SetStatusCondition(&c, metav1.Condition{Type: "Other", Status: metav1.ConditionTrue, Reason: "Kept"})
	for _, step := range []struct {
		name                        string
		err                         error
		generation                  int64
		ready, reconciling, stalled metav1.ConditionStatus
	}{
		{"a first failure knows nothing", errors.New("boom"), 1, "Unknown", "True", "absent"},
		{"waiting is on its way", Wait("X", 0, "x"), 1, "False", "True", "absent"},
		{"done is ready", nil, 1, "True", "absent", "absent"},
		{"a failure keeps what was known", errors.New("boom"), 1, "True", "True", "absent"},
		{"a failure on a newer spec does not", errors.New("boom"), 2, "Unknown", "True", "absent"},
		{"rejected stalls", Reject("spec.x", "no"), 2, "False", "absent", "True"},
		{"a corrected spec heals", nil, 3, "True", "absent", "absent"},
	} {
		t.Run(step.name, func(t *testing.T) {
			Of(step.err).SetConditions(&c, step.generation)
			if r, p, s := status(c, v1.ConditionReady), status(c, v1.ConditionReconciling), status(c, v1.ConditionStalled); r != step.ready || p != step.reconciling || s != step.stalled {
				t.Fatalf("Ready %s, Reconciling %s, Stalled %s", r, p, s)
			}
			if status(c, "Other") != "True" {
				t.Fatal("a foreign condition was touched")
			}
			for _, cond := range c {
				if cond.Reason == "" {
					t.Fatalf("%s has no reason", cond.Type)
				}
			}
		})
	}
}

func TestOverdue(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	w := &Waiting{Since: now.Add(-time.Hour)}
	if !w.Overdue(now, time.Minute) || w.Overdue(now, 2*time.Hour) || (&Waiting{}).Overdue(now, 0) {
		t.Fatal("overdue is wrong")
	}
}

func TestVerdictOverdue(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	since := func(d time.Duration, status metav1.ConditionStatus) []metav1.Condition {
		return []metav1.Condition{{Type: v1.ConditionReconciling, Status: status, LastTransitionTime: metav1.NewTime(now.Add(-d))}}
	}
	for _, c := range []struct {
		name   string
		err    error
		before []metav1.Condition
		want   bool
	}{
		{"a wait of ten minutes", Wait("Busy", time.Second, "busy"), since(10*time.Minute, metav1.ConditionTrue), true},
		{"a shorter one", Wait("Busy", time.Second, "busy"), since(10*time.Minute-time.Second, metav1.ConditionTrue), false},
		{"one that begins", Wait("Busy", time.Second, "busy"), since(time.Hour, metav1.ConditionFalse), false},
		{"a failure", errors.New("broken"), since(time.Hour, metav1.ConditionTrue), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Of(c.err)
			if got := v.Overdue(c.before, now); got != c.want || strings.Contains(v.Message, "more than 10 minutes") != c.want {
				t.Errorf("%v, %q", got, v.Message)
			}
		})
	}
}
