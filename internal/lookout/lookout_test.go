package lookout

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

// seen is what a test knows of a thing.
type seen struct {
	address string
	looks   int
}

// until polls for what another goroutine is about to do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestLookout(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	key := types.NamespacedName{Namespace: "ns", Name: "a"}
	var l *Lookout[seen]
	var stopped atomic.Int32
	l = New(clock, func(ctx context.Context, key types.NamespacedName, this *seen) time.Duration {
		context.AfterFunc(ctx, func() { stopped.Add(1) })
		l.Update(key, func() bool { this.looks++; return this.looks == 1 })
		return time.Minute
	})
	defer l.Close()
	var told atomic.Int32
	cancel := l.Subscribe(func(types.NamespacedName) { told.Add(1) })
	at := func(address string) (looks int) {
		l.Ensure(key, func(current *seen) *seen {
			if current != nil && current.address == address {
				return current
			}
			return &seen{address: address}
		}, func(s *seen) { looks = s.looks })
		return looks
	}

	if at("one") != 0 {
		t.Error("Ensure waited for a look")
	}
	until(t, "the first look", func() bool { return at("one") == 1 && clock.HasWaiters() })
	for range 5 { // asking often does not make it look often
		at("one")
	}
	clock.Step(time.Minute)
	until(t, "the second look", func() bool { return at("one") == 2 && clock.HasWaiters() })
	if told.Load() != 1 {
		t.Errorf("told %d times of one change", told.Load())
	}

	at("two")
	until(t, "the end of the looks at what is not wanted any more", func() bool { return stopped.Load() == 2 })
	until(t, "a look at what is wanted instead", func() bool { return at("two") == 1 })
	until(t, "news of it", func() bool { return told.Load() == 2 })

	cancel()
	l.Remove(key)
	until(t, "the end of the last one's looks", func() bool { return stopped.Load() == 3 })
	at("three") // a new beginning after Remove
	until(t, "a look at it", func() bool { return at("three") == 1 })
	if told.Load() != 2 {
		t.Error("told after the subscription ended")
	}
	l.Close()
	if at("four") != 0 {
		t.Error("looked after Close")
	}
}
