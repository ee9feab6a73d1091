package reach

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// How long a look may take, and how often there is one: seldom while all is well.
const (
	Limit    = 3 * time.Second
	EveryOK  = 30 * time.Second
	EveryBad = 5 * time.Second
	// patience is how many looks in a row must fail before what was reached counts as lost: a proxy that restarts is
	// no news.
	patience = 2
)

// Options of a watcher; the zero value is for real use.
type Options struct {
	Dial  Dial
	Clock clock.Clock
}

// Watcher looks at the ways in of several clusters, each in a goroutine of its own, and tells when what it finds changes.
type Watcher struct {
	dial  Dial
	clock clock.Clock
	ctx   context.Context //nolint:containedctx // the life of all looks, from New to Close
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu          sync.Mutex
	watches     map[types.NamespacedName]*watch
	subscribers []*func(types.NamespacedName)
}

// watch is what is known of one way in. The watcher's lock guards it.
type watch struct {
	target Target
	result Result
	missed int
	stop   context.CancelFunc
}

// New makes a watcher that looks at nothing yet.
func New(o Options) *Watcher {
	w := &Watcher{dial: o.Dial, clock: o.Clock, watches: map[types.NamespacedName]*watch{}}
	if w.dial == nil {
		w.dial = (&net.Dialer{}).DialContext
	}
	if w.clock == nil {
		w.clock = clock.RealClock{}
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// Ensure looks at a target from now on and returns what is known of it, without waiting. Another way or host than
// before is a new beginning.
func (w *Watcher) Ensure(key types.NamespacedName, target Target) Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := &watch{target: target, result: Result{Finding: NotYet}}
	if current, ok := w.watches[key]; ok {
		if current.target.equal(target) {
			return current.result
		}
		if current.target.same(target) {
			fresh.result, fresh.missed = current.result, current.missed
		}
		current.stop()
		delete(w.watches, key)
	}
	if w.ctx.Err() != nil {
		return fresh.result
	}
	ctx, stop := context.WithCancel(w.ctx)
	fresh.stop = stop
	w.watches[key] = fresh
	w.done.Go(func() { w.run(ctx, key, fresh) })
	return fresh.result
}

// Remove looks no more.
func (w *Watcher) Remove(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if current, ok := w.watches[key]; ok {
		current.stop()
		delete(w.watches, key)
	}
}

// Subscribe calls back when there is something new about a cluster, until cancelled. The callback may not block.
func (w *Watcher) Subscribe(changed func(types.NamespacedName)) (cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := &changed
	w.subscribers = append(w.subscribers, entry)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.subscribers = slices.DeleteFunc(w.subscribers, func(s *func(types.NamespacedName)) bool { return s == entry })
	}
}

// Close ends all looks and returns when nothing runs any more.
func (w *Watcher) Close() {
	w.mu.Lock()
	w.stop()
	w.mu.Unlock()
	w.done.Wait()
}

func (w *Watcher) run(ctx context.Context, key types.NamespacedName, this *watch) {
	for {
		limited, cancel := context.WithTimeout(ctx, Limit)
		result := look(limited, w.dial, this.target)
		cancel()
		if ctx.Err() != nil {
			return // it ended in the middle: the result is ours and not the network's
		}
		timer := w.clock.NewTimer(w.note(key, this, result))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}

// note keeps a result, tells of a change, and returns when to look again.
func (w *Watcher) note(key types.NamespacedName, this *watch, result Result) time.Duration {
	w.mu.Lock()
	before := this.result
	if result.Finding == Reached {
		this.missed = 0
	} else {
		this.missed++
	}
	if result.Finding == Reached || before.Finding != Reached || this.missed >= patience {
		this.result = result
	}
	changed := this.result != before
	subscribers := slices.Clone(w.subscribers)
	w.mu.Unlock()
	if changed {
		for _, tell := range subscribers {
			(*tell)(key)
		}
	}
	if result.Finding == Reached {
		return EveryOK
	}
	return EveryBad
}
