package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/open-redis-enterprise/operator/internal/kube"
)

// phases is a kind whose status always changes and whose run ends as told.
type phases struct{ ends error }

func (phases) New() *corev1.Namespace                                     { return &corev1.Namespace{} }
func (p phases) Run(context.Context, *corev1.Namespace) (struct{}, error) { return struct{}{}, p.ends }
func (phases) Report(_, obj *corev1.Namespace, _ struct{}, _ error, now time.Time) []kube.Event {
	obj.Status.Phase = corev1.NamespacePhase(now.String())
	return []kube.Event{kube.Normal("Seen", "it was seen")}
}

func TestLoopAndARefusedStatus(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "namespaces"}, "a", errors.New("the object has been modified"))
	for _, c := range []struct {
		name      string
		ends      error // of the run
		refusal   error // of the status patch
		err, soon bool
	}{
		{name: "somebody wrote meanwhile: look again soon, and quietly", refusal: conflict, soon: true},
		{name: "the same when the run failed too", ends: errors.New("no route"), refusal: conflict, soon: true},
		{name: "any other refusal is an error", refusal: errors.New("no API server"), err: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
			events := record.NewFakeRecorder(1)
			l := &Loop[*corev1.Namespace, struct{}]{Kind: phases{c.ends}, Events: events, Client: fake.NewClientBuilder().WithObjects(object).WithInterceptorFuncs(interceptor.Funcs{
				SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
					return c.refusal
				},
			}).Build()}
			result, err := l.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)})
			if (err != nil) != c.err || (result.RequeueAfter > 0 && result.RequeueAfter < time.Second) != c.soon {
				t.Errorf("%+v, %v", result, err)
			}
			if len(events.Events) > 0 {
				t.Errorf("an event of a status that was not written: %s", <-events.Events)
			}
		})
	}
}

// told is a kind that reports what it is told to, and runs as it is told to.
type told struct {
	phase corev1.NamespacePhase
	ends  error
}

func (*told) New() *corev1.Namespace                                     { return &corev1.Namespace{} }
func (k *told) Run(context.Context, *corev1.Namespace) (struct{}, error) { return struct{}{}, k.ends }
func (k *told) Report(_, obj *corev1.Namespace, _ struct{}, _ error, _ time.Time) []kube.Event {
	obj.Status.Phase = k.phase
	return nil
}

// A run that is repeated before the cache has the status of the first must not leave that status there, whether the
// reply to its write came back or was lost.
func TestLoopAndACacheThatIsBehind(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(map[bool]string{false: "after a write", true: "after a write whose reply was lost"}[lost], func(t *testing.T) {
			object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.NamespaceStatus{Phase: "as it was"}}
			key := client.ObjectKeyFromObject(object)
			server := fake.NewClientBuilder().WithObjects(object).WithStatusSubresource(object).Build()
			var cached corev1.Namespace
			if err := server.Get(t.Context(), key, &cached); err != nil {
				t.Fatal(err)
			}
			behind := interceptor.NewClient(server, interceptor.Funcs{
				Get: func(_ context.Context, _ client.WithWatch, _ client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
					cached.DeepCopyInto(obj.(*corev1.Namespace))
					return nil
				},
				SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
					err := c.SubResource(sub).Patch(ctx, obj.DeepCopyObject().(client.Object), patch, opts...)
					if lost {
						return errors.Join(err, context.DeadlineExceeded)
					}
					return errors.Join(err, server.Get(ctx, key, obj))
				},
			})
			kind := &told{phase: "failing", ends: errors.New("no answer")}
			l := &Loop[*corev1.Namespace, struct{}]{Kind: kind, Events: record.NewFakeRecorder(1), Client: behind, Live: server}
			if _, err := l.Reconcile(t.Context(), ctrl.Request{NamespacedName: key}); err == nil {
				t.Fatal("the first run ended well")
			}
			kind.phase, kind.ends, lost = "as it was", nil, false
			if _, err := l.Reconcile(t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
				t.Fatal(err)
			}
			var now corev1.Namespace
			if err := server.Get(t.Context(), key, &now); err != nil || now.Status.Phase != "as it was" {
				t.Errorf("status %q, %v", now.Status.Phase, err)
			}
		})
	}
}
