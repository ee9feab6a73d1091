package cluster

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// loginRest is how long credentials that were refused are not tried again: a handful of failures locks the account.
const loginRest = 6 * time.Minute

// Logins tries credentials that are not in use yet (rule REC-64).
type Logins struct {
	mu      sync.Mutex
	refused map[[sha256.Size]byte]time.Time
}

// try signs in to the cluster behind l. It returns true if the cluster accepts the credentials, and otherwise why they
// are not taken yet.
func (t *Logins) try(ctx context.Context, l *link.Link, c Credentials) (bool, error) {
	waiting := outcome.Wait(v1.ReasonWaiting, 5*time.Second, "the credentials in secret %s are taken as soon as the cluster has been seen to accept them", c.Secret)
	if l == nil {
		return false, waiting
	}
	refusal := outcome.Refused("spec.clusterCredentialSecretName", "the cluster does not accept the credentials in secret %s; the former ones stay in use", c.Secret)
	key := sha256.Sum256([]byte(l.Key().String() + "\x00" + c.Username + "\x00" + c.Password))
	if t.resting(key) {
		return false, refusal
	}
	target := l.Target()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(target.CA)
	api := rest.New(rest.Options{
		Addresses:   func() []string { return target.Addresses },
		ServerName:  target.ServerName,
		RootCAs:     func() *x509.CertPool { return pool },
		Credentials: func() rest.Credentials { return rest.Credentials{Username: c.Username, Password: c.Password} },
		Timeout:     5 * time.Second,
	})
	defer api.Close()
	_, err := api.GetCluster(ctx)
	switch {
	case rest.IsUnauthorized(err):
		t.rest(key)
		return false, refusal
	case err != nil:
		return false, waiting
	}
	return true, nil
}

func (t *Logins) resting(key [sha256.Size]byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.refused[key]) < loginRest
}

func (t *Logins) rest(key [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == nil {
		t.refused = map[[sha256.Size]byte]time.Time{}
	}
	t.refused[key] = time.Now()
}
