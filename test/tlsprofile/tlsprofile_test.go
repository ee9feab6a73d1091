// Package tlsprofile looks at an operator and its cluster while an administrator of an OpenShift changes the TLS profile. It
// has a Kubernetes of its own, since there is one profile for all that runs there.
package tlsprofile

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	configv1 "github.com/openshift/api/config/v1"
	"go.uber.org/goleak"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/cluster"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/test/standin"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

const namespace = "redis-enterprise"

// definition is the kind as OpenShift publishes it. It is not among the kinds that other suites install: where this group is
// served, other programs take a Kubernetes for an OpenShift and wait for the rest.
const definition = "config/v1/zz_generated.crd-manifests/0000_10_config-operator_01_apiservers-Default.crd.yaml"

var root = filepath.Join("..", "..")

// limit is for a hang, not for speed.
const limit = 3 * time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, standin.Leaks()...) }

// scene is a cluster with an operator, in an OpenShift as far as it matters here.
type scene struct {
	t        *testing.T
	world    *standin.World
	operator *standin.Operator
	metrics  string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	ctx := t.Context()
	world, err := standin.Start(ctx, standin.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, world: world}
	t.Cleanup(func() {
		if err := world.Stop(); err != nil {
			t.Error(err)
		}
	})
	openshift, err := testenv.ModuleFolder(ctx, root, "github.com/openshift/api")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(world.Env.InstallCRDs(ctx, filepath.Join(openshift, definition)), world.Namespace(ctx, namespace)); err != nil {
		t.Fatal(err)
	}
	s.rights()
	s.create(&configv1.APIServer{ObjectMeta: metav1.ObjectMeta{Name: "cluster"}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.metrics = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if s.operator, err = world.Operator(ctx, namespace, func(o *command.ManagerOptions) { o.MetricsAddress, o.MetricsSecure = s.metrics, true }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := errors.Join(world.DeleteNamespace(ctx, namespace), s.operator.Stop()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// rights gives the operator what config/rbac/tls_profile.yaml does, and no more.
func (s *scene) rights() {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "config", "rbac", "tls_profile.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	role, binding := &rbacv1.ClusterRole{}, &rbacv1.ClusterRoleBinding{}
	parts := strings.SplitN(string(raw), "\n---\n", 2)
	if err := errors.Join(yaml.UnmarshalStrict([]byte(parts[0]), role), yaml.UnmarshalStrict([]byte(parts[1]), binding)); err != nil {
		s.t.Fatal(err)
	}
	s.create(role)
	s.create(binding)
}

func (s *scene) create(obj client.Object) {
	s.t.Helper()
	if err := s.world.Client.Create(s.t.Context(), obj); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) get(name string, into client.Object) {
	s.t.Helper()
	if err := s.world.Client.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		s.t.Fatal(err)
	}
}

// choose is what the administrator does.
func (s *scene) choose(profile *configv1.TLSSecurityProfile) {
	s.t.Helper()
	server := &configv1.APIServer{}
	if err := s.world.Client.Get(s.t.Context(), client.ObjectKey{Name: "cluster"}, server); err != nil {
		s.t.Fatal(err)
	}
	server.Spec.TLSSecurityProfile = profile
	if err := s.world.Client.Update(s.t.Context(), server); err != nil {
		s.t.Fatal(err)
	}
}

// eventually waits until look says nothing is missing.
func (s *scene) eventually(what string, look func() (missing string)) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		missing := look()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: %s", what, missing)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func (s *scene) cluster() *appv1.RedisEnterpriseCluster {
	s.t.Helper()
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rec"}, Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3)}}
	s.create(rec)
	s.eventually("the cluster", func() string {
		s.get("rec", rec)
		if meta.IsStatusConditionTrue(rec.Status.Conditions, appv1.ConditionReady) {
			return ""
		}
		return fmt.Sprint(rec.Status.Conditions)
	})
	return rec
}

func (s *scene) api() *rest.Client {
	s.t.Helper()
	var notes corev1.ConfigMap
	var secret corev1.Secret
	s.get(names.Board("rec"), &notes)
	s.get("rec", &secret)
	data := board.Data(notes.Data)
	c := rest.New(rest.Options{Addresses: data.Addresses, RootCAs: data.Roots, ServerName: names.FQDN("rec", namespace), Credentials: func() rest.Credentials {
		return rest.Credentials{Username: string(secret.Data[names.UsernameKey]), Password: string(secret.Data[names.PasswordKey])}
	}})
	s.t.Cleanup(c.Close)
	return c
}

// pods are the node pods by name: which of them is the same as before.
func (s *scene) pods() string {
	s.t.Helper()
	var list corev1.PodList
	if err := s.world.Client.List(s.t.Context(), &list, client.InNamespace(namespace), client.MatchingLabels(names.NodeLabels("rec"))); err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, p := range list.Items {
		all = append(all, p.Name+" "+string(p.UID))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// oldest is the oldest TLS that a server of the operator still speaks, for a client that knows nothing newer.
func (s *scene) oldest(address string) string {
	s.t.Helper()
	var secret corev1.Secret
	s.get(names.AdmissionSecret, &secret)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data[names.CertKey])
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: names.AdmissionService + "." + namespace + ".svc", MinVersion: version, MaxVersion: version}}
		c, err := dialer.DialContext(s.t.Context(), "tcp", address)
		if err == nil {
			_ = c.Close()
			return tls.VersionName(version)
		}
	}
	return "nothing"
}

// expect waits for the servers and the cluster to have a minimum, and a list of suites for clients of databases.
func (s *scene) expect(api *rest.Client, minimum, suites string) {
	s.t.Helper()
	want := fmt.Sprintf("metrics TLS %[1]s, admission TLS %[1]s, API %[1]s, databases %[1]s with %s", minimum, suites)
	s.eventually(want, func() string {
		settings, err := api.GetCluster(s.t.Context())
		if err != nil {
			return err.Error()
		}
		got := fmt.Sprintf("metrics %s, admission %s, API %s, databases %s with %s", s.oldest(s.metrics), s.oldest(s.operator.Admission),
			*settings.MinControlTLSVersion, *settings.MinDataTLSVersion, *settings.DataCipherList)
		if got == want {
			return ""
		}
		return got
	})
}

func TestOperatorAndClusterFollowTheProfile(t *testing.T) {
	s := newScene(t)
	rec := s.cluster()
	api := s.api()
	before, err := api.GetCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, pods := *before.DataCipherList, s.pods()
	s.expect(api, "1.2", own)
	s.choose(&configv1.TLSSecurityProfile{Type: configv1.TLSProfileModernType, Modern: &configv1.ModernTLSProfile{}})
	s.expect(api, "1.3", own)
	custom := &configv1.CustomTLSProfile{TLSProfileSpec: configv1.TLSProfileSpec{MinTLSVersion: configv1.VersionTLS12,
		Ciphers: []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}}}
	s.choose(&configv1.TLSSecurityProfile{Type: configv1.TLSProfileCustomType, Custom: custom})
	s.expect(api, "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")

	before2 := rec.DeepCopy()
	metav1.SetMetaDataAnnotation(&rec.ObjectMeta, names.AnnotationTLSProfile, "ignore")
	if err := s.world.Client.Patch(t.Context(), rec, client.MergeFrom(before2)); err != nil {
		t.Fatal(err)
	}
	s.expect(api, "1.2", own)
	s.eventually("the note is gone", func() string {
		var set appsv1.StatefulSet
		s.get("rec", &set)
		return set.Annotations[cluster.AnnotationTLS]
	})
	if after := s.pods(); after != pods {
		t.Errorf("pods were %s, are %s", pods, after)
	}
}
