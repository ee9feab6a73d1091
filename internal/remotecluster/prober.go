package remotecluster

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// How long a look may take, and how often there is one: seldom while all is well.
const (
	lookLimit = 10 * time.Second
	everyOK   = 30 * time.Second
	everyBad  = 5 * time.Second
	// patience is how many looks in a row must fail before what was reached counts as lost: a proxy that restarts, or a
	// node that leaves its cluster, is no news.
	patience = 2
)

// ProberOptions configure a prober; the zero value is for real use.
type ProberOptions struct {
	Dial  reach.Dial
	Clock clock.Clock
}

// Prober asks remote clusters, each in one goroutine of its own however often their resources are looked at, and tells
// when what it finds changes.
type Prober struct {
	dial  reach.Dial
	clock clock.Clock
	ctx   context.Context //nolint:containedctx // the life of all looks, from NewProber to Close
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu          sync.Mutex
	probes      map[types.NamespacedName]*probe
	subscribers []*func(types.NamespacedName)
}

// probe is what is known of one remote cluster. The prober's lock guards it.
type probe struct {
	target Target
	result Result
	// reached tells that the result is that of this very target, and good; missed counts the bad looks since.
	reached bool
	missed  int
	// shown keeps credentials that were refused from locking the account.
	shown *rest.Patience
	stop  context.CancelFunc
}

// NewProber makes a prober that asks nobody yet.
func NewProber(o ProberOptions) *Prober {
	p := &Prober{dial: o.Dial, clock: o.Clock, probes: map[types.NamespacedName]*probe{}}
	if p.dial == nil {
		p.dial = (&net.Dialer{}).DialContext
	}
	if p.clock == nil {
		p.clock = clock.RealClock{}
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Ensure asks a cluster from now on and returns what is known of it, without waiting. Another address or cluster than
// before is a new beginning; other credentials or certificates are tried at once.
func (p *Prober) Ensure(key types.NamespacedName, target Target) Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := &probe{target: target, result: Result{Finding: NotYet}, shown: &rest.Patience{}}
	if current, ok := p.probes[key]; ok {
		if current.target.equal(target) {
			return current.result
		}
		if current.target.same(target) {
			fresh.shown = current.shown
			if current.result.Finding != FirstContact {
				fresh.result = current.result
			}
		}
		current.stop()
		delete(p.probes, key)
	}
	if p.ctx.Err() != nil {
		return fresh.result
	}
	ctx, stop := context.WithCancel(p.ctx)
	fresh.stop = stop
	p.probes[key] = fresh
	p.done.Go(func() { p.run(ctx, key, fresh) })
	return fresh.result
}

// Remove asks no more.
func (p *Prober) Remove(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if current, ok := p.probes[key]; ok {
		current.stop()
		delete(p.probes, key)
	}
}

// Subscribe calls back when there is something new about a cluster, until cancelled. The callback may not block.
func (p *Prober) Subscribe(changed func(types.NamespacedName)) (cancel func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	entry := &changed
	p.subscribers = append(p.subscribers, entry)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.subscribers = slices.DeleteFunc(p.subscribers, func(s *func(types.NamespacedName)) bool { return s == entry })
	}
}

// Close ends all looks and returns when nothing runs any more.
func (p *Prober) Close() {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.done.Wait()
}

func (p *Prober) run(ctx context.Context, key types.NamespacedName, this *probe) {
	for {
		pause := p.rest(this)
		if pause == 0 {
			limited, cancel := context.WithTimeout(ctx, lookLimit)
			result, err := look(limited, p.dial, this.target, p.clock.Now)
			cancel()
			if ctx.Err() != nil {
				return // it ended in the middle: the result is ours and not the network's
			}
			if err != nil || result.Finding == Reached || result.Finding == Stranger { // the credentials were shown
				this.shown.Note(this.target.Credentials, err, p.clock.Now())
			}
			pause = max(p.note(key, this, result), p.rest(this))
		}
		timer := p.clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}

// rest is how long the credentials must not be shown yet.
func (p *Prober) rest(this *probe) time.Duration {
	now := p.clock.Now()
	if until, resting := this.shown.Resting(this.target.Credentials, now); resting {
		return until.Sub(now)
	}
	return 0
}

// note keeps a result, tells of a change, and returns when to look again.
func (p *Prober) note(key types.NamespacedName, this *probe, result Result) time.Duration {
	p.mu.Lock()
	before := this.result
	if good := result.Finding == Reached; good {
		this.reached, this.missed = true, 0
		result.Skew = coarse(result.Skew, before.Skew)
	} else {
		this.missed++
	}
	if result.Finding == Reached || !this.reached || this.missed >= patience {
		this.result = result
		this.reached = result.Finding == Reached
	}
	changed := this.result != before
	subscribers := slices.Clone(p.subscribers)
	p.mu.Unlock()
	if changed {
		for _, tell := range subscribers {
			(*tell)(key)
		}
	}
	if result.Finding == Reached {
		return everyOK
	}
	return everyBad
}
