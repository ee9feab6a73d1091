package controllers

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

	corev1 "k8s.io/api/core/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/database"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterprisedatabases,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterprisedatabases/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterprisedatabases/finalizers,verbs=update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch

// Pace of retries after failures. The longest pause is short enough that nobody waits for a cluster that is back.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// databaseWorkers is how many databases are worked on at once; most of their time is waiting for the cluster.
const databaseWorkers = 8

// Databases is the controller of RedisEnterpriseDatabases.
var Databases = Controller{Kind: "RedisEnterpriseDatabase", Add: addDatabases}

func addDatabases(_ context.Context, s Shared) error {
	c := s.Manager.GetClient()
	kind := database.NewKind(c, kube.ByName(s.Manager.GetAPIReader()), s.Links, s.Namespace)
	loop := &Loop[*appv1alpha1.RedisEnterpriseDatabase, database.Run]{Client: c, Live: s.Manager.GetAPIReader(), Events: s.Events, Teardown: s.Teardown,
		Name: "RedisEnterpriseDatabase", Metrics: s.Metrics, Tracer: s.Tracer, Kind: kind}
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("redisenterprisedatabase").
		For(&appv1alpha1.RedisEnterpriseDatabase{}, builder.WithPredicates(wishChanged)).
		Watches(&appv1.RedisEnterpriseCluster{}, handler.EnqueueRequestsFromMapFunc(databasesOfCluster(c)), builder.WithPredicates(clusterTurned())).
		WatchesRawSource(secretSource(s, databasesOfSecret(c))).
		WatchesRawSource(linkSource(s.Links, databasesOfChange(c))).
		WithOptions(controller.Options{MaxConcurrentReconciles: databaseWorkers, RateLimiter: retries()}).
		Complete(loop)
}

func retries() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry)
}

// clusterTurned lets pass what a database must know of its cluster, and not each figure in the cluster's status.
func clusterTurned() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, wasOK := e.ObjectOld.(*appv1.RedisEnterpriseCluster)
		is, isOK := e.ObjectNew.(*appv1.RedisEnterpriseCluster)
		return !wasOK || !isOK ||
			was.Generation != is.Generation ||
			was.Status.State != is.Status.State ||
			was.DeletionTimestamp.IsZero() != is.DeletionTimestamp.IsZero() ||
			!equality.Semantic.DeepEqual(conditionWords(was), conditionWords(is))
	}}
}

func conditionWords(rec *appv1.RedisEnterpriseCluster) map[string]metav1.ConditionStatus {
	words := map[string]metav1.ConditionStatus{}
	for _, c := range rec.Status.Conditions {
		words[c.Type] = c.Status
	}
	return words
}

// databasesOfCluster wakes the databases that are, or may mean to be, in a cluster.
func databasesOfCluster(c client.Reader) handler.MapFunc {
	return func(ctx context.Context, rec client.Object) []reconcile.Request {
		return selectDatabases(ctx, c, func(db *appv1alpha1.RedisEnterpriseDatabase) bool { return inCluster(db, rec.GetName()) })
	}
}

func inCluster(db *appv1alpha1.RedisEnterpriseDatabase, cluster string) bool {
	return db.Status.RedisEnterpriseCluster == cluster || db.Spec.ClusterName() == cluster ||
		db.Status.RedisEnterpriseCluster == "" && db.Spec.ClusterName() == ""
}

// databasesOfSecret wakes the databases that refer to a Secret.
func databasesOfSecret(c client.Reader) handler.TypedMapFunc[*metav1.PartialObjectMetadata, reconcile.Request] {
	return func(ctx context.Context, secret *metav1.PartialObjectMetadata) []reconcile.Request {
		return selectDatabases(ctx, c, func(db *appv1alpha1.RedisEnterpriseDatabase) bool {
			return db.Namespace == secret.Namespace && slices.ContainsFunc(database.References(db), func(r database.Reference) bool { return r.Secret == secret.Name })
		}, client.InNamespace(secret.Namespace))
	}
}

// databasesOfChange wakes the databases that a reading of their cluster says something new about, and those that are not
// as they should be whenever it may help them: a port that became free, a licence that grew. Those that tell clients
// where nodes are follow the nodes.
func databasesOfChange(c client.Reader) func(context.Context, link.Change) []reconcile.Request {
	return func(ctx context.Context, change link.Change) []reconcile.Request {
		all, help := change.WentUp || change.WentDown, len(change.BDBs) > 0 || change.Cluster
		if !all && !help && !change.Nodes {
			return nil
		}
		return selectDatabases(ctx, c, func(db *appv1alpha1.RedisEnterpriseDatabase) bool {
			if !inCluster(db, change.Key.Name) {
				return false
			}
			uid, known := rest.ParseUID(db.Status.DatabaseUID)
			return all || slices.Contains(change.Names, db.Name) || known && slices.Contains(change.BDBs, uid) ||
				help && !meta.IsStatusConditionTrue(db.Status.Conditions, appv1.ConditionReady) ||
				change.Nodes && database.TellsAddresses(db)
		})
	}
}

func selectDatabases(ctx context.Context, c client.Reader, chosen func(*appv1alpha1.RedisEnterpriseDatabase) bool, opts ...client.ListOption) []reconcile.Request {
	var list appv1alpha1.RedisEnterpriseDatabaseList
	if err := c.List(ctx, &list, opts...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "databases not woken")
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

// secretSource tells of changes of Secrets by name; their content stays where it is.
func secretSource(s Shared, wake handler.TypedMapFunc[*metav1.PartialObjectMetadata, reconcile.Request]) source.Source {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return source.Kind(s.SecretNames, secret, handler.TypedEnqueueRequestsFromMapFunc(wake))
}

// linkSource tells of what the pollers of the clusters find new. The queue does its own limiting: a change arrives here
// at most once per reading.
func linkSource(links *link.Registry, wake func(context.Context, link.Change) []reconcile.Request) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		cancel := links.Subscribe(func(change link.Change) {
			for _, request := range wake(ctx, change) {
				queue.Add(request)
			}
		})
		context.AfterFunc(ctx, cancel)
		return nil
	})
}
