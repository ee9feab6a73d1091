package bdb_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var admin = rest.Credentials{Username: "admin@example.com", Password: "correct horse"}

// twoNodes is a client of a fresh emulated cluster, enough for replicas and the four shards of a trial licence.
func twoNodes(t *testing.T) *rest.Client {
	t.Helper()
	var hosts []string
	for range 2 {
		host := freshHost(t)
		node, err := emulator.New(emulator.Config{Addr: host, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), OperationDelay: 20 * time.Millisecond})
		must(t, err)
		t.Cleanup(func() { must(t, node.Kill()) })
		must(t, node.Launch(t.Context()))
		hosts = append(hosts, host)
	}
	c := rest.New(rest.Options{Addresses: func() []string { return hosts }, TrustLoopback: true, Credentials: func() rest.Credentials { return admin }})
	t.Cleanup(c.Close)
	account := &rest.BootstrapCredential{Username: admin.Username, Password: admin.Password}
	must(t, c.At(hosts[0]).StartBootstrap(t.Context(), rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: "c.local"}, Credentials: account}))
	active(t, c, 1)
	must(t, c.At(hosts[1]).StartBootstrap(t.Context(), rest.Bootstrap{Action: rest.JoinCluster, Cluster: &rest.BootstrapCluster{Nodes: hosts[:1]}, Credentials: account}))
	active(t, c, 2)
	return c
}

func freshHost(t *testing.T) string {
	t.Helper()
	for range 100 {
		host := fmt.Sprintf("127.%d.%d.%d", 241+rand.IntN(10), rand.IntN(250), 1+rand.IntN(250))
		if l, err := net.Listen("tcp", host+":9443"); err == nil {
			must(t, l.Close())
			return host
		}
	}
	t.Fatal("no free loopback address")
	return ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		if ok && err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen; last error: %v", what, err)
		}
	}
}

func active(t *testing.T, c *rest.Client, want int) {
	t.Helper()
	until(t, "active nodes", func(ctx context.Context) (bool, error) {
		nodes, err := c.ListNodes(ctx)
		n := 0
		for _, node := range nodes {
			if node.Status == rest.NodeActive {
				n++
			}
		}
		return n == want, err
	})
}

func settled(t *testing.T, c *rest.Client, uid rest.UID) *rest.BDB {
	t.Helper()
	var b *rest.BDB
	until(t, "an active database", func(ctx context.Context) (done bool, err error) {
		b, err = c.GetBDB(ctx, uid)
		return err == nil && rest.Value(b.Status) == rest.BDBActive, err
	})
	return b
}

// TestServerAgrees: what the table sends, a server takes, and what it then reports shows no difference. Each spec is
// reached by creation and by an update from the one before, so that no setting is sent again and again.
func TestServerAgrees(t *testing.T) {
	c := twoNodes(t)
	yes, no := true, false
	tuned := &v1alpha1.ConnectionSettings{InternalConnections: rest.Ptr(7), ConnectionSchedulingPolicy: "mru", GlobalMaxDedicatedConnections: rest.Ptr(3),
		MinDedicatedConnections: rest.Ptr(1), ConnectionLimitType: "per-shard"}
	pems := map[string]string{"first": certificate(t, "first"), "second": certificate(t, "second")}
	steps := []struct {
		name string
		spec v1alpha1.RedisEnterpriseDatabaseSpec
		pw   string
	}{
		{"an empty spec", v1alpha1.RedisEnterpriseDatabaseSpec{}, "one"},
		{"more memory and another password", v1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "0.2GB"}, "two"},
		{"AOF, eviction and placement", v1alpha1.RedisEnterpriseDatabaseSpec{Persistence: "aofEverySecond", EvictionPolicy: "noeviction", ShardsPlacement: "sparse"}, "two"},
		{"snapshots", v1alpha1.RedisEnterpriseDatabaseSpec{Persistence: "snapshotEvery6Hour"}, "two"},
		{"TLS without client certificates", v1alpha1.RedisEnterpriseDatabaseSpec{TLSMode: "enabled"}, "two"},
		{"TLS with a client certificate", v1alpha1.RedisEnterpriseDatabaseSpec{TLSMode: "enabled", ClientAuthenticationCertificates: []string{"first"}}, "two"},
		{"another certificate beside it", v1alpha1.RedisEnterpriseDatabaseSpec{TLSMode: "enabled", ClientAuthenticationCertificates: []string{"second", "first"}}, "two"},
		{"TLS, and no certificates any more", v1alpha1.RedisEnterpriseDatabaseSpec{TLSMode: "enabled"}, "two"},
		{"connections", v1alpha1.RedisEnterpriseDatabaseSpec{ConnectionSettings: tuned, RESP3: &no, DataInternodeEncryption: &yes}, "two"},
		{"tags and proxies", v1alpha1.RedisEnterpriseDatabaseSpec{Tags: map[string]string{"team": "a"}, ProxyPolicy: "all-nodes"}, "two"},
		{"modules", v1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "300MB", ModulesList: []v1alpha1.DatabaseModule{{Name: "search"}, {Name: "ReJSON"}}}, "two"},
		{"auditing", v1alpha1.RedisEnterpriseDatabaseSpec{Auditing: &v1alpha1.DatabaseAuditing{AuditMode: "connection",
			UsernameFilter: &v1alpha1.AuditUsernameFilter{Enabled: true, FilterType: "exclusive", Usernames: []string{"a"}}}}, "two"},
		{"no default user", v1alpha1.RedisEnterpriseDatabaseSpec{DefaultUser: &no}, ""},
		{"replicas", v1alpha1.RedisEnterpriseDatabaseSpec{Replication: &yes}, ""},
		{"sharded with replicas", v1alpha1.RedisEnterpriseDatabaseSpec{Replication: &yes, ShardCount: rest.Ptr(2)}, "three"},
		{"the OSS cluster protocol", v1alpha1.RedisEnterpriseDatabaseSpec{Replication: &yes, ShardCount: rest.Ptr(2), OSSCluster: &yes}, "three"},
		{"NET-12 external access", v1alpha1.RedisEnterpriseDatabaseSpec{Replication: &yes, ShardCount: rest.Ptr(2), OSSCluster: &yes,
			OSSClusterSettings: &v1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: true}}, "three"},
		{"NET-12 external access no more", v1alpha1.RedisEnterpriseDatabaseSpec{Replication: &yes, ShardCount: rest.Ptr(2), OSSCluster: &yes}, "three"},
	}
	for i, step := range steps {
		t.Run("created: "+step.name, func(t *testing.T) {
			in := inputs(fmt.Sprintf("db-%d", i), &step.spec, step.pw, pems)
			body, err := bdb.Create(in)
			must(t, err)
			made, err := c.CreateBDB(t.Context(), body)
			must(t, err)
			agrees(t, in, settled(t, c, *made.UID))
			must(t, c.DeleteBDB(t.Context(), *made.UID))
			until(t, "the end of the database", func(ctx context.Context) (bool, error) {
				_, err := c.GetBDB(ctx, *made.UID)
				return rest.IsNotFound(err), nil
			})
		})
	}
	var have *rest.BDB
	var before bdb.Inputs
	for _, step := range steps {
		t.Run("updated: "+step.name, func(t *testing.T) {
			in := inputs("updated", &step.spec, step.pw, pems)
			if have == nil {
				body, err := bdb.Create(in)
				must(t, err)
				made, err := c.CreateBDB(t.Context(), body)
				must(t, err)
				have, before = settled(t, c, *made.UID), in
				return
			}
			in.ManagedTags = bdb.ManagedTags(before.Spec)
			var err error
			in.ManagedFields, err = bdb.ManagedFields(before)
			must(t, err)
			body, changes, err := bdb.Diff(in, have)
			must(t, err)
			if body == nil {
				t.Fatal("there is nothing to change")
			}
			_, err = c.UpdateBDB(t.Context(), *have.UID, body)
			if err != nil {
				t.Fatalf("%s: %v", bdb.Print(changes), err)
			}
			have, before = settled(t, c, *have.UID), in
			agrees(t, in, have)
		})
	}
}

// certificate is the PEM text of a self-signed client certificate.
func certificate(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(cryptorand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func inputs(name string, spec *v1alpha1.RedisEnterpriseDatabaseSpec, password string, pems map[string]string) bdb.Inputs {
	in := bdb.Inputs{Name: name, Spec: spec, Tags: bdb.OwnTags("ns", name, spec), Salt: "salt"}
	if password != "" {
		in.Password = &password
	}
	for _, secret := range spec.ClientAuthenticationCertificates {
		in.ClientCertificates = append(in.ClientCertificates, pems[secret])
	}
	return in
}

func agrees(t *testing.T, in bdb.Inputs, have *rest.BDB) {
	t.Helper()
	_, changes, err := bdb.Diff(in, have)
	must(t, err)
	refused, err := bdb.Refusals(in, have)
	must(t, err)
	if len(changes) > 0 || len(refused) > 0 {
		t.Fatalf("written, and yet different: %s %v", bdb.Print(changes), refused)
	}
}
