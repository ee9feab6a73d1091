package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseremoteclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseremoteclusters/status,verbs=get;patch;update

// RemoteClusters is the controller of RedisEnterpriseRemoteClusters.
var RemoteClusters = Controller{Kind: "RedisEnterpriseRemoteCluster", Add: addRemoteClusters}

func addRemoteClusters(_ context.Context, s Shared) error {
	c := s.Manager.GetClient()
	loop := &Loop[*appv1alpha1.RedisEnterpriseRemoteCluster, remotecluster.Run]{
		Client: c, Events: s.Events, Teardown: s.Teardown,
		Name: "RedisEnterpriseRemoteCluster", Metrics: s.Metrics, Tracer: s.Tracer, Kind: &remotecluster.Kind{Client: c, Namespace: s.Namespace},
	}
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("redisenterpriseremotecluster").
		For(&appv1alpha1.RedisEnterpriseRemoteCluster{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{RateLimiter: retries()}).
		Complete(loop)
}
