package link

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Options of a Registry.
type Options struct {
	// Busy is the pace of readings while something is under way; default 1 s.
	Busy time.Duration
	// Idle is the pace of readings otherwise; default 5 s.
	Idle time.Duration
	// Jitter stretches each pause by up to this fraction; default 0.1. Negative means none.
	Jitter float64
	// Timeout limits one call; zero means the default of the rest package.
	Timeout time.Duration
	// Clock is the time; nil is the real one.
	Clock clock.Clock
	// Middleware to put around the calls to a cluster: logs, metrics, dry run, injected faults.
	Middleware func(types.NamespacedName) []rest.Middleware
	// Transport replaces the network, for tests.
	Transport func(types.NamespacedName) http.RoundTripper
}

func (o Options) withDefaults() Options {
	if o.Busy <= 0 {
		o.Busy = time.Second
	}
	if o.Idle <= 0 {
		o.Idle = 5 * time.Second
	}
	if o.Jitter == 0 {
		o.Jitter = 0.1
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

// Registry holds one link per cluster.
type Registry struct {
	opts Options

	mu          sync.Mutex
	links       map[types.NamespacedName]*Link
	subscribers []*subscriber
}

type subscriber struct{ tell func(Change) }

// NewRegistry returns an empty registry.
func NewRegistry(opts Options) *Registry {
	return &Registry{opts: opts.withDefaults(), links: map[types.NamespacedName]*Link{}}
}

// Ensure returns the link of a cluster, made or brought up to date with t. A changed server name makes a new link.
func (r *Registry) Ensure(key types.NamespacedName, t Target) *Link {
	t.Addresses = slices.Clone(t.Addresses)
	r.mu.Lock()
	old := r.links[key]
	if old != nil && old.Target().ServerName == t.ServerName {
		r.mu.Unlock()
		old.Update(t)
		return old
	}
	l := newLink(key, t, r.opts, r.publish)
	r.links[key] = l
	r.mu.Unlock()
	if old != nil {
		old.stop()
	}
	return l
}

// Get returns the link of a cluster, or nil.
func (r *Registry) Get(key types.NamespacedName) *Link {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.links[key]
}

// Remove stops the link of a cluster and waits until its poller has ended. Not to be called from a subscriber.
func (r *Registry) Remove(key types.NamespacedName) {
	r.mu.Lock()
	l := r.links[key]
	delete(r.links, key)
	r.mu.Unlock()
	if l != nil {
		l.stop()
	}
}

// Close removes all links.
func (r *Registry) Close() {
	r.mu.Lock()
	keys := make([]types.NamespacedName, 0, len(r.links))
	for k := range r.links {
		keys = append(keys, k)
	}
	r.mu.Unlock()
	for _, k := range keys {
		r.Remove(k)
	}
}

// Subscribe makes tell be called after each reading that differs from the one before, for all clusters, those that
// come later included. Calls come from the pollers, so tell must return quickly: enqueue, and go. The result ends it.
func (r *Registry) Subscribe(tell func(Change)) (cancel func()) {
	s := &subscriber{tell: tell}
	r.mu.Lock()
	r.subscribers = append(r.subscribers, s)
	r.mu.Unlock()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.subscribers = slices.DeleteFunc(r.subscribers, func(o *subscriber) bool { return o == s })
	}
}

func (r *Registry) publish(c Change) {
	r.mu.Lock()
	subscribers := slices.Clone(r.subscribers)
	r.mu.Unlock()
	for _, s := range subscribers {
		s.tell(c)
	}
}
