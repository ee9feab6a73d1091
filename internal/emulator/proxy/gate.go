package proxy

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errImpatient = errors.New("proxy: waited too long")

// gate counts what is in flight and can be held shut.
type gate struct {
	mu       sync.Mutex
	held     int
	inflight int
	changed  chan struct{} // closed and replaced when something a waiter may wait for has changed
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// broadcast wakes all waiters; the caller holds the lock.
func (g *gate) broadcast() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// enter waits until the gate is open and passes it.
func (g *gate) enter(until time.Time, gone <-chan struct{}) error {
	for {
		g.mu.Lock()
		if g.held == 0 {
			g.inflight++
			g.mu.Unlock()
			return nil
		}
		changed := g.changed
		g.mu.Unlock()
		if err := waitFor(changed, until, gone); err != nil {
			return err
		}
	}
}

// leave is called once for each enter.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inflight--
	if g.inflight == 0 {
		g.broadcast()
	}
}

// hold shuts the gate; wait until everything that had passed has left.
func (g *gate) hold(ctx context.Context) (release func(), err error) {
	g.mu.Lock()
	g.held++
	g.mu.Unlock()
	release = sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.held--
		g.broadcast()
	})
	for {
		g.mu.Lock()
		idle, changed := g.inflight == 0, g.changed
		g.mu.Unlock()
		if idle {
			return release, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			release()
			return release, context.Cause(ctx)
		}
	}
}

// waitFor waits for a change, at most until a time and while the client is there.
func waitFor(changed <-chan struct{}, until time.Time, gone <-chan struct{}) error {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	err := errGone
	select {
	case <-changed:
		err = nil
	case <-gone:
	case <-t.C:
		err = errImpatient
	}
	select {
	case <-gone:
		// A client that has given up may have asked again elsewhere: a late write of the old one must not overtake it.
		return errGone
	default:
		return err
	}
}
