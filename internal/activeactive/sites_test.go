package activeactive

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// TestRED86490_ThePortOfOneLocation: where a port is taken on one cluster, the database gets another one there from the beginning.
func TestRED86490_ThePortOfOneLocation(t *testing.T) {
	w, sites := newWorld(t, "east", "west")
	w.ports = map[string]int{"east": 12399}
	east, west := sites[0], sites[1]
	port := func(s *site) int64 { return int64(rest.Value(s.bdb(t).Port)) }
	own := `{"databasePort":12399}`
	orders := east.orders(nil, "east", "west")
	orders.Annotations = map[string]string{names.AnnotationLocalOverrides: own}
	east.make(orders)
	settled(sites...)
	if port(east) != 12399 || port(west) != dbPort {
		t.Fatalf("east has %d, west has %d", port(east), port(west))
	}
	override := func(s *site, text string) {
		s.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			metav1.SetMetaDataAnnotation(&db.ObjectMeta, names.AnnotationLocalOverrides, text)
		})
	}
	for _, s := range sites {
		t.Run(s.name+" keeps it", func(t *testing.T) {
			before := port(s)
			override(s, `{"databasePort":12400}`)
			together("it is told", []*site{s}, func(_ *site, end error) (string, bool) {
				return fmt.Sprint(end), end != nil && strings.Contains(end.Error(), "databasePort")
			})
			if port(s) != before {
				t.Errorf("it has %d now", port(s))
			}
		})
	}
	override(east, own)
	override(west, "")
	settled(sites...)
}

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
	t.Run("AA-20 AA-23 another operator goes on where this one was", func(t *testing.T) {
		before, told := east.db().Status, len(east.events)
		east.operator()
		_ = east.pass() // which has not seen the links yet
		if after := east.db().Status; !equality.Semantic.DeepEqual(after, before) {
			t.Errorf("the status was\n%+v and is\n%+v", before, after)
		}
		settled(sites...)
		if len(east.events) > told {
			t.Errorf("what was known is told again: %+v", east.events[told:])
		}
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

// secret is the one with the common password.
func (s *site) secret(password string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.key().Namespace, Name: "common"}, Data: map[string][]byte{names.PasswordKey: []byte(password)}}
}

// rotate writes another password into the Secret of a site.
func (s *site) rotate(password string) {
	s.t.Helper()
	if err := s.client.Update(s.t.Context(), s.secret(password)); err != nil {
		s.t.Fatal(err)
	}
}

// inForce waits until both sites say what a password is to their Secret.
func inForce(password string, want map[string]appv1.SpecStatus, sites []*site) {
	sites[0].t.Helper()
	together("AA-12 "+password, sites, func(s *site, end error) (string, bool) {
		db := s.db()
		if db == nil || len(db.Status.SecretsStatus) != 1 {
			return "no status", false
		}
		is := db.Status.SecretsStatus[0].Status
		return string(is), is == want[s.name] && (end == nil) == (is == appv1.SpecValid)
	})
}

func TestAA12_OnePasswordForAll(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	valid, stale := map[string]appv1.SpecStatus{"east": appv1.SpecValid, "west": appv1.SpecValid}, map[string]appv1.SpecStatus{"east": appv1.SpecValid, "west": appv1.SpecInvalid}
	east.make(east.secret("first"))
	east.make(east.orders(&v1alpha1.GlobalConfigurations{DatabaseSecretName: "common"}, "east", "west"))

	inForce("a participant without the Secret says so", stale, sites)
	if rest.Value(west.bdb(t).RedisPassword) != "first" {
		t.Errorf("AA-8 the password came along: %q", rest.Value(west.bdb(t).RedisPassword))
	}
	west.make(west.secret("wrong"))
	inForce("a Secret that differs is not the newer one", stale, sites)
	west.rotate("first")
	inForce("the same everywhere", valid, sites)
	if !meta.IsStatusConditionTrue(west.db().Status.Conditions, v1alpha1.ConditionSecretsInSync) {
		t.Errorf("%+v", west.db().Status.Conditions)
	}
	west.rotate("second")
	inForce("changed on one side", map[string]appv1.SpecStatus{"east": appv1.SpecInvalid, "west": appv1.SpecValid}, sites)
	if got := rest.Value(east.bdb(t).RedisPassword); got != "second" {
		t.Errorf("the password in force is %q", got)
	}
	east.rotate("second")
	inForce("copied", valid, sites)
	for _, s := range sites {
		for _, e := range s.events {
			if strings.Contains(e.Message, "second") {
				t.Errorf("an event tells the password: %s", e.Message)
			}
		}
		for key, value := range s.db().Annotations {
			if strings.Contains(value, "second") || strings.Contains(value, "correct horse") {
				t.Errorf("annotation %s tells a password", key)
			}
		}
	}
}

func TestRERC8_AnEditOfARemoteClusterIsFollowedEverywhere(t *testing.T) {
	w, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west"))
	settled(sites...)
	w.mu.Lock()
	w.nodes["occident"] = w.nodes["west"] // another name for the same place
	w.mu.Unlock()
	remote := &v1alpha1.RedisEnterpriseRemoteCluster{}
	if err := east.client.Get(t.Context(), types.NamespacedName{Namespace: east.namespace(), Name: "west"}, remote); err != nil {
		t.Fatal(err)
	}
	remote.Spec.APIFQDNURL, remote.Spec.DBFQDNSuffix = "api-occident"+domain, "-db-occident"+domain
	if err := east.client.Update(t.Context(), remote); err != nil {
		t.Fatal(err)
	}
	together("RERC-8 west follows", sites, func(_ *site, end error) (string, bool) {
		var r v1alpha1.RedisEnterpriseRemoteCluster
		if err := west.client.Get(t.Context(), types.NamespacedName{Namespace: west.namespace(), Name: "west"}, &r); err != nil {
			return err.Error(), false
		}
		inst := instanceOn(west.crdb(), west.fqdn())
		return fmt.Sprint(r.Spec, inst.Cluster.URL), end == nil && r.Spec.APIFQDNURL == "api-occident"+domain && inst.Cluster.URL == "https://api-occident"+domain && inst.Cluster.ReplicationTLSSNI == "orders-db-occident"+domain
	})
}

func TestAA17_AA18_VersionsAndCertificatesAreFollowedEverywhere(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(&v1alpha1.GlobalConfigurations{RedisVersion: "7.4", RolesPermissions: []v1alpha1.RolePermission{{Role: "Admin", ACL: "Nobody"}}}, "east", "west"))
	together("AA-13 a missing ACL is told on both sides", sites, func(_ *site, end error) (string, bool) {
		return fmt.Sprint(end), end != nil && strings.Contains(end.Error(), `has no ACL "Nobody"`)
	})
	east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.RolesPermissions[0].ACL = "Read Only"
	})
	settled(sites...)
	together("AA-13 both give the role", sites, func(s *site, end error) (string, bool) {
		list := rest.Value(s.bdb(t).RolesPermissions)
		return fmt.Sprint(list), end == nil && len(list) == 1
	})
	west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.RolesPermissions = nil
	})
	together("AA-13 both take it away", sites, func(s *site, end error) (string, bool) {
		return fmt.Sprint(end), end == nil && len(rest.Value(s.bdb(t).RolesPermissions)) == 0 && s.db().Spec.GlobalConfigurations.RolesPermissions == nil
	})

	west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.RedisVersion = "8.0"
	})
	together("AA-17 both have the version", sites, func(s *site, end error) (string, bool) {
		version := rest.Value(s.bdb(t).RedisVer)
		return version, end == nil && strings.HasPrefix(version, "8.0") && s.db().Spec.GlobalConfigurations.RedisVersion == "8.0"
	})

	if got := west.db().Status.ClusterCertificatesGeneration; got != 1 {
		t.Errorf("AA-18 generation %d", got)
	}
	if err := west.api().RotateCertificates(t.Context()); err != nil {
		t.Fatal(err)
	}
	together("AA-18 the others are told of new certificates", sites, func(s *site, end error) (string, bool) {
		return fmt.Sprint(s.db().Status.ClusterCertificatesGeneration), end == nil && (s.name != "west" || s.db().Status.ClusterCertificatesGeneration == 2)
	})
}
