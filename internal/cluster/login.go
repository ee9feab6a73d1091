package cluster

import (
	"context"
	"crypto/x509"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Logins tries credentials that are not in use yet (rule REC-64), rarely enough not to lock the account.
type Logins struct {
	mu       sync.Mutex
	patience map[types.NamespacedName]*rest.Patience
}

// try signs in to the cluster behind l. It returns true if the cluster accepts the credentials, and otherwise why they
// are not taken yet.
func (t *Logins) try(ctx context.Context, l *link.Link, c Credentials) (bool, error) {
	waiting := outcome.Wait(v1.ReasonWaiting, later, "the credentials in secret %s are taken as soon as the cluster has been seen to accept them", c.Secret)
	if l == nil {
		return false, waiting
	}
	refusal := outcome.Refused("spec.clusterCredentialSecretName", "the cluster does not accept the credentials in secret %s; the former ones stay in use", c.Secret)
	shown := rest.Credentials{Username: c.Username, Password: c.Password}
	patience := t.of(l.Key())
	if _, resting := patience.Resting(shown, time.Now()); resting {
		return false, refusal
	}
	err := signIn(ctx, l.Target(), shown)
	patience.Note(shown, err, time.Now())
	switch {
	case rest.IsUnauthorized(err):
		return false, refusal
	case err != nil:
		return false, waiting
	}
	return true, nil
}

func (t *Logins) of(key types.NamespacedName) *rest.Patience {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.patience == nil {
		t.patience = map[types.NamespacedName]*rest.Patience{}
	}
	if t.patience[key] == nil {
		t.patience[key] = &rest.Patience{}
	}
	return t.patience[key]
}

// signIn makes one call with the given credentials instead of those of the link.
func signIn(ctx context.Context, target link.Target, c rest.Credentials) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(target.CA)
	api := rest.New(rest.Options{
		Addresses:   func() []string { return target.Addresses },
		ServerName:  target.ServerName,
		RootCAs:     func() *x509.CertPool { return pool },
		Credentials: func() rest.Credentials { return c },
		Timeout:     readingLimit,
	})
	defer api.Close()
	_, err := api.GetCluster(ctx)
	return err
}
