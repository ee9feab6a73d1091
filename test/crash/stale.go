package crash

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Client wraps the operator's client, whose reads come from a cache: a read that brings news is a call like any other,
// and the cache may be behind.
func (i *Injector) Client(c client.Client) client.Client {
	return &cached{Client: c, Injector: i, seen: map[string]client.Object{}, lists: map[string]client.ObjectList{}}
}

type cached struct {
	client.Client
	*Injector
	seen  map[string]client.Object
	lists map[string]client.ObjectList
}

// Get reads, and perhaps returns what was there before.
func (c *cached) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if c.Killed() {
		return errDead
	}
	err := c.Client.Get(ctx, key, obj, opts...)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	id := fmt.Sprintf("%T %s", obj, key)
	var now client.Object
	if err == nil {
		now = obj.DeepCopyObject().(client.Object)
	}
	c.mu.Lock()
	before, known := c.seen[id]
	c.seen[id] = now
	c.mu.Unlock()
	if known && version(before) == version(now) {
		return err
	}
	switch c.point(fmt.Sprintf("cache Get %T %s", obj, key.Name), readFaults) {
	case Kill:
		c.die()
		return errDead
	case Fail:
		return apierrors.NewServiceUnavailable("injected")
	case Timeout:
		return context.DeadlineExceeded
	case Stale:
		if !known {
			return apierrors.NewServiceUnavailable("injected")
		}
		if before == nil {
			return apierrors.NewNotFound(schema.GroupResource{Resource: id}, key.Name)
		}
		reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(before.DeepCopyObject()).Elem())
		return nil
	}
	return err
}

func version(obj client.Object) string {
	if obj == nil {
		return ""
	}
	return obj.GetResourceVersion()
}

// List reads, and perhaps returns what was there before.
func (c *cached) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if c.Killed() {
		return errDead
	}
	if err := c.Client.List(ctx, list, opts...); err != nil {
		return err
	}
	id := fmt.Sprintf("%T %v", list, opts)
	now := list.DeepCopyObject().(client.ObjectList)
	c.mu.Lock()
	before, known := c.lists[id]
	c.lists[id] = now
	c.mu.Unlock()
	if known && versions(before) == versions(now) {
		return nil
	}
	switch c.point(fmt.Sprintf("cache List %T", list), readFaults) {
	case Kill:
		c.die()
		return errDead
	case Fail:
		return apierrors.NewServiceUnavailable(http.StatusText(http.StatusServiceUnavailable))
	case Timeout:
		return context.DeadlineExceeded
	case Stale:
		if known {
			reflect.ValueOf(list).Elem().Set(reflect.ValueOf(before.DeepCopyObject()).Elem())
		}
	}
	return nil
}

// versions says which versions of which objects are in a list, in whatever order the cache gave them.
func versions(list client.ObjectList) string {
	var out []string
	_ = meta.EachListItem(list, func(item runtime.Object) error { // a typed list always has items
		out = append(out, item.(client.Object).GetName()+"@"+item.(client.Object).GetResourceVersion())
		return nil
	})
	slices.Sort(out)
	return strings.Join(out, " ")
}
