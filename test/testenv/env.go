package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	startTimeout = 3 * time.Minute // several packages may share two cores
	pollInterval = 50 * time.Millisecond
)

// Options say what an environment has; the zero value is an empty API server.
type Options struct {
	// CRDs are files, or folders of files, with CustomResourceDefinitions.
	// Other objects and files without any are passed over.
	CRDs []string
	// Controllers are controllers of kube-controller-manager to run beside the
	// API server, such as GarbageCollection. With ServiceAccounts among them a
	// pod needs an existing service account, as on a real cluster.
	Controllers []string
	// APIServerFlags are added to those of the API server.
	APIServerFlags []string
	// Binary is the multi-call binary; without it the environment variable
	// KUBELOCAL counts, and then bin/kubelocal in the module's root.
	Binary string
}

// Names of controllers that tests often want.
const (
	// GarbageCollection deletes what belongs to a deleted owner.
	GarbageCollection = "garbage-collector-controller"
	// NamespaceDeletion empties a terminating namespace.
	NamespaceDeletion = "namespace-controller"
	// ServiceAccounts gives each namespace the account "default".
	ServiceAccounts = "serviceaccount-controller"
)

// Env is a running API server.
type Env struct {
	// Config reaches the API server as a member of system:masters.
	Config *rest.Config

	folder    string
	authority *authority
	processes []*process // in the order they were started
}

// Start starts etcd and an API server, and returns when requests are answered
// and the CRDs are served. Stop must be called when it succeeds.
func Start(ctx context.Context, options Options) (*Env, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	folder, err := os.MkdirTemp("", "testenv-")
	if err != nil {
		return nil, err
	}
	env := &Env{folder: folder}
	if err := env.start(ctx, options); err != nil {
		return nil, errors.Join(err, env.logs(), env.Stop())
	}
	return env, nil
}

// New starts an environment for one test and stops it at its end.
func New(t testing.TB, options Options) *Env {
	t.Helper()
	env, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	return env
}

// Stop ends all processes and removes their files. Nothing is worth a graceful
// end: an API server that outlives its etcd would try to reach it for minutes.
func (e *Env) Stop() error {
	var problems []error
	for i := len(e.processes) - 1; i >= 0; i-- {
		problems = append(problems, e.processes[i].stop())
	}
	e.processes = nil
	return errors.Join(append(problems, os.RemoveAll(e.folder))...)
}

func (e *Env) start(ctx context.Context, options Options) error {
	binary, err := findBinary(options.Binary)
	if err != nil {
		return err
	}
	address, ports, err := freePorts(3)
	if err != nil {
		return err
	}
	if e.authority, err = newAuthority(e.folder, address); err != nil {
		return err
	}
	etcd := "http://" + net.JoinHostPort(address, ports[0])
	if err := e.run(binary, "etcd", etcdFlags(e.folder, etcd, "http://"+net.JoinHostPort(address, ports[1]))...); err != nil {
		return err
	}
	flags := append(apiServerFlags(e.folder, etcd, address, ports[2], options), options.APIServerFlags...)
	if err := e.run(binary, "kube-apiserver", flags...); err != nil {
		return err
	}
	if e.Config, err = e.authority.adminConfig("https://" + net.JoinHostPort(address, ports[2])); err != nil {
		return err
	}
	if err := e.waitReady(ctx); err != nil {
		return err
	}
	if err := e.runControllers(binary, options.Controllers); err != nil {
		return err
	}
	return e.InstallCRDs(ctx, options.CRDs...)
}

func etcdFlags(folder, client, peer string) []string {
	return []string{
		"--data-dir=" + filepath.Join(folder, "etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
	}
}

func apiServerFlags(folder, etcd, address, port string, options Options) []string {
	file := func(name string) string { return filepath.Join(folder, name) }
	flags := []string{
		"--etcd-servers=" + etcd, "--bind-address=" + address, "--secure-port=" + port,
		"--advertise-address=" + address, "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/16", "--allow-privileged=true", "--authorization-mode=RBAC",
		"--client-ca-file=" + file(authorityFile), "--tls-cert-file=" + file(serverCertificate), "--tls-private-key-file=" + file(serverKey),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + file(accountKey), "--service-account-signing-key-file=" + file(accountKey),
	}
	for _, controller := range options.Controllers {
		if controller == ServiceAccounts {
			return flags
		}
	}
	// Nobody makes the accounts that this plugin asks for.
	return append(flags, "--disable-admission-plugins=ServiceAccount")
}

// runControllers starts the wanted controllers and no others.
func (e *Env) runControllers(binary string, controllers []string) error {
	if len(controllers) == 0 {
		return nil
	}
	kubeconfig := filepath.Join(e.folder, "admin.kubeconfig")
	if err := WriteKubeconfig(e.Config, kubeconfig); err != nil {
		return err
	}
	return e.run(binary, "kube-controller-manager",
		"--kubeconfig="+kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--controllers="+strings.Join(controllers, ","),
		"--service-account-private-key-file="+filepath.Join(e.folder, accountKey),
		"--root-ca-file="+filepath.Join(e.folder, authorityFile),
		"--kube-api-qps=200", "--kube-api-burst=400")
}

func (e *Env) run(binary, name string, flags ...string) error {
	started, err := startProcess(binary, filepath.Join(e.folder, name+".log"), append([]string{name}, flags...)...)
	if err != nil {
		return err
	}
	e.processes = append(e.processes, started)
	return nil
}

// waitReady asks until the API server answers, or one of the processes is gone.
func (e *Env) waitReady(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(e.Config)
	if err != nil {
		return err
	}
	for {
		status := 0
		err := client.RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status).Error()
		if err == nil && status == http.StatusOK {
			return nil
		}
		if gone := e.ended(); gone != "" {
			return fmt.Errorf("%s ended", gone)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("API server not ready: %w", errors.Join(ctx.Err(), err))
		case <-time.After(pollInterval):
		}
	}
}

func (e *Env) ended() string {
	for _, p := range e.processes {
		if p.ended() {
			return p.name
		}
	}
	return ""
}

// logs is an error with the last lines of every process.
func (e *Env) logs() error {
	var problems []error
	for _, p := range e.processes {
		problems = append(problems, fmt.Errorf("last lines of %s:\n%s", p.name, p.tail()))
	}
	return errors.Join(problems...)
}
