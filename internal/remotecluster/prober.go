package remotecluster

import (
	"context"
	"net"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/open-redis-enterprise/operator/internal/lookout"
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
	*lookout.Lookout[probe]
	dial  reach.Dial
	clock clock.Clock
}

// probe is what is known of one remote cluster.
type probe struct {
	target Target
	result Result
	// reached tells that the result is that of this very target, and good; missed counts the bad looks since.
	reached bool
	missed  int
	// shown keeps credentials that were refused from locking the account.
	shown *rest.Patience
}

// NewProber makes a prober that asks nobody yet.
func NewProber(o ProberOptions) *Prober {
	p := &Prober{dial: o.Dial, clock: o.Clock}
	if p.dial == nil {
		p.dial = (&net.Dialer{}).DialContext
	}
	if p.clock == nil {
		p.clock = clock.RealClock{}
	}
	p.Lookout = lookout.New(p.clock, p.look)
	return p
}

// Ensure asks a cluster from now on and returns what is known of it, without waiting. Another address or cluster than
// before is a new beginning; other credentials or certificates are tried at once.
func (p *Prober) Ensure(key types.NamespacedName, target Target) (known Result) {
	p.Lookout.Ensure(key, func(current *probe) *probe {
		fresh := &probe{target: target, result: Result{Finding: NotYet}, shown: &rest.Patience{}}
		switch {
		case current == nil:
		case current.target.equal(target):
			return current
		case current.target.same(target):
			fresh.shown = current.shown
			if current.result.Finding != FirstContact {
				fresh.result = current.result
			}
		}
		return fresh
	}, func(this *probe) { known = this.result })
	return known
}

func (p *Prober) look(ctx context.Context, key types.NamespacedName, this *probe) time.Duration {
	if pause := this.rest(p.clock.Now()); pause > 0 {
		return pause
	}
	limited, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	result, err := look(limited, p.dial, this.target, p.clock.Now)
	if ctx.Err() != nil {
		return 0 // it ended in the middle: the result is ours and not the network's
	}
	if err != nil || result.Finding == Reached || result.Finding == Stranger { // the credentials were shown
		this.shown.Note(this.target.Credentials, err, p.clock.Now())
	}
	p.Update(key, func() bool { return this.note(result) })
	pause := everyBad
	if result.Finding == Reached {
		pause = everyOK
	}
	return max(pause, this.rest(p.clock.Now()))
}

// rest is how long the credentials must not be shown yet.
func (p *probe) rest(now time.Time) time.Duration {
	if until, resting := p.shown.Resting(p.target.Credentials, now); resting {
		return until.Sub(now)
	}
	return 0
}

// note keeps a result, and reports whether that is news.
func (p *probe) note(result Result) bool {
	before := p.result
	if result.Finding == Reached {
		p.reached, p.missed = true, 0
		result.Skew = coarse(result.Skew, before.Skew)
	} else {
		p.missed++
	}
	if result.Finding == Reached || !p.reached || p.missed >= patience {
		p.result = result
		p.reached = result.Finding == Reached
	}
	return p.result != before
}
