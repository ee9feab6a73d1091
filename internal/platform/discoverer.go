package platform

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// How often Kubernetes is asked which kinds it serves: seldom, and more often while something waits for a kind.
const (
	DiscoverIdle    = 30 * time.Second
	DiscoverAwaited = 5 * time.Second
	discoverLimit   = 10 * time.Second
)

// Discovery is what is asked of Kubernetes. The first call gives everything in two requests where the API server knows
// aggregated discovery, and the groups alone where it does not.
type Discovery interface {
	GroupsAndMaybeResources() (*metav1.APIGroupList, map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error, error)
	ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
}

// Discoverer knows which optional kinds this Kubernetes serves and keeps looking. A kind whose API group is broken for
// the moment stays as it was last seen; other groups do not matter.
type Discoverer struct {
	api   Discovery
	clock clock.Clock

	look sync.Mutex // one look at a time

	mu          sync.Mutex
	kinds       Kinds
	awaited     map[string][]schema.GroupVersionKind
	subscribers []*func(Kinds)
	wake        chan struct{}
}

// NewDiscoverer makes a discoverer that has not looked yet. The clock is a test's, or nil.
func NewDiscoverer(api Discovery, ticks clock.Clock) *Discoverer {
	if ticks == nil {
		ticks = clock.RealClock{}
	}
	return &Discoverer{api: api, clock: ticks, awaited: map[string][]schema.GroupVersionKind{}, wake: make(chan struct{}, 1)}
}

// DiscovererFor makes a discoverer of the Kubernetes that a configuration leads to. No request of it takes forever.
func DiscovererFor(config *rest.Config) (*Discoverer, error) {
	config = rest.CopyConfig(config)
	config.Timeout = discoverLimit
	api, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return NewDiscoverer(api, nil), nil
}

// Kinds are the kinds as they were last seen.
func (d *Discoverer) Kinds() Kinds {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kinds
}

// Await says what somebody needs, under a name of their own; nothing more ends the wait. While one of these kinds is
// missing, Kubernetes is asked more often.
func (d *Discoverer) Await(who string, kinds ...schema.GroupVersionKind) {
	d.mu.Lock()
	before := d.pace()
	delete(d.awaited, who)
	if len(kinds) > 0 {
		d.awaited[who] = slices.Clone(kinds)
	}
	turned := d.pace() != before
	d.mu.Unlock()
	if turned {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
}

// Subscribe calls back after each look that found something else than the one before, until cancelled. The callback may
// not block.
func (d *Discoverer) Subscribe(changed func(Kinds)) (cancel func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry := &changed
	d.subscribers = append(d.subscribers, entry)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.subscribers = slices.DeleteFunc(d.subscribers, func(s *func(Kinds)) bool { return s == entry })
	}
}

// Start keeps looking until ctx ends. It never fails: what cannot be read is as it was.
func (d *Discoverer) Start(ctx context.Context) error {
	for {
		last := d.clock.Now()
		if err := d.Look(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Info("the kinds of this Kubernetes were not read", "error", err.Error())
		}
		if !d.rest(ctx, last) {
			return nil
		}
	}
}

// NeedLeaderElection is false: each replica answers admission reviews and must know.
func (d *Discoverer) NeedLeaderElection() bool { return false }

// rest waits until the next look after the last one is due, and reports whether there is to be one.
func (d *Discoverer) rest(ctx context.Context, last time.Time) bool {
	for {
		d.mu.Lock()
		due := last.Add(d.pace())
		d.mu.Unlock()
		left := due.Sub(d.clock.Now())
		if left <= 0 {
			return ctx.Err() == nil
		}
		timer := d.clock.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C():
		case <-d.wake: // somebody has begun to wait, or has ended it
			timer.Stop()
		}
	}
}

// pace is called with the lock held.
func (d *Discoverer) pace() time.Duration {
	for _, kinds := range d.awaited {
		if len(d.kinds.Missing(kinds...)) > 0 {
			return DiscoverAwaited
		}
	}
	return DiscoverIdle
}

// Look asks once, and tells the subscribers when something has changed.
func (d *Discoverer) Look(ctx context.Context) error {
	d.look.Lock()
	defer d.look.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	known := d.Kinds()
	found, err := d.served(known)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.kinds = found
	subscribers := slices.Clone(d.subscribers)
	d.mu.Unlock()
	if found.Equal(known) {
		return nil
	}
	log.FromContext(ctx).Info("kinds that this Kubernetes serves", "optional", found.String())
	for _, tell := range subscribers {
		(*tell)(found)
	}
	return nil
}

// served reads which of the optional kinds are there.
func (d *Discoverer) served(known Kinds) (Kinds, error) {
	groups, resources, broken, err := d.api.GroupsAndMaybeResources()
	if err != nil {
		return Kinds{}, fmt.Errorf("discovery: %w", err)
	}
	var found []schema.GroupVersionKind
	for _, kind := range Optional() {
		there, err := d.has(kind, groups, resources, broken)
		if err != nil {
			there = known.Has(kind)
		}
		if there {
			found = append(found, kind)
		}
	}
	return KindsOf(found...), nil
}

// has looks a kind up in what discovery answered; an error means that nobody can tell at present.
func (d *Discoverer) has(kind schema.GroupVersionKind, groups *metav1.APIGroupList, resources map[schema.GroupVersion]*metav1.APIResourceList, broken map[schema.GroupVersion]error) (bool, error) {
	version := kind.GroupVersion()
	if err := broken[version]; err != nil {
		return false, err
	}
	if resources != nil {
		return lists(resources[version], kind.Kind), nil
	}
	if !offers(groups, version) {
		return false, nil
	}
	list, err := d.api.ServerResourcesForGroupVersion(version.String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return lists(list, kind.Kind), err
}

func offers(groups *metav1.APIGroupList, version schema.GroupVersion) bool {
	return slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool {
		return slices.ContainsFunc(g.Versions, func(v metav1.GroupVersionForDiscovery) bool { return v.GroupVersion == version.String() })
	})
}

func lists(list *metav1.APIResourceList, kind string) bool {
	return list != nil && slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == kind })
}
