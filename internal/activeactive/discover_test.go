package activeactive

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestAA27_TheMarksTellWhereTheResourceIs(t *testing.T) {
	s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters[1].Namespace = "team"
		db.Spec.ParticipatingClusters[1].ExternalReplicationPort = rest.Ptr(8443)
	}).made()
	snapshot := &link.Snapshot{CRDBs: []rest.CRDB{*s.obs.CRDB}}
	there := types.NamespacedName{Namespace: "there", Name: "rec"}
	if got := Marked(there, snapshot); len(got) != 1 || got[0] != (types.NamespacedName{Namespace: "team", Name: "orders"}) {
		t.Errorf("marked %v", got)
	}
	if got := Marked(types.NamespacedName{Namespace: "elsewhere", Name: "rec"}, snapshot); len(got) > 0 {
		t.Errorf("a cluster that takes no part: %v", got)
	}
	if got := Marked(there, nil); len(got) > 0 {
		t.Errorf("without a reading: %v", got)
	}

	in := s.in
	in.Database = &v1alpha1.RedisEnterpriseActiveActiveDatabase{}
	in.Database.Namespace, in.Database.Name = "team", "orders"
	db, err := resourceFor(in, s.obs.CRDB, serverTerms(s.obs.CRDB, nil))
	if err != nil {
		t.Fatal(err)
	}
	if db.Annotations[names.AnnotationDiscovered] != "guid" || db.Annotations[names.AnnotationAgreed] == "" || len(db.Finalizers) != 1 || len(db.Spec.ParticipatingClusters) != 2 {
		t.Errorf("%+v", db)
	}
	for _, p := range db.Spec.ParticipatingClusters {
		if p.Name == "there" && (p.Namespace != "team" || rest.Value(p.ExternalReplicationPort) != 8443) || p.Name == "here" && (p.Namespace != "" || p.ExternalReplicationPort != nil) {
			t.Errorf("%+v", p)
		}
	}
	t.Run("another operator's database is none of ours", func(t *testing.T) {
		foreign := *s.obs.CRDB
		foreign.DefaultDBConfig = &rest.BDB{}
		if got := Marked(there, &link.Snapshot{CRDBs: []rest.CRDB{foreign}}); len(got) > 0 {
			t.Errorf("marked %v", got)
		}
	})
}

func TestRERC7_TheRemoteClusterOfAParticipant(t *testing.T) {
	s := newScene(t).made()
	in := s.in
	in.Remotes = in.Remotes[:1] // only the local one is described here
	cluster := "rec.there.svc.cluster.local"
	site := serverTerms(s.obs.CRDB, nil).Sites[cluster]
	remote, err := remoteFor(in, s.obs.CRDB, cluster, site)
	if err != nil || remote.Name != "there" || remote.Namespace != "ns" || remote.Spec.RECName != "rec" || remote.Spec.RECNamespace != "there" ||
		remote.Spec.APIFQDNURL != "api-there.example.com" || remote.Spec.APIPort != nil || remote.Spec.DBFQDNSuffix != "-db-there.example.com" || remote.Spec.SecretName != "redis-enterprise-there" {
		t.Errorf("%+v %v", remote, err)
	}
	site.URL = "https://api-there.example.com:9443"
	if remote, err = remoteFor(in, s.obs.CRDB, cluster, site); err != nil || rest.Value(remote.Spec.APIPort) != 9443 {
		t.Errorf("%+v %v", remote, err)
	}
	other := v1alpha1.RedisEnterpriseRemoteCluster{}
	other.Name, other.Spec.RECName, other.Spec.RECNamespace = "there", "rec", "somewhere"
	in.Remotes = append(in.Remotes, other)
	if remote, err = remoteFor(in, s.obs.CRDB, cluster, site); err != nil || remote.Name != "rec-there" || remote.Spec.SecretName != "redis-enterprise-rec-there" {
		t.Errorf("a name that stands for another cluster: %+v %v", remote, err)
	}
	other.Name = "rec-there"
	in.Remotes = append(in.Remotes, other)
	if _, err = remoteFor(in, s.obs.CRDB, cluster, site); reasonOf(err) == "" {
		t.Errorf("no name is left: %v", err)
	}
}
