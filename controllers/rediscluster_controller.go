package controllers

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/cluster"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters/finalizers,verbs=update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterprisedatabases,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,resources=statefulsets;deployments,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups="",resources=services;serviceaccounts;configmaps;secrets,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=events,verbs=list;create;patch
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles;rolebindings,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=servicemonitors;prometheusrules,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=route.openshift.io,resources=routes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=route.openshift.io,resources=routes/custom-host,verbs=create;update
// +kubebuilder:rbac:groups=networking.istio.io,resources=gateways;virtualservices,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=tlsroutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gateways,verbs=get
// +kubebuilder:rbac:groups=config.openshift.io,resources=apiservers,resourceNames=cluster,verbs=get;list;watch
// +kubebuilder:rbac:groups=security.openshift.io,resources=securitycontextconstraints,resourceNames=nonroot-v2;redis-enterprise-scc-v2,verbs=use

// Clusters is the controller of RedisEnterpriseClusters, in the operator's own namespace only (rule INST-15).
var Clusters = Controller{Kind: "RedisEnterpriseCluster", Add: addClusters}

func addClusters(_ context.Context, s Shared) error {
	c := s.Manager.GetClient()
	defaults, err := platform.New(s.Defaults.Node, s.Defaults.Bootstrapper, s.Defaults.Rigger)
	if err != nil {
		return err
	}
	defaults.Proxy = s.Proxy
	kind := &cluster.Kind{Client: c, Reader: kube.ByName(s.Manager.GetAPIReader()), Links: s.Links, Platform: defaults, Offer: s.Discoverer, TLS: s.TLS, Reach: s.Reach}
	loop := &Loop[*appv1.RedisEnterpriseCluster, cluster.Run]{Client: c, Live: s.Manager.GetAPIReader(), Events: s.Events, Teardown: s.Teardown,
		Name: "RedisEnterpriseCluster", Metrics: s.Metrics, Tracer: s.Tracer, Kind: kind}
	ours := handler.EnqueueRequestsFromMapFunc(clusterOf)
	all := func(ctx context.Context) []reconcile.Request {
		return clustersWhere(ctx, c, s.Namespace, func(*appv1.RedisEnterpriseCluster) bool { return true })
	}
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("redisenterprisecluster").
		For(&appv1.RedisEnterpriseCluster{}, builder.WithPredicates(wishChanged)).
		Owns(&appsv1.StatefulSet{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&rbacv1.Role{}).
		Owns(&rbacv1.RoleBinding{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, ours).
		Watches(&corev1.PersistentVolumeClaim{}, ours).
		Watches(&v1alpha1.RedisEnterpriseDatabase{}, handler.EnqueueRequestsFromMapFunc(clustersBlockedBy(c, s.Namespace))).
		Watches(&v1alpha1.RedisEnterpriseActiveActiveDatabase{}, handler.EnqueueRequestsFromMapFunc(clustersBlockedBy(c, s.Namespace))).
		WatchesRawSource(secretSource(s, clustersOfSecret(c))).
		WatchesRawSource(optionalSource(s, all)).
		WatchesRawSource(profileSource(s.TLS, all)).
		WatchesRawSource(linkSource(s.Links, clusterOfChange)).
		WatchesRawSource(reachSource(s.Reach)).
		WithOptions(controller.Options{RateLimiter: retries()}).
		Complete(ownNamespace(s.Namespace, forgetting(c, s, loop.Reconcile)))
}

// wishChanged lets changes of the spec through, and of the annotations that are settings of ours.
var wishChanged = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})

// forgetting closes the connection to a cluster whose resource is gone, however it went.
func forgetting(reader client.Reader, s Shared, next reconcile.Func) reconcile.Func {
	return func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		if err := reader.Get(ctx, request.NamespacedName, &appv1.RedisEnterpriseCluster{}); apierrors.IsNotFound(err) {
			s.Links.Remove(request.NamespacedName)
			s.Reach.Remove(request.NamespacedName)
			s.Metrics.Forget(request.NamespacedName)
			return reconcile.Result{}, nil
		}
		return next(ctx, request)
	}
}

// ownNamespace leaves clusters of other namespaces alone, which a wider watch for databases shows too.
func ownNamespace(namespace string, next reconcile.Func) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		if namespace != "" && request.Namespace != namespace {
			return reconcile.Result{}, nil
		}
		return next(ctx, request)
	})
}

// clusterOf finds the cluster of a pod or claim by its label.
func clusterOf(_ context.Context, obj client.Object) []reconcile.Request {
	name := obj.GetLabels()[names.LabelCluster]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: obj.GetNamespace(), Name: name}}}
}

// clustersBlockedBy wakes clusters that wait for their databases to go. A database that comes or changes is nothing to a
// living cluster.
func clustersBlockedBy(reader client.Reader, namespace string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		return clustersWhere(ctx, reader, namespace, func(rec *appv1.RedisEnterpriseCluster) bool {
			if rec.DeletionTimestamp == nil {
				return false
			}
			switch db := obj.(type) {
			case *v1alpha1.RedisEnterpriseDatabase:
				return cluster.BelongsTo(db, rec.Name)
			case *v1alpha1.RedisEnterpriseActiveActiveDatabase:
				return cluster.TakesPart(db, rec.Name)
			}
			return false
		})
	}
}

// clustersOfSecret finds the clusters that refer to a Secret (rule REC-3).
func clustersOfSecret(reader client.Reader) func(context.Context, *metav1.PartialObjectMetadata) []reconcile.Request {
	return func(ctx context.Context, secret *metav1.PartialObjectMetadata) []reconcile.Request {
		return clustersWhere(ctx, reader, secret.Namespace, func(rec *appv1.RedisEnterpriseCluster) bool {
			return slices.Contains(cluster.References(rec), secret.Name)
		})
	}
}

func clustersWhere(ctx context.Context, reader client.Reader, namespace string, concerned func(*appv1.RedisEnterpriseCluster) bool) []reconcile.Request {
	var list appv1.RedisEnterpriseClusterList
	if err := reader.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "clusters not listed; the next look at the cluster finds the change")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if concerned(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// clusterOfChange wakes a cluster when its poller sees that nodes or settings changed, or that it went up or down, and
// when a database changed: shards count against the licence, and a change of the pods may be waiting for them.
func clusterOfChange(_ context.Context, c link.Change) []reconcile.Request {
	if !c.Empty() {
		return []reconcile.Request{{NamespacedName: c.Key}}
	}
	return nil
}
