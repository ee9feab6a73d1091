package standin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/controllers"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

// NodeImage is the node image of clusters in a World whose spec names none; NextNodeImage is a later one.
const (
	NodeImage     = "quay.io/open-redis-enterprise/emulator:8.2.0-46.13"
	NextNodeImage = "quay.io/open-redis-enterprise/emulator:8.2.1-10.1"
)

// ForeignImage is what containers of another operator's programs run. They do nothing here.
const ForeignImage = "registry.example.com/another/operator:8.2.0-12"

// Options say what a World has.
type Options struct {
	// Root is the folder of the project, for CRDs and the operator's rights.
	Root string
	// Dir keeps volumes; a temporary folder if empty.
	Dir string
	// Tune may change emulator nodes before they start.
	Tune func(pod *corev1.Pod, config *emulator.Config)
	// Log is where pods log; OperatorLog is where the operator does. Nil discards.
	Log         *slog.Logger
	OperatorLog logr.Logger
	// Manager may change how an operator is started.
	Manager func(*command.ManagerOptions)
}

// redisLog takes what the Redis client has to say: mostly that a connection was closed under a command, which is how an
// emulated node ends.
type redisLog struct{ log *slog.Logger }

// Printf notes a message.
func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	if r.log != nil {
		r.log.DebugContext(ctx, fmt.Sprintf(format, args...), "from", "go-redis")
	}
}

// World is everything but a node: API server and real controllers, the kubelet stand-in, and operators on demand.
type World struct {
	Env     *testenv.Env
	Kubelet *Kubelet
	Client  client.Client
	Core    kubernetes.Interface

	options Options
	end     context.CancelFunc
	wg      sync.WaitGroup
	problem error
	mu      sync.Mutex
}

// controllersNeeded are the real controllers that pods of ours depend on.
var controllersNeeded = []string{"statefulset-controller", "deployment-controller", "replicaset-controller", "disruption-controller", "persistentvolumeclaim-protection-controller",
	testenv.GarbageCollection, testenv.NamespaceDeletion, testenv.ServiceAccounts}

// Start starts a World without an operator. Stop must be called when it succeeds.
func Start(ctx context.Context, o Options) (*World, error) {
	if o.OperatorLog.GetSink() == nil {
		o.OperatorLog = logr.Discard()
	}
	ctrl.SetLogger(o.OperatorLog)
	redis.SetLogger(redisLog{o.Log})
	env, err := testenv.Start(ctx, testenv.Options{CRDs: []string{filepath.Join(o.Root, "config/crd/bases")}, Controllers: controllersNeeded})
	if err != nil {
		return nil, err
	}
	w := &World{Env: env, options: o}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	return w, nil
}

func (w *World) start(ctx context.Context) error {
	w.Env.Config.QPS, w.Env.Config.Burst = 500, 1000
	scheme, err := command.Scheme()
	if err != nil {
		return err
	}
	if w.Client, err = client.New(w.Env.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if w.Core, err = kubernetes.NewForConfig(w.Env.Config); err != nil {
		return err
	}
	dir := w.options.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "standin-"); err != nil {
			return err
		}
		w.options.Dir = dir
	}
	w.Kubelet = &Kubelet{Config: w.Env.Config, Dir: dir, Tune: w.options.Tune, Log: w.options.Log}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	w.end = end
	w.wg.Go(func() { w.note(w.Kubelet.Run(life)) })
	return nil
}

// Stop ends everything and returns what went wrong on the way.
func (w *World) Stop() error {
	if w.end != nil {
		w.end()
	}
	w.wg.Wait()
	err := errors.Join(w.problem, w.Env.Stop())
	if w.options.Dir != "" {
		err = errors.Join(err, os.RemoveAll(w.options.Dir))
	}
	return err
}

func (w *World) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problem = errors.Join(w.problem, err)
}

// Namespace makes a namespace in which an operator may work, with exactly the rights of config/rbac.
func (w *World) Namespace(ctx context.Context, name string) error {
	_, err := w.Core.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	for _, file := range []string{"service_account.yaml", "role.yaml", "role_binding.yaml"} {
		content, err := os.ReadFile(filepath.Join(w.options.Root, "config/rbac", file))
		if err != nil {
			return err
		}
		if err := w.rights(ctx, name, content); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// DeleteNamespace deletes a namespace and waits until it is gone.
func (w *World) DeleteNamespace(ctx context.Context, name string) error {
	namespaces := w.Core.CoreV1().Namespaces()
	if err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	for {
		ns, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("namespace %s is not gone: %+v (%w)", name, ns.Status.Conditions, errors.Join(ctx.Err(), err))
		case <-time.After(poll):
		}
	}
}

func (w *World) rights(ctx context.Context, namespace string, content []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		var object struct {
			metav1.TypeMeta `json:",inline"`
			Rules           []rbacv1.PolicyRule `json:"rules"`
			Metadata        metav1.ObjectMeta   `json:"metadata"`
			RoleRef         rbacv1.RoleRef      `json:"roleRef"`
			Subjects        []rbacv1.Subject    `json:"subjects"`
		}
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		object.Metadata.Namespace = namespace
		for i := range object.Subjects {
			object.Subjects[i].Namespace = namespace
		}
		var made client.Object
		switch object.Kind {
		case "ServiceAccount":
			made = &corev1.ServiceAccount{ObjectMeta: object.Metadata}
		case "Role":
			made = &rbacv1.Role{ObjectMeta: object.Metadata, Rules: object.Rules}
		case "RoleBinding":
			made = &rbacv1.RoleBinding{ObjectMeta: object.Metadata, RoleRef: object.RoleRef, Subjects: object.Subjects}
		default:
			continue // cluster-wide rights are for the webhook configuration, which a World does not have
		}
		if err := w.Client.Create(ctx, made); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
}

// Operator is one running replica of the operator.
type Operator struct {
	// Address of its admission server.
	Admission string
	cancel    context.CancelFunc
	done      chan struct{}
	err       error
}

// Done is closed when the replica has ended, by itself or by Stop.
func (o *Operator) Done() <-chan struct{} { return o.done }

// Stop ends the replica and waits for it.
func (o *Operator) Stop() error {
	o.cancel()
	<-o.done
	return o.err
}

// Operator starts a replica that works in the namespace, with the rights of its service account.
func (w *World) Operator(ctx context.Context, namespace string, change ...func(*command.ManagerOptions)) (*Operator, error) {
	config, err := w.Env.As(ctx, namespace, names.Owner)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	own := &connections{}
	config.Dial = own.dial
	admission, err := freeAddress()
	if err != nil {
		return nil, err
	}
	options := command.ManagerOptions{
		Config:           config,
		Namespace:        namespace,
		Watch:            []string{namespace},
		Images:           controllers.Images{Node: NodeImage, Bootstrapper: "quay.io/open-redis-enterprise/operator:dev", Rigger: "quay.io/open-redis-enterprise/operator:dev"},
		HealthAddress:    "0",
		MetricsAddress:   "0",
		AdmissionAddress: admission,
		PollIdle:         time.Second,
		PollBusy:         200 * time.Millisecond,
		Log:              w.options.OperatorLog,
	}
	if w.options.Manager != nil {
		w.options.Manager(&options)
	}
	for _, c := range change {
		c(&options)
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o := &Operator{Admission: admission, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(o.done)
		defer own.end()
		o.err = command.RunManager(life, options)
	}()
	return o, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(nextAddress(), "0"))
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
