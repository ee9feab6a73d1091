package activeactive

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// scene is what the pure files look at.
type scene struct {
	t   *testing.T
	in  Inputs
	obs Observed
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// newScene has two participants, the first of them local, and a database on both that is as the resource says.
func newScene(t *testing.T, change ...func(*v1alpha1.RedisEnterpriseActiveActiveDatabase)) *scene {
	t.Helper()
	db := database(change...)
	db.UID, db.Finalizers, db.CreationTimestamp = "db-uid", []string{names.ActiveActiveFinalizer}, metav1.NewTime(noon)
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec", CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
	rec.Spec.IngressOrRouteSpec = &appv1.IngressOrRouteSpec{Method: appv1.ExposureOpenShiftRoute, APIFQDNURL: "api-here.example.com", DBFQDNSuffix: "-db-here.example.com"}
	rec.Status.State = appv1.ClusterRunning
	rec.Status.Conditions = []metav1.Condition{{Type: appv1.ConditionBootstrapComplete, Status: metav1.ConditionTrue}}
	s := &scene{t: t, in: Inputs{Database: db, Cluster: rec, Clusters: []appv1.RedisEnterpriseCluster{*rec}, Namespace: "ns", Secrets: map[string]*corev1.Secret{}, Credentials: map[string]rest.Credentials{}}}
	for _, name := range []string{"here", "there", "third", "fourth"} {
		r := v1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Spec: v1alpha1.RedisEnterpriseRemoteClusterSpec{
			RECName: "rec", RECNamespace: map[string]string{"here": "ns"}[name] + strings.TrimPrefix(name, "here"), APIFQDNURL: "api-" + name + ".example.com", DBFQDNSuffix: "-db-" + name + ".example.com"}}
		r.Status.Status = v1alpha1.RemoteClusterActive
		s.in.Remotes = append(s.in.Remotes, r)
		s.in.Credentials[name] = rest.Credentials{Username: "admin", Password: "hidden-" + name}
	}
	s.obs.Snapshot = &link.Snapshot{Time: noon}
	return s
}

// made lets the clusters have what the resource says.
func (s *scene) made() *scene {
	s.t.Helper()
	sites := localTerms(s.in, Terms{}).Sites
	body, err := desired(s.in, nil, sites).body()
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	crdb := &rest.CRDB{}
	if err := json.Unmarshal(raw, crdb); err != nil {
		s.t.Fatal(err)
	}
	crdb.GUID = rest.Ptr("guid")
	list := *crdb.Instances
	for i := range list {
		list[i].ID, list[i].Cluster.Credentials = rest.Ptr(rest.Int(i+1)), &rest.BootstrapCredential{Username: "admin"}
	}
	s.obs.CRDB, s.obs.Local = crdb, instanceOn(crdb, s.in.own())
	s.obs.BDB = &rest.BDB{UID: rest.Ptr(rest.UID(7)), Status: rest.Ptr(rest.BDBActive), RedisVer: rest.Ptr("7.4"), CRDT: rest.Ptr(true)}
	s.in.Database.Status.GUID = "guid"
	s.obs.Replication = Replication{Known: true, Up: map[string]bool{}}
	for cluster := range sites {
		s.obs.Replication.Up[cluster] = true
	}
	terms, err := negotiate(s.in, crdb)
	if err != nil {
		s.t.Fatal(err)
	}
	agreed := desired(s.in, crdb, sites).agreement(terms.Server)
	s.in.Agreed = &agreed
	return s
}

func (s *scene) plan() Plan { return plan(s.in, s.obs, noon) }

// asks is the one request of a plan.
func (s *scene) asks() request {
	s.t.Helper()
	p := s.plan()
	for _, step := range p.Steps {
		if ask, is := step.(request); is {
			return ask
		}
	}
	s.t.Fatalf("asks for nothing: %v, %v", p.Steps, p.End)
	return request{}
}

func reasonOf(err error) string { return outcome.Of(err).Reason }

func TestAA10_OnlyWhatDiffersIsSent(t *testing.T) {
	s := newScene(t).made()
	if p := s.plan(); p.End != nil || len(p.Steps) > 0 || !p.Complete {
		t.Fatalf("at rest: %v %v", p.Steps, p.End)
	}
	s.in.Database.Spec.GlobalConfigurations.MemorySize = "200MB"
	ask := s.asks()
	raw, err := json.Marshal(ask.body.DefaultDBConfig)
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	if err := json.Unmarshal(raw, &sent); err != nil {
		t.Fatal(err)
	}
	delete(sent, "tags") // which carry what is agreed
	if len(sent) != 1 || sent["memory_size"] != float64(200<<20) || ask.op != opUpdate || ask.guid != "guid" {
		t.Errorf("sent %s", raw)
	}
	for _, inst := range rest.Value(ask.body.Instances) {
		if inst.Cluster != nil || inst.DBConfig.ClientCerts != nil || inst.DBConfig.EnforceClientAuth != nil {
			t.Errorf("instance %+v", inst)
		}
	}
	if !strings.Contains(ask.String(), "spec.globalConfigurations.memorySize (memory_size): 100MB → 200MB") {
		t.Errorf("says %s", ask)
	}
}

func TestAA5_TheBodyOfANewDatabase(t *testing.T) {
	s := newScene(t)
	ask := s.asks()
	body := ask.body
	if ask.op != opCreate || rest.Value(body.Name) != "orders" || !rest.Value(body.Encryption) || rest.Value(body.ManagedBy) != "redis-enterprise-operator" || len(*body.Instances) != 2 {
		t.Fatalf("%+v", body)
	}
	c := body.DefaultDBConfig
	if rest.Value(c.MemorySize) != 100<<20 || rest.Value(c.Replication) || rest.Value(c.DataPersistence) != "disabled" || !rest.Value(c.Sharding) || c.Name != nil {
		t.Errorf("AA-7 %+v", c)
	}
	for _, inst := range *body.Instances {
		if inst.Cluster.Credentials == nil || !strings.HasPrefix(inst.Cluster.Credentials.Password, "hidden-") {
			t.Errorf("%s without credentials", inst.ClusterName())
		}
	}
	if strings.Contains(ask.String(), "hidden") || strings.Contains(s.plan().Steps[0].String(), "hidden") {
		t.Error("a step prints a password")
	}
	t.Run("AA-26 a finalizer before anything exists", func(t *testing.T) {
		s := newScene(t)
		s.in.Database.Finalizers = nil
		p := s.plan()
		if len(p.Steps) != 1 || p.Steps[0] != (guard{}) || p.End == nil {
			t.Errorf("%v %v", p.Steps, p.End)
		}
	})
	t.Run("AA-20 written down first", func(t *testing.T) {
		if _, first := s.plan().Steps[0].(note); !first {
			t.Errorf("%v", s.plan().Steps)
		}
	})
	t.Run("AA-7 shardingEnabled: false", func(t *testing.T) {
		s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.ShardingEnabled = rest.Ptr(false)
		})
		if rest.Value(s.asks().body.DefaultDBConfig.Sharding) {
			t.Error("sharding is on")
		}
	})
	t.Run("AA-27 a namespace of its own", func(t *testing.T) {
		s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.ParticipatingClusters[1].Namespace = "team"
		})
		if got := tagsOf(instanceOn(s.asks().body, "rec.there.svc.cluster.local").DBConfig)["redb_namespace"]; got != "team" {
			t.Errorf("namespace %q", got)
		}
	})
}

func TestPlanSaysWhatStandsInTheWay(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene)
		reason string
	}{
		{"AA-1 no way in", func(s *scene) { s.in.Cluster.Spec.IngressOrRouteSpec = nil }, v1alpha1.ReasonNoWayIn},
		{"AA-1 the local cluster is not listed", func(s *scene) { s.in.Database.Spec.ParticipatingClusters[0].Name = "third" }, appv1.ReasonInvalidSpec},
		{"AA-5 a remote cluster is missing", func(s *scene) { s.in.Remotes = s.in.Remotes[:1] }, appv1.ReasonMissingReference},
		{"a remote cluster is not Active", func(s *scene) { s.in.Remotes[1].Status.Status = v1alpha1.RemoteClusterError }, v1alpha1.ReasonClusterNotReady},
		{"RERC-2 credentials are missing", func(s *scene) { delete(s.in.Credentials, "there") }, v1alpha1.ReasonClusterNotReady},
		{"AA-2 the name is taken", func(s *scene) { s.obs.Stranger = &rest.BDB{UID: rest.Ptr(rest.UID(3))} }, v1alpha1.ReasonNameTaken},
		{"AA-8 the Secret is missing", func(s *scene) { s.in.Database.Spec.GlobalConfigurations.DatabaseSecretName = "x" }, appv1.ReasonMissingReference},
		{"AA-21 an invalid one is left alone", func(s *scene) { s.in.Database.Spec.ParticipatingClusters = nil }, appv1.ReasonInvalidSpec},
		{"the cluster is silent", func(s *scene) { s.obs.Err = errNoLink }, appv1.ReasonClusterUnreachable},
		{"the cluster is being upgraded", func(s *scene) { s.in.Cluster.Status.State = appv1.ClusterUpgrade }, v1alpha1.ReasonClusterUpgrading},
		{"RED-96301 the licence is used up", func(s *scene) {
			s.obs.Snapshot.License = &rest.License{ShardsLimit: rest.Ptr(rest.Int(4))}
			s.obs.Snapshot.Shards = make([]rest.Shard, 4)
		}, appv1.ReasonInvalidSpec},
		{"a host name that DNS does not allow", func(s *scene) { s.in.Remotes[1].Spec.DBFQDNSuffix = "-" + strings.Repeat("x", 60) + ".example.com" }, appv1.ReasonInvalidSpec},
		{"AA-20 a task under way", func(s *scene) {
			s.in.Task, s.obs.Task = Record{Serial: 1, Operation: opCreate}, &rest.CRDBTask{Status: "started"}
		}, v1alpha1.ReasonCreating},
		{"AA-20 a failure that may pass", func(s *scene) { s.failed("connect_error") }, v1alpha1.ReasonTaskFailed},
		{"a failure that does not", func(s *scene) { s.failed("db_create_failed") }, v1alpha1.ReasonCreationFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.change(s)
			p := s.plan()
			if reasonOf(p.End) != c.reason || len(p.Steps) > 0 {
				t.Errorf("%s: %v, steps %v", reasonOf(p.End), p.End, p.Steps)
			}
		})
	}
}

// failed lets the creation have failed just now.
func (s *scene) failed(code string) {
	s.t.Helper()
	ask := s.asks()
	s.in.Task = ask.record.over(&rest.CRDBTask{Status: "failed", Errors: []rest.CRDBTaskError{{Cluster: "there", Code: code, Description: "so it is"}}}, noon)
}

func TestPlanOfADatabaseThatIsThere(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene)
		step   string
		reason string
	}{
		{"AA-14 a participant is added", func(s *scene) {
			s.in.Database.Spec.ParticipatingClusters = append(s.in.Database.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: "third"})
		}, "add participating cluster third", v1alpha1.ReasonChanging},
		{"AA-15 a merge patch that drops the others", func(s *scene) {
			s.in.Database.Spec.ParticipatingClusters = []v1alpha1.ParticipatingCluster{{Name: "here"}, {Name: "third"}}
		}, "", appv1.ReasonInvalidSpec},
		{"AA-16 a port that is left open is the one of the database", func(s *scene) {
			inst := instanceOn(s.obs.CRDB, "rec.there.svc.cluster.local")
			inst.Cluster.ReplicationEndpoint = "orders-db-there.example.com:12345"
			s.in.Agreed = nil
			for i, tag := range *inst.DBConfig.Tags {
				if tag.Key == "replication_endpoint_port" {
					(*inst.DBConfig.Tags)[i].Value = "12345"
				}
			}
		}, "remember", ""},
		{"AA-17 another version", func(s *scene) {
			s.in.Database.Spec.GlobalConfigurations.RedisVersion = "8.0"
			s.obs.CRDB.DefaultDBConfig.Tags = desiredTags(s)
			for i, inst := range *s.obs.CRDB.Instances {
				tags := tagList(desired(s.in, s.obs.CRDB, localTerms(s.in, Terms{}).Sites).siteTags(inst.ClusterName()))
				(*s.obs.CRDB.Instances)[i].DBConfig.Tags = &tags
			}
		}, "redisVersion (redis_version): 7.4 → 8.0", v1alpha1.ReasonChanging},
		{"AA-14 this cluster was taken out", func(s *scene) { s.obs.Local = nil }, "delete the resource", appv1.ReasonDeleting},
		{"AA-25 deleted elsewhere", func(s *scene) { s.obs.CRDB, s.obs.Local, s.obs.BDB = nil, nil, nil }, "delete the resource", appv1.ReasonDeleting},
		{"a cluster that was made anew", func(s *scene) {
			s.obs.CRDB, s.obs.Local, s.obs.BDB = nil, nil, nil
			s.in.Cluster.CreationTimestamp = metav1.NewTime(noon.Add(time.Hour))
		}, "", v1alpha1.ReasonDatabaseMissing},
		{"AA-23 a link is down", func(s *scene) { s.obs.Replication.Problem = "there does not receive from here" }, "", v1alpha1.ReasonOutOfSync},
		{"AA-23 nobody has looked yet", func(s *scene) { s.obs.Replication = Replication{} }, "", v1alpha1.ReasonOutOfSync},
		{"AA-18 other certificates", func(s *scene) {
			s.in.Agreed.Secrets[purposeCertificates] = "old"
			s.obs.Snapshot.Certificates = map[string]string{"proxy_cert": "new"}
		}, "new certificates", v1alpha1.ReasonChanging},
		{"RERC-8 an address", func(s *scene) { s.in.Remotes[1].Spec.APIFQDNURL = "api-elsewhere.example.com" }, "is reached at https://api-elsewhere.example.com", v1alpha1.ReasonChanging},
		{"RERC-8 credentials", func(s *scene) {
			s.in.Credentials["there"] = rest.Credentials{Username: "admin", Password: "hidden-new"}
		}, "rec.there.svc.cluster.local is reached at", v1alpha1.ReasonChanging},
		{"AA-11 a certificate that is not there", func(s *scene) {
			s.in.Database.Spec.GlobalConfigurations.ClientAuthenticationCertificates = []string{"cert"}
		}, "", appv1.ReasonMissingReference},
		{"AA-11 a certificate and the password are not there", func(s *scene) {
			s.in.Database.Spec.GlobalConfigurations.ClientAuthenticationCertificates = []string{"cert"}
			s.in.Database.Spec.GlobalConfigurations.DatabaseSecretName = "common"
		}, "", appv1.ReasonMissingReference},
		{"AA-13 a role that is not there", func(s *scene) {
			s.roles(v1alpha1.RolePermission{Role: "reader", ACL: "Read Only"})
		}, "remember", appv1.ReasonMissingReference},
		{"AA-13 a role that is", func(s *scene) {
			s.roles(v1alpha1.RolePermission{Role: "reader", ACL: "Read Only"})
			s.obs.Access = Access{Roles: []rest.Role{{UID: 4, Name: "reader"}}, ACLs: []rest.RedisACL{{UID: 5, Name: "Read Only"}}}
		}, "give the database 1 roles", ""},
		{"AA-7 no shards without sharding", func(s *scene) {
			s.obs.CRDB.DefaultDBConfig.Sharding = rest.Ptr(false)
			s.in.Database.Spec.GlobalConfigurations.ShardCount = rest.Ptr(2)
		}, "", appv1.ReasonInvalidSpec},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t).made()
			c.change(s)
			p := s.plan()
			printed := ""
			for _, step := range p.Steps {
				printed += step.String() + "\n"
			}
			if reasonOf(p.End) != c.reason || !strings.Contains(printed, c.step) || c.step == "" && len(p.Steps) > 0 {
				t.Errorf("%s: %v, steps %s", reasonOf(p.End), p.End, printed)
			}
			if strings.Contains(printed, "hidden") {
				t.Error("a step prints a password")
			}
		})
	}
}

// roles asks for roles, and lets all participants know of it.
func (s *scene) roles(list ...v1alpha1.RolePermission) {
	s.in.Database.Spec.GlobalConfigurations.RolesPermissions = list
	s.made()
	s.in.Agreed = nil
}

func desiredTags(s *scene) *[]rest.Tag {
	tags := tagList(desired(s.in, s.obs.CRDB, localTerms(s.in, Terms{}).Sites).commonTags())
	return &tags
}

func tagList(tags map[string]string) []rest.Tag {
	var out []rest.Tag
	for key, value := range tags {
		out = append(out, rest.Tag{Key: key, Value: value})
	}
	return out
}

func TestAA25_PlanRemoval(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene)
		step   string
		reason string
	}{
		{"on all participants", func(*scene) {}, "delete Active-Active database orders on all", v1alpha1.ReasonChanging},
		{"its cluster is gone", func(s *scene) { s.in.Cluster = nil }, "release", appv1.ReasonDeleting},
		{"its cluster is silent", func(s *scene) { s.obs.Err = errNoLink }, "", appv1.ReasonClusterUnreachable},
		{"the database is gone", func(s *scene) { s.obs.CRDB, s.obs.Local, s.obs.BDB = nil, nil, nil }, "release", appv1.ReasonDeleting},
		{"its part is still there", func(s *scene) { s.obs.CRDB, s.obs.Local = nil, nil }, "", appv1.ReasonDeleting},
		{"a task is under way", func(s *scene) {
			s.in.Task, s.obs.Task = Record{Serial: 1, Operation: opDelete}, &rest.CRDBTask{Status: "started"}
		}, "", v1alpha1.ReasonChanging},
		{"others have taken it out by force", func(s *scene) {
			s.obs.Local = nil
			s.obs.CRDB.LocalDatabases = &[]rest.CRDBLocalPart{{ID: 1, BDBUID: 7}}
		}, "purge", v1alpha1.ReasonChanging},
		{"others have taken it out by force, which it does not know itself", func(s *scene) {
			s.obs.Replication.Expelled = true
			s.obs.CRDB.LocalDatabases = &[]rest.CRDBLocalPart{{ID: 1, BDBUID: 7}}
		}, "purge", v1alpha1.ReasonChanging},
		{"nobody knows yet whether it still takes part", func(s *scene) { s.obs.Replication = Replication{} }, "", appv1.ReasonDeleting},
		{"a participant does not answer for long", func(s *scene) {
			s.in.Database.DeletionTimestamp = &metav1.Time{Time: noon.Add(-detachAfter - time.Minute)}
			s.in.Task = Record{Serial: 1, Operation: opDelete, Done: true, Message: "there: no route", Passing: true, Failures: 3, Ended: noon}
		}, "go on without", v1alpha1.ReasonChanging},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t).made()
			s.in.Database.DeletionTimestamp = &metav1.Time{Time: noon}
			c.change(s)
			p := s.plan()
			printed := ""
			for _, step := range p.Steps {
				printed += step.String() + "\n"
			}
			if reasonOf(p.End) != c.reason || !strings.Contains(printed, c.step) || c.step == "" && len(p.Steps) > 0 {
				t.Errorf("%s: %v, steps %s", reasonOf(p.End), p.End, printed)
			}
		})
	}
}
