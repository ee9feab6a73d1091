package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/activeactive"
	"github.com/open-redis-enterprise/operator/internal/kube"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseactiveactivedatabases,verbs=get;list;watch
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseactiveactivedatabases/status,verbs=get;patch;update

// ActiveActiveDatabases is the controller of RedisEnterpriseActiveActiveDatabases.
var ActiveActiveDatabases = Controller{Kind: "RedisEnterpriseActiveActiveDatabase", Add: addActiveActiveDatabases}

func addActiveActiveDatabases(_ context.Context, s Shared) error {
	c := s.Manager.GetClient()
	loop := &Loop[*appv1alpha1.RedisEnterpriseActiveActiveDatabase, activeactive.Run]{
		Client: c, Live: s.Manager.GetAPIReader(), Events: s.Events, Teardown: s.Teardown,
		Name: "RedisEnterpriseActiveActiveDatabase", Metrics: s.Metrics, Tracer: s.Tracer, Kind: &activeactive.Kind{Reviewer: activeActiveReviewer(s)},
	}
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("redisenterpriseactiveactivedatabase").
		For(&appv1alpha1.RedisEnterpriseActiveActiveDatabase{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&appv1alpha1.RedisEnterpriseRemoteCluster{}, handler.EnqueueRequestsFromMapFunc(allActiveActive(c)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{RateLimiter: retries()}).
		Complete(loop)
}

func activeActiveReviewer(s Shared) activeactive.Reviewer {
	return activeactive.Reviewer{Cached: s.Manager.GetClient(), Live: kube.ByName(s.Manager.GetAPIReader()), Namespace: s.Namespace}
}

// allActiveActive wakes all of them: a remote cluster that came or went may mend or break any.
func allActiveActive(c client.Reader) handler.MapFunc {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		var list appv1alpha1.RedisEnterpriseActiveActiveDatabaseList
		if err := c.List(ctx, &list); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "Active-Active databases not woken")
			return nil
		}
		var requests []reconcile.Request
		for i := range list.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
		return requests
	}
}
