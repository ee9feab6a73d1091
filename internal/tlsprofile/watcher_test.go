package tlsprofile

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	configv1 "github.com/openshift/api/config/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/open-redis-enterprise/operator/internal/platform"
)

// shop is a Kubernetes whose kinds come and go.
type shop struct {
	mu   sync.Mutex
	all  platform.Kinds
	told func(platform.Kinds)
}

func (s *shop) Kinds() platform.Kinds {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

func (s *shop) Subscribe(told func(platform.Kinds)) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = told
	return func() {}
}

func (s *shop) serve(kinds platform.Kinds) {
	s.mu.Lock()
	s.all = kinds
	told := s.told
	s.mu.Unlock()
	if told != nil {
		told(kinds)
	}
}

// listing is a client of a Kubernetes that is listed first and watched then; the fake one cannot do both at once.
type listing struct{ client.WithWatch }

// IsWatchListSemanticsUnSupported says so to the informer.
func (listing) IsWatchListSemanticsUnSupported() bool { return true }

// stand is a watcher at work, and a server that follows it.
type stand struct {
	t      *testing.T
	shop   *shop
	api    client.WithWatch
	w      *Watcher
	server *httptest.Server
	heard  chan struct{}
}

func newStand(t *testing.T, kinds platform.Kinds, objects ...client.Object) *stand {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := configv1.Install(scheme); err != nil {
		t.Fatal(err)
	}
	byName := func(o client.Object) []string { return []string{o.GetName()} }
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithIndex(&configv1.APIServer{}, metav1.ObjectNameField, byName).Build()
	s := &stand{t: t, shop: &shop{all: kinds}, api: api, heard: make(chan struct{}, 100)}
	s.w = NewWatcher(listing{api}, s.shop)
	cancel := s.w.Subscribe(func() { s.heard <- struct{}{} })
	t.Cleanup(cancel)
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.w.Serve(s.server.TLS)
	s.server.StartTLS()
	// httptest copies the configuration and adds the certificate to its copy only.
	s.server.TLS.GetConfigForClient = s.w.ConfigFor(s.server.TLS)
	t.Cleanup(s.server.Close)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.w.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func apiServer(name string, profile *configv1.TLSSecurityProfile) *configv1.APIServer {
	return &configv1.APIServer{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: configv1.APIServerSpec{TLSSecurityProfile: profile}}
}

// until waits for the next news, and for the profile to have a name; empty for none.
func (s *stand) until(name string) {
	s.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		p := s.w.Profile()
		if p == nil && name == "" || p != nil && p.Name == name {
			return
		}
		select {
		case <-s.heard:
		case <-limit:
			s.t.Fatalf("no profile %q: %+v", name, p)
		}
	}
}

// speaks tells whether the server takes a client with one version and, of 1.2, one suite.
func (s *stand) speaks(version, suite uint16) bool {
	s.t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(s.server.Certificate())
	config := &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: version, MaxVersion: version}
	if suite != 0 {
		config.CipherSuites = []uint16{suite}
	}
	c, err := (&tls.Dialer{Config: config}).DialContext(s.t.Context(), "tcp", s.server.Listener.Addr().String())
	if err != nil {
		return false
	}
	return c.Close() == nil
}

const (
	gcm = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	cbc = tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
)

func (s *stand) serves(want ...bool) {
	s.t.Helper()
	for i, got := range []bool{s.speaks(tls.VersionTLS12, cbc), s.speaks(tls.VersionTLS12, gcm), s.speaks(tls.VersionTLS13, 0)} {
		if got != want[i] {
			s.t.Errorf("client %d (1.2 with CBC, 1.2 with GCM, 1.3): %v", i, got)
		}
	}
}

func TestAServerFollowsTheProfileWithoutARestart(t *testing.T) {
	s := newStand(t, platform.KindsOf(platform.APIServer), apiServer("cluster", nil))
	s.until("Intermediate")
	s.serves(false, true, true)
	for _, step := range []struct {
		profile *configv1.TLSSecurityProfile
		name    string
		serves  []bool
	}{
		{written("Modern"), "Modern", []bool{false, false, true}},
		{written("Old"), "Old", []bool{true, true, true}},
		{custom(configv1.VersionTLS12, "ECDHE-RSA-AES128-SHA"), "Custom", []bool{true, false, true}},
		{nil, "Intermediate", []bool{false, true, true}},
	} {
		var server configv1.APIServer
		if err := s.api.Get(t.Context(), client.ObjectKey{Name: "cluster"}, &server); err != nil {
			t.Fatal(err)
		}
		server.Spec.TLSSecurityProfile = step.profile
		if err := s.api.Update(t.Context(), &server); err != nil {
			t.Fatal(err)
		}
		s.until(step.name)
		s.serves(step.serves...)
	}
}

func TestWhereTheKindIsNotServedNothingChanges(t *testing.T) {
	s := newStand(t, platform.KindsOf(), apiServer("cluster", written("Modern")))
	s.serves(true, true, true)
	if p := s.w.Profile(); p != nil {
		t.Errorf("%+v", p)
	}
	s.shop.serve(platform.KindsOf(platform.APIServer)) // it comes later
	s.until("Modern")
	s.serves(false, false, true)
	s.shop.serve(platform.KindsOf(platform.Route))
	s.until("")
	s.serves(true, true, true)
}

func TestWithoutTheObjectTheDefaultCounts(t *testing.T) {
	s := newStand(t, platform.KindsOf(platform.APIServer), apiServer("another", written("Modern")))
	s.until("Intermediate")
	if s.w.Profile().Chosen {
		t.Error("nobody chose it")
	}
}
