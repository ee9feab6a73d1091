package database

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var admin = rest.Credentials{Username: "admin@example.com", Password: "correct horse"}

// onServer puts a world on an emulated node with real databases.
func onServer(t *testing.T, db *v1alpha1.RedisEnterpriseDatabase) (*world, *rest.Client, *faults.Set) {
	t.Helper()
	spoilt := new(faults.Set)
	host := freshHost(t)
	node, err := emulator.New(emulator.Config{Addr: host, Dir: t.TempDir(), Faults: spoilt, Logger: slog.New(slog.DiscardHandler), OperationDelay: 20 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { must(t, node.Kill()) })
	must(t, node.Launch(t.Context()))
	local := rest.New(rest.Options{Addresses: func() []string { return []string{host} }, TrustLoopback: true, Credentials: func() rest.Credentials { return admin }})
	t.Cleanup(local.Close)
	must(t, local.StartBootstrap(t.Context(), rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: "rec.ns.svc.cluster.local"},
		Credentials: &rest.BootstrapCredential{Username: admin.Username, Password: admin.Password}}))
	var certificates map[string]string
	until(t, "a formed cluster", func() error {
		nodes, err := local.ListNodes(t.Context())
		if err != nil {
			return err
		}
		if len(nodes) != 1 || nodes[0].Status != rest.NodeActive {
			return fmt.Errorf("nodes %v", nodes)
		}
		certificates, err = local.GetCertificates(t.Context())
		return err
	})
	w := newWorld(t, runningCluster(), db)
	registry := link.NewRegistry(link.Options{Busy: 20 * time.Millisecond, Idle: 100 * time.Millisecond})
	t.Cleanup(registry.Close)
	registry.Ensure(types.NamespacedName{Namespace: "ns", Name: "rec"}, link.Target{Addresses: []string{host},
		ServerName: "rec.ns.svc.cluster.local", CA: []byte(certificates["api_cert"]), Credentials: admin})
	w.links = registry
	w.kind = NewKind(w.client, w.client, registry, "ns")
	return w, local, spoilt
}

func freshHost(t *testing.T) string {
	t.Helper()
	for range 100 {
		host := fmt.Sprintf("127.%d.%d.%d", 160+rand.IntN(30), rand.IntN(250), 1+rand.IntN(250))
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

// until tries again until it works, for at most a minute.
func until(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// converge passes, with the pauses of a loop, until a pass is done.
func (w *world) converge() *v1alpha1.RedisEnterpriseDatabase {
	w.t.Helper()
	until(w.t, "convergence", w.pass)
	return w.db()
}

// TestADatabaseOnAServer: the whole life against a server with an opinion of its own.
func TestADatabaseOnAServer(t *testing.T) {
	two := 2
	w, api, spoilt := onServer(t, database(func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.Spec.MemorySize, db.Spec.ShardCount, db.Spec.Persistence = "200MB", &two, v1alpha1.PersistenceAOFEverySecond
	}))
	_, err := spoilt.Add(faults.Rule{Method: http.MethodPost, Path: "/v1/bdbs", Count: 1, Kind: faults.LostReply})
	must(t, err)
	db := w.converge()
	t.Run("REDB-9 a lost answer makes no second database", func(t *testing.T) {
		list, err := api.ListBDBs(t.Context())
		must(t, err)
		if len(list) != 1 || rest.Value(list[0].UID).String() != db.Status.DatabaseUID {
			t.Errorf("databases %v, status %+v", list, db.Status)
		}
	})
	t.Run("REDB-22 the status tells what is there", func(t *testing.T) {
		s := db.Status
		if s.ShardStatuses["active"] != 2 || len(s.InternalEndpoints) != 1 || s.InternalEndpoints[0].Host == "" || s.Version == "" ||
			s.ObservedGeneration != db.Generation || ready(db) != "True Ready" {
			t.Errorf("status: %+v", s)
		}
	})
	quiet := func(t *testing.T) {
		t.Helper()
		w.writes, w.events = 0, nil
		for range 3 {
			must(t, w.pass())
		}
		if w.writes != 0 || len(w.events) != 0 {
			t.Errorf("%d writes, events %v", w.writes, w.events)
		}
	}
	t.Run("what was made is what was wanted", quiet)
	t.Run("an update, an eviction policy and a tag", func(t *testing.T) {
		w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Spec.MemorySize, db.Spec.EvictionPolicy, db.Spec.Tags = "300MB", "allkeys-lru", map[string]string{"team": "a"}
		})
		db := w.converge()
		have, err := api.FindBDB(t.Context(), "orders")
		must(t, err)
		if rest.Value(have.MemorySize) != 300<<20 || rest.Value(have.EvictionPolicy) != "allkeys-lru" || db.Status.LastActionUID == "" || db.Status.LastActionStatus != "completed" {
			t.Errorf("memory %d, eviction %s, action %q %q", rest.Value(have.MemorySize), rest.Value(have.EvictionPolicy), db.Status.LastActionUID, db.Status.LastActionStatus)
		}
		quiet(t)
	})
	t.Run("REDB-11 a changed password", func(t *testing.T) {
		secret := w.secret("redb-orders")
		secret.Data["password"] = []byte("another")
		must(t, w.client.Update(t.Context(), secret))
		w.converge()
		have, err := api.FindBDB(t.Context(), "orders")
		must(t, err)
		if rest.Value(have.RedisPassword) != "another" {
			t.Error("the password did not change")
		}
		quiet(t)
	})
	t.Run("more than the licence allows is refused with the spec path", func(t *testing.T) {
		many := 16
		w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.ShardCount = &many })
		until(t, "a refusal", func() error {
			if v := outcome.Of(w.pass()); v.Kind != outcome.KindRejected || v.Path != "spec.shardCount" {
				return fmt.Errorf("%v %s %s", v.Kind, v.Path, v.Message)
			}
			return nil
		})
		w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.ShardCount = &two })
		w.converge()
	})
	t.Run("REDB-41 deletion", func(t *testing.T) {
		w.delete()
		until(t, "the end", func() error {
			_ = w.pass()
			if !w.isGone() {
				return fmt.Errorf("still there: %+v", w.db().Status)
			}
			return nil
		})
		list, err := api.ListBDBs(t.Context())
		must(t, err)
		if len(list) != 0 {
			t.Errorf("left: %v", list)
		}
	})
}
