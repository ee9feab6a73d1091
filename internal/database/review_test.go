package database

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/link"
)

type noLinks struct{}

func (noLinks) Get(types.NamespacedName) *link.Link { return nil }

func reviewer(t *testing.T, objects ...client.Object) Reviewer {
	t.Helper()
	c := fake.NewClientBuilder().WithScheme(scheme(t)).WithObjects(objects...).Build()
	return Reviewer{Cached: c, Live: c, Links: noLinks{}, Namespace: "ns"}
}

func ask(t *testing.T, r Reviewer, old, db *v1alpha1.RedisEnterpriseDatabase) admission.Verdict {
	t.Helper()
	raw := func(o *v1alpha1.RedisEnterpriseDatabase) []byte {
		data, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	request := admission.Request{Operation: admission.Create, Resource: "redisenterprisedatabases", Namespace: "ns", Object: raw(db)}
	if old != nil {
		request.Operation, request.Old = admission.Update, raw(old)
	}
	verdict, err := r.Kind().Review(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func TestADM6_Databases(t *testing.T) {
	port, other := 12000, 12001
	made := func(change ...func(*v1alpha1.RedisEnterpriseDatabase)) *v1alpha1.RedisEnterpriseDatabase {
		db := database(change...)
		db.Status.DatabaseUID, db.Status.RedisEnterpriseCluster = "1", "rec"
		db.Status.InternalEndpoints = []v1alpha1.InternalEndpoint{{Host: "h", Port: port}}
		return db
	}
	sharding := true
	cases := []struct {
		name    string
		objects []client.Object
		old, db *v1alpha1.RedisEnterpriseDatabase
		want    string // part of the denial; empty: allowed
	}{
		{name: "REDB-8 an empty spec is legal", db: database()},
		{name: "ADM-13 an eviction policy that does not exist", want: "spec.evictionPolicy",
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.EvictionPolicy = "illegal" })},
		{name: "a size that nobody can read", want: "spec.memorySize",
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "12XB" })},
		{name: "ADM-6 shardingEnabled is for Active-Active", want: "spec.shardingEnabled",
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.ShardingEnabled = &sharding })},
		{name: "REDB-39 reserved tags", want: "spec.tags",
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.Tags = map[string]string{"redb_name": "x"} })},
		{name: "a Secret that is not there yet is no reason to refuse",
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseSecretName = "later" })},
		{name: "REDB-2 a cluster that does not exist", want: "RedisEnterpriseCluster nope was not found",
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) {
				db.Spec.RedisEnterpriseCluster = &v1alpha1.ClusterReference{Name: "nope"}
			})},
		{name: "a cluster that exists", objects: []client.Object{runningCluster()},
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) {
				db.Spec.RedisEnterpriseCluster = &v1alpha1.ClusterReference{Name: "rec"}
			})},
		{name: "REDB-3 a name that another namespace has", want: "metadata.name",
			objects: []client.Object{&v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "two", Name: "orders"}}}, db: database()},
		{name: "REDB-3 a name that an Active-Active database has", want: "metadata.name",
			objects: []client.Object{&v1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "two", Name: "orders"}}}, db: database()},
		{name: "ADM-6 another port than the one it has", want: "spec.databasePort", old: made(),
			db: made(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = &other })},
		{name: "the port it has anyway", old: made(),
			db: made(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = &port })},
		{name: "a port before anything was made", old: database(),
			db: database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = &other })},
		{name: "another type", want: "spec.type", old: made(),
			db: made(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.Type = v1alpha1.DatabaseMemcached })},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, reviewer(t, c.objects...), c.old, c.db)
			text := strings.Join(got.Denials, "; ")
			if c.want == "" && text != "" || !strings.Contains(text, c.want) {
				t.Errorf("denials %q, want %q", text, c.want)
			}
		})
	}
}

func TestADM6_AgainstTheLastReading(t *testing.T) {
	c := newCluster()
	c.license = map[string]any{"shards_limit": 4, "expired": false}
	c.bdbs[5] = map[string]any{"uid": 5, "name": "other", "status": "active", "port": 12000, "shards_count": float64(2)}
	r := reviewer(t, runningCluster())
	links := linkTo(t, c)
	r.Links = links
	if _, err := links.Get(types.NamespacedName{Namespace: "ns", Name: "rec"}).Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	port, three, yes := 12000, 3, true
	cases := []struct {
		name string
		db   *v1alpha1.RedisEnterpriseDatabase
		want string
	}{
		{"ADM-6 a port in use", database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = &port }), "spec.databasePort: port 12000 is in use by database other"},
		{"REC-73 ADM-6 more shards than licensed", database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.ShardCount = &three }), "spec.shardCount"},
		{"REDB-35 a module that the cluster has", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Spec.ModulesList = []v1alpha1.DatabaseModule{{Name: "search"}}
		}), ""},
		{"REDB-35 a module that it has not", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Spec.ModulesList = []v1alpha1.DatabaseModule{{Name: "mine"}}
		}), "spec.modulesList[0].name: the cluster has no module mine"},
		{"replicas fit just so", database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.Replication = &yes }), ""},
		{"REDB-9 the name of a database made elsewhere", database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Name = "other" }), "metadata.name"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Join(ask(t, r, nil, c.db).Denials, "; ")
			if c.want == "" && text != "" || !strings.Contains(text, c.want) {
				t.Errorf("denials %q, want %q", text, c.want)
			}
		})
	}
	t.Run("ADM-10 a cluster that does not answer is not asked", func(t *testing.T) {
		c.with(func() { c.down = true })
		_, _ = links.Get(types.NamespacedName{Namespace: "ns", Name: "rec"}).Refresh(t.Context())
		if got := ask(t, r, nil, cases[0].db); len(got.Denials) != 0 {
			t.Errorf("denials %q", got.Denials)
		}
	})
}

func TestADM10_LookupsThatFailDoNotRefuse(t *testing.T) {
	broken := fake.NewClientBuilder().WithScheme(scheme(t)).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errors.New("no connection")
		},
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errors.New("no connection")
		},
	}).Build()
	r := Reviewer{Cached: broken, Live: broken, Links: noLinks{}, Namespace: "ns"}
	named := database(func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.Spec.RedisEnterpriseCluster = &v1alpha1.ClusterReference{Name: "rec"}
	})
	if got := ask(t, r, nil, named); len(got.Denials) != 0 {
		t.Errorf("denials %q", got.Denials)
	}
	named.Spec.EvictionPolicy = "illegal"
	if got := ask(t, r, nil, named); len(got.Denials) != 1 {
		t.Errorf("denials %q", got.Denials)
	}
}

func TestWarnings(t *testing.T) {
	db := database(func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.Name = strings.Repeat("a", 60)
		db.Spec.Backup = &v1alpha1.BackupSpec{Mount: &v1alpha1.BackupMount{Path: "/backup"}}
	})
	got := ask(t, reviewer(t), nil, db)
	if len(got.Denials) != 0 || len(got.Warnings) != 2 {
		t.Errorf("verdict %+v", got)
	}
}

func TestREDB10_ServiceNames(t *testing.T) {
	rigger := func(kinds string, naming appv1.ServiceNaming, policy appv1.ServicePortPolicy) *appv1.RedisEnterpriseCluster {
		rec := runningCluster()
		rec.Spec.ServicesRiggerSpec = &appv1.ServicesRiggerSpec{DatabaseServiceType: kinds, ServiceNaming: naming, DatabaseServicePortPolicy: policy}
		return rec
	}
	own := 7000
	cases := []struct {
		name  string
		rec   *appv1.RedisEnterpriseCluster
		port  *int
		names string
		want  int
	}{
		{"the default", runningCluster(), nil, "orders,orders-headless", 12000},
		{"RIG-3 a list of kinds", rigger("load_balancer, Cluster_IP", "", ""), nil, "orders-load-balancer,orders", 12000},
		{"RIG-4 named by port", rigger("headless", appv1.ServiceNamingPort, ""), nil, "redis-12000-headless", 12000},
		{"RIG-5 the default Redis port", rigger("", "", appv1.ServicePortRedis), nil, "orders,orders-headless", 6379},
		{"RIG-5 the database's own port", rigger("", "", appv1.ServicePortRedis), &own, "orders,orders-headless", 7000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			db := database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseServicePort = c.port })
			if got := strings.Join(serviceNames(db, c.rec, 12000), ","); got != c.names {
				t.Errorf("names %q, want %q", got, c.names)
			}
			if got := servicePort(db, c.rec, 12000); got != c.want {
				t.Errorf("port %d, want %d", got, c.want)
			}
		})
	}
}
