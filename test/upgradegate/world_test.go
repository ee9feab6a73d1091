// Package upgradegate runs the controller that tells the Operator Lifecycle Manager whether the operator may be upgraded,
// against a real API server, with the operator's own rights and those that OLM grants, and with no other controller that
// would change the status that the tests write.
package upgradegate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/controllers"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

const (
	root  = "../.."
	csv   = "open-redis-enterprise-operator.v1.1.0" // and so the name of its OperatorCondition
	limit = time.Minute                             // for a hang, not for speed
)

// env is shared; each test has a namespace of its own.
var env *testenv.Env

func TestMain(m *testing.M) {
	code, err := run(m)
	if err = errors.Join(err, goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	if env, err = testenv.Start(context.Background(), testenv.Options{CRDs: []string{filepath.Join(root, "config/crd/bases")}}); err != nil {
		return 1, err
	}
	code = m.Run()
	return code, env.Stop()
}

// world is one namespace with an account that has the rights of config/rbac.
type world struct {
	t         *testing.T
	client    client.Client
	namespace string
}

func newWorld(t *testing.T, namespace string) *world {
	t.Helper()
	scheme, err := command.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, namespace: namespace}
	if w.client, err = client.New(env.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "config/rbac/role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.Role{}
	if err := yaml.UnmarshalStrict(raw, role); err != nil {
		t.Fatal(err)
	}
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	w.create(&corev1.ServiceAccount{ObjectMeta: w.meta(names.Owner)})
	w.grant(names.Owner, role.Rules...)
	return w
}

// in is the same world in a part of its test.
func (w *world) in(t *testing.T) *world {
	other := *w
	other.t = t
	return &other
}

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

func (w *world) create(obj client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) grant(name string, rules ...rbacv1.PolicyRule) {
	w.t.Helper()
	w.create(&rbacv1.Role{ObjectMeta: w.meta(name), Rules: rules})
	w.create(&rbacv1.RoleBinding{ObjectMeta: w.meta(name), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: names.Owner}}})
}

// grantAsOLM gives the rights that OLM gives to the account of a CSV.
func (w *world) grantAsOLM() {
	w.t.Helper()
	w.grant(csv, rbacv1.PolicyRule{APIGroups: []string{kube.OperatorCondition.Group}, Resources: []string{"operatorconditions"},
		ResourceNames: []string{csv}, Verbs: []string{"get", "update", "patch"}})
}

// serve makes the API server know OperatorConditions, and is called by each test that needs them.
func serve(t *testing.T) {
	t.Helper()
	files, err := testenv.ForeignCRDs(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return !strings.HasSuffix(file, "_operatorconditions.yaml") })
	if len(files) != 1 {
		t.Fatalf("CRDs of OperatorConditions: %v", files)
	}
	if err := env.InstallCRDs(t.Context(), files...); err != nil {
		t.Fatal(err)
	}
}

// condition makes the OperatorCondition as OLM does, with what an administrator and somebody else wrote there.
func (w *world) condition() {
	w.t.Helper()
	other := map[string]any{"type": "example.org/Other", "status": "True", "reason": "Said", "message": "by somebody else", "lastTransitionTime": "2026-01-02T03:04:05Z"}
	override := map[string]any{"type": "Upgradeable", "status": "True", "reason": "Admin", "message": "go on", "lastTransitionTime": "2026-01-02T03:04:05Z"}
	obj := w.object()
	obj.Object["spec"] = map[string]any{"deployments": []any{names.Owner}, "serviceAccounts": []any{names.Owner},
		"conditions": []any{other}, "overrides": []any{override}}
	w.create(obj)
}

func (w *world) object() *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(kube.OperatorCondition)
	obj.SetNamespace(w.namespace)
	obj.SetName(csv)
	return obj
}

// spec is the part of an OperatorCondition that OLM and administrators read.
type spec struct {
	Deployments     []string           `json:"deployments"`
	ServiceAccounts []string           `json:"serviceAccounts"`
	Conditions      []metav1.Condition `json:"conditions"`
	Overrides       []metav1.Condition `json:"overrides"`
}

func (w *world) read(ctx context.Context) (*unstructured.Unstructured, spec, error) {
	var content struct {
		Spec spec `json:"spec"`
	}
	obj := w.object()
	if err := w.client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		return nil, spec{}, err
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &content)
	return obj, content.Spec, err
}

// cluster makes a REC and gives it a status.
func (w *world) cluster(name string, status appv1.RedisEnterpriseClusterStatus) {
	w.t.Helper()
	w.create(&appv1.RedisEnterpriseCluster{ObjectMeta: w.meta(name)})
	w.status(name, status)
}

func (w *world) status(name string, status appv1.RedisEnterpriseClusterStatus) {
	w.t.Helper()
	rec := &appv1.RedisEnterpriseCluster{}
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, rec); err != nil {
		w.t.Fatal(err)
	}
	rec.Status = status
	if err := w.client.Status().Update(w.t.Context(), rec); err != nil {
		w.t.Fatal(err)
	}
}

// traffic notes what a replica asks for OperatorConditions, and how often it asks whether they are served.
type traffic struct {
	mu      sync.Mutex
	calls   []call
	lookups int
}

type call struct {
	method string
	status int
}

// RoundTripper notes each call on its way.
func (t *traffic) RoundTripper(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		t.mu.Lock()
		defer t.mu.Unlock()
		switch {
		case err != nil:
		case strings.Contains(r.URL.Path, "/operatorconditions"):
			t.calls = append(t.calls, call{r.Method, answer.StatusCode})
		case r.URL.Path == "/apis/"+kube.OperatorCondition.GroupVersion().String():
			t.lookups++
		}
		return answer, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// count counts the calls by method, "" for all, and status, 0 for all.
func (t *traffic) count(method string, status int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, c := range t.calls {
		if (method == "" || c.method == method) && (status == 0 || c.status == status) {
			n++
		}
	}
	return n
}

// asked is how often it was looked up whether the kind is served.
func (t *traffic) asked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lookups
}

// replica is one running operator that has only this controller.
type replica struct {
	*traffic
	stop    func()
	elected <-chan struct{}
}

func (w *world) replica(gate controllers.Gate) *replica {
	w.t.Helper()
	as, err := env.As(w.t.Context(), w.namespace, names.Owner)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &replica{traffic: &traffic{}}
	as.Wrap(r.RoundTripper)
	mgr, err := ctrl.NewManager(as, ctrl.Options{
		Scheme:  w.client.Scheme(),
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{w.namespace: {}}},
		Metrics: server.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		LeaderElection: true, LeaderElectionID: names.Owner, LeaderElectionNamespace: w.namespace, LeaderElectionReleaseOnCancel: true,
		LeaseDuration: ptr.To(4 * time.Second), RenewDeadline: ptr.To(3 * time.Second), RetryPeriod: ptr.To(200 * time.Millisecond),
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := controllers.OperatorConditions.Add(w.t.Context(), controllers.Shared{Manager: mgr, Namespace: w.namespace, Gate: gate}); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := mgr.Start(ctx); err != nil {
			w.t.Errorf("the replica ended: %v", err)
		}
	}()
	r.elected = mgr.Elected()
	r.stop = func() { cancel(); <-done }
	w.t.Cleanup(r.stop)
	return r
}

// eventually waits until look says that nothing is missing.
func (w *world) eventually(what string, look func() (missing string)) {
	w.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		missing := look()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: %s", what, missing)
		}
		select {
		case <-w.t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// told waits until the OperatorCondition says so, and returns it.
func (w *world) told(status metav1.ConditionStatus, reason, names string) (version string, all spec) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("Upgradeable=%s because of %s", status, reason), func() string {
		obj, now, err := w.read(w.t.Context())
		if err != nil {
			return err.Error()
		}
		for _, c := range now.Conditions {
			if c.Type == "Upgradeable" && c.Status == status && c.Reason == reason && strings.Contains(c.Message, names) {
				version, all = obj.GetResourceVersion(), now
				return ""
			}
		}
		return fmt.Sprintf("%+v", now.Conditions)
	})
	return version, all
}
