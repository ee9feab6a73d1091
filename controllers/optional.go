package controllers

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
)

// optionalSource watches the objects of kinds that not every Kubernetes serves. A kind is watched from when it is served
// until it is served no more, without a restart; both wake every cluster.
func optionalSource(s Shared, all func(context.Context) []reconcile.Request) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		follow := func(kinds platform.Kinds) {
			for _, kind := range platform.Apart() {
				if !kinds.Has(kind) || !s.Manager.GetScheme().Recognizes(kind) {
					s.Cache.Unfollow(kind)
					continue
				}
				if err := s.Cache.Follow(ctx, kind, ownerHandler(queue)); err != nil {
					ctrl.LoggerFrom(ctx).Error(err, "objects are not watched", "kind", kind.String())
				}
			}
		}
		cancel := s.Discoverer.Subscribe(func(kinds platform.Kinds) {
			if ctx.Err() != nil {
				return
			}
			follow(kinds)
			for _, request := range all(ctx) {
				queue.Add(request)
			}
		})
		context.AfterFunc(ctx, cancel)
		follow(s.Discoverer.Kinds())
		return nil
	})
}

// ownerHandler wakes the cluster that an object belongs to.
func ownerHandler(queue workqueue.TypedRateLimitingInterface[reconcile.Request]) toolscache.ResourceEventHandler {
	wake := func(obj any) {
		if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
			obj = gone.Obj
		}
		object, ok := obj.(client.Object)
		if !ok {
			return
		}
		owner := metav1.GetControllerOf(object)
		if owner == nil || owner.Kind != "RedisEnterpriseCluster" || !strings.HasPrefix(owner.APIVersion, appv1.GroupVersion.Group+"/") {
			return
		}
		queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: owner.Name}})
	}
	return toolscache.ResourceEventHandlerFuncs{AddFunc: wake, DeleteFunc: wake, UpdateFunc: func(before, after any) {
		was, wasOK := before.(client.Object)
		is, isOK := after.(client.Object)
		if !wasOK || !isOK || was.GetResourceVersion() != is.GetResourceVersion() {
			wake(after)
		}
	}}
}

// reachSource tells of what is found at the outer ends of the ways in.
func reachSource(watcher *reach.Watcher) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		cancel := watcher.Subscribe(func(key types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: key}) })
		context.AfterFunc(ctx, cancel)
		return nil
	})
}

// profileSource wakes every cluster when the TLS profile that they follow changes.
func profileSource(profile *tlsprofile.Watcher, all func(context.Context) []reconcile.Request) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		cancel := profile.Subscribe(func() {
			for _, request := range all(ctx) {
				queue.Add(request)
			}
		})
		context.AfterFunc(ctx, cancel)
		return nil
	})
}
