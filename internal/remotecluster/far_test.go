package remotecluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

const (
	farHost     = "api-far.example.com"
	farCluster  = "far.there.svc.cluster.local"
	farPassword = "right"
)

// certificate makes one that signs itself.
func certificate(t *testing.T, name string, from, to time.Time) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func valid(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	return certificate(t, name, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
}

// far is a remote cluster that answers two calls, and the network that leads to it.
type far struct {
	server *httptest.Server
	ca     []byte
	mu     sync.Mutex
	name   string
	nodes  string
	date   func() time.Time
	answer int    // instead of an answer
	dial   error  // instead of a connection
	seen   string // the last password shown
	asked  string // the last name asked for
	dials  int
	calls  int
}

func newFar(t *testing.T, own tls.Certificate, ca []byte) *far {
	t.Helper()
	f := &far{ca: ca, name: farCluster, nodes: `[{"uid":1,"software_version":"8.0.20-23"},{"uid":2,"software_version":"8.0.9-1"}]`, date: time.Now}
	f.server = httptest.NewUnstartedServer(f)
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked = hello.ServerName
		return &own, nil
	}}
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	return f
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	_, f.seen, _ = r.BasicAuth()
	w.Header().Set("Date", f.date().UTC().Format(http.TimeFormat))
	switch {
	case f.answer == http.StatusTemporaryRedirect:
		w.Header().Set("Location", "https://10.0.0.1:9443"+r.URL.Path)
		w.WriteHeader(f.answer)
	case f.answer != 0:
		w.WriteHeader(f.answer)
	case f.seen != farPassword:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/v1/cluster":
		_, _ = io.WriteString(w, `{"name":"`+f.name+`"}`)
	default:
		_, _ = io.WriteString(w, f.nodes)
	}
}

// change alters how the cluster behaves.
func (f *far) change(how func(*far)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(f)
}

func (f *far) connect(ctx context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	f.dials++
	fails := f.dial
	f.mu.Unlock()
	if fails != nil {
		return nil, fails
	}
	if address != farHost+":443" {
		return nil, errors.New("dialled " + address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, f.server.Listener.Addr().String())
}

// target is the cluster as a Secret with its CA would have it.
func (f *far) target(change ...func(*Target)) Target {
	t := Target{Host: farHost, Port: 443, Cluster: farCluster, CA: f.ca, Secret: "redis-enterprise-far", SecretVersion: "7",
		Credentials: rest.Credentials{Username: "admin", Password: farPassword}}
	for _, c := range change {
		c(&t)
	}
	return t
}

func noSuchHost() error {
	return &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: farHost, IsNotFound: true}}
}
