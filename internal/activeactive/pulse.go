package activeactive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/open-redis-enterprise/operator/internal/lookout"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// How long a look at the links may take, and how often there is one. Asking needs an answer of each participating
// cluster, so it is nothing for the poller that serves all databases.
const (
	pulseLimit = 20 * time.Second
	pulseUp    = 5 * time.Second
	pulseDown  = time.Second
	// pulsePatience is how many looks in a row must find a link down before it counts as that.
	pulsePatience = 2
)

// Reporter asks the participants of a database how their links are.
type Reporter interface {
	CRDBHealth(ctx context.Context, guid string) ([]rest.CRDBHealth, error)
}

// Replication is how the links between the participants are.
type Replication struct {
	// Known is false until somebody has looked.
	Known bool
	// Up tells for each cluster whether changes flow to it and from it.
	Up map[string]bool
	// Expelled tells that other participants took this cluster out without asking it: what it knows of them is outdated.
	Expelled bool
	// Problem names what does not, in one sentence; empty when all do.
	Problem string
}

func (r Replication) equal(o Replication) bool {
	return r.Known == o.Known && r.Expelled == o.Expelled && r.Problem == o.Problem && maps.Equal(r.Up, o.Up)
}

// Pulse looks at the links of Active-Active databases, each in a goroutine of its own, and tells when they change.
type Pulse struct {
	*lookout.Lookout[beat]
}

type beat struct {
	guid   string
	own    string // the cluster that is asked
	asks   Reporter
	known  Replication
	missed int
}

// NewPulse makes a pulse that looks at nothing yet. A nil clock is the real one.
func NewPulse(c clock.Clock) *Pulse {
	p := &Pulse{}
	p.Lookout = lookout.New(c, p.look)
	return p
}

// Ensure looks at a database from now on and returns what is known, without waiting.
func (p *Pulse) Ensure(key types.NamespacedName, guid, own string, asks Reporter) (known Replication) {
	p.Lookout.Ensure(key, func(current *beat) *beat {
		if current != nil && current.guid == guid && current.own == own && current.asks == asks {
			return current
		}
		return &beat{guid: guid, own: own, asks: asks}
	}, func(this *beat) { known = this.known })
	return known
}

func (p *Pulse) look(ctx context.Context, key types.NamespacedName, this *beat) time.Duration {
	limited, cancel := context.WithTimeout(ctx, pulseLimit)
	defer cancel()
	reports, err := this.asks.CRDBHealth(limited, this.guid)
	if ctx.Err() != nil {
		return 0
	}
	found := replicationOf(this.own, reports, err)
	p.Update(key, func() bool { return this.note(found) })
	if found.Problem != "" {
		return pulseDown
	}
	return pulseUp
}

// note keeps what was found and reports whether that is news. The first bad look after good ones does not count.
func (b *beat) note(found Replication) bool {
	b.missed++
	if found.Problem == "" {
		b.missed = 0
	}
	if found.Expelled && b.missed < pulsePatience {
		found = Replication{} // data is dropped for that, so one look is not enough to know anything
	}
	if found.Known && b.known.Known && b.known.Problem == "" && b.missed > 0 && b.missed < pulsePatience {
		return false
	}
	changed := !b.known.equal(found)
	b.known = found
	return changed
}

// replicationOf reads what the participants say of each other. A link counts for both of its ends, unless one of them does
// not answer at all: then that one is to blame for all its links, and for nobody else's.
func replicationOf(own string, reports []rest.CRDBHealth, err error) Replication {
	out := Replication{Known: true, Up: map[string]bool{}}
	if err != nil {
		return Replication{Known: true, Problem: "the cluster does not tell how the links are: " + outcome.Steady(err.Error())}
	}
	mute := map[string]bool{}
	for _, r := range reports {
		out.Up[r.Cluster], mute[r.Cluster] = true, r.ConnectionError != ""
	}
	var problems []string
	down := func(cluster, format string, args ...any) {
		out.Up[cluster] = false
		problems = append(problems, fmt.Sprintf(format, args...))
	}
	for _, r := range reports {
		if mute[r.Cluster] {
			down(r.Cluster, "%s does not answer: %s", r.Cluster, outcome.Steady(string(r.ConnectionError)))
			continue
		}
		for _, c := range r.Connections {
			if !c.Up() && !mute[c.Name] {
				out.Up[c.Name] = false
				down(r.Cluster, "%s does not receive from %s", r.Cluster, c.Name)
			}
		}
		if len(r.Connections) < len(reports)-1 {
			down(r.Cluster, "%s has links to %d of %d clusters", r.Cluster, len(r.Connections), len(reports)-1)
		}
	}
	out.Expelled = expelled(own, reports)
	slices.Sort(problems)
	out.Problem = strings.Join(slices.Compact(problems), "; ")
	return out
}

// expelled tells whether another participant has a newer configuration than the cluster that was asked, without that
// cluster. An older one says nothing: it is what a participant has that hears of a newcomer last.
func expelled(own string, reports []rest.CRDBHealth) bool {
	var mine rest.Int
	for _, r := range reports {
		if r.Cluster == own {
			mine, _ = r.Newest(own)
		}
	}
	return mine > 0 && slices.ContainsFunc(reports, func(r rest.CRDBHealth) bool {
		version, lists := r.Newest(own)
		return r.Cluster != own && r.ConnectionError == "" && version > mine && !lists
	})
}
