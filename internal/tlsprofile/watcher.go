package tlsprofile

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"

	configv1 "github.com/openshift/api/config/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/open-redis-enterprise/operator/internal/platform"
)

// object is the one APIServer that an OpenShift has.
const object = "cluster"

// Offer is what is asked of package platform.
type Offer interface {
	Kinds() platform.Kinds
	Subscribe(changed func(platform.Kinds)) (cancel func())
}

// Watcher knows the profile for as long as its kind is served, and nothing where it is not.
type Watcher struct {
	api   client.WithWatch
	offer Offer

	mu          sync.Mutex
	profile     *Profile
	subscribers []*func()
}

// NewWatcher makes a watcher that has not looked yet.
func NewWatcher(api client.WithWatch, offer Offer) *Watcher {
	return &Watcher{api: api, offer: offer}
}

// Profile is the profile to follow; nil where there is none, or while it is not known yet.
func (w *Watcher) Profile() *Profile {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.profile
}

// Subscribe calls back after each change of the profile, until cancelled. The callback may not block.
func (w *Watcher) Subscribe(changed func()) (cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := &changed
	w.subscribers = append(w.subscribers, entry)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.subscribers = slices.DeleteFunc(w.subscribers, func(s *func()) bool { return s == entry })
	}
}

// Serve makes a server's configuration follow the profile, each connection as it is when that one is made. Whatever else
// the configuration says has to be said before its first connection.
func (w *Watcher) Serve(config *tls.Config) { config.GetConfigForClient = w.ConfigFor(config) }

// ConfigFor is what Serve makes of a configuration.
func (w *Watcher) ConfigFor(config *tls.Config) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	return func(*tls.ClientHelloInfo) (*tls.Config, error) {
		p := w.Profile()
		if p == nil {
			return nil, nil //nolint:nilnil // crypto/tls reads it as: use the one you have
		}
		followed := config.Clone()
		followed.GetConfigForClient = nil
		p.Configure(followed)
		return followed, nil
	}
}

// NeedLeaderElection is false: every replica serves.
func (w *Watcher) NeedLeaderElection() bool { return false }

// Start watches until ctx ends, whenever there is something to watch.
func (w *Watcher) Start(ctx context.Context) error {
	turned := make(chan struct{}, 1)
	cancel := w.offer.Subscribe(func(platform.Kinds) {
		select {
		case turned <- struct{}{}:
		default:
		}
	})
	defer cancel()
	end := func() {}
	defer func() { end() }()
	watching := false
	for {
		if served := w.offer.Kinds().Has(platform.APIServer); served != watching {
			end()
			if watching = served; served {
				end = w.watch(ctx)
			} else {
				end = func() {}
				w.set(ctx, nil)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-turned:
		}
	}
}

// watch follows the one object until the returned function is called, which waits for the end.
func (w *Watcher) watch(ctx context.Context) (end func()) {
	one := func(options metav1.ListOptions) *client.ListOptions {
		return &client.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, object), Raw: &options}
	}
	source := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := &configv1.APIServerList{}
			return list, w.api.List(ctx, list, one(options))
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return w.api.Watch(ctx, &configv1.APIServerList{}, one(options))
		},
	}
	informer := toolscache.NewSharedIndexInformer(toolscache.ToListWatcherWithWatchListSemantics(source, w.api), &configv1.APIServer{}, 0, toolscache.Indexers{})
	ctx, cancel := context.WithCancel(ctx)
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { w.see(ctx, obj) },
		UpdateFunc: func(_, obj any) { w.see(ctx, obj) },
		DeleteFunc: func(any) { w.set(ctx, &configv1.APIServer{}) },
	})
	if err != nil {
		log.FromContext(ctx).Error(err, "the TLS profile is not watched")
		return cancel
	}
	var running sync.WaitGroup
	running.Go(func() { informer.RunWithContext(ctx) })
	running.Go(func() {
		if toolscache.WaitForCacheSync(ctx.Done(), registration.HasSynced) && len(informer.GetStore().ListKeys()) == 0 {
			w.set(ctx, &configv1.APIServer{})
		}
	})
	return func() { cancel(); running.Wait() }
}

func (w *Watcher) see(ctx context.Context, obj any) {
	if server, ok := obj.(*configv1.APIServer); ok && server.Name == object {
		w.set(ctx, server)
	}
}

// set notes what an APIServer says, nil where there is no such kind, and tells the subscribers when that is news.
func (w *Watcher) set(ctx context.Context, server *configv1.APIServer) {
	var profile *Profile
	if server != nil {
		p := Of(server.Spec.TLSSecurityProfile)
		profile = &p
	}
	w.mu.Lock()
	before := w.profile
	w.profile = profile
	subscribers := slices.Clone(w.subscribers)
	w.mu.Unlock()
	switch {
	case before == nil && profile == nil, before != nil && profile != nil && before.Equal(*profile):
		return
	case profile == nil:
		log.FromContext(ctx).Info("no TLS profile to follow any more")
	default:
		log.FromContext(ctx).Info("following the TLS profile of this OpenShift", "profile", profile.Name, "minimum", profile.Version(), "ciphers", profile.Ciphers)
	}
	for _, tell := range subscribers {
		(*tell)()
	}
}
