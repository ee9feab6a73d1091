package controllers

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
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
	"github.com/open-redis-enterprise/operator/internal/activeactive"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseactiveactivedatabases,verbs=create;delete;get;list;watch;patch;update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseactiveactivedatabases/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseremoteclusters,verbs=create;get;list;watch;patch
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch

// ActiveActiveDatabases is the controller of RedisEnterpriseActiveActiveDatabases.
var ActiveActiveDatabases = Controller{Kind: "RedisEnterpriseActiveActiveDatabase", Add: addActiveActiveDatabases}

func addActiveActiveDatabases(_ context.Context, s Shared) error {
	c := s.Manager.GetClient()
	kind := &activeactive.Kind{Client: c, Live: kube.ByName(s.Manager.GetAPIReader()), Links: s.Links, Pulse: s.Pulse, Namespace: s.Namespace}
	loop := &Loop[*appv1alpha1.RedisEnterpriseActiveActiveDatabase, activeactive.Run]{
		Client: c, Live: s.Manager.GetAPIReader(), Events: s.Events, Teardown: s.Teardown,
		Name: "RedisEnterpriseActiveActiveDatabase", Metrics: s.Metrics, Tracer: s.Tracer, Kind: kind,
	}
	all := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		return activeActiveWhere(ctx, c, func(*appv1alpha1.RedisEnterpriseActiveActiveDatabase) bool { return true })
	})
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("redisenterpriseactiveactivedatabase").
		For(&appv1alpha1.RedisEnterpriseActiveActiveDatabase{}, builder.WithPredicates(wishChanged)).
		Watches(&appv1alpha1.RedisEnterpriseRemoteCluster{}, all, builder.WithPredicates(remoteTurned())).
		Watches(&appv1.RedisEnterpriseCluster{}, all, builder.WithPredicates(clusterTurned())).
		WatchesRawSource(secretSource(s, activeActiveOfSecret(c, s.Namespace))).
		WatchesRawSource(linkSource(s.Links, activeActiveOfChange(c))).
		WatchesRawSource(pulseSource(s.Pulse)).
		WithOptions(controller.Options{MaxConcurrentReconciles: databaseWorkers, RateLimiter: retries()}).
		Complete(discovering(c, s, kind, loop.Reconcile))
}

func activeActiveReviewer(s Shared) activeactive.Reviewer {
	return activeactive.Reviewer{Cached: s.Manager.GetClient(), Live: kube.ByName(s.Manager.GetAPIReader()), Links: s.Links, Namespace: s.Namespace}
}

// discovering makes the resource of a database that another participating cluster made, when there is none.
func discovering(reader client.Reader, s Shared, kind *activeactive.Kind, next reconcile.Func) reconcile.Func {
	return func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		err := reader.Get(ctx, request.NamespacedName, &appv1alpha1.RedisEnterpriseActiveActiveDatabase{})
		if !apierrors.IsNotFound(err) {
			return next(ctx, request)
		}
		s.Pulse.Remove(request.NamespacedName)
		if s.Teardown.Ending(request.Namespace) {
			return reconcile.Result{}, nil
		}
		if err = kind.Discover(ctx, request.NamespacedName); err == nil {
			return reconcile.Result{}, nil // made, or there is nothing to make: either way somebody else wakes this
		}
		notDiscovered(ctx, reader, s, request, err)
		return outcome.Result(err)
	}
}

// notDiscovered tells of a database whose resource cannot be made here. There is nothing else that could: the cluster has it.
func notDiscovered(ctx context.Context, reader client.Reader, s Shared, request reconcile.Request, err error) {
	verdict := outcome.Of(err)
	if verdict.Kind != outcome.KindFailed && verdict.Kind != outcome.KindRejected {
		return
	}
	var clusters appv1.RedisEnterpriseClusterList
	if lerr := reader.List(ctx, &clusters, client.InNamespace(s.Namespace)); lerr != nil {
		ctrl.LoggerFrom(ctx).Error(lerr, "clusters not told of a database without a resource")
	}
	for i := range clusters.Items {
		kube.Emit(s.Events, &clusters.Items[i], []kube.Event{kube.Warning(names.EventNotDiscovered,
			"another cluster has made Active-Active database "+request.String()+", whose resource cannot be made here: "+verdict.Message)})
	}
}

// remoteTurned lets pass what a database must know of a remote cluster.
func remoteTurned() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, wasOK := e.ObjectOld.(*appv1alpha1.RedisEnterpriseRemoteCluster)
		is, isOK := e.ObjectNew.(*appv1alpha1.RedisEnterpriseRemoteCluster)
		return !wasOK || !isOK || was.Generation != is.Generation || !equality.Semantic.DeepEqual(was.Status.Status, is.Status.Status)
	}}
}

// activeActiveOfSecret wakes the databases whose settings name a Secret, and those of a remote cluster whose credentials
// are in it.
func activeActiveOfSecret(c client.Reader, namespace string) handler.TypedMapFunc[*metav1.PartialObjectMetadata, reconcile.Request] {
	return func(ctx context.Context, secret *metav1.PartialObjectMetadata) []reconcile.Request {
		var remotes appv1alpha1.RedisEnterpriseRemoteClusterList
		if secret.Namespace == namespace {
			if err := c.List(ctx, &remotes, client.InNamespace(namespace)); err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "remote clusters not read")
			}
		}
		credentials := slices.ContainsFunc(remotes.Items, func(r appv1alpha1.RedisEnterpriseRemoteCluster) bool {
			return activeactive.CredentialsName(&r) == secret.Name
		})
		return activeActiveWhere(ctx, c, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) bool {
			return credentials || db.Namespace == secret.Namespace &&
				slices.ContainsFunc(activeactive.References(db), func(r activeactive.Reference) bool { return r.Secret == secret.Name })
		})
	}
}

// activeActiveOfChange wakes the databases that a reading of their cluster says something new about, those that have no
// resource yet among them.
func activeActiveOfChange(c client.Reader) func(context.Context, link.Change) []reconcile.Request {
	return func(ctx context.Context, change link.Change) []reconcile.Request {
		turned := change.WentUp || change.WentDown || change.Cluster
		if !turned && len(change.BDBs) == 0 {
			return nil
		}
		requests := activeActiveWhere(ctx, c, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) bool {
			return turned || slices.Contains(change.Names, db.Name)
		})
		for _, key := range activeactive.Marked(change.Key, change.Snapshot) {
			request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: key.Namespace, Name: key.Name}}
			if (turned || slices.Contains(change.Names, key.Name)) && !slices.Contains(requests, request) {
				requests = append(requests, request)
			}
		}
		return requests
	}
}

// pulseSource tells when the links of a database came up or went down.
func pulseSource(pulse *activeactive.Pulse) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		cancel := pulse.Subscribe(func(key types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: key}) })
		context.AfterFunc(ctx, cancel)
		return nil
	})
}

func activeActiveWhere(ctx context.Context, c client.Reader, chosen func(*appv1alpha1.RedisEnterpriseActiveActiveDatabase) bool) []reconcile.Request {
	var list appv1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if err := c.List(ctx, &list); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Active-Active databases not woken")
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
