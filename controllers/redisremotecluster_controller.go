package controllers

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseremoteclusters,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseremoteclusters/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseactiveactivedatabases;redisenterpriseclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch

// RemoteClusters is the controller of RedisEnterpriseRemoteClusters, in the operator's own namespace only (rule INST-15).
var RemoteClusters = Controller{Kind: "RedisEnterpriseRemoteCluster", Add: addRemoteClusters}

func addRemoteClusters(_ context.Context, s Shared) error {
	c := s.Manager.GetClient()
	loop := &Loop[*appv1alpha1.RedisEnterpriseRemoteCluster, remotecluster.Run]{
		Client: c, Live: s.Manager.GetAPIReader(), Events: s.Events, Teardown: s.Teardown,
		Name: "RedisEnterpriseRemoteCluster", Metrics: s.Metrics, Tracer: s.Tracer,
		Kind: &remotecluster.Kind{Client: c, Live: kube.ByName(s.Manager.GetAPIReader()), Links: s.Links, Prober: s.Prober, Namespace: s.Namespace},
	}
	every := func(*appv1alpha1.RedisEnterpriseRemoteCluster) bool { return true }
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("redisenterpriseremotecluster").
		For(&appv1alpha1.RedisEnterpriseRemoteCluster{}, builder.WithPredicates(wishChanged)).
		Watches(&appv1alpha1.RedisEnterpriseRemoteCluster{}, handler.EnqueueRequestsFromMapFunc(rivals(c, s.Namespace)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&appv1alpha1.RedisEnterpriseActiveActiveDatabase{}, handler.EnqueueRequestsFromMapFunc(remotesHeldBy(c, s.Namespace)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&appv1.RedisEnterpriseCluster{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
			return remotesWhere(ctx, c, s.Namespace, every)
		}), builder.WithPredicates(comesOrGoes())).
		WatchesRawSource(secretSource(s, remotesOfSecret(c))).
		WatchesRawSource(linkSource(s.Links, func(ctx context.Context, change link.Change) []reconcile.Request {
			if !change.WentUp && !change.Nodes {
				return nil
			}
			return remotesWhere(ctx, c, s.Namespace, every)
		})).
		WatchesRawSource(proberSource(s.Prober)).
		WithOptions(controller.Options{RateLimiter: retries()}).
		Complete(ownNamespace(s.Namespace, unprobed(c, s.Prober, loop.Reconcile)))
}

// unprobed asks no more for a remote cluster whose resource is gone, however it went.
func unprobed(reader client.Reader, prober *remotecluster.Prober, next reconcile.Func) reconcile.Func {
	return func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		if err := reader.Get(ctx, request.NamespacedName, &appv1alpha1.RedisEnterpriseRemoteCluster{}); apierrors.IsNotFound(err) {
			prober.Remove(request.NamespacedName)
			return reconcile.Result{}, nil
		}
		return next(ctx, request)
	}
}

// proberSource tells of what is found out about remote clusters.
func proberSource(prober *remotecluster.Prober) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		cancel := prober.Subscribe(func(key types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: key}) })
		context.AfterFunc(ctx, cancel)
		return nil
	})
}

// comesOrGoes lets pass that an object is there, or is no more.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// remotesOfSecret wakes the remote clusters whose credentials are in a Secret.
func remotesOfSecret(c client.Reader) handler.TypedMapFunc[*metav1.PartialObjectMetadata, reconcile.Request] {
	return func(ctx context.Context, secret *metav1.PartialObjectMetadata) []reconcile.Request {
		return remotesWhere(ctx, c, secret.Namespace, func(remote *appv1alpha1.RedisEnterpriseRemoteCluster) bool {
			return remotecluster.SecretName(remote) == secret.Name
		})
	}
}

// remotesHeldBy wakes the remote clusters that an Active-Active database lists, or listed, and that wait to go.
func remotesHeldBy(c client.Reader, namespace string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		db, ok := obj.(*appv1alpha1.RedisEnterpriseActiveActiveDatabase)
		if !ok {
			return nil
		}
		return remotesWhere(ctx, c, namespace, func(remote *appv1alpha1.RedisEnterpriseRemoteCluster) bool {
			return remote.DeletionTimestamp != nil && remotecluster.Uses(db, remote.Name)
		})
	}
}

// rivals wakes the remote clusters that are refused when another one changes or goes: it may have had what they claim.
func rivals(c client.Reader, namespace string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		return remotesWhere(ctx, c, namespace, func(remote *appv1alpha1.RedisEnterpriseRemoteCluster) bool {
			return remote.Name != obj.GetName() && remote.Status.SpecStatus == appv1.SpecInvalid
		})
	}
}

func remotesWhere(ctx context.Context, c client.Reader, namespace string, chosen func(*appv1alpha1.RedisEnterpriseRemoteCluster) bool) []reconcile.Request {
	var list appv1alpha1.RedisEnterpriseRemoteClusterList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "remote clusters not woken")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if chosen(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}
