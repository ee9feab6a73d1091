package rigger

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// bench is a rigger with an admin API and a Kubernetes that the test decides on.
type bench struct {
	*Rigger
	t      *testing.T
	list   []rest.BDB
	err    error
	writes []string
	refuse string // name of the object that Kubernetes refuses
	server client.WithWatch
	log    strings.Builder
}

func (b *bench) ListBDBs(context.Context, ...string) ([]rest.BDB, error) { return b.list, b.err }

func newBench(t *testing.T, s Settings, objects ...client.Object) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme, ingress.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t}
	b.server = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	kubernetes := interceptor.NewClient(b.server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, o ...client.GetOption) error {
			err := c.Get(ctx, key, obj, o...)
			if err == nil && obj.GetLabels()[names.LabelCluster] != s.Cluster { // the cache of the rigger has its own objects
				return apierrors.NewNotFound(schema.GroupResource{Resource: "services"}, key.Name)
			}
			return err
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, o ...client.ApplyOption) error {
			name := obj.(interface{ GetName() string }).GetName()
			if name == b.refuse {
				return errors.New("refused")
			}
			b.writes = append(b.writes, "apply "+name)
			return c.Apply(ctx, obj, o...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, o ...client.DeleteOption) error {
			b.writes = append(b.writes, "delete "+obj.GetName())
			return c.Delete(ctx, obj, o...)
		},
	})
	owner := &v1.RedisEnterpriseCluster{}
	owner.Namespace, owner.Name, owner.UID = s.Namespace, s.Cluster, "u"
	b.Rigger = &Rigger{Settings: s, API: b, Client: kubernetes, Live: b.server, Owner: owner, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		Kinds: func() platform.Kinds { return platform.KindsOf(platform.Optional()...) }}
	return b
}

// look looks once and returns the writes it took.
func (b *bench) look() ([]string, error) {
	b.t.Helper()
	b.writes = nil
	err := b.Once(b.t.Context())
	slices.Sort(b.writes)
	return b.writes, err
}

func (b *bench) routes() []string {
	b.t.Helper()
	var list routev1.RouteList
	if err := b.Client.List(b.t.Context(), &list); err != nil {
		b.t.Fatal(err)
	}
	var found []string
	for _, r := range list.Items {
		found = append(found, r.Name+" "+r.Spec.Host)
	}
	return found
}

func TestNET8_WaysFollowTheDatabasesAndNothingFlaps(t *testing.T) {
	b := newBench(t, waysIn(ingress.Route))
	b.list = []rest.BDB{activeActive(1, "one", 12000), activeActive(2, "two", 12001)}
	if writes, err := b.look(); err != nil || len(writes) != 6 {
		t.Fatalf("%v, %v", writes, err)
	}
	quiet := func(when string) {
		t.Helper()
		if writes, err := b.look(); err != nil || len(writes) != 0 {
			t.Errorf("%s: %v, %v", when, writes, err)
		}
	}
	quiet("nothing has changed")

	b.Rigger = newRiggerLike(b.Rigger)
	quiet("the rigger was restarted")

	b.err = errors.New("no answer")
	if writes, err := b.look(); err == nil || len(writes) != 0 {
		t.Errorf("a failed look: %v, %v", writes, err)
	}
	b.err = nil

	b.list[1].Endpoints, b.list[1].Port = nil, ptrInt(12001)
	quiet("an endpoint is away")

	b.Settings.Ingress.DatabaseSuffix = ".other.example.com"
	if writes, err := b.look(); err != nil || !slices.Equal(writes, []string{"apply one", "apply two"}) {
		t.Errorf("another suffix: %v, %v", writes, err)
	}
	if got := b.routes(); !slices.Equal(got, []string{"one one.other.example.com", "two two.other.example.com"}) {
		t.Errorf("routes: %v", got)
	}

	b.list = b.list[1:]
	if writes, err := b.look(); err != nil || !slices.Equal(writes, []string{"delete one", "delete one", "delete one-headless"}) {
		t.Errorf("a database went: %v, %v", writes, err)
	}
	quiet("the database is gone")
}

func ptrInt(n int) *rest.Int { i := rest.Int(n); return &i }

func newRiggerLike(r *Rigger) *Rigger {
	return &Rigger{Settings: r.Settings, API: r.API, Client: r.Client, Live: r.Live, Kinds: r.Kinds, Owner: r.Owner, Log: r.Log}
}

func TestNET2_OneRefusedWayInHoldsNothingUp(t *testing.T) {
	b := newBench(t, waysIn(ingress.Route))
	b.list = []rest.BDB{activeActive(1, "gone", 12000)}
	if _, err := b.look(); err != nil {
		t.Fatal(err)
	}
	b.Settings.Types, b.refuse = []string{Headless}, "bad" // the Service is called bad-headless
	b.list = []rest.BDB{activeActive(2, "bad", 12001), activeActive(3, "good", 12002)}
	if _, err := b.look(); err == nil || !strings.Contains(err.Error(), "Route bad") {
		t.Errorf("nobody hears of it: %v", err)
	}
	if got := b.routes(); !slices.Equal(got, []string{"good good-db.example.com"}) {
		t.Errorf("routes: %v", got)
	}
	if err := b.Healthy(); err != nil {
		t.Errorf("the Services are fine: %v", err)
	}
}

func TestKindsThatAreNotThereHoldNothingUp(t *testing.T) {
	b := newBench(t, waysIn(ingress.Istio))
	served := platform.KindsOf(platform.IstioGateway)
	b.Kinds = func() platform.Kinds { return served }
	b.list = []rest.BDB{activeActive(1, "one", 12000)}
	for range 2 {
		if writes, err := b.look(); err != nil || slices.Contains(writes, "apply rec-databases") {
			t.Fatalf("%v, %v", writes, err)
		}
	}
	if got := strings.Count(b.log.String(), "does not have VirtualService"); got != 1 {
		t.Errorf("told %d times: %s", got, b.log.String())
	}
	served = platform.KindsOf(platform.IstioGateway, platform.VirtualService)
	if writes, err := b.look(); err != nil || !slices.Equal(writes, []string{"apply one", "apply rec-databases"}) {
		t.Errorf("it came later: %v, %v", writes, err)
	}
	if writes, err := b.look(); err != nil || len(writes) != 0 {
		t.Errorf("and again: %v, %v", writes, err)
	}
}

// What users and the operator made is not the rigger's to remove.
func TestOthersObjectsStay(t *testing.T) {
	labels := names.ClusterLabels("rec")
	users := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "users", Labels: labels}}
	b := newBench(t, waysIn(ingress.Ingress), users)
	api := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec", Labels: labels}}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec-ui", Labels: labels}}
	operator := kube.Writer{Client: b.Client, Manager: names.ManagerOperator}
	if _, err := operator.Apply(t.Context(), b.Owner, []client.Object{api, service}); err != nil {
		t.Fatal(err)
	}
	b.list = []rest.BDB{activeActive(1, "rec-ui", 12000), activeActive(2, "one", 12001)}
	if writes, err := b.look(); err != nil || !slices.Equal(writes, []string{"apply one", "apply one", "apply one-headless"}) {
		t.Errorf("%v, %v", writes, err)
	}
	b.list = nil
	if writes, err := b.look(); err != nil || !slices.Equal(writes, []string{"delete one", "delete one", "delete one-headless"}) {
		t.Errorf("%v, %v", writes, err)
	}
}

func TestRIG2_ServicesOfOthersAreNotTaken(t *testing.T) {
	theirs := func(name string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Labels: map[string]string{"app": "theirs"}},
			Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "theirs"}, Ports: []corev1.ServicePort{{Name: "redis", Port: 6379}}}}
	}
	owned := theirs("kept")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "app.redislabs.com/v1", Kind: "RedisEnterpriseCluster", Name: "rec", UID: "u"}}
	users := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "cache"}}
	b := newBench(t, waysIn(ingress.Ingress), theirs("cache"), owned, users)
	events := record.NewFakeRecorder(10)
	b.Events = events
	b.list = []rest.BDB{activeActive(1, "cache", 12000), activeActive(2, "one", 12001), activeActive(3, "kept", 12002)}
	_, err := b.look()
	if err == nil || !strings.Contains(err.Error(), "Ingress cache is there already and does not belong to the cluster") {
		t.Errorf("the way in: %v", err)
	}
	for range 3 {
		if writes, _ := b.look(); len(writes) != 0 {
			t.Errorf("and again: %v", writes)
		}
	}
	got := theirs("cache")
	if err := b.server.Get(t.Context(), client.ObjectKeyFromObject(got), got); err != nil || got.Spec.Selector["app"] != "theirs" || len(got.OwnerReferences) != 0 {
		t.Errorf("%v: %+v", err, got)
	}
	for name, made := range map[string]bool{"cache-headless": true, "one": true, "one-headless": true, "kept": true} {
		service := &corev1.Service{}
		if err := b.server.Get(t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, service); (err == nil && service.Labels[names.LabelCluster] == "rec") != made {
			t.Errorf("%s: %v, labels %v", name, err, service.Labels)
		}
	}
	close(events.Events)
	told := 0
	for event := range events.Events {
		if strings.Contains(event, "LeftOut") && strings.Contains(event, "Service cache") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told by %d events", told)
	}
	if err := b.server.Delete(t.Context(), theirs("cache")); err != nil {
		t.Fatal(err)
	}
	b.others = nil // the time in which it is believed to be there has passed
	if writes, _ := b.look(); !slices.Contains(writes, "apply cache") {
		t.Errorf("the name is free: %v", writes)
	}
}

func TestRIG2_AServiceThatIsRefusedHoldsNoOtherUp(t *testing.T) {
	b := newBench(t, settings(ClusterIP))
	b.refuse, b.list = "bad", []rest.BDB{bdb(1, "bad", 12000), bdb(2, "good", 12001)}
	if writes, err := b.look(); err == nil || !slices.Equal(writes, []string{"apply good"}) {
		t.Errorf("%v, %v", writes, err)
	}
}

func TestAFailureIsToldOnce(t *testing.T) {
	b := newBench(t, settings(ClusterIP))
	for _, err := range []error{errors.New("a"), errors.New("a"), errors.New("b"), nil, nil} {
		b.fail(err)
	}
	if got := strings.Count(b.log.String(), "level=WARN"); got != 2 {
		t.Errorf("%d warnings: %s", got, b.log.String())
	}
	if got := strings.Count(b.log.String(), "up to date again"); got != 1 {
		t.Errorf("%d times up to date: %s", got, b.log.String())
	}
}
