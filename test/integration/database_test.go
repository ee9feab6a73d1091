package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// api calls the admin API of the scene's cluster.
func (s *scene) api() *rest.Client {
	s.t.Helper()
	var cm corev1.ConfigMap
	var secret corev1.Secret
	for key, obj := range map[string]client.Object{names.Board("rec"): &cm, "rec": &secret} {
		if err := world.Client.Get(s.t.Context(), s.key(key), obj); err != nil {
			s.t.Fatal(err)
		}
	}
	data := board.Data(cm.Data)
	c := rest.New(rest.Options{Addresses: data.Addresses, RootCAs: data.Roots, ServerName: names.FQDN("rec", s.namespace),
		Credentials: func() rest.Credentials {
			return rest.Credentials{Username: string(secret.Data[names.UsernameKey]), Password: string(secret.Data[names.PasswordKey])}
		}})
	s.t.Cleanup(c.Close)
	return c
}

func TestDatabaseLife(t *testing.T) {
	s := newScene(t)
	s.cluster()
	db := s.database("orders", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "200MB", ShardCount: ptr.To(2),
		Replication: ptr.To(true), Persistence: appv1alpha1.PersistenceAOFEverySecond})
	api := s.api()

	t.Run("REDB-22 the status tells what is there", func(t *testing.T) {
		st := db.Status
		if st.Status != appv1alpha1.DatabaseActive || st.SpecStatus != appv1.SpecValid || st.DatabaseUID == "" || st.Version == "" || len(st.InternalEndpoints) == 0 {
			t.Errorf("%+v", st)
		}
		total := 0
		for _, n := range st.ShardStatuses {
			total += n
		}
		if total != 4 {
			t.Errorf("shards: %v", st.ShardStatuses)
		}
	})
	t.Run("REDB-10 the Secret has the documented keys and opens the database", func(*testing.T) {
		s.eventually(limitDatabase, "secret", func(ctx context.Context) string {
			var secret corev1.Secret
			if err := world.Client.Get(ctx, s.key("redb-orders"), &secret); err != nil {
				return err.Error()
			}
			for _, key := range []string{"password", "port", "service_names"} {
				if len(secret.Data[key]) == 0 {
					return "no " + key
				}
			}
			endpoint := db.Status.InternalEndpoints[0]
			if string(secret.Data["port"]) != fmt.Sprint(endpoint.Port) || !strings.Contains(string(secret.Data["service_names"]), "orders-headless") {
				return fmt.Sprintf("port %s, services %s", secret.Data["port"], secret.Data["service_names"])
			}
			return s.ping(ctx, "orders", string(secret.Data["password"]))
		})
	})
	t.Run("REDB-5 drift is repaired", func(*testing.T) {
		s.eventually(limitDatabase, "a change by another hand", func(ctx context.Context) string {
			found, err := api.FindBDB(ctx, "orders")
			if err != nil || found == nil {
				return fmt.Sprint("not found: ", err)
			}
			if rest.Value(found.EvictionPolicy) == "noeviction" {
				return "" // an attempt whose answer was lost
			}
			if _, err := api.UpdateBDB(ctx, *found.UID, &rest.BDB{EvictionPolicy: rest.Ptr("noeviction")}); err != nil {
				return err.Error() // busy, or without a majority for a moment
			}
			return ""
		})
		s.eventually(limitDatabase, "repair", func(ctx context.Context) string {
			now, err := api.FindBDB(ctx, "orders")
			if err != nil || rest.Value(now.EvictionPolicy) == "noeviction" {
				return fmt.Sprint(err)
			}
			return ""
		})
		s.event("orders", corev1.EventTypeNormal, names.EventDrift, "evictionPolicy")
	})
	t.Run("an update sends what changed", func(t *testing.T) {
		edit(s, db, func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "300MB" })
		s.ready(db, limitDatabase)
		now := s.bdb(api, "orders")
		if int64(rest.Value(now.MemorySize)) != 300<<20 {
			t.Errorf("memory %d", rest.Value(now.MemorySize))
		}
	})
	t.Run("REDB-11 a changed password opens the database", func(*testing.T) {
		edit(s, &corev1.Secret{ObjectMeta: s.meta("redb-orders")}, func(secret *corev1.Secret) { secret.Data["password"] = []byte("a-new-password") })
		s.eventually(limitDatabase, "the new password", func(ctx context.Context) string { return s.ping(ctx, "orders", "a-new-password") })
	})
	t.Run("REDB-38 tags are merged, and taken away only if they were ours", func(*testing.T) {
		edit(s, db, func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.Tags = map[string]string{"team": "shop"} })
		s.ready(db, limitDatabase)
		edit(s, db, func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.Tags = nil })
		s.ready(db, limitDatabase)
		s.eventually(limitDatabase, "tag gone", func(ctx context.Context) string {
			now, err := api.FindBDB(ctx, "orders")
			if err != nil {
				return err.Error()
			}
			owned := false
			for _, tag := range rest.Value(now.Tags) {
				if tag.Key == "team" {
					return "team is still there"
				}
				owned = owned || tag.Key == "redb_name" && tag.Value == "orders"
			}
			if !owned {
				return "the marks of ownership are gone"
			}
			return ""
		})
	})
	t.Run("REDB-41 deletion deletes the database, its Secret and its Services", func(t *testing.T) {
		if err := world.Client.Delete(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		s.eventually(limitDatabase, "gone", func(ctx context.Context) string {
			if list, err := api.ListBDBs(ctx); err != nil || len(list) > 0 {
				return fmt.Sprint(len(list), err)
			}
			for _, obj := range []client.Object{&appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("orders")}, &corev1.Secret{ObjectMeta: s.meta("redb-orders")},
				&corev1.Service{ObjectMeta: s.meta("orders")}, &corev1.Service{ObjectMeta: s.meta("orders-headless")}} {
				if err := world.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
					return fmt.Sprintf("%T %s (%v)", obj, obj.GetName(), err)
				}
			}
			return ""
		})
	})
}

// ping opens the database at its endpoint; it returns what is wrong, or nothing.
func (s *scene) ping(ctx context.Context, name, password string) string {
	if err := s.withRedis(name, password, func(c *redis.Client) error { return c.Ping(ctx).Err() }); err != nil {
		return err.Error()
	}
	return ""
}

// withRedis connects to the database's endpoint as a client does.
func (s *scene) withRedis(name, password string, do func(*redis.Client) error) error {
	found, err := s.api().FindBDB(s.t.Context(), name)
	if err != nil {
		return err
	}
	if found == nil || len(rest.Value(found.Endpoints)) == 0 || len((*found.Endpoints)[0].Addr) == 0 {
		return errors.New("no endpoint")
	}
	endpoint := (*found.Endpoints)[0]
	c := redis.NewClient(&redis.Options{Addr: net.JoinHostPort(endpoint.Addr[0], fmt.Sprint(endpoint.Port)), Password: password, MaxRetries: -1})
	defer func() { _ = c.Close() }()
	return do(c)
}

// bdb reads a database that is there, as soon as the cluster answers.
func (s *scene) bdb(api *rest.Client, name string) (found *rest.BDB) {
	s.t.Helper()
	s.eventually(limitDatabase, name+" in the cluster", func(ctx context.Context) string {
		var err error
		if found, err = api.FindBDB(ctx, name); err != nil {
			return err.Error()
		}
		if found == nil {
			return "no such database"
		}
		return ""
	})
	return found
}

func TestBadInput(t *testing.T) {
	s := newScene(t)
	s.cluster()
	s.database("first", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", DatabasePort: ptr.To(12345)})
	cases := []struct {
		name, object, path, says string
		spec                     appv1alpha1.RedisEnterpriseDatabaseSpec
		heal                     func()
	}{
		{
			name: "ADM-6 a memory size that is none", object: "bad-size", path: "spec.memorySize", says: "12XB",
			spec: appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "12XB"},
			heal: func() {
				edit(s, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("bad-size")}, func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "120MB" })
			},
		},
		{
			name: "a port in use", object: "bad-port", path: "spec.databasePort", says: "12345",
			spec: appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", DatabasePort: ptr.To(12345)},
			heal: func() {
				edit(s, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("bad-port")}, func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = ptr.To(12346) })
			},
		},
		{
			name: "REDB-14 a missing Secret", object: "bad-secret", path: "spec.databaseSecretName", says: "not-there",
			spec: appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", DatabaseSecretName: "not-there"},
			heal: func() {
				s.create(&corev1.Secret{ObjectMeta: s.meta("not-there"), Data: map[string][]byte{"password": []byte("secret")}})
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			db := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta(c.object), Spec: c.spec}
			s.create(db)
			stalled := s.condition(db, appv1.ConditionStalled, metav1.ConditionTrue, limitWord)
			if !strings.Contains(stalled.Message, c.path) || !strings.Contains(stalled.Message, c.says) {
				t.Errorf("message: %s", stalled.Message)
			}
			if db.Status.SpecStatus != appv1.SpecInvalid {
				t.Errorf("spec status %s", db.Status.SpecStatus)
			}
			s.event(c.object, corev1.EventTypeWarning, names.EventInvalidConfiguration, c.path)
			if found, err := s.api().FindBDB(t.Context(), c.object); err == nil && found != nil {
				t.Error("a database was made all the same")
			}
			c.heal()
			s.ready(db, limitDatabase)
			if meta.IsStatusConditionTrue(db.Status.Conditions, appv1.ConditionStalled) {
				t.Error("still stalled")
			}
		})
	}
	t.Run("REC-33 a cluster of two nodes", func(t *testing.T) {
		two := newScene(t)
		rec := &appv1.RedisEnterpriseCluster{ObjectMeta: two.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](2)}}
		two.create(rec)
		stalled := two.condition(rec, appv1.ConditionStalled, metav1.ConditionTrue, limitWord)
		if !strings.Contains(stalled.Message, "spec.nodes") {
			t.Errorf("message: %s", stalled.Message)
		}
		two.event("rec", corev1.EventTypeWarning, names.EventInvalidConfiguration, "spec.nodes")
		if left := two.leftovers(t.Context()); strings.Contains(left, "StatefulSet") {
			t.Errorf("something was made: %s", left)
		}
		edit(two, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.Nodes = ptr.To[int32](3) })
		two.ready(rec, limitCluster)
	})
}

func TestNamespaceDeletedAtOnce(t *testing.T) {
	s := newScene(t)
	s.cluster()
	s.database("orders", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	started := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), limitCluster)
	defer cancel()
	if err := world.DeleteNamespace(ctx, s.namespace); err != nil {
		t.Fatalf("INST-28 after %s: %v", time.Since(started), err)
	}
}
