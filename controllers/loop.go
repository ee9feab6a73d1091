// Package controllers wires each kind to the manager: what it watches, which rights it needs, and the one loop that all
// kinds share.
package controllers

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/metrics"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// Kind is what the loop needs to know of one kind of custom resource. R is what a run found and did; only the kind
// looks inside.
type Kind[T client.Object, R any] interface {
	// New returns an empty object to read into.
	New() T
	// Run gathers, observes, plans and applies. It never touches status.
	Run(ctx context.Context, obj T) (R, error)
	// Report writes the status of obj in memory from what the run found and how it ended, and returns the events of
	// what changed. before is the object as it was read. It calls nothing.
	Report(before, obj T, run R, err error, now time.Time) []kube.Event
}

// Loop reconciles one kind: run, report, write the status if it differs, and let the outcome decide when to look again.
type Loop[T client.Object, R any] struct {
	Client client.Client
	// Live reads past the cache what the cache does not have yet: the object that this loop has just written.
	Live   client.Reader
	Events record.EventRecorder
	Kind   Kind[T, R]
	// Teardown knows namespaces that are being deleted, where nothing is done any more but letting go.
	Teardown *Teardown
	// Metrics and Tracer are told of each run under the kind's Name; nil ones are told nothing.
	Name    string
	Metrics *metrics.Metrics
	Tracer  *trace.Tracer
	Now     func() time.Time // time.Now unless a test says otherwise

	written written
}

// repairing is a run that can tell what it put back because somebody else had changed it.
type repairing interface{ Repaired() []string }

// afterConflict is when an object is looked at again of which this program had an old version. A watch brings the new one.
const afterConflict = 200 * time.Millisecond

// Reconcile brings one object closer to its spec.
func (l *Loop[T, R]) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj, err := l.read(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if done, err := l.tornDown(ctx, obj); done || err != nil {
		return ctrl.Result{}, err
	}
	start := time.Now()
	ctx, span := l.Tracer.Reconcile(ctx, l.Name, req.Namespace, req.Name)
	err = l.reconcile(ctx, obj)
	span.End(err)
	l.Metrics.Reconciled(l.Name, err, time.Since(start))
	return outcome.Result(err)
}

// read gets the object from the cache, or from the API server while the cache is behind what this loop wrote itself.
func (l *Loop[T, R]) read(ctx context.Context, key client.ObjectKey) (T, error) {
	obj := l.Kind.New()
	err := l.Client.Get(ctx, key, obj)
	if err == nil && l.written.Ahead(key, obj.GetResourceVersion()) {
		obj = l.Kind.New()
		err = l.Live.Get(ctx, key, obj)
	}
	if apierrors.IsNotFound(err) {
		l.written.Forget(key)
	}
	return obj, err
}

// reconcile runs, and writes down how it ended.
func (l *Loop[T, R]) reconcile(ctx context.Context, obj T) error {
	key, read := client.ObjectKeyFromObject(obj), obj.GetResourceVersion()
	run, err := l.Kind.Run(ctx, obj)
	if r, ok := any(run).(repairing); ok {
		l.Metrics.Repaired(l.Name, r.Repaired())
	}
	if apierrors.IsConflict(err) { // somebody wrote meanwhile: nothing is wrong, and all of it is looked at again
		l.written.Remember(key, read, obj, true)
		return changedMeanwhile(ctx, "run", err)
	}
	ctx, span := trace.Phase(ctx, trace.Report)
	perr := l.report(ctx, obj, run, err)
	span.End(perr)
	l.written.Remember(key, read, obj, perr != nil)
	if apierrors.IsConflict(perr) {
		return changedMeanwhile(ctx, "report", perr)
	}
	return errors.Join(err, perr) // not written down means not done
}

// changedMeanwhile is the outcome of a write that another writer came before.
func changedMeanwhile(ctx context.Context, phase string, conflict error) error {
	log.FromContext(ctx).V(1).Info("changed meanwhile, looked at again", "phase", phase, "conflict", conflict.Error())
	return outcome.Wait(appv1.ReasonWaiting, afterConflict, "the resource was changed meanwhile")
}

func (l *Loop[T, R]) report(ctx context.Context, obj T, run R, err error) error {
	before := obj.DeepCopyObject().(T) // after the run: it may have put on a finalizer or a documented default
	events := l.Kind.Report(before, obj, run, err, l.now())
	changed, perr := kube.PatchStatus(ctx, l.Client, before, obj)
	if perr != nil {
		return perr
	}
	kube.Emit(l.Events, obj, events)
	if changed {
		log.FromContext(ctx).V(1).Info("status written", "outcome", outcome.Describe(err))
	}
	return nil
}

// tornDown reports whether the object goes with its namespace, in which case it has been let go.
func (l *Loop[T, R]) tornDown(ctx context.Context, obj T) (bool, error) {
	if l.Teardown == nil {
		return false, nil
	}
	if obj.GetDeletionTimestamp() != nil {
		if err := l.Teardown.Look(ctx, obj.GetNamespace()); err != nil {
			log.FromContext(ctx).Info("namespace not read", "error", err.Error()) // an orderly deletion needs no more
		}
	}
	if !l.Teardown.Ending(obj.GetNamespace()) {
		return false, nil
	}
	return true, l.Teardown.Release(ctx, obj)
}

func (l *Loop[T, R]) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}
