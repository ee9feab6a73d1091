// Package rigger runs the services rigger as it ships, with the rights that its Role gives, against a real API server with
// the real CRDs of those who lead in from outside, and a scripted admin API.
package rigger

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rigger"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

const root = "../.."

// world is one namespace with a cluster of which only the admin API exists.
type world struct {
	t      *testing.T
	client client.Client
	rec    *v1.RedisEnterpriseCluster

	*script
}

// script is what the admin API says, and how often it was asked.
type script struct {
	looks     atomic.Int64
	mu        sync.Mutex
	databases []map[string]any
}

// in is the same world in a test of its own.
func (w *world) in(t *testing.T) *world {
	other := *w
	other.t = t
	return &other
}

// env is shared; each test has a namespace of its own.
var env *testenv.Env

func TestMain(m *testing.M) {
	code, err := run(m)
	if err = errors.Join(err, goleak.Find()); err != nil { // with the API server the connections to it have ended
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if env, err = testenv.Start(context.Background(), testenv.Options{}); err != nil {
		return 1, err
	}
	code = m.Run()
	return code, env.Stop()
}

func newWorld(t *testing.T, namespace string) *world {
	t.Helper()
	w := &world{t: t, script: &script{}}
	scheme, err := command.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	if w.client, err = client.New(env.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	w.rec = &v1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rec", UID: types.UID("11111111-0000-4000-8000-000000000001")}}
	w.must(w.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.rec.Namespace}}))
	address, certificate := w.serve()
	notes := children.Board(w.cluster(), true, []string{address})
	notes.Data[board.Key("rec-0")] = board.Report{State: "completed", Address: address, Certificate: certificate}.String()
	_, err = w.operator().Apply(t.Context(), w.rec, []client.Object{notes})
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) cluster() children.Cluster {
	image := platform.Image{Repository: "operator", Tag: "1"}
	return children.Cluster{REC: w.rec, CredentialSecret: "rec", Platform: platform.Platform{Node: image, Bootstrapper: image, Rigger: image}}
}

func (w *world) operator() kube.Writer {
	return kube.Writer{Client: w.client, Manager: names.ManagerOperator}
}

// set changes the databases that the admin API lists.
func (w *world) set(databases ...map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.databases = databases
}

// serve is the admin API, with a certificate for the cluster's name.
func (w *world) serve() (address, certificate string) {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{names.FQDN(w.rec.Name, w.rec.Namespace)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	w.must(err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if user, password, _ := request.BasicAuth(); request.URL.Path != "/v1/bdbs" || user != "admin" || password != "secret" {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.looks.Add(1)
		_ = json.NewEncoder(response).Encode(w.databases)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	w.t.Cleanup(server.Close)
	return server.Listener.Addr().String(), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// run gives the rigger its rights and its environment, as the operator does, and starts it. The result ends it and returns
// what it has logged.
func (w *world) run() (stop func() string) {
	w.t.Helper()
	account := w.account()
	dir := w.t.TempDir()
	w.must(os.WriteFile(filepath.Join(dir, names.UsernameKey), []byte("admin"), 0o600))
	w.must(os.WriteFile(filepath.Join(dir, names.PasswordKey), []byte("secret"), 0o600))
	settings, err := rigger.ReadSettings(w.environment)
	w.must(err)
	var log lines
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- command.RunRigger(ctx, command.RiggerOptions{Settings: settings, Config: account, CredentialsDir: dir,
			Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&log, nil))})
	}()
	var once sync.Once
	stop = func() string {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				w.t.Errorf("the rigger ended: %v", err)
			}
		})
		return log.String()
	}
	w.t.Cleanup(func() { stop() })
	return stop
}

// account applies the rights of the moment and acts with them.
func (w *world) account() *rest.Config {
	w.t.Helper()
	c := w.cluster()
	_, err := w.operator().Apply(w.t.Context(), w.rec, []client.Object{children.ServiceAccount(c), children.Role(c), children.RoleBinding(c)})
	w.must(err)
	account, err := env.As(w.t.Context(), w.rec.Namespace, w.rec.ServiceAccountName())
	w.must(err)
	return account
}

// environment is that of the rigger's container.
func (w *world) environment(key string) string {
	if key == names.EnvPodNamespace {
		return w.rec.Namespace
	}
	for _, e := range children.Rigger(w.cluster()).Spec.Template.Spec.Containers[0].Env {
		if e.Name == key {
			return e.Value
		}
	}
	return ""
}

// eventually waits until there is nothing left to say against what is there.
func (w *world) eventually(what string, against func() string) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		text := against()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: %s", what, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// looked waits until the rigger has looked a few times more.
func (w *world) looked() {
	w.t.Helper()
	until := w.looks.Load() + 3
	w.eventually("looks", func() string {
		if w.looks.Load() < until {
			return "the rigger does not look any more"
		}
		return ""
	})
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ io.Writer = &lines{}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
