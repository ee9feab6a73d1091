package database

import (
	"slices"
	"strings"
	"testing"
	"time"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestREDB19_TheStatusIsTheClustersWord(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	for _, word := range []v1alpha1.DatabaseStatus{v1alpha1.DatabasePending, v1alpha1.DatabaseActive, v1alpha1.DatabaseActiveChangePending,
		v1alpha1.DatabaseDeletePending, v1alpha1.DatabaseImportPending, v1alpha1.DatabaseCreationFailed, v1alpha1.DatabaseRecovery} {
		t.Run(string(word), func(t *testing.T) {
			w.elsewhere(func() { w.cluster.bdbs[1]["status"] = string(word) })
			_ = w.pass() // most of the words are waited out
			if got := w.db().Status.Status; got != word {
				t.Errorf("status %q", got)
			}
		})
	}
	t.Run("none for a database that is gone", func(t *testing.T) {
		w.elsewhere(func() { w.cluster.bdbs[1]["status"] = "active" })
		_ = w.pass()
		w.elsewhere(func() { delete(w.cluster.bdbs, 1) })
		_ = w.pass()
		if got := w.db().Status.Status; got != "" {
			t.Errorf("status %q", got)
		}
	})
}

func TestREC55_ADatabaseIsAppliedAgainAfterARecovery(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.elsewhere(func() { w.cluster.bdbs[1]["status"] = "recovery" })
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
	for range 3 {
		if err := w.pass(); outcome.Of(err).Kind != outcome.KindWaiting || outcome.Of(err).Reason != v1alpha1.ReasonRecovering {
			t.Fatalf("err = %v", err)
		}
	}
	if db := w.db(); db.Status.Status != v1alpha1.DatabaseRecovery || db.Status.SpecStatus != appv1.SpecValid {
		t.Errorf("status %+v", db.Status)
	}
	w.cluster.written()
	w.elsewhere(func() { w.cluster.bdbs[1]["status"] = "active" })
	db := w.settle()
	if db.Status.DatabaseUID != "1" || db.Status.ObservedGeneration != db.Generation || len(w.cluster.names()) != 1 {
		t.Errorf("status %+v", db.Status)
	}
}

func TestREC44_ANewerReleaseOfTheClusterLeavesDatabasesAsTheyAre(t *testing.T) {
	w := newWorld(t, runningCluster(), database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.RedisVersion = "7.4" }))
	w.elsewhere(func() {})
	w.settle()
	w.elsewhere(func() {
		w.cluster.bdbs[1]["redis_version"], w.cluster.bdbs[1]["module_list"] = "7.4", []any{map[string]any{"module_name": "search", "semantic_version": "2.10"}}
	})
	w.cluster.written()
	w.settle()
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.RedisVersion = "" })
	w.settle()
	if got := w.cluster.written(); len(got) != 0 {
		t.Errorf("writes %q", got)
	}
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.RedisVersion = "8.0" })
	_ = w.pass()
	if got := w.cluster.written(); !slices.Equal(got, []string{"POST /v1/bdbs/1/upgrade"}) {
		t.Errorf("writes %q", got)
	}
}

func TestREDB36_TheVersionOfADatabaseFitsThePolicyOfItsCluster(t *testing.T) {
	seen := time.Unix(1000, 0)
	offers := func(policy string) *link.Snapshot {
		return &link.Snapshot{Time: seen, Tried: seen, Cluster: &rest.Cluster{}, Policy: &rest.ClusterPolicy{RedisUpgradePolicy: &policy},
			Nodes: []rest.Node{{SupportedDatabaseVersions: []rest.DatabaseVersion{
				{DBType: "redis", RedisVersion: "8.0", Version: "8.0.2", Major: true}, {DBType: "redis", RedisVersion: "8.2", Version: "8.2.0"}}}}}
	}
	for _, c := range []struct {
		name, policy, had, wants string
		refused                  string
	}{
		{"a major version", "major", "", "8.0", ""},
		{"the word major", "major", "", "major", ""},
		{"no version", "major", "", "", ""},
		{"a minor version", "major", "", "8.2", "8.2 is no major version"},
		{"a minor version it has already", "major", "8.2", "8.2", ""},
		{"a minor version after a major one", "major", "8.0", "8.2", "8.2 is no major version"},
		{"a version that no node speaks of", "major", "", "9.9", ""},
		{"the word latest", "major", "", "latest", "latest needs a cluster"},
		{"a minor version where every version is welcome", "latest", "", "8.2", ""},
		{"the word latest where every version is welcome", "latest", "", "latest", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			wants := func(version string) *v1alpha1.RedisEnterpriseDatabase {
				return database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.RedisVersion = version })
			}
			var old *v1alpha1.RedisEnterpriseDatabase
			if c.had != "" {
				old = wants(c.had)
			}
			got := all(AgainstCluster(old, wants(c.wants), offers(c.policy)))
			if (got == nil) != (c.refused == "") || got != nil && !strings.Contains(got.Error(), c.refused) {
				t.Errorf("%v", got)
			}
		})
	}
	t.Run("not for memcached", func(t *testing.T) {
		errs := Validate(database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Spec.Type, db.Spec.RedisVersion = v1alpha1.DatabaseMemcached, "8.0"
		}))
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "spec.redisVersion: ") {
			t.Errorf("%v", errs)
		}
	})
}

func TestServicesAreNamedSoThatOtherNamespacesFindThem(t *testing.T) {
	for namespace, want := range map[string]string{"ns": "orders,orders-headless", "shop": "orders.ns,orders-headless.ns"} {
		db := database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Namespace = namespace })
		if got := strings.Join(serviceNames(db, runningCluster(), 12000), ","); got != want {
			t.Errorf("in %s: %s", namespace, got)
		}
	}
}

func TestREDB32_ModulesAreKnownByTheirNames(t *testing.T) {
	seen := time.Unix(1000, 0)
	snapshot := &link.Snapshot{Time: seen, Tried: seen, Cluster: &rest.Cluster{}, Modules: []rest.Module{{ModuleName: "ReJSON", DisplayName: "JSON"}}}
	for name, refused := range map[string]bool{"ReJSON": false, "JSON": true, "rejson": true} {
		db := database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Spec.ModulesList = []v1alpha1.DatabaseModule{{Name: name}}
		})
		if errs := AgainstCluster(nil, db, snapshot); (len(errs) > 0) != refused {
			t.Errorf("%s: %v", name, errs)
		}
	}
}
