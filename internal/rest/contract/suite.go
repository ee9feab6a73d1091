// Package contract says, as tests, what the operator relies on of the admin API. The suite runs against the emulator in
// process, and against a real cluster when it is given one: what both do is true, what only one does is a finding.
package contract

import (
	"context"
	"crypto/x509"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Target is the cluster to try. It must be formed, and the suite makes and deletes databases and users in it.
type Target struct {
	// Addresses of the nodes.
	Addresses []string
	// URL is the admin API as other clusters reach it; only RunActiveActive asks for it.
	URL string
	// ServerName is in the certificate.
	ServerName string
	// RootCAs trusts the certificate.
	RootCAs *x509.CertPool
	// Credentials of an admin.
	Credentials rest.Credentials
	// Spoil makes the next request of this method and path lose its answer after the work is done. Nil for a cluster
	// that cannot be told to: then those cases are not part of the suite.
	Spoil func(t *testing.T, method, path string)
}

// patience is how long asynchronous work may take.
const patience = 2 * time.Minute

// suite is a target with a client.
type suite struct {
	Target
	client *rest.Client
}

// Run runs the suite. The parts are independent of each other and leave nothing behind.
func Run(t *testing.T, target Target) {
	t.Helper()
	s := &suite{Target: target}
	s.client = s.as(t, target.Credentials)
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"cluster", s.cluster},
		{"nodes", s.nodes},
		{"addresses of nodes", s.nodeAddresses},
		{"redirect", s.redirect},
		{"credentials", s.credentials},
		{"database", s.database},
		{"refusals", s.refusals},
		{"alerts", s.alerts},
		{"passwords of users", s.userPasswords},
		{"maintenance", s.maintenance},
	} {
		t.Run(part.name, part.run)
	}
	if target.Spoil != nil {
		t.Run("lost answers", s.lostAnswers)
	}
}

// as is a client with other credentials.
func (s *suite) as(t *testing.T, c rest.Credentials) *rest.Client {
	t.Helper()
	client := rest.New(rest.Options{Addresses: func() []string { return s.Addresses }, ServerName: s.ServerName,
		RootCAs: func() *x509.CertPool { return s.RootCAs }, Credentials: func() rest.Credentials { return c }})
	t.Cleanup(client.Close)
	return client
}

// until asks again until done says so; an error that is not over soon ends the test.
func until(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		ok, err := done(ctx)
		if ok && err == nil {
			return
		}
		if err != nil {
			last = err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen in %s; last error: %v", what, patience, last)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, what string, err error, is func(error) bool) {
	t.Helper()
	if !is(err) {
		t.Errorf("%s: got %v", what, err)
	}
}
