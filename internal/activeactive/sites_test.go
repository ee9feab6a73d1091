package activeactive

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// TestAA3_AppliedOnOneSideItIsOnAll makes a database and lives with it on both sides.
func TestAA3_AppliedOnOneSideItIsOnAll(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(&v1alpha1.GlobalConfigurations{Tags: map[string]string{"team": "shop"}}, "east", "west"))
	settled(sites...)

	t.Run("AA-22 AA-23 AA-24 both sides tell the same", func(t *testing.T) {
		for _, s := range sites {
			status := s.db().Status
			if status.Status != v1alpha1.ActiveActiveActive || status.ReplicationStatus != v1alpha1.ReplicationUp || status.GUID != rest.Value(east.crdb().GUID) ||
				len(status.ParticipatingClusters) != 2 || status.ParticipatingClusters[0].ID == 0 || status.RedisEnterpriseCluster != "rec" {
				t.Errorf("%s: %+v", s.name, status)
			}
		}
	})
	t.Run("AA-4 AA-5 AA-19 the marks", func(t *testing.T) {
		crdb := west.crdb()
		for _, inst := range rest.Value(crdb.Instances) {
			tags := tagsOf(inst.DBConfig)
			name := strings.TrimPrefix(strings.Split(inst.ClusterName(), ".")[1], "ns-")
			if tags["managed_by"] != "redis-enterprise-operator" || tags["redb_name"] != "orders" || tags["redb_namespace"] != "ns-"+name || tags["rerc_name"] != name ||
				tags["replication_endpoint_port"] != "443" || tags["team"] != "shop" || tags["global_configurations_spec"] == "" {
				t.Errorf("%s: %v", inst.ClusterName(), tags)
			}
			if c := inst.Cluster; c.ReplicationEndpoint != "orders-db-"+name+domain+":443" || c.ReplicationTLSSNI != "orders-db-"+name+domain || c.URL != "https://api-"+name+domain {
				t.Errorf("%+v", c)
			}
		}
		if tagsOf(crdb.DefaultDBConfig)["team"] != "shop" {
			t.Errorf("%v", tagsOf(crdb.DefaultDBConfig))
		}
	})
	t.Run("RERC-7 the remote clusters are there", func(t *testing.T) {
		var list v1alpha1.RedisEnterpriseRemoteClusterList
		if err := west.client.List(t.Context(), &list); err != nil || len(list.Items) != 2 {
			t.Fatalf("%v %v", list.Items, err)
		}
		for _, r := range list.Items {
			if r.Spec.RECNamespace != "ns-"+r.Name || r.Spec.APIFQDNURL != "api-"+r.Name+domain || r.Spec.DBFQDNSuffix != "-db-"+r.Name+domain || r.Annotations[names.AnnotationDiscovered] == "" {
				t.Errorf("%+v", r)
			}
		}
	})
	t.Run("at rest nothing is written", func(t *testing.T) {
		before := east.writes + west.writes
		for range 3 {
			settled(sites...)
		}
		if after := east.writes + west.writes; after != before {
			t.Errorf("%d writes", after-before)
		}
	})
	t.Run("AA-9 edits on both sides at once come together", func(t *testing.T) {
		east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.MemorySize = "200MB"
		})
		west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.EvictionPolicy = "noeviction"
		})
		together("both have both", sites, func(s *site, end error) (string, bool) {
			g := s.db().Spec.GlobalConfigurations
			return fmt.Sprintf("%s %s", g.MemorySize, g.EvictionPolicy), end == nil && g.MemorySize == "200MB" && g.EvictionPolicy == "noeviction"
		})
		config := west.crdb().DefaultDBConfig
		if rest.Value(config.MemorySize) != 200<<20 || rest.Value(config.EvictionPolicy) != "noeviction" {
			t.Errorf("%d %s", rest.Value(config.MemorySize), rest.Value(config.EvictionPolicy))
		}
	})
	t.Run("AA-9 a true conflict goes to what was agreed first, and is told", func(t *testing.T) {
		east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.MemorySize = "300MB"
		})
		together("east has told", sites[:1], func(_ *site, end error) (string, bool) { return "", end == nil })
		west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.MemorySize = "400MB"
		})
		together("both have 300MB", sites, func(s *site, end error) (string, bool) {
			return s.db().Spec.GlobalConfigurations.MemorySize, end == nil && s.db().Spec.GlobalConfigurations.MemorySize == "300MB"
		})
		if !west.told(names.EventMergeConflict, "global.memorySize") {
			t.Errorf("%+v", west.events)
		}
	})
	t.Run("RED-86490 a setting of one location", func(t *testing.T) {
		west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Annotations[names.AnnotationLocalOverrides] = `{"persistence":"aofEverySecond"}`
		})
		settled(sites...)
		b := west.bdb(t)
		if rest.Value(b.DataPersistence) != "aof" || rest.Value(east.bdb(t).DataPersistence) != "disabled" {
			t.Errorf("west %s, east %s", rest.Value(b.DataPersistence), rest.Value(east.bdb(t).DataPersistence))
		}
		west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			delete(db.Annotations, names.AnnotationLocalOverrides)
		})
		settled(sites...)
		if rest.Value(west.bdb(t).DataPersistence) != "disabled" {
			t.Errorf("%s", rest.Value(west.bdb(t).DataPersistence))
		}
	})
	t.Run("AA-20 another operator goes on where this one was", func(t *testing.T) {
		east.operator()
		settled(sites...)
	})
	t.Run("AA-25 deleted on one side, it is gone on both", func(t *testing.T) {
		if err := west.client.Delete(t.Context(), west.db()); err != nil {
			t.Fatal(err)
		}
		together("gone", sites, func(s *site, _ error) (string, bool) {
			db := s.db()
			if db == nil {
				return "", true
			}
			return fmt.Sprintf("%s %s", db.Status.Status, db.Annotations[names.AnnotationTask]), false
		})
		for _, s := range sites {
			list, err := s.api().ListBDBs(t.Context())
			if err != nil || len(list) > 0 || s.crdb() != nil {
				t.Errorf("%s: %v %v", s.name, list, err)
			}
		}
	})
}

// bdb is the database of a site.
func (s *site) bdb(t *testing.T) *rest.BDB {
	t.Helper()
	b, err := s.api().FindBDB(t.Context(), "orders")
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	return b
}

// TestAA14_ParticipantsComeAndGo adds a third cluster and takes one away.
func TestAA14_ParticipantsComeAndGo(t *testing.T) {
	_, sites := newWorld(t, "east", "west", "south")
	east, south := sites[0], sites[2]
	east.make(east.orders(nil, "east", "west"))
	settled(sites[:2]...)
	east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: "south"})
	})
	settled(sites...)
	for _, s := range sites {
		var listed []string
		for _, p := range s.db().Spec.ParticipatingClusters {
			listed = append(listed, p.Name)
		}
		slices.Sort(listed)
		if !slices.Equal(listed, []string{"east", "south", "west"}) || len(s.db().Status.ParticipatingClusters) != 3 {
			t.Errorf("%s lists %v, %+v", s.name, listed, s.db().Status.ParticipatingClusters)
		}
	}
	south.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters = slices.DeleteFunc(db.Spec.ParticipatingClusters, func(p v1alpha1.ParticipatingCluster) bool { return p.Name == "west" })
	})
	together("west has left", sites, func(s *site, end error) (string, bool) {
		db := s.db()
		if s.name == "west" {
			return "", db == nil
		}
		return fmt.Sprint(db.Status.ParticipatingClusters), end == nil && len(db.Spec.ParticipatingClusters) == 2 && len(db.Status.ParticipatingClusters) == 2
	})
}
