package activeactive

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func database(change ...func(*v1alpha1.RedisEnterpriseActiveActiveDatabase)) *v1alpha1.RedisEnterpriseActiveActiveDatabase {
	db := &v1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "orders", Generation: 1}}
	db.Spec.ParticipatingClusters = []v1alpha1.ParticipatingCluster{{Name: "here"}, {Name: "there"}}
	db.Spec.GlobalConfigurations = &v1alpha1.GlobalConfigurations{}
	for _, c := range change {
		c(db)
	}
	return db
}

func reviewer(t *testing.T, objects ...client.Object) Reviewer {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, appv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	remote := func(name, rec string) client.Object {
		return &v1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name},
			Spec: v1alpha1.RedisEnterpriseRemoteClusterSpec{RECName: rec, RECNamespace: "ns", DBFQDNSuffix: "-db." + name + ".example.com"}}
	}
	objects = append(objects, remote("here", "rec"), remote("there", "far"), remote("third", "farther"),
		&appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}})
	c := fake.NewClientBuilder().WithScheme(s).WithObjects(objects...).Build()
	return Reviewer{Cached: c, Live: c, Namespace: "ns"}
}

func TestADM7_ActiveActiveDatabases(t *testing.T) {
	yes, one := true, 1
	clusters := func(names ...string) func(*v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		return func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.ParticipatingClusters = nil
			for _, n := range names {
				db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: n})
			}
		}
	}
	global := func(set func(*v1alpha1.GlobalConfigurations)) func(*v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		return func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) { set(db.Spec.GlobalConfigurations) }
	}
	cases := []struct {
		name    string
		objects []client.Object
		old     *v1alpha1.RedisEnterpriseActiveActiveDatabase
		db      *v1alpha1.RedisEnterpriseActiveActiveDatabase
		want    string
	}{
		{"a sound one", nil, nil, database(), ""},
		{"without settings", nil, nil, database(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) { db.Spec.GlobalConfigurations = nil }), ""},
		{"AA-2 a name", nil, nil, database(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) { db.Name = "1orders" }), "metadata.name"},
		{"AA-2 a name in use", []client.Object{&v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "two", Name: "orders"}}}, nil, database(), "metadata.name"},
		{"AA-1 one cluster is not enough", nil, nil, database(clusters("here")), pathClusters},
		{"a cluster twice", nil, nil, database(clusters("here", "here")), "here is listed twice"},
		{"ADM-7 a remote cluster that does not exist", nil, nil, database(clusters("here", "nowhere")), "RedisEnterpriseRemoteCluster nowhere was not found"},
		{"ADM-7 reserved tags", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.Tags = map[string]string{"managed_by": "me"} })), "spec.globalConfigurations.tags"},
		{"ADM-7 a Secret that does not exist", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.DatabaseSecretName = "s" })), "spec.globalConfigurations.databaseSecretName"},
		{"a Secret that does", []client.Object{&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}}}, nil,
			database(global(func(g *v1alpha1.GlobalConfigurations) { g.DatabaseSecretName = "s" })), ""},
		{"a size nobody can read", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.MemorySize = "12XB" })), "spec.globalConfigurations.memorySize"},
		{"AA-7 shardingEnabled is theirs", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.ShardingEnabled, g.ShardCount = &yes, &one })), ""},
		{"AA-6 no flash", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.IsRoF, g.MemorySize = &yes, "2GB" })), "spec.globalConfigurations.isRof"},
		{"AA-6 no memcached", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.Type = v1alpha1.DatabaseMemcached })), "spec.globalConfigurations.type"},
		{"NET-15 no access from outside for cluster-aware clients", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) {
			g.OSSCluster, g.OSSClusterSettings = &yes, &v1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: true}
		})), "spec.globalConfigurations.ossClusterSettings.enableExternalAccess"},
		{"AA-2 a name too long for a Service", nil, nil, database(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) { db.Name = strings.Repeat("a", 55) }), "metadata.name"},
		{"AA-7 one shard for good", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) {
			no, two := false, 2
			g.ShardingEnabled, g.ShardCount = &no, &two
		})), "spec.globalConfigurations.shardCount"},
		{"RED-86490 a setting of one location", nil, nil, database(overridden(`{"persistence":"aofEverySecond"}`)), ""},
		{"RED-86490 a setting that is common", nil, nil, database(overridden(`{"memorySize":"1GB"}`)), "memorySize cannot differ"},
		{"RED-86490 the port of one location", nil, nil, database(overridden(`{"databasePort":12001}`)), ""},
		{"RED-86490 a port that is none", nil, nil, database(overridden(`{"databasePort":70000}`)), "local-overrides"},
		{"RED-86490 a word that is none", nil, nil, database(overridden(`{"persistence":"often"}`)), "local-overrides"},
		{"RED-86490 no JSON", nil, nil, database(overridden(`persistence`)), "must be a JSON object"},
		{"AA-12 a Secret that is missing on a peer is told in its status", nil, nil, database(global(func(g *v1alpha1.GlobalConfigurations) { g.DatabaseSecretName = "s" }),
			func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
				db.Annotations = map[string]string{names.AnnotationDiscovered: "guid"}
			}), ""},
		{"ADM-7 a Secret that is named later must be there on a peer too", nil, discovered(database()), discovered(database(global(func(g *v1alpha1.GlobalConfigurations) { g.DatabaseSecretName = "typo" }))),
			"Secret typo was not found"},
		{"AA-7 sharding is on unless it was off at the beginning", nil, database(), database(global(func(g *v1alpha1.GlobalConfigurations) { g.ShardingEnabled = new(bool) })), "shardingEnabled"},
		{"AA-7 saying what is the default changes nothing", nil, database(), database(global(func(g *v1alpha1.GlobalConfigurations) { g.ShardingEnabled = &yes })), ""},
		{"AA-15 a patch that swaps the local cluster", nil, database(), database(clusters("there", "third")), "removes the local cluster here"},
		{"AA-15 a patch that drops the others", nil, database(), database(clusters("here", "third")), "leaves 1 of the 2"},
		{"AA-15 a participant is replaced", nil, database(clusters("here", "there", "third")), database(clusters("here", "third", "fourth")), "fourth was not found"},
		{"AA-1 without the local cluster", nil, nil, database(clusters("there", "third")), "the local cluster here is not among them"},
		{"AA-14 the local cluster is taken out elsewhere", nil, database(clusters("here", "there", "third")), database(clusters("there", "third")), "edit the resource on another"},
		{"a third cluster may join", nil, database(), database(clusters("here", "there", "third")), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(reviewer(t, c.objects...).review(t.Context(), c.old, c.db).Denials, "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("denials %q, want %q", got, c.want)
			}
		})
	}
}

func discovered(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) *v1alpha1.RedisEnterpriseActiveActiveDatabase {
	db.Annotations = map[string]string{names.AnnotationDiscovered: "guid"}
	return db
}

func overridden(text string) func(*v1alpha1.RedisEnterpriseActiveActiveDatabase) {
	return func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Annotations = map[string]string{names.AnnotationLocalOverrides: text}
	}
}
