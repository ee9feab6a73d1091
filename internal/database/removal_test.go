package database

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func (w *world) delete() {
	w.t.Helper()
	if err := w.client.Delete(w.t.Context(), w.db()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) isGone() bool {
	err := w.client.Get(w.t.Context(), key, &v1alpha1.RedisEnterpriseDatabase{})
	return apierrors.IsNotFound(err)
}

func TestREDB41_DeletionEndsWithTheDatabase(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.cluster.written()
	busy := 1
	w.cluster.with(func() {
		w.cluster.answer = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodDelete || busy == 0 {
				return false
			}
			busy--
			fail(rw, http.StatusConflict, "db_busy", "busy")
			return true
		}
	})
	w.delete()
	for range 6 {
		_ = w.pass()
	}
	if !w.isGone() || len(w.cluster.names()) != 0 {
		t.Errorf("gone %v, databases %q", w.isGone(), w.cluster.names())
	}
	if got := w.cluster.written(); !slices.Equal(got, []string{"DELETE /v1/bdbs/1", "DELETE /v1/bdbs/1"}) {
		t.Errorf("writes: %q", got)
	}
	if !w.told(names.EventDeleted, "uid 1") {
		t.Errorf("events: %v", w.events)
	}
}

func TestREDB41_AStrangersDatabaseStays(t *testing.T) {
	w := newWorld(t, runningCluster(), database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Finalizers = []string{names.DatabaseFinalizer} }))
	w.elsewhere(func() {
		w.cluster.bdbs[7] = map[string]any{"uid": 7, "name": "orders", "status": "active"}
	})
	w.delete()
	_ = w.pass()
	if !w.isGone() || len(w.cluster.written()) != 0 {
		t.Errorf("gone %v, databases %q", w.isGone(), w.cluster.names())
	}
}

func TestREDB41_DeletionWaitsForAClusterThatIsMerelySilent(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.elsewhere(func() { w.cluster.down = true })
	w.delete()
	for range 3 {
		if err := w.pass(); outcome.Of(err).Reason != appv1.ReasonClusterUnreachable {
			t.Fatalf("err = %v", err)
		}
	}
	if w.isGone() || !w.told(names.EventBlocked, "cluster rec") {
		t.Errorf("gone %v, events %v", w.isGone(), w.events)
	}
	w.elsewhere(func() { w.cluster.down = false })
	for range 3 {
		_ = w.pass()
	}
	if !w.isGone() || len(w.cluster.names()) != 0 {
		t.Errorf("gone %v, databases %q", w.isGone(), w.cluster.names())
	}
}

// TestPlanRemoval walks through the ways out: none may depend on a cluster that is gone.
func TestPlanRemoval(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	asked := metav1.NewTime(now.Add(-time.Second))
	deleted := database(func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.DeletionTimestamp, db.Finalizers = &asked, []string{names.DatabaseFinalizer}
		db.Status.DatabaseUID, db.Status.RedisEnterpriseCluster = "1", "rec"
	})
	going := func(since time.Duration) *appv1.RedisEnterpriseCluster {
		rec := runningCluster()
		at := metav1.NewTime(now.Add(-since))
		rec.DeletionTimestamp = &at
		return rec
	}
	upgradingCluster := runningCluster()
	upgradingCluster.Status.State = appv1.ClusterUpgrade
	there := func(status string) Observed {
		bdb := rest.BDB{UID: rest.Ptr(rest.UID(1)), Name: rest.Ptr("orders"), Status: rest.Ptr(status)}
		return Observed{Snapshot: &link.Snapshot{Time: now}, BDB: &bdb}
	}
	silent := Observed{Snapshot: &link.Snapshot{}, Err: errors.New("no route to host")}
	cases := []struct {
		name string
		rec  *appv1.RedisEnterpriseCluster
		link bool
		obs  Observed
		want string
	}{
		{"REDB-41 the database is deleted", runningCluster(), true, there(rest.BDBActive), "delete database 1"},
		{"a deletion under way is waited for", runningCluster(), true, there(rest.BDBDeletePending), ""},
		{"the database is gone", runningCluster(), true, Observed{Snapshot: &link.Snapshot{Time: now}}, "release the resource: the database is gone"},
		{"REDB-41 the cluster is gone", nil, false, Observed{Err: errNoLink}, "release the resource: its cluster is gone"},
		{"a silent cluster is waited for", runningCluster(), true, silent, ""},
		{"a cluster without a link yet is waited for", runningCluster(), false, Observed{Err: errNoLink}, ""},
		{"a silent cluster that is being deleted", going(time.Second), true, silent, "release the resource: its cluster is being deleted and no longer answers"},
		{"a cluster that is being deleted still deletes", going(time.Second), true, there(rest.BDBActive), "delete database 1"},
		{"and is given a moment for it", going(time.Minute), true, there(rest.BDBDeletePending), ""},
		{"REC-38 an upgrade is waited for", upgradingCluster, true, there(rest.BDBActive), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := Inputs{Database: deleted, Cluster: c.rec, Namespace: "ns"}
			if c.rec != nil {
				in.Clusters = []appv1.RedisEnterpriseCluster{*c.rec}
			}
			if c.link {
				in.Link = &link.Link{}
			}
			if got := Steps(planRemoval(in, c.obs, now).Steps); got != c.want {
				t.Errorf("steps %q, want %q", got, c.want)
			}
		})
	}
	t.Run("both deleted for longer than the grace", func(t *testing.T) {
		in := Inputs{Database: deleted, Cluster: going(time.Minute), Namespace: "ns", Link: &link.Link{}}
		if got := Steps(planRemoval(in, there(rest.BDBDeletePending), now.Add(clusterGoesGrace)).Steps); got == "" {
			t.Error("still waiting")
		}
	})
	t.Run("a creation under way is waited for", func(t *testing.T) {
		in := Inputs{Database: deleted, Cluster: runningCluster(), Namespace: "ns", Link: &link.Link{}, Creating: true}
		if got := planRemoval(in, Observed{Snapshot: &link.Snapshot{Time: now}}, now); len(got.Steps) != 0 {
			t.Errorf("steps %q", Steps(got.Steps))
		}
	})
	t.Run("a resource whose cluster was never formed", func(t *testing.T) {
		rec := runningCluster()
		rec.Status = appv1.RedisEnterpriseClusterStatus{}
		fresh := database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.DeletionTimestamp, db.Finalizers = &asked, []string{names.DatabaseFinalizer}
		})
		in := Inputs{Database: fresh, Clusters: []appv1.RedisEnterpriseCluster{*rec}, Cluster: rec, Namespace: "ns"}
		if got := planRemoval(in, Observed{Err: errNoLink}, now); len(got.Steps) != 1 {
			t.Errorf("steps %q", Steps(got.Steps))
		}
	})
}

func TestREDB2_TheCluster(t *testing.T) {
	named := func(name string) func(*v1alpha1.RedisEnterpriseDatabase) {
		return func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Spec.RedisEnterpriseCluster = &v1alpha1.ClusterReference{Name: name}
		}
	}
	second := runningCluster()
	second.Name = "other"
	cases := []struct {
		name     string
		db       *v1alpha1.RedisEnterpriseDatabase
		clusters []appv1.RedisEnterpriseCluster
		want     string
	}{
		{"REDB-2 the only one is meant", database(), []appv1.RedisEnterpriseCluster{*runningCluster()}, "rec"},
		{"REDB-2 the named one", database(named("other")), []appv1.RedisEnterpriseCluster{*runningCluster(), *second}, "other"},
		{"of two, none is guessed", database(), []appv1.RedisEnterpriseCluster{*runningCluster(), *second}, ""},
		{"a wrong name finds none", database(named("nope")), []appv1.RedisEnterpriseCluster{*runningCluster()}, ""},
		{"a database stays where it was made", database(named("other"), func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Status.DatabaseUID, db.Status.RedisEnterpriseCluster = "1", "rec"
		}), []appv1.RedisEnterpriseCluster{*runningCluster(), *second}, "rec"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if rec := choose(c.db, c.clusters); rec != nil {
				got = rec.Name
			}
			if got != c.want {
				t.Errorf("chose %q, want %q", got, c.want)
			}
		})
	}
	t.Run("REDB-2 a cluster that does not exist is named in status", func(t *testing.T) {
		w := newWorld(t, database(named("nope")))
		err := w.pass()
		if outcome.Of(err).Kind != outcome.KindWaiting || !w.told(names.EventWaiting, "spec.redisEnterpriseCluster.name") {
			t.Errorf("err %v, events %v", err, w.events)
		}
	})
	t.Run("a move is refused", func(t *testing.T) {
		w := newWorld(t, runningCluster(), database())
		w.settle()
		other := runningCluster()
		other.Name, other.UID = "other", types.UID("o")
		if err := w.client.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		w.edit(named("other"))
		if err := w.pass(); outcome.Of(err).Path != pathCluster {
			t.Errorf("err = %v", err)
		}
	})
}
