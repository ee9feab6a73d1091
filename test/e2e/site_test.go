//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/load"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

// Names on the page that the step follows.
const (
	globalDB     = "reaadb-boeing"
	globalSecret = "boeing-password"
)

// site is one participant: its namespace, its cluster, and the proxy that leads to it.
type site struct {
	*scenario.Cluster
	name, rec, remote string
	proxy             string // Service of the proxy
	address           string // of the proxy
	authority         *x509.CertPool
}

// find reads what clients need to reach the database of the site from outside.
func (a *site) find(t *testing.T, s *suite) {
	t.Helper()
	a.address = s.parts().balancer(t, a.proxy)
	api, err := a.API(t.Context(), a.rec)
	must(t, err)
	defer api.Close()
	certificates, err := api.GetCertificates(t.Context())
	must(t, err)
	a.authority = x509.NewCertPool()
	if !a.authority.AppendCertsFromPEM([]byte(certificates["proxy_cert"])) {
		t.Fatalf("%s shows no certificate for databases", a.name)
	}
}

func (a *site) host() string {
	return fmt.Sprintf("%s.db-%s-%s.%s", globalDB, a.rec, a.Namespace, named(a.address))
}

func (a *site) tls() *tls.Config { return ownedBy(a.rec, a.Namespace, a.host(), a.authority) }

func (a *site) password(t *testing.T) string {
	t.Helper()
	var secret corev1.Secret
	must(t, a.Get(t.Context(), a.Key(globalSecret), &secret))
	return string(secret.Data[names.PasswordKey])
}

// load is a client of this site; with the same prefix on several sites they write the same keys.
func (a *site) load(t *testing.T, prefix string) load.Config {
	t.Helper()
	return load.Config{Addr: net.JoinHostPort(a.address, tlsPort), TLS: a.tls(), Password: a.password(t), Prefix: prefix, Workers: 2, Rate: 60, Keys: 300}
}

// answers tells whether the database takes a password.
func (a *site) answers(ctx context.Context, password string) error {
	db := a.client(password)
	defer func() { _ = db.Close() }()
	return db.Ping(ctx).Err()
}

func (a *site) client(password string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: net.JoinHostPort(a.address, tlsPort), TLSConfig: a.tls(), Password: password,
		DisableIdentity: true, MaxRetries: -1, DialTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
}

// contents is every key and its value.
func (a *site) contents(ctx context.Context, password string) (map[string]string, error) {
	db := a.client(password)
	defer func() { _ = db.Close() }()
	all := map[string]string{}
	for cursor := uint64(0); ; {
		keys, next, err := db.Scan(ctx, cursor, "*", 500).Result()
		if err != nil {
			return nil, err
		}
		values, err := db.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range keys {
				p.Get(ctx, key)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for i, key := range keys {
			all[key] = values[i].(*redis.StringCmd).Val()
		}
		if cursor = next; cursor == 0 {
			return all, nil
		}
	}
}

// ready is the condition that kubectl wait waits for, and a sentence about it. It is nil while there is no resource, or
// none that has been looked at since it changed.
func (a *site) ready(ctx context.Context) (*metav1.Condition, string, error) {
	var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
	if err := a.Get(ctx, a.Key(globalDB), &db); err != nil {
		return nil, "", client.IgnoreNotFound(err)
	}
	ready := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != db.Generation {
		return nil, "not looked at yet", nil
	}
	return ready, fmt.Sprintf("%s %s, replication %s: %s", ready.Status, ready.Reason, db.Status.ReplicationStatus, ready.Message), nil
}

// awaitReady waits until the condition is so.
func (a *site) awaitReady(t *testing.T, status metav1.ConditionStatus, limit time.Duration) {
	t.Helper()
	must(t, a.Await(t.Context(), a.name+" Ready", limit, func() (bool, string, error) {
		ready, words, err := a.ready(t.Context())
		return ready != nil && ready.Status == status, words, err
	}))
}

// databases are the names of the databases in the cluster itself.
func (a *site) databases(ctx context.Context) ([]string, error) {
	api, err := a.API(ctx, a.rec)
	if err != nil {
		return nil, err
	}
	defer api.Close()
	bdbs, err := api.ListBDBs(ctx)
	var all []string
	for _, bdb := range bdbs {
		if bdb.Name != nil {
			all = append(all, *bdb.Name)
		}
	}
	return all, err
}

// nothingLeft waits until neither the cluster nor Kubernetes has anything of the database at this site.
func (a *site) nothingLeft(t *testing.T, s *suite) {
	t.Helper()
	must(t, a.Await(t.Context(), a.name+", what is left", gone, func() (bool, string, error) {
		databases, err := a.databases(t.Context())
		if err != nil {
			return notYet(err)
		}
		left, err := s.find(t.Context(), a.Namespace, func(_ string, o *unstructured.Unstructured) bool { return strings.HasPrefix(o.GetName(), globalDB) })
		if err != nil {
			return notYet(err)
		}
		left = append(left, databases...)
		return len(left) == 0, few(left), nil
	}))
}
