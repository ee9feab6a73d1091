package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

func TestPasswords(t *testing.T) {
	p := startShard(t, nil)
	c := proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true, RESP3: true, Passwords: []string{"old", "new"}}
	c.Authenticate = func(user, password string) (proxy.Permit, bool) {
		if user != "reader" || password != "r" {
			return nil, false
		}
		return func(command string, _ [][]byte) error {
			if command == "set" {
				return errors.New("NOPERM User reader has no permissions to run the 'set' command")
			}
			return nil
		}, true
	}
	e := listen(t, c, proxy.Options{})
	const wrong = "-WRONGPASS invalid username-password pair or user is disabled."
	a := dial(t, e.Addr().String())
	expect(t, a, "GET k", "-NOAUTH Authentication required.")
	expect(t, a, "AUTH internal", wrong)
	expect(t, a, "AUTH old", "OK")
	expect(t, a, "SET k v", "OK")
	expect(t, dial(t, e.Addr().String()), "AUTH default new", "OK")
	hello := dial(t, e.Addr().String())
	if got := hello.ask("HELLO 3"); !strings.HasPrefix(got, "-NOAUTH HELLO must be called") {
		t.Errorf("HELLO: %s", got)
	}
	if got := hello.ask("HELLO 3 AUTH default new SETNAME me"); !strings.HasPrefix(got, "%[server redis version 7.2.0 proto :3 ") {
		t.Errorf("HELLO: %s", got)
	}
	expect(t, hello, "CLIENT GETNAME", "me")
	r := dial(t, e.Addr().String())
	expect(t, r, "AUTH reader r", "OK")
	expect(t, r, "GET k", "v")
	expect(t, r, "SET k w", "-NOPERM User reader has no permissions to run the 'set' command")
	expect(t, r, "ACL WHOAMI", "reader")
	big := strings.Repeat("x", 20000)
	stranger := dial(t, e.Addr().String())
	if v, err := stranger.Do(testContext(t), "SET", "k", big); err == nil || !strings.Contains(err.Error(), "unauthenticated bulk length") {
		t.Errorf("a stranger's large command: %v %v", v, err)
	}
	t.Run("signing in and a large command in one go", func(t *testing.T) {
		c := dial(t, e.Addr().String())
		if _, err := c.Write(append(resp.AppendCommand(nil, "AUTH", "new"), resp.AppendCommand(nil, "SET", "big", big)...)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if v, err := c.ReadValue(); err != nil || show(v) != "OK" {
				t.Errorf("%s %v", show(v), err)
			}
		}
	})
	t.Run("a rotated password", func(t *testing.T) {
		c.Passwords = []string{"new"}
		if err := e.Update(c); err != nil {
			t.Fatal(err)
		}
		expect(t, dial(t, e.Addr().String()), "AUTH old", wrong)
		expect(t, a, "GET k", "v") // who is in stays in
	})
	t.Run("no default user", func(t *testing.T) {
		c.DefaultUser = false
		if err := e.Update(c); err != nil {
			t.Fatal(err)
		}
		expect(t, dial(t, e.Addr().String()), "AUTH new", wrong)
	})
	if s := e.Stats(); s.AuthOK != 5 || s.AuthFailed != 3 {
		t.Errorf("counted %d and %d", s.AuthOK, s.AuthFailed)
	}
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	p := startShard(t, nil)
	c := proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true}
	e := listen(t, c, proxy.Options{})
	plain := dial(t, e.Addr().String())
	expect(t, plain, "SET k v", "OK")
	c.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.issue(t, "db")},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool,
	}
	if err := e.Update(c); err != nil {
		t.Fatal(err)
	}
	if text, err := plain.try("GET k"); err == nil {
		t.Errorf("a plain connection still gets %q", text)
	}
	ask := func(certs ...tls.Certificate) (string, error) {
		nc, err := tls.Dial("tcp", e.Addr().String(), &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.pool, ServerName: "db", Certificates: certs})
		if err != nil {
			return "", err
		}
		defer func() { _ = nc.Close() }()
		return (&client{t: t, Conn: &resp.Conn{Conn: net.Conn(nc), Reader: resp.NewReader(nc)}}).try("GET k")
	}
	if got, err := ask(a.issue(t, "client")); err != nil || got != "v" {
		t.Errorf("with a certificate: %q %v", got, err)
	}
	if got, err := ask(); err == nil {
		t.Errorf("without a certificate: %q", got)
	}
	if got, err := ask(newAuthority(t).issue(t, "client")); err == nil {
		t.Errorf("with a stranger's certificate: %q", got)
	}
}

func TestPaused(t *testing.T) {
	p := startShard(t, nil)
	c := proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true}
	e := listen(t, c, proxy.Options{})
	d := dial(t, e.Addr().String())
	c.Paused = true
	if err := e.Update(c); err != nil {
		t.Fatal(err)
	}
	expect(t, d, "GET k", "-ERR traffic to this database is stopped")
	c.Paused = false
	if err := e.Update(c); err != nil {
		t.Fatal(err)
	}
	expect(t, d, "GET k", "(nil)")
}
