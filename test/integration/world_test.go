// Package integration runs the operator as it ships against a real API server, the real controllers and emulator nodes.
package integration

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/test/standin"
)

// world is shared by all tests of the package; each has a namespace of its own.
var world *standin.World

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	// Scenes wait more than they work, so more of them than there are processors run beside each other.
	flag.Parse()
	if set := flag.Lookup("test.parallel"); set.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		if err := set.Value.Set(fmt.Sprint(2 * runtime.GOMAXPROCS(0))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	var err error
	world, err = standin.Start(context.Background(), standin.Options{
		Root:        filepath.Join("..", ".."),
		Log:         logs(),
		OperatorLog: logr.FromSlogHandler(logs().Handler()),
		Tune: func(_ *corev1.Pod, c *emulator.Config) {
			c.OperationDelay, c.Dial, c.PeerPatience = 50*time.Millisecond, abroad.dial, 5*time.Second
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := world.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if code == 0 { // what a failed test left running tells nothing new
		if err := goleak.Find(standin.Leaks()...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// logs go to the file that INTEGRATION_LOG names, for whoever looks into a failure.
func logs() *slog.Logger {
	path := os.Getenv("INTEGRATION_LOG")
	if path == "" {
		return slog.New(slog.DiscardHandler)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	return slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// scene is one namespace with an operator.
type scene struct {
	t         *testing.T
	namespace string
	operator  *standin.Operator
	traffic   *traffic
	dial      reach.Dial // from outside of Kubernetes; nil for the real network
}

// newScene makes a scene. Scenes do not see each other, so their tests run beside each other.
func newScene(t *testing.T, change ...func(*scene)) *scene {
	t.Helper()
	s := stage(t, change...)
	s.start()
	return s
}

// stage makes a scene whose operator has yet to be started.
func stage(t *testing.T, change ...func(*scene)) *scene {
	t.Helper()
	t.Parallel()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	s := &scene{t: t, namespace: name[:min(len(name), 40)], traffic: &traffic{}}
	for _, c := range change {
		c(s)
	}
	if err := world.Namespace(t.Context(), s.namespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := world.DeleteNamespace(ctx, s.namespace); err != nil {
			t.Error(err)
		}
		if s.operator == nil {
			return
		}
		if err := s.operator.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start starts the operator and counts what it sends.
func (s *scene) start() {
	s.t.Helper()
	var err error
	s.operator, err = world.Operator(s.t.Context(), s.namespace, func(o *command.ManagerOptions) {
		o.Config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{s.traffic, kubernetesSide, next} })
		o.Dial = s.dial
		o.Middleware = func(types.NamespacedName) []rest.Middleware {
			return []rest.Middleware{func(next http.RoundTripper) http.RoundTripper { return counted{s.traffic, redisSide, next} }}
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// restart ends the operator and starts another one.
func (s *scene) restart() {
	s.t.Helper()
	if err := s.operator.Stop(); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

func (s *scene) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: s.namespace, Name: name}
}

func (s *scene) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

func (s *scene) create(obj client.Object) {
	s.t.Helper()
	if err := world.Client.Create(s.t.Context(), obj); err != nil {
		s.t.Fatal(err)
	}
}

// edit changes an object by a merge patch.
func edit[T client.Object](s *scene, obj T, change func(T)) {
	s.t.Helper()
	if err := world.Client.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
		s.t.Fatal(err)
	}
	before := obj.DeepCopyObject().(client.Object)
	change(obj)
	if err := world.Client.Patch(s.t.Context(), obj, client.MergeFrom(before)); err != nil {
		s.t.Fatal(err)
	}
}

// eventually waits until look says nothing is missing.
func (s *scene) eventually(limit time.Duration, what string, look func(ctx context.Context) (missing string)) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		missing := look(s.t.Context())
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not within %s: %s", what, limit, missing)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Limits of what usually takes seconds, for machines that are slow and busy with other things.
const (
	limitCluster  = 3 * time.Minute // a cluster forms, grows or recovers
	limitRoll     = 6 * time.Minute // all pods are replaced
	limitDatabase = 90 * time.Second
	limitWord     = time.Minute // a status or an event says something
)

// cluster makes a REC of three nodes and waits until it is Ready.
func (s *scene) cluster() *appv1.RedisEnterpriseCluster {
	s.t.Helper()
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3)}}
	s.create(rec)
	s.ready(rec, limitCluster)
	return rec
}

// database makes a REDB and waits until it is Ready.
func (s *scene) database(name string, spec appv1alpha1.RedisEnterpriseDatabaseSpec) *appv1alpha1.RedisEnterpriseDatabase {
	s.t.Helper()
	db := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta(name), Spec: spec}
	s.create(db)
	s.ready(db, limitDatabase)
	return db
}

type conditioned interface {
	client.Object
	GetConditions() []metav1.Condition
}

// ready waits for the Ready condition of the current generation.
func (s *scene) ready(obj conditioned, limit time.Duration) {
	s.t.Helper()
	s.condition(obj, appv1.ConditionReady, metav1.ConditionTrue, limit)
}

func (s *scene) condition(obj conditioned, kind string, status metav1.ConditionStatus, limit time.Duration) *metav1.Condition {
	s.t.Helper()
	var found *metav1.Condition
	s.eventually(limit, fmt.Sprintf("%s %s=%s", obj.GetName(), kind, status), func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return err.Error()
		}
		found = meta.FindStatusCondition(obj.GetConditions(), kind)
		if found != nil && found.Status == status && found.ObservedGeneration == obj.GetGeneration() {
			return ""
		}
		return fmt.Sprintf("%+v", obj.GetConditions())
	})
	return found
}

// event waits for an event on an object whose message contains the text.
func (s *scene) event(object, kind, reason, text string) {
	s.t.Helper()
	s.eventually(limitWord, fmt.Sprintf("event %s on %s", reason, object), func(ctx context.Context) string {
		list, err := world.Core.CoreV1().Events(s.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		var seen []string
		for _, e := range list.Items {
			if e.InvolvedObject.Name != object {
				continue
			}
			if e.Type == kind && e.Reason == reason && strings.Contains(e.Message, text) {
				return ""
			}
			seen = append(seen, e.Type+" "+e.Reason+": "+e.Message)
		}
		return strings.Join(seen, "\n")
	})
}
