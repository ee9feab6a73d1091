package admission

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// mount puts a pair where the Operator Lifecycle Manager would.
func mount(t *testing.T, directory string, p pair) {
	t.Helper()
	for file, content := range map[string][]byte{"tls.crt": p.certificate, "tls.key": p.key} {
		if err := os.WriteFile(filepath.Join(directory, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAMountedCertificateIsServedAndNothingIsWritten(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(configuration(names.AdmissionWebhook)).Build()
	k := keeper(c, leading(), time.Now())
	k.Directory = t.TempDir()
	other := []string{"redis-enterprise-operator-service.ns", "redis-enterprise-operator-service.ns.svc"}
	theirs, err := newPair(other, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	mount(t, k.Directory, theirs)
	s := &Server{Keeper: k, Handler: NewHandler(logr.Discard(), podKind()), Log: logr.Discard(), Address: "127.0.0.1:0"}
	ended := make(chan error, 1)
	go func() { ended <- s.Start(t.Context()) }()
	if err := k.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := k.Certificate(); got == nil || !got.Leaf.Equal(leafOf(t, theirs.certificate)) {
		t.Fatal("another certificate is served")
	}
	probe := httptest.NewRequest(http.MethodGet, "/readyz", nil)
	eventually(t, func() error { return s.Ready(probe) })

	var secrets corev1.SecretList
	if err := c.List(t.Context(), &secrets); err != nil || len(secrets.Items) > 0 {
		t.Errorf("%d secrets were made, error %v", len(secrets.Items), err)
	}
	if got := bundles(t, c, names.AdmissionWebhook); got[0] != nil {
		t.Error("the bundle is in other hands and was changed")
	}
}

func TestARenewedMountedCertificateIsServed(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	k := keeper(c, leading(), start)
	k.Directory = t.TempDir()
	for range 2 {
		p, err := newPair([]string{"a.ns", "a.ns.svc"}, start)
		if err != nil {
			t.Fatal(err)
		}
		mount(t, k.Directory, p)
		if err := k.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !k.Certificate().Leaf.Equal(leafOf(t, p.certificate)) {
			t.Error("not the certificate that is mounted now")
		}
	}
}

func TestAnEndedMountedCertificateIsTold(t *testing.T) {
	k := keeper(fake.NewClientBuilder().WithScheme(scheme.Scheme).Build(), leading(), start.Add(2*validity))
	k.Directory = t.TempDir()
	p, err := newPair([]string{"a.ns", "a.ns.svc"}, start)
	if err != nil {
		t.Fatal(err)
	}
	mount(t, k.Directory, p)
	if err := k.Keep(t.Context()); err == nil || k.Certificate() != nil {
		t.Errorf("error %v, certificate %v", err, k.Certificate())
	}
}

func TestAnEmptyDirectoryMeansOurOwnCertificate(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	k := keeper(c, leading(), start)
	k.Directory = t.TempDir()
	if err := k.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if secretOf(t, c) == nil || k.Certificate() == nil {
		t.Error("no certificate was made")
	}
}
