package database

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
)

var key = types.NamespacedName{Namespace: "ns", Name: "orders"}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, appv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func runningCluster() *appv1.RedisEnterpriseCluster {
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec", UID: "rec-uid"}}
	rec.Status.State = appv1.ClusterRunning
	rec.Status.Conditions = []metav1.Condition{{Type: appv1.ConditionBootstrapComplete, Status: metav1.ConditionTrue, Reason: appv1.ReasonBootstrapped}}
	return rec
}

func database(change ...func(*v1alpha1.RedisEnterpriseDatabase)) *v1alpha1.RedisEnterpriseDatabase {
	db := &v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "orders", UID: "db-uid", Generation: 1}}
	for _, c := range change {
		c(db)
	}
	return db
}

// world is a resource, its Kubernetes and its cluster.
type world struct {
	t       *testing.T
	client  client.WithWatch
	kind    *Kind
	cluster *cluster
	links   *link.Registry
	writes  int // to Kubernetes
	events  []kube.Event
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, cluster: newCluster()}
	w.links = linkTo(t, w.cluster)
	w.client = fake.NewClientBuilder().WithScheme(scheme(t)).
		WithStatusSubresource(&v1alpha1.RedisEnterpriseDatabase{}, &appv1.RedisEnterpriseCluster{}).
		WithObjects(objects...).
		WithInterceptorFuncs(interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				w.writes++
				return c.Patch(ctx, o, p, opts...)
			},
			Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
				w.writes++
				return c.Apply(ctx, o, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				w.writes++
				return c.SubResource(sub).Patch(ctx, o, p, opts...)
			},
		}).Build()
	w.kind = NewKind(w.client, w.client, w.links, "ns")
	return w
}

// pass does what the loop does, once. It returns how the pass ended.
func (w *world) pass() error {
	w.t.Helper()
	db := &v1alpha1.RedisEnterpriseDatabase{}
	if err := w.client.Get(w.t.Context(), key, db); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		w.t.Fatal(err)
	}
	run, err := w.kind.Run(w.t.Context(), db)
	before := db.DeepCopy()
	w.events = append(w.events, w.kind.Report(before, db, run, err, time.Now())...)
	if _, perr := kube.PatchStatus(w.t.Context(), w.client, before, db); perr != nil {
		w.t.Fatal(perr)
	}
	return err
}

// settle passes until a pass is done, and fails when that takes too many.
func (w *world) settle() *v1alpha1.RedisEnterpriseDatabase {
	w.t.Helper()
	var err error
	for range 12 {
		if err = w.pass(); err == nil {
			return w.db()
		}
	}
	w.t.Fatalf("not settled: %v", err)
	return nil
}

func (w *world) db() *v1alpha1.RedisEnterpriseDatabase {
	w.t.Helper()
	db := &v1alpha1.RedisEnterpriseDatabase{}
	if err := w.client.Get(w.t.Context(), key, db); err != nil {
		w.t.Fatal(err)
	}
	return db
}

// edit changes the resource the way a user does: the generation moves on with the spec.
func (w *world) edit(change func(*v1alpha1.RedisEnterpriseDatabase)) {
	w.t.Helper()
	db := w.db()
	change(db)
	db.Generation++
	if err := w.client.Update(w.t.Context(), db); err != nil {
		w.t.Fatal(err)
	}
}

// elsewhere changes the cluster behind the operator's back, and lets the poller see it.
func (w *world) elsewhere(change func()) {
	w.t.Helper()
	w.cluster.with(change)
	snapshot, err := w.links.Get(types.NamespacedName{Namespace: "ns", Name: "rec"}).Refresh(w.t.Context())
	if snapshot == nil {
		w.t.Fatal(err)
	}
}

func (w *world) secret(name string) *corev1.Secret {
	w.t.Helper()
	s := &corev1.Secret{}
	err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, s)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// told tells whether an event of a reason was sent whose message has a part.
func (w *world) told(reason, part string) bool {
	return slices.ContainsFunc(w.events, func(e kube.Event) bool { return e.Reason == reason && strings.Contains(e.Message, part) })
}

func ready(db *v1alpha1.RedisEnterpriseDatabase) string {
	c := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady)
	if c == nil {
		return "absent"
	}
	return string(c.Status) + " " + c.Reason
}
