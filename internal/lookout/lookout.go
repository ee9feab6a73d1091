// Package lookout keeps looking at things outside, each in one goroutine of its own however often it is asked for, and
// tells when what is known of one changes. What there is to know, and how to look, is its user's.
package lookout

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// Look looks at one thing and returns how long to pause before the next look. What it finds it writes down within
// Update. Once ctx has ended nobody wants the result any more.
type Look[T any] func(ctx context.Context, key types.NamespacedName, thing *T) time.Duration

// Lookout holds everything that is looked at. T is what is known of one thing; the lookout's lock guards it.
type Lookout[T any] struct {
	look  Look[T]
	clock clock.Clock
	ctx   context.Context //nolint:containedctx // the life of all looks, from New to Close
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu          sync.Mutex
	watched     map[types.NamespacedName]*watched[T]
	subscribers []*func(types.NamespacedName)
}

type watched[T any] struct {
	thing *T
	stop  context.CancelFunc
}

// New makes a lookout that looks at nothing yet. It waits by the given clock, or by the real one if that is nil.
func New[T any](c clock.Clock, look Look[T]) *Lookout[T] {
	if c == nil {
		c = clock.RealClock{}
	}
	l := &Lookout[T]{look: look, clock: c, watched: map[types.NamespacedName]*watched[T]{}}
	l.ctx, l.stop = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	return l
}

// Ensure looks at something from now on. The function is shown what is known of it so far (nil: nothing), and returns
// that to go on with it, or something else to begin anew. It is called under the lock, as is read, which sees the result.
func (l *Lookout[T]) Ensure(key types.NamespacedName, choose func(current *T) *T, read func(*T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	current, known := l.watched[key]
	var before *T
	if known {
		before = current.thing
	}
	thing := choose(before)
	defer read(thing)
	if thing == before {
		return
	}
	l.remove(key)
	if l.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(l.ctx) //nolint:gosec // remove calls it
	l.watched[key] = &watched[T]{thing: thing, stop: stop}
	l.done.Go(func() { l.run(ctx, key, thing) })
}

// Remove looks at it no more.
func (l *Lookout[T]) Remove(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(key)
}

func (l *Lookout[T]) remove(key types.NamespacedName) {
	if current, known := l.watched[key]; known {
		current.stop()
		delete(l.watched, key)
	}
}

// Update changes what is known of something under the lock, and tells the subscribers if the function returns true.
func (l *Lookout[T]) Update(key types.NamespacedName, change func() (changed bool)) {
	l.mu.Lock()
	changed := change()
	subscribers := slices.Clone(l.subscribers)
	l.mu.Unlock()
	if !changed {
		return
	}
	for _, tell := range subscribers {
		(*tell)(key)
	}
}

// Subscribe calls back when there is something new, until cancelled. The callback may not block.
func (l *Lookout[T]) Subscribe(changed func(types.NamespacedName)) (cancel func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := &changed
	l.subscribers = append(l.subscribers, entry)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.subscribers = slices.DeleteFunc(l.subscribers, func(s *func(types.NamespacedName)) bool { return s == entry })
	}
}

// Close ends all looks and returns when nothing runs any more.
func (l *Lookout[T]) Close() {
	l.mu.Lock()
	l.stop()
	l.mu.Unlock()
	l.done.Wait()
}

func (l *Lookout[T]) run(ctx context.Context, key types.NamespacedName, thing *T) {
	for {
		pause := l.look(ctx, key, thing)
		if ctx.Err() != nil {
			return
		}
		timer := l.clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}
