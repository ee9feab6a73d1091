package platform

import (
	"context"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Apart are the kinds that a Cache keeps apart from the others: the optional ones that objects are made of, and those that
// few clusters have objects of.
func Apart() []schema.GroupVersionKind { return append(made(), Ingress, NetworkPolicy) }

// Selection is what a Cache holds of the kinds kept apart.
type Selection struct {
	Namespace string // empty for all
	Labels    labels.Selector
}

// Cache is a cache in which kinds may come and go while the program runs. Of the kinds of Apart it holds those that are
// followed and nothing else. One that is not followed, or not yet filled, is read from the API server: of a kind that is
// not served, or may not be read, one learns so at once, while a plain cache lets its readers wait for it forever.
type Cache struct {
	cache.Cache
	live      client.WithWatch
	scheme    *runtime.Scheme
	selection Selection

	mu       sync.Mutex
	followed map[schema.GroupVersionKind]*shelf
	running  sync.WaitGroup
}

var _ cache.Cache = &Cache{}

// NewCache makes a cache with the options of a manager, which must have a scheme.
func NewCache(config *rest.Config, options cache.Options, selection Selection) (*Cache, error) {
	plain, err := cache.New(config, options)
	if err != nil {
		return nil, err
	}
	live, err := client.NewWithWatch(config, client.Options{HTTPClient: options.HTTPClient, Scheme: options.Scheme, Mapper: options.Mapper})
	if err != nil {
		return nil, err
	}
	return &Cache{Cache: plain, live: live, scheme: options.Scheme, selection: selection, followed: map[schema.GroupVersionKind]*shelf{}}, nil
}

// Follow begins to hold a kind, until ctx ends or Unfollow, and tells the handler of it; it does not wait until the kind
// is filled. A kind that is followed already stays as it is.
func (c *Cache) Follow(ctx context.Context, kind schema.GroupVersionKind, handler toolscache.ResourceEventHandler) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.followed[kind]; ok {
		return nil
	}
	s, err := newShelf(ctx, kind, c)
	if err != nil {
		return err
	}
	if handler != nil {
		if _, err := s.informer.AddEventHandler(handler); err != nil {
			s.stop()
			return err
		}
	}
	c.followed[kind] = s
	c.running.Go(s.run)
	return nil
}

// Unfollow drops a kind. Its handler hears nothing more.
func (c *Cache) Unfollow(kind schema.GroupVersionKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.followed[kind]; ok {
		s.stop()
		delete(c.followed, kind)
	}
}

// Follows tells whether a kind is followed and filled.
func (c *Cache) Follows(kind schema.GroupVersionKind) bool { return c.shelf(kind) != nil }

func (c *Cache) shelf(kind schema.GroupVersionKind) *shelf {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.followed[kind]; ok && s.informer.HasSynced() {
		return s
	}
	return nil
}

// Get reads one object.
func (c *Cache) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	reader, err := c.readerOf(obj)
	if err != nil {
		return err
	}
	return reader.Get(ctx, key, obj, opts...)
}

// List reads several objects.
func (c *Cache) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	reader, err := c.readerOf(list)
	if err != nil {
		return err
	}
	return reader.List(ctx, list, opts...)
}

// readerOf never returns a reader that waits for a kind kept apart.
func (c *Cache) readerOf(obj runtime.Object) (client.Reader, error) {
	kind, err := apiutil.GVKForObject(obj, c.scheme)
	if err != nil {
		return nil, err
	}
	kind.Kind = strings.TrimSuffix(kind.Kind, "List")
	if !slices.Contains(Apart(), kind) {
		return c.Cache, nil
	}
	if s := c.shelf(kind); s != nil {
		return s, nil
	}
	return c.live, nil
}

// Start fills the cache and keeps it up to date until ctx ends. Kinds that are followed must end by then too.
func (c *Cache) Start(ctx context.Context) error {
	err := c.Cache.Start(ctx)
	c.mu.Lock()
	for _, s := range c.followed {
		s.stop()
	}
	c.mu.Unlock()
	c.running.Wait()
	return err
}
