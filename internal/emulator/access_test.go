package emulator_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// clientCertificate is a self-signed certificate and its PEM text.
func clientCertificate(t *testing.T, name string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestWhoMayUseADatabase(t *testing.T) {
	l := newLab(t, 1, nil)
	l.form()
	n := l.nodes[0]
	listed, text := clientCertificate(t, "listed")
	stranger, _ := clientCertificate(t, "stranger")
	role := l.need(n, http.MethodPost, "/v1/roles", object{"name": "readers", "management": "none"})
	l.need(n, http.MethodPost, "/v1/users", object{
		"email": "reader@test.local", "name": "reader", "password": "rpass", "role_uids": []any{role["uid"]},
	})
	uid := l.create(object{
		"name": "db", "memory_size": 100 << 20, "tls_mode": "enabled", "authentication_redis_pass": "first",
		"enforce_client_authentication":   "enabled",
		"authentication_ssl_client_certs": []object{{"client_cert": text}},
		"roles_permissions":               []object{{"role_uid": role["uid"], "redis_acl_uid": 2}},
	})
	l.need(n, http.MethodPost, fmt.Sprintf("/v1/bdbs/%d/passwords", uid), object{"password": "second"})
	l.ready(n, uid)
	try := func(user, password string, certs []tls.Certificate, command ...any) error {
		c := redis.NewClient(&redis.Options{
			Addr: l.endpoint(n, uid), Username: user, Password: password, Protocol: 2, DisableIdentity: true, MaxRetries: -1,
			TLSConfig: &tls.Config{
				RootCAs: l.proxyCA(), ServerName: "redis-10000." + clusterName, Certificates: certs, MinVersion: tls.VersionTLS12,
			},
		})
		defer func() { _ = c.Close() }()
		return c.Do(t.Context(), command...).Err()
	}
	mine, others := []tls.Certificate{listed}, []tls.Certificate{stranger}
	for _, c := range []struct {
		name, user, password string
		certs                []tls.Certificate
		command              []any
		allowed              bool
	}{
		{"the first password", "", "first", mine, []any{"SET", "a", "1"}, true},
		{"the second password", "", "second", mine, []any{"SET", "a", "1"}, true},
		{"a wrong password", "", "third", mine, []any{"GET", "a"}, false},
		{"no certificate", "", "first", nil, []any{"GET", "a"}, false},
		{"a certificate that is not listed", "", "first", others, []any{"GET", "a"}, false},
		{"a user of the cluster reads", "reader", "rpass", mine, []any{"GET", "a"}, true},
		{"a user without the right writes", "reader", "rpass", mine, []any{"SET", "a", "2"}, false},
		{"a user with a wrong password", "reader", "first", mine, []any{"GET", "a"}, false},
		{"a user without a role for this database", admin, secret, mine, []any{"GET", "a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := try(c.user, c.password, c.certs, c.command...)
			if (err == nil) != c.allowed {
				t.Errorf("allowed should be %t: %v", c.allowed, err)
			}
		})
	}
}
