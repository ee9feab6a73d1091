package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// +kubebuilder:rbac:groups=app.redislabs.com,resources=redisenterpriseclusters;redisenterprisedatabases;redisenterpriseactiveactivedatabases;redisenterpriseremoteclusters,verbs=get;list;patch;update
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

// Teardown lets go of everything in a namespace that is being deleted. The operator, its rights and the clusters all go
// with the namespace, pods first: a finalizer that waited for an orderly end would never be taken off. So as soon as a
// pod of ours ends in a terminating namespace, all finalizers of ours there are taken off, and none is put on again.
type Teardown struct {
	// Live reads past the cache: namespaces are not cached.
	Live   client.Reader
	Client client.Client

	mu     sync.Mutex
	ending map[string]bool
	looked map[string]time.Time
}

// group is what all finalizers of ours end in.
const group = ".app.redislabs.com"

// lookAgain is how long a namespace that is not terminating is believed to stay so.
const lookAgain = 2 * time.Second

// Ending reports whether the namespace is being deleted, as far as is known.
func (t *Teardown) Ending(namespace string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ending[namespace]
}

// Look reads the namespace, and lets go of everything in it if it is being deleted.
func (t *Teardown) Look(ctx context.Context, namespace string) error {
	t.mu.Lock()
	fresh := !t.ending[namespace] && time.Since(t.looked[namespace]) < lookAgain
	t.mu.Unlock()
	if fresh {
		return nil
	}
	var ns corev1.Namespace
	err := t.Live.Get(ctx, client.ObjectKey{Name: namespace}, &ns)
	gone := apierrors.IsNotFound(err)
	if err != nil && !gone {
		return fmt.Errorf("namespace %s: %w", namespace, err)
	}
	ending := gone || ns.DeletionTimestamp != nil
	t.mu.Lock()
	if t.ending == nil {
		t.ending, t.looked = map[string]bool{}, map[string]time.Time{}
	}
	t.ending[namespace], t.looked[namespace] = ending, time.Now()
	t.mu.Unlock()
	if !ending || gone {
		return nil
	}
	return t.letGo(ctx, namespace)
}

// letGo takes off the finalizers first: as long as there are pods, Kubernetes leaves everything else in the namespace
// alone, and after them it takes the operator's account too.
func (t *Teardown) letGo(ctx context.Context, namespace string) error {
	lists := []client.ObjectList{&appv1alpha1.RedisEnterpriseDatabaseList{}, &appv1alpha1.RedisEnterpriseActiveActiveDatabaseList{},
		&appv1alpha1.RedisEnterpriseRemoteClusterList{}, &appv1.RedisEnterpriseClusterList{}}
	for _, list := range lists {
		if err := t.Live.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			return t.Release(ctx, item.(client.Object))
		})
		if err != nil {
			return err
		}
	}
	return t.endPods(ctx, namespace)
}

// endPods removes the pods of the clusters at once (rule STB-7). Kubernetes estimates from their grace period, a year,
// when to look at the namespace again, so that pods which are still there at its second look, after five seconds, would
// hold the namespace until its next resync. There is nothing left to save: their volumes go with the namespace.
func (t *Teardown) endPods(ctx context.Context, namespace string) error {
	var pods corev1.PodList
	if err := t.Live.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{names.LabelApp: names.AppValue}, client.HasLabels{names.LabelRole}); err != nil {
		return err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		uid := pod.UID
		err := t.Client.Delete(ctx, pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("pod %s: %w", pod.Name, err)
		}
	}
	return nil
}

// Release takes the finalizers of ours off one object. Somebody may be writing its status at the same time, so a
// conflict is no reason to give up.
func (t *Teardown) Release(ctx context.Context, obj client.Object) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		err := t.release(ctx, obj)
		if apierrors.IsConflict(err) {
			if gerr := t.Live.Get(ctx, client.ObjectKeyFromObject(obj), obj); gerr != nil {
				return client.IgnoreNotFound(gerr)
			}
		}
		return err
	})
}

func (t *Teardown) release(ctx context.Context, obj client.Object) error {
	for _, finalizer := range slices.Clone(obj.GetFinalizers()) {
		if !strings.HasSuffix(finalizer, group) {
			continue
		}
		log.FromContext(ctx).Info("the namespace is being deleted: letting go", "object", obj.GetName(), "finalizer", finalizer)
		if err := kube.RemoveFinalizer(ctx, t.Client, obj, finalizer); err != nil {
			return err
		}
	}
	return nil
}

// Insist looks until a look has gone well or ctx ends. It is for an operator that is told to stop: after it, nobody is
// left to take a finalizer off.
func (t *Teardown) Insist(ctx context.Context, namespace string) error {
	for {
		err := t.Look(ctx, namespace)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Reconcile looks at the namespace of a pod that is ending.
func (t *Teardown) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	return ctrl.Result{}, t.Look(ctx, req.Namespace)
}

// Add watches pods of ours in every replica: the one that leads may be the first to go.
func (t *Teardown) Add(mgr ctrl.Manager) error {
	everyReplica := false
	ending := predicate.NewPredicateFuncs(func(obj client.Object) bool { return obj.GetDeletionTimestamp() != nil })
	return ctrl.NewControllerManagedBy(mgr).
		Named("teardown").
		For(&corev1.Pod{}, builder.WithPredicates(ending)).
		WithOptions(controller.Options{NeedLeaderElection: &everyReplica}).
		Complete(t)
}
