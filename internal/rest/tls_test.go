package rest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

const fqdn = "rec.ns.svc.cluster.local"

// node is a TLS server with a self-signed certificate for names, as a node makes it.
func node(t *testing.T, handler http.HandlerFunc, names ...string) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what some tests want
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return s, pool
}

func emptyList(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }

func overTLS(t *testing.T, o rest.Options) *rest.Client {
	t.Helper()
	c := rest.New(o)
	t.Cleanup(c.Close)
	return c
}

func TestTLSVerifiesTheClusterNameOnAnAddress(t *testing.T) {
	var hits atomic.Int32
	s, pool := node(t, func(w http.ResponseWriter, r *http.Request) { hits.Add(1); emptyList(w, r) }, fqdn)
	_, other := node(t, emptyList, fqdn)
	_ = s
	at := func() []string { return []string{s.Listener.Addr().String()} }
	for name, tc := range map[string]struct {
		pool *x509.CertPool
		host string
		ok   bool
	}{
		"the pinned certificate and the right name": {pool, fqdn, true},
		"the pinned certificate and another name":   {pool, "other.example.com", false},
		"the pinned certificate and no name":        {pool, "", false},
		"another certificate":                       {other, fqdn, false},
		"no certificates at all":                    {x509.NewCertPool(), fqdn, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := overTLS(t, rest.Options{Addresses: at, ServerName: tc.host, RootCAs: func() *x509.CertPool { return tc.pool }})
			before := hits.Load()
			_, err := c.CreateBDB(context.Background(), &rest.BDB{})
			if tc.ok {
				if rest.NeverSent(err) || hits.Load() == before {
					t.Fatalf("not reached: %v", err)
				}
				return
			}
			if !rest.NeverSent(err) || hits.Load() != before || !strings.Contains(err.Error(), "certificate") {
				t.Fatalf("got %v, reached %v", err, hits.Load() != before)
			}
		})
	}
}

func TestTLSFollowsARedirectByAddress(t *testing.T) {
	leader, pool := node(t, func(w http.ResponseWriter, r *http.Request) {
		user, pw, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if user != "u" || pw != "p" || string(body) != `{"license":"text"}` {
			w.WriteHeader(http.StatusTeapot)
		}
	}, fqdn)
	follower, other := node(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, leader.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}, fqdn)
	both := pool.Clone()
	both.AddCert(certificateOf(t, follower))
	_ = other
	c := overTLS(t, rest.Options{Addresses: func() []string { return []string{follower.Listener.Addr().String()} }, ServerName: fqdn,
		RootCAs: func() *x509.CertPool { return both }, Credentials: func() rest.Credentials { return rest.Credentials{Username: "u", Password: "p"} }})
	if err := c.UpdateLicense(context.Background(), "text"); err != nil {
		t.Fatal(err)
	}
	if c.Preferred() != leader.Listener.Addr().String() {
		t.Fatalf("prefers %s", c.Preferred())
	}
}

func certificateOf(t *testing.T, s *httptest.Server) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(s.TLS.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestTLSUsesNewRootsAfterClose(t *testing.T) {
	s, pool := node(t, emptyList, fqdn)
	var roots atomic.Pointer[x509.CertPool]
	roots.Store(pool)
	c := overTLS(t, rest.Options{Addresses: func() []string { return []string{s.Listener.Addr().String()} }, ServerName: fqdn, RootCAs: roots.Load})
	if _, err := c.ListNodes(context.Background()); err != nil {
		t.Fatal(err)
	}
	roots.Store(x509.NewCertPool())
	c.Close()
	if _, err := c.ListNodes(context.Background()); !rest.NeverSent(err) {
		t.Fatalf("the old connection was used: %v", err)
	}
}

func TestTrustLoopbackIsForLoopbackOnly(t *testing.T) {
	s, _ := node(t, emptyList, "anything")
	c := overTLS(t, rest.Options{Addresses: func() []string { return []string{s.Listener.Addr().String()} }, TrustLoopback: true})
	if _, err := c.ListNodes(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"192.0.2.1", "localhost.example.com", "[2001:db8::1]:9443"} {
		if _, err := c.At(address).ListNodes(context.Background()); !rest.NeverSent(err) || !strings.Contains(err.Error(), "must be verified") {
			t.Fatalf("%s: %v", address, err)
		}
	}
}

func TestSlowNodesTimeOut(t *testing.T) {
	release := make(chan struct{})
	s, pool := node(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}, fqdn)
	defer close(release)
	fast, both := node(t, emptyList, fqdn)
	both.AddCert(certificateOf(t, s))
	_ = pool
	c := overTLS(t, rest.Options{Addresses: func() []string { return []string{s.Listener.Addr().String(), fast.Listener.Addr().String()} },
		ServerName: fqdn, RootCAs: func() *x509.CertPool { return both }, AttemptTimeout: 200 * time.Millisecond})
	if _, err := c.CreateBDB(context.Background(), &rest.BDB{}); !rest.MaybeApplied(err) {
		t.Fatalf("a write without an answer: %v", err)
	}
	if _, err := c.ListNodes(context.Background()); err != nil {
		t.Fatalf("a read did not move on: %v", err)
	}
}

func TestCallsThatWorkOnAllNodesHaveTheirOwnPatience(t *testing.T) {
	const limit = 100 * time.Millisecond
	s, pool := node(t, func(w http.ResponseWriter, r *http.Request) {
		work := 3 * limit
		if r.URL.Path != "/v1/cluster/check" {
			work = time.Minute
		}
		select {
		case <-time.After(work):
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, `{"cluster_test_result":true}`)
	}, fqdn)
	c := overTLS(t, rest.Options{Addresses: func() []string { return []string{s.Listener.Addr().String()} }, ServerName: fqdn,
		RootCAs: func() *x509.CertPool { return pool }, AttemptTimeout: limit, Timeout: limit})
	if check, err := c.CheckCluster(context.Background()); err != nil || !check.Result {
		t.Fatalf("got %v", err)
	}
	if _, err := c.GetCluster(context.Background()); !rest.IsTransport(err) {
		t.Fatalf("another call waited as long: %v", err)
	}
}

func TestTLSLooksForOtherNamesThanTheOneItAsksFor(t *testing.T) {
	var asked atomic.Value
	var calls atomic.Int32
	s, pool := node(t, func(w http.ResponseWriter, r *http.Request) { calls.Add(1); emptyList(w, r) }, fqdn)
	s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		asked.Store(hello.ServerName)
		return nil, nil
	}
	const outside = "api.example.com:443"
	through := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != outside {
			t.Errorf("dialled %s", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
	_, others := node(t, emptyList, fqdn)
	for _, c := range []struct {
		name  string
		names []string
		pool  *x509.CertPool
		ok    bool
	}{
		{"the name of the cluster is in the certificate", []string{"api.example.com", fqdn}, pool, true},
		{"no name of those is", []string{"api.example.com", "other.ns.svc.cluster.local"}, pool, false},
		{"the right name in a certificate that is not trusted", []string{fqdn}, others, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := calls.Load()
			api := overTLS(t, rest.Options{Addresses: func() []string { return []string{outside} }, Names: c.names, Dial: through,
				RootCAs:     func() *x509.CertPool { return c.pool },
				Credentials: func() rest.Credentials { return rest.Credentials{Username: "admin", Password: "secret"} }})
			_, err := api.ListNodes(t.Context())
			if (err == nil) != c.ok {
				t.Errorf("err = %v", err)
			}
			if seen := calls.Load() != before; seen != c.ok {
				t.Errorf("the server saw a request: %t", seen)
			}
			if err != nil && !rest.NeverSent(err) {
				t.Errorf("something was sent: %v", err)
			}
			if asked.Load() != "api.example.com" {
				t.Errorf("asked for %v", asked.Load())
			}
		})
	}
}
