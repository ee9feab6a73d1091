package activeactive

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// What was agreed on must outlast the moment in which it cannot be read, and what is taken out of the spec must be
// remembered until the clusters have been told.

// pass takes in what a pass would write down.
func (s *scene) pass() {
	s.t.Helper()
	for _, step := range s.plan().Steps {
		if a, is := step.(agree); is {
			s.in.Agreed = &a.terms
		}
	}
}

func commonPassword(value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "common"}, Data: map[string][]byte{names.PasswordKey: []byte(value)}}
}

func TestAA12_ASecretThatIsDeletedAndMadeAnewIsTheNewerOne(t *testing.T) {
	s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.DatabaseSecretName = "common"
	})
	s.in.Secrets["common"] = commonPassword("first")
	s.made()
	s.in.Secrets["common"] = nil
	if reason := reasonOf(s.plan().End); reason != appv1.ReasonMissingReference {
		t.Errorf("while it is away: %s", reason)
	}
	s.pass()
	s.in.Secrets["common"] = commonPassword("second")
	if ask := s.asks(); ask.body.DefaultDBConfig == nil || rest.Value(ask.body.DefaultDBConfig.RedisPassword) != "second" {
		t.Errorf("asks %s", ask)
	}
}

func TestRERC8_CredentialsThatAreDeletedAndMadeAnewArePassedOn(t *testing.T) {
	s := newScene(t).made()
	delete(s.in.Credentials, "there")
	s.pass()
	s.in.Credentials["there"] = rest.Credentials{Username: "admin", Password: "hidden-new"}
	ask := s.asks()
	for _, inst := range rest.Value(ask.body.Instances) {
		if inst.Cluster != nil && inst.Cluster.Credentials != nil && inst.Cluster.Credentials.Password == "hidden-new" {
			return
		}
	}
	t.Errorf("asks %s", ask)
}

func TestAA25_OnlyParticipantsThatDoNotAnswerAreLeftBehind(t *testing.T) {
	for _, c := range []struct {
		name   string
		silent []string
		want   []rest.Int
	}{
		{"one of two does not answer", []string{"third"}, []rest.Int{3}},
		{"neither does", []string{"there", "third"}, []rest.Int{2, 3}},
		{"it failed for another reason", nil, []rest.Int{2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
				db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: "third"})
			}).made()
			s.in.Database.DeletionTimestamp = &metav1.Time{Time: noon.Add(-2 * detachAfter)}
			for i := range s.in.Remotes {
				if slices.Contains(c.silent, s.in.Remotes[i].Name) {
					s.in.Remotes[i].Status.Status = v1alpha1.RemoteClusterError
				}
			}
			first := planRemoval(s.in, s.obs, noon)
			ask := first.Steps[len(first.Steps)-1].(request)
			if ask.op != opDelete {
				t.Fatalf("begins with %s", ask)
			}
			s.in.Task = ask.record.over(&rest.CRDBTask{Status: "failed", Errors: []rest.CRDBTaskError{{Cluster: "third", Code: "connect_error"}}}, noon)
			then := planRemoval(s.in, s.obs, noon.Add(time.Hour))
			ask, is := then.Steps[len(then.Steps)-1].(request)
			if !is || ask.op != opDetach {
				t.Fatalf("goes on with %v", then.Steps)
			}
			got := make([]rest.Int, 0, len(c.want))
			for _, id := range ask.detach {
				i := slices.IndexFunc(*s.obs.CRDB.Instances, func(inst rest.CRDBInstance) bool { return rest.Value(inst.ID) == id })
				name := strings.Split((*s.obs.CRDB.Instances)[i].ClusterName(), ".")[1]
				got = append(got, rest.Int(1+slices.Index([]string{"ns", "there", "third"}, name)))
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("leaves %v behind, not %v", got, c.want)
			}
		})
	}
}

func TestAA10_ASettingThatIsTakenOutGoesBackToItsDefault(t *testing.T) {
	ten, yes := 10, true
	s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		g := db.Spec.GlobalConfigurations
		g.ConnectionSettings, g.RackAware = &v1alpha1.ConnectionSettings{InternalConnections: &ten}, &yes
	}).made()
	if p := s.plan(); p.End != nil || len(p.Steps) > 0 {
		t.Fatalf("at rest: %v %v", p.Steps, p.End)
	}
	g := s.in.Database.Spec.GlobalConfigurations
	g.ConnectionSettings, g.RackAware = nil, nil
	ask := s.asks()
	c := ask.body.DefaultDBConfig
	if c.RackAware == nil || *c.RackAware || !strings.Contains(ask.String(), "internalConnections") {
		t.Errorf("asks %s", ask)
	}
}

func TestAA19_ATagThatIsTakenOutGoesWhateverTheStatusSays(t *testing.T) {
	s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.Tags = map[string]string{"team": "a"}
	}).made()
	s.in.Database.Status.ManagedTags = nil // the operator ended before it wrote them down
	s.in.Database.Spec.GlobalConfigurations.Tags = nil
	if tags := tagsOf(s.asks().body.DefaultDBConfig); tags["team"] != "" || len(tags) == 0 {
		t.Errorf("tags %v", tags)
	}
}

func TestRED86490_AnOverrideThatIsTakenAwayGoesBackToTheDefault(t *testing.T) {
	s := newScene(t, overridden(`{"rackAware":true}`)).made()
	if p := s.plan(); p.End != nil || len(p.Steps) > 0 {
		t.Fatalf("at rest: %v %v", p.Steps, p.End)
	}
	s.in.Database.Annotations = nil
	for _, inst := range rest.Value(s.asks().body.Instances) {
		if inst.DBConfig != nil && inst.DBConfig.RackAware != nil && !*inst.DBConfig.RackAware {
			return
		}
	}
	t.Errorf("asks %s", s.asks())
}

func TestAA7_ShardingIsNotTakenAwayInSilence(t *testing.T) {
	s := newScene(t).made()
	s.in.Database.Spec.GlobalConfigurations.ShardingEnabled = rest.Ptr(false)
	if p := s.plan(); reasonOf(p.End) != appv1.ReasonInvalidSpec || !strings.Contains(p.End.Error(), "spec.globalConfigurations.shardingEnabled") || len(p.Steps) > 0 {
		t.Errorf("%v, %v", p.Steps, p.End)
	}
	s.in.Database.Spec.GlobalConfigurations.ShardingEnabled = rest.Ptr(true)
	if p := s.plan(); reasonOf(p.End) == appv1.ReasonInvalidSpec {
		t.Errorf("what is so may be said: %v", p.End)
	}
}

func TestAA9_AParticipantThatCameBackElsewhereIsFollowed(t *testing.T) {
	s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: "third"})
	}).made()
	inst := instanceOn(s.obs.CRDB, "rec.third.svc.cluster.local")
	for i, tag := range *inst.DBConfig.Tags {
		if tag.Key == "redb_namespace" {
			(*inst.DBConfig.Tags)[i].Value = "team"
		}
	}
	p := s.plan()
	if len(p.Steps) != 1 {
		t.Fatalf("%v, %v", p.Steps, p.End)
	}
	taken, is := p.Steps[0].(adopt)
	if !is || taken.spec.ParticipatingClusters[2].Namespace != "team" {
		t.Fatalf("%v", p.Steps)
	}
	s.in.Database.Spec, s.in.Agreed = *taken.spec, &taken.base
	if p := s.plan(); reasonOf(p.End) == appv1.ReasonInvalidSpec {
		t.Errorf("then: %v", p.End)
	}
}
