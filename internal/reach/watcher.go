package reach

import (
	"context"
	"net"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/open-redis-enterprise/operator/internal/lookout"
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
	*lookout.Lookout[watch]
	dial Dial
}

// watch is what is known of one way in.
type watch struct {
	target Target
	result Result
	missed int
}

// New makes a watcher that looks at nothing yet.
func New(o Options) *Watcher {
	w := &Watcher{dial: o.Dial}
	if w.dial == nil {
		w.dial = (&net.Dialer{}).DialContext
	}
	w.Lookout = lookout.New(o.Clock, w.look)
	return w
}

// Ensure looks at a target from now on and returns what is known of it, without waiting. Another way or host than
// before is a new beginning.
func (w *Watcher) Ensure(key types.NamespacedName, target Target) (known Result) {
	w.Lookout.Ensure(key, func(current *watch) *watch {
		fresh := &watch{target: target, result: Result{Finding: NotYet}}
		switch {
		case current == nil:
		case current.target.equal(target):
			return current
		case current.target.same(target):
			fresh.result, fresh.missed = current.result, current.missed
		}
		return fresh
	}, func(this *watch) { known = this.result })
	return known
}

func (w *Watcher) look(ctx context.Context, key types.NamespacedName, this *watch) time.Duration {
	limited, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	result := look(limited, w.dial, this.target)
	if ctx.Err() != nil {
		return 0 // it ended in the middle: the result is ours and not the network's
	}
	w.Update(key, func() bool { return this.note(result) })
	if result.Finding == Reached {
		return EveryOK
	}
	return EveryBad
}

// note keeps a result, and reports whether that is news.
func (w *watch) note(result Result) bool {
	before := w.result
	if result.Finding == Reached {
		w.missed = 0
	} else {
		w.missed++
	}
	if result.Finding == Reached || before.Finding != Reached || w.missed >= patience {
		w.result = result
	}
	return w.result != before
}
