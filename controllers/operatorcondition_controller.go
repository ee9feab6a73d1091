package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/upgradeable"
)

// OLM itself grants get, update and patch on the one OperatorCondition, by name, so no marker asks for that.
// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters;redisenterprisedatabases;redisenterpriseactiveactivedatabases,verbs=get;list;watch

// OperatorConditions tells the Operator Lifecycle Manager whether the operator may be upgraded now. Where that manager
// did not install the operator there is nobody to tell, and nothing is added.
var OperatorConditions = Controller{Kind: kube.OperatorCondition.Kind, Add: addOperatorCondition}

// conditionUpgradeable is the one condition that OLM reads.
const conditionUpgradeable = "Upgradeable"

// Gate is what the manager was told about upgrades of the operator.
type Gate struct {
	// Condition is the name of the OperatorCondition in the operator's own namespace; empty where there is none.
	Condition string
	// Limit is how long something that does not move holds an upgrade back; zero is for ever.
	Limit time.Duration
	// Pause is how often the OperatorCondition is looked at, which may not be watched; zero is the default.
	Pause time.Duration
}

// gatePause is the default of Gate.Pause: an OperatorCondition that came late, or was changed, is noticed after that.
const gatePause = 30 * time.Second

func addOperatorCondition(_ context.Context, s Shared) error {
	if s.Gate.Condition == "" {
		return nil
	}
	g := &gate{Gate: s.Gate, client: s.Manager.GetClient(), live: s.Manager.GetAPIReader(), namespace: s.Namespace, now: time.Now}
	if g.Pause == 0 {
		g.Pause = gatePause
	}
	one := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: s.Namespace, Name: s.Gate.Condition}}
	wake := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request { return []reconcile.Request{one} })
	turned := builder.WithPredicates(safetyTurned())
	return ctrl.NewControllerManagedBy(s.Manager).
		Named("operatorcondition").
		Watches(&appv1.RedisEnterpriseCluster{}, wake, turned).
		Watches(&appv1alpha1.RedisEnterpriseDatabase{}, wake, turned).
		Watches(&appv1alpha1.RedisEnterpriseActiveActiveDatabase{}, wake, turned).
		WatchesRawSource(source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			queue.Add(one) // also where there is no cluster yet
			return nil
		})).
		WithOptions(controller.Options{RateLimiter: retries()}).
		Complete(g)
}

// safetyTurned lets pass what changes an object's answer. The rest is seen at the next look.
func safetyTurned() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return upgradeable.ReasonOf(e.ObjectOld) != upgradeable.ReasonOf(e.ObjectNew) ||
			e.ObjectOld.GetAnnotations()[names.AnnotationHoldUpgrade] != e.ObjectNew.GetAnnotations()[names.AnnotationHoldUpgrade]
	}}
}

// gate keeps the OperatorCondition true. It remembers nothing: what it says follows from the resources each time, so that
// the next leader goes on where this one was.
type gate struct {
	Gate
	client    client.Client
	live      client.Reader
	namespace string
	now       func() time.Time
}

// Reconcile decides, and writes when the OperatorCondition says something else. That there is none is no error: the
// clusters matter, and nobody waits for the answer.
func (g *gate) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := g.gather(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	verdict := upgradeable.Decide(seen, g.now(), g.Limit)
	wrote, err := kube.TellOLM(ctx, g.live, g.client, req.NamespacedName, conditionOf(verdict))
	switch {
	case errors.Is(err, kube.ErrAbsent) || apierrors.IsForbidden(err):
		log.FromContext(ctx).V(1).Info("OLM is not told whether the operator may be upgraded", "why", err.Error())
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: afterConflict}, nil
	case err != nil:
		return ctrl.Result{}, fmt.Errorf("operator condition %s: %w", req.Name, err)
	case wrote:
		log.FromContext(ctx).Info("told OLM whether the operator may be upgraded", "upgradeable", verdict.Upgradeable, "reason", verdict.Reason, "message", verdict.Message)
	}
	return ctrl.Result{RequeueAfter: g.next(verdict)}, nil
}

// next is when to look again: after the usual pause, or when time alone changes the answer.
func (g *gate) next(v upgradeable.Verdict) time.Duration {
	if v.Until.IsZero() {
		return g.Pause
	}
	return min(g.Pause, max(afterConflict, v.Until.Sub(g.now())))
}

func conditionOf(v upgradeable.Verdict) metav1.Condition {
	status := metav1.ConditionFalse
	if v.Upgradeable {
		status = metav1.ConditionTrue
	}
	return metav1.Condition{Type: conditionUpgradeable, Status: status, Reason: v.Reason, Message: v.Message}
}

// gather reads the resources from the cache, without copies, since nobody changes them.
func (g *gate) gather(ctx context.Context) (upgradeable.Seen, error) {
	var clusters appv1.RedisEnterpriseClusterList
	if err := g.client.List(ctx, &clusters, client.InNamespace(g.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return upgradeable.Seen{}, err
	}
	var databases appv1alpha1.RedisEnterpriseDatabaseList
	if err := g.client.List(ctx, &databases, client.UnsafeDisableDeepCopy); err != nil {
		return upgradeable.Seen{}, err
	}
	var activeActive appv1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if err := g.client.List(ctx, &activeActive, client.UnsafeDisableDeepCopy); err != nil {
		return upgradeable.Seen{}, err
	}
	return upgradeable.Seen{Clusters: clusters.Items, Databases: databases.Items, ActiveActive: activeActive.Items}, nil
}
