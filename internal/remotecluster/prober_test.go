package remotecluster

import (
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

var farKey = types.NamespacedName{Namespace: "ns", Name: "far"}

// watched is a prober whose clock and news the test holds.
type watched struct {
	*Prober
	t     *testing.T
	far   *far
	clock *clocktesting.FakeClock
	told  chan types.NamespacedName
}

func watch(t *testing.T) *watched {
	t.Helper()
	own, ca := valid(t, farCluster)
	w := &watched{t: t, far: newFar(t, own, ca), clock: clocktesting.NewFakeClock(time.Now()), told: make(chan types.NamespacedName, 10)}
	w.far.date = w.clock.Now
	w.Prober = NewProber(ProberOptions{Dial: w.far.connect, Clock: w.clock})
	t.Cleanup(w.Subscribe(func(k types.NamespacedName) { w.told <- k }))
	t.Cleanup(w.Close)
	return w
}

// step lets the clock run and waits until the look that this causes has ended.
func (w *watched) step(pause time.Duration) {
	w.t.Helper()
	w.clock.Step(pause)
	eventually(w.t, w.clock.HasWaiters)
}

// expect checks what is known, and that it is news, or none.
func (w *watched) expect(target Target, news bool, want Finding) {
	w.t.Helper()
	if got := w.Ensure(farKey, target); got.Finding != want {
		w.t.Fatalf("%+v, want %s", got, want)
	}
	select {
	case k := <-w.told:
		if !news || k != farKey {
			w.t.Fatalf("told of %s", k)
		}
	default:
		if news {
			w.t.Fatal("told of nothing")
		}
	}
}

func TestRERC5_TheProberLooksRegularlyAndTellsOfChanges(t *testing.T) {
	w := watch(t)
	target := w.far.target()
	if got := w.Ensure(farKey, target); got.Finding != NotYet {
		t.Fatalf("%+v", got)
	}
	eventually(t, w.clock.HasWaiters)
	w.expect(target, true, Reached)
	w.step(everyOK)
	w.expect(target, false, Reached)
	w.far.change(func(f *far) { f.dial = noSuchHost() })
	w.step(everyOK)
	w.expect(target, false, Reached) // once is no news
	w.step(everyBad)
	w.expect(target, true, Unresolved)
	w.step(everyBad)
	w.expect(target, false, Unresolved)
	w.far.change(func(f *far) { f.dial = nil })
	w.step(everyBad)
	w.expect(target, true, Reached)
	w.Remove(farKey)
	dials := w.far.dials
	w.clock.Step(time.Hour)
	if w.far.dials != dials {
		t.Error("it looks although nobody wants to know")
	}
}

func TestRERC5_ManyPassesMakeNoMoreLooks(t *testing.T) {
	w := watch(t)
	target := w.far.target()
	var passes sync.WaitGroup
	for range 50 {
		passes.Go(func() { w.Ensure(farKey, target) })
	}
	passes.Wait()
	eventually(t, w.clock.HasWaiters)
	w.expect(target, true, Reached)
	for range 50 {
		w.expect(target, false, Reached)
	}
	if w.far.calls != 2 {
		t.Errorf("%d calls for one look", w.far.calls)
	}
}

func TestRERC5_RefusedCredentialsAreRarelyShown(t *testing.T) {
	w := watch(t)
	wrong := w.far.target(func(t *Target) { t.Credentials.Password = "wrong" })
	w.Ensure(farKey, wrong)
	eventually(t, w.clock.HasWaiters)
	w.expect(wrong, true, Denied)
	w.step(everyBad) // the first refusal is doubted
	w.expect(wrong, false, Denied)
	calls := w.far.calls
	w.step(time.Minute)
	if w.far.calls != calls {
		t.Error("shown again after two refusals")
	}
	w.step(6 * time.Minute)
	if w.far.calls == calls {
		t.Error("never shown again, though somebody may have changed the password over there")
	}
	w.expect(wrong, false, Denied)
	// Other credentials are tried at once, and what was known stays until their answer is there.
	right := w.far.target(func(t *Target) { t.SecretVersion = "8" })
	if got := w.Ensure(farKey, right); got.Finding != Denied {
		t.Fatalf("%+v", got)
	}
	eventually(t, func() bool { return w.Ensure(farKey, right).Finding == Reached })
	if got := w.Ensure(farKey, right); got.SecretVersion != "8" {
		t.Errorf("%+v", got)
	}
}

func TestRERC8_ChangesAreFollowed(t *testing.T) {
	w := watch(t)
	first := w.far.target(func(t *Target) { t.CA = nil })
	w.Ensure(farKey, first)
	eventually(t, func() bool { return w.Ensure(farKey, first).Finding == FirstContact })
	pinned := w.far.target(func(t *Target) { t.CA, t.Pin = nil, digest(w.Ensure(farKey, first).Fingerprint) })
	if got := w.Ensure(farKey, pinned); got.Finding != NotYet {
		t.Fatalf("%+v", got)
	}
	eventually(t, func() bool { return w.Ensure(farKey, pinned).Finding == Reached })
	t.Run("another Secret keeps what is known until it has been tried", func(t *testing.T) {
		wrong := pinned
		wrong.Credentials.Password, wrong.SecretVersion = "wrong", "8"
		if got := w.Ensure(farKey, wrong); got.Finding != Reached || got.SecretVersion != "7" {
			t.Fatalf("%+v", got)
		}
		eventually(t, func() bool { return w.Ensure(farKey, wrong).Finding == Denied })
	})
	t.Run("another address is a new beginning", func(t *testing.T) {
		moved := pinned
		moved.Port = 8443
		if got := w.Ensure(farKey, moved); got.Finding != NotYet {
			t.Fatalf("%+v", got)
		}
		eventually(t, func() bool { return w.Ensure(farKey, moved).Finding == Unreachable })
	})
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came true")
		}
	}
}
