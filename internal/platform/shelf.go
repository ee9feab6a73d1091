package platform

import (
	"context"
	"errors"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// shelf holds the objects of one kind that may vanish. It has a life of its own, so that ending it needs nothing from an
// API server that no longer knows the kind.
type shelf struct {
	kind     schema.GroupVersionKind
	resource schema.GroupResource
	informer toolscache.SharedIndexInformer
	ctx      context.Context //nolint:containedctx // the life of the informer, from Follow to Unfollow
	stop     context.CancelFunc
}

func newShelf(ctx context.Context, kind schema.GroupVersionKind, c *Cache) (*shelf, error) {
	obj, err := c.scheme.New(kind)
	if err != nil {
		return nil, err
	}
	selected := func(options metav1.ListOptions) *client.ListOptions {
		return &client.ListOptions{Namespace: c.selection.Namespace, LabelSelector: c.selection.Labels, Raw: &options}
	}
	source := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := newList(c.scheme, kind)
			if err != nil {
				return nil, err
			}
			return list, c.live.List(ctx, list, selected(options))
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			list, err := newList(c.scheme, kind)
			if err != nil {
				return nil, err
			}
			return c.live.Watch(ctx, list, selected(options))
		},
	}
	s := &shelf{kind: kind, resource: schema.GroupResource{Group: kind.Group, Resource: kind.Kind}}
	s.informer = toolscache.NewSharedIndexInformer(source, obj, 0, toolscache.Indexers{})
	if err := s.informer.SetTransform(cache.TransformStripManagedFields()); err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	return s, nil
}

func newList(scheme *runtime.Scheme, kind schema.GroupVersionKind) (client.ObjectList, error) {
	list, err := scheme.New(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err != nil {
		return nil, err
	}
	return list.(client.ObjectList), nil
}

func labelsOf(obj client.Object) labels.Set { return obj.GetLabels() }

func (s *shelf) run() { s.informer.RunWithContext(s.ctx) }

// Get copies one object out.
func (s *shelf) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	found, exists, err := s.informer.GetStore().GetByKey(toolscache.NewObjectName(key.Namespace, key.Name).String())
	if err != nil {
		return err
	}
	if !exists {
		return apierrors.NewNotFound(s.resource, key.Name)
	}
	copied := found.(runtime.Object).DeepCopyObject()
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(copied).Elem())
	obj.GetObjectKind().SetGroupVersionKind(s.kind)
	return nil
}

// List copies out what namespace and labels select.
func (s *shelf) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	options := client.ListOptions{}
	options.ApplyOptions(opts)
	if options.FieldSelector != nil && !options.FieldSelector.Empty() {
		return errors.New("kinds that may vanish cannot be listed by field")
	}
	var found []runtime.Object
	for _, each := range s.informer.GetStore().List() {
		obj := each.(client.Object)
		if options.Namespace != "" && options.Namespace != obj.GetNamespace() ||
			options.LabelSelector != nil && !options.LabelSelector.Matches(labelsOf(obj)) {
			continue
		}
		copied := obj.DeepCopyObject()
		copied.GetObjectKind().SetGroupVersionKind(s.kind)
		found = append(found, copied)
	}
	return meta.SetList(list, found)
}
