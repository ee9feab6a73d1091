package platform

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
)

// answers is a Kubernetes that answers discovery as told.
type answers struct {
	mu     sync.Mutex
	kinds  []schema.GroupVersionKind
	broken map[schema.GroupVersion]error
	err    error
	old    bool // it knows no aggregated discovery
	asked  chan struct{}
}

func (a *answers) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

func (a *answers) GroupsAndMaybeResources() (*metav1.APIGroupList, map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked != nil {
		a.asked <- struct{}{}
	}
	groups, resources := &metav1.APIGroupList{}, map[schema.GroupVersion]*metav1.APIResourceList{}
	for _, kind := range a.kinds {
		v := kind.GroupVersion()
		groups.Groups = append(groups.Groups, metav1.APIGroup{Name: kind.Group, Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: v.String(), Version: kind.Version}}})
		if resources[v] == nil {
			resources[v] = &metav1.APIResourceList{}
		}
		resources[v].APIResources = append(resources[v].APIResources, metav1.APIResource{Kind: kind.Kind})
	}
	if a.old {
		resources = nil
	}
	return groups, resources, a.broken, a.err
}

func (a *answers) ServerResourcesForGroupVersion(version string) (*metav1.APIResourceList, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := &metav1.APIResourceList{}
	for _, kind := range a.kinds {
		if kind.GroupVersion().String() == version {
			list.APIResources = append(list.APIResources, metav1.APIResource{Kind: kind.Kind})
		}
	}
	return list, nil
}

func TestNET1_KindsAreDiscoveredAndNeverRequired(t *testing.T) {
	foreign := schema.GroupVersionKind{Group: "metrics.k8s.io", Version: "v1beta1", Kind: "PodMetrics"}
	a := &answers{}
	d := NewDiscoverer(a, nil)
	if kinds := d.Kinds(); kinds.Has(Route) || !kinds.Has(Ingress) {
		t.Fatalf("before the first look: %s", kinds)
	}
	var told []string
	defer d.Subscribe(func(k Kinds) { told = append(told, k.String()) })()
	for _, step := range []struct {
		name   string
		change func()
		want   string
		fails  bool
	}{
		{name: "nothing is served", change: func() {}},
		{name: "a kind appears", change: func() { a.kinds = append(a.kinds, Route, foreign) }, want: "Route (route.openshift.io/v1)"},
		{name: "a kind of the same group does not count for another", change: func() { a.kinds = append(a.kinds, IstioGateway) },
			want: "Gateway (networking.istio.io/v1), Route (route.openshift.io/v1)"},
		{name: "a foreign group that is broken does not matter", change: func() {
			a.broken = map[schema.GroupVersion]error{foreign.GroupVersion(): errors.New("stale")}
		}, want: "Gateway (networking.istio.io/v1), Route (route.openshift.io/v1)"},
		{name: "a broken group leaves its kinds as they were", change: func() {
			a.kinds, a.broken = []schema.GroupVersionKind{IstioGateway}, map[schema.GroupVersion]error{Route.GroupVersion(): errors.New("stale")}
		}, want: "Gateway (networking.istio.io/v1), Route (route.openshift.io/v1)"},
		{name: "a kind vanishes", change: func() { a.broken = nil }, want: "Gateway (networking.istio.io/v1)"},
		{name: "an API server that does not answer changes nothing", change: func() { a.err = errors.New("down") }, want: "Gateway (networking.istio.io/v1)", fails: true},
		{name: "one without aggregated discovery is asked by group", change: func() {
			a.err, a.old, a.kinds = nil, true, []schema.GroupVersionKind{TLSRoute}
		}, want: "TLSRoute (gateway.networking.k8s.io/v1)"},
	} {
		t.Run(step.name, func(t *testing.T) {
			a.set(step.change)
			if err := d.Look(t.Context()); step.fails != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if got := d.Kinds().String(); got != step.want {
				t.Fatalf("kinds %q, want %q", got, step.want)
			}
		})
	}
	if len(told) != 4 {
		t.Errorf("told of %d changes, want 4: %q", len(told), told)
	}
}

func TestDiscovererLooksMoreOftenWhileSomethingWaits(t *testing.T) {
	a := &answers{asked: make(chan struct{})}
	ticks := clocktesting.NewFakeClock(time.Unix(0, 0))
	d := NewDiscoverer(a, ticks)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Start(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	looked := func(pause time.Duration, want bool) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); !ticks.HasWaiters(); {
			if time.Now().After(deadline) {
				t.Fatal("nobody waits for the clock")
			}
			time.Sleep(time.Millisecond)
		}
		ticks.Step(pause)
		select {
		case <-a.asked:
			if !want {
				t.Fatal("asked too early")
			}
		case <-time.After(50 * time.Millisecond):
			if want {
				t.Fatal("not asked")
			}
		}
	}
	<-a.asked
	looked(DiscoverIdle-time.Second, false)
	looked(time.Second, true)
	d.Await("rec", Route)
	a.set(func() { a.kinds = append(a.kinds, Route) })
	looked(DiscoverAwaited, true)
	looked(DiscoverAwaited, false) // it is there
	looked(DiscoverIdle-DiscoverAwaited, true)
	d.Await("rec", TLSRoute)
	d.Await("rec")
	looked(DiscoverIdle-time.Second, false)
}

func TestKinds(t *testing.T) {
	k := KindsOf(Route, ServiceMonitor)
	if got := k.Missing(Route, TLSRoute, Ingress); len(got) != 1 || got[0] != TLSRoute {
		t.Errorf("missing %v", got)
	}
	if got := k.Usable(Optional()...); len(got) != 2 || got[0] != Route || got[1] != ServiceMonitor {
		t.Errorf("usable %v", got)
	}
	if !k.Equal(KindsOf(ServiceMonitor, Route)) || k.Equal(KindsOf(Route)) || !(Kinds{}).Equal(KindsOf()) {
		t.Error("equality is wrong")
	}
}
