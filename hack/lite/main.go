// Command lite is the demo without a Kubernetes node: etcd, an API server and the real controllers, the operator, and in
// place of the kubelet a stand-in that runs bootstrapper, services rigger and emulator inside this process, each pod on a
// loopback address of its own. It needs no root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/open-redis-enterprise/operator/controllers"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/test/scenario"
	"github.com/open-redis-enterprise/operator/test/standin"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

const (
	namespace = "redis-enterprise"
	account   = "redis-enterprise-operator"
)

type options struct {
	once, verbose bool
	node          scenario.Image
	metrics       string
}

func main() {
	var o options
	flag.BoolVar(&o.once, "once", !interactive(), "exit after the report; the default where nobody can press Ctrl-C")
	flag.BoolVar(&o.verbose, "verbose", false, "show the logs of operator and nodes")
	flag.StringVar(&o.node.Repository, "emulator", "quay.io/open-redis-enterprise/emulator", "name of the nodes' image; nothing is pulled")
	flag.StringVar(&o.node.Tag, "tag", "8.2.0-46.13", "tag of the nodes' image, which is the version they report")
	flag.StringVar(&o.metrics, "metrics-address", "0", "where the operator serves /metrics; 0 for nowhere")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		fmt.Fprintln(os.Stderr, "demo-lite:", err)
		stop()
		os.Exit(1)
	}
}

// interactive says whether somebody sits in front of us.
func interactive() bool { return term.IsTerminal(int(os.Stdin.Fd())) && os.Getenv("CI") == "" }

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "demo-lite-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // nothing in it is worth an error
	ctrl.SetLogger(logr.FromSlogHandler(o.log().Handler()))
	klog.SetLogger(logr.FromSlogHandler(o.log().Handler()))
	fmt.Println("== starting etcd, an API server and controllers on loopback")
	env, err := startKubernetes(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = env.Stop() }()
	cluster, err := scenario.New(env.Config, namespace, os.Stdout)
	if err != nil {
		return err
	}
	cluster.PodsAreHere = true
	kubectl, err := filepath.Abs("bin/kubectl")
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := testenv.WriteKubeconfig(env.Config, kubeconfig); err != nil {
		return err
	}
	if err := install(ctx, cluster); err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	running, end := context.WithCancel(running)
	kubelet := &standin.Kubelet{Config: env.Config, Dir: dir, Log: o.log(), Tune: patient}
	group.Go(func() error { return kubelet.Run(running) })
	group.Go(func() error { return runOperator(running, env, o) })
	group.Go(func() error {
		defer end()
		return stage{options: o, cluster: cluster, kubelet: kubelet, kubectl: kubectl, kubeconfig: kubeconfig}.play(running)
	})
	return group.Wait()
}

// patient makes a node wait as long for its peers as it does in a pod: tests are in more of a hurry, on idle machines.
func patient(_ *corev1.Pod, config *emulator.Config) { config.FailureTimeout = 2 * time.Second }

func startKubernetes(ctx context.Context) (*testenv.Env, error) {
	return testenv.Start(ctx, testenv.Options{
		CRDs: []string{"config/crd/bases"},
		Controllers: []string{"statefulset-controller", "deployment-controller", "replicaset-controller",
			testenv.GarbageCollection, testenv.NamespaceDeletion, testenv.ServiceAccounts},
	})
}

// install makes the namespace and gives the operator the rights of config/rbac, and no others.
func install(ctx context.Context, cluster *scenario.Cluster) error {
	if err := cluster.EnsureNamespace(ctx); err != nil {
		return err
	}
	for _, file := range []string{"service_account.yaml", "role.yaml", "role_binding.yaml"} {
		if err := cluster.ApplyFile(ctx, filepath.Join("config/rbac", file)); err != nil {
			return err
		}
	}
	return nil
}

// runOperator is the operator as its Deployment would run it, with its service account's rights. Admission reviews are
// off: the API server could reach them only through a Service.
func runOperator(ctx context.Context, env *testenv.Env, o options) error {
	config, err := env.As(ctx, namespace, account)
	if err != nil {
		return err
	}
	image := "quay.io/open-redis-enterprise/operator:demo-lite"
	return command.RunManager(ctx, command.ManagerOptions{
		Config: config, Namespace: namespace, Watch: []string{namespace},
		Images:        controllers.Images{Node: o.node.String(), Bootstrapper: image, Rigger: image},
		HealthAddress: "0", MetricsAddress: o.metrics, AdmissionAddress: "0",
		Log: logr.FromSlogHandler(o.log().Handler()), Version: "demo-lite",
	})
}

func (o options) log() *slog.Logger {
	out := io.Discard
	if o.verbose {
		out = os.Stderr
	}
	return slog.New(slog.NewTextHandler(out, nil))
}
