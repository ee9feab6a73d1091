package activeactive

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func among(names ...string) func(*v1alpha1.RedisEnterpriseActiveActiveDatabase) {
	return func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters = nil
		for _, n := range names {
			db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: n})
		}
	}
}

// lost lets remote clusters be in Error.
func (s *scene) lost(names ...string) {
	for i := range s.in.Remotes {
		if slices.Contains(names, s.in.Remotes[i].Name) {
			s.in.Remotes[i].Status.Status = v1alpha1.RemoteClusterError
		}
	}
}

func TestAA14_LeaversGoFirst(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after []string
		lost          []string
		change        func(*scene)
		step          string
	}{
		{"before a change of settings", []string{"here", "there", "third"}, []string{"here", "third"}, []string{"there"},
			func(s *scene) { s.in.Database.Spec.GlobalConfigurations.MemorySize = "1GB" }, "remove participating cluster there"},
		{"before others come", []string{"here", "there", "third"}, []string{"here", "third", "fourth"}, []string{"there"}, nil, "remove participating cluster there"},
		{"before a certificate that is not there", []string{"here", "there", "third"}, []string{"here", "third"}, nil,
			func(s *scene) {
				s.in.Database.Spec.GlobalConfigurations.ClientAuthenticationCertificates = []string{"cert"}
			}, "remove participating cluster there"},
		{"AA-15 the other one of two, when it has failed", []string{"here", "there"}, []string{"here", "third"}, []string{"there"}, nil, "remove participating cluster there"},
		{"AA-15 not the other one of two as long as it answers", []string{"here", "there"}, []string{"here", "third"}, nil, nil, ""},
		{"AA-15 not when only some of those that leave have failed", []string{"here", "there", "third"}, []string{"here", "fourth"}, []string{"third"}, nil, ""},
		{"all that have failed at once, since each would hold up the others", []string{"here", "there", "third"}, []string{"here", "fourth"}, []string{"there", "third"}, func(s *scene) {
			s.in.Task = s.asks().record
			s.in.Task.Done, s.in.Task.Message, s.in.Task.Failures, s.in.Task.Ended = true, "no route", giveUpAfter, noon.AddDate(0, 0, -1)
		}, "take participating cluster there, third out without asking"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, among(c.before...)).made()
			among(c.after...)(s.in.Database)
			s.lost(c.lost...)
			if c.change != nil {
				c.change(s)
			}
			if c.step == "" {
				if p := s.plan(); len(p.Steps) > 0 || !strings.Contains(fmt.Sprint(p.End), "a patch replaces the list") {
					t.Errorf("%v %v", p.Steps, p.End)
				}
				return
			}
			if ask := s.asks(); !strings.Contains(ask.String(), c.step) || ask.op == opDetach && len(ask.detach) != 2 {
				t.Errorf("%s %v", ask, ask.detach)
			}
		})
	}
}

func TestAA15_AReplacementIsJudgedBeforeItIsMade(t *testing.T) {
	s := newScene(t)
	two, other := database(among("here", "there")), database(among("here", "third"))
	if err := Replaces(two, other, s.in.Remotes); err == nil || !strings.Contains(err.Error(), "leaves 1 of the 2") {
		t.Errorf("%v", err)
	}
	for name, err := range map[string]error{
		"one more": Replaces(two, database(among("here", "there", "third")), s.in.Remotes),
		"one less": Replaces(database(among("here", "there", "third")), two, s.in.Remotes),
		"nothing":  Replaces(two, two, s.in.Remotes),
		"what the operator takes over from another participant": Replaces(two, database(among("here", "third"), func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Annotations = map[string]string{names.AnnotationAgreed: "{}"}
		}), s.in.Remotes),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.lost("there")
	if err := Replaces(two, other, s.in.Remotes); err != nil {
		t.Errorf("AA-14 one that has failed cannot be replaced: %v", err)
	}
}

func TestAA14_AFailedOneIsReplaced(t *testing.T) {
	w, sites := newWorld(t, "east", "west", "south")
	east, south := sites[0], sites[2]
	east.make(east.orders(nil, "east", "west"))
	settled(sites[:2]...)
	w.severed("west", true)
	remote := &v1alpha1.RedisEnterpriseRemoteCluster{}
	if err := east.client.Get(t.Context(), types.NamespacedName{Namespace: east.namespace(), Name: "west"}, remote); err != nil {
		t.Fatal(err)
	}
	remote.Status.Status = v1alpha1.RemoteClusterError
	if err := east.client.Status().Update(t.Context(), remote); err != nil {
		t.Fatal(err)
	}
	east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		among("east", "south")(db)
		db.Spec.GlobalConfigurations.MemorySize = "200MB"
	})
	together("south is there instead", []*site{east, south}, func(s *site, end error) (string, bool) {
		s.later += 5 * time.Second // pauses pass quickly
		db := s.db()
		if db == nil {
			return "no resource", false
		}
		return fmt.Sprint(db.Status.ParticipatingClusters, db.Annotations[names.AnnotationTask]),
			end == nil && len(db.Status.ParticipatingClusters) == 2 && instanceOn(s.crdb(), south.fqdn()) != nil
	})
	if got := rest.Value(south.bdb(t).MemorySize); got != 200<<20 {
		t.Errorf("memory %d", got)
	}
}

func TestRERC5_OneThatAnswersHasNotFailed(t *testing.T) {
	for reason, want := range map[string]bool{
		appv1.ReasonForeignCertificate: false, v1alpha1.ReasonAccessDenied: false, v1alpha1.ReasonWrongCluster: false,
		v1alpha1.ReasonUnreachable: true, appv1.ReasonHostUnresolved: true,
	} {
		s := newScene(t, among("here", "there", "third")).made()
		among("here", "third")(s.in.Database)
		s.lost("there")
		s.in.Remotes[1].Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReachable, Status: metav1.ConditionFalse, Reason: reason}}
		s.in.Task = s.asks().record
		s.in.Task.Done, s.in.Task.Message, s.in.Task.Failures, s.in.Task.Ended = true, "no", giveUpAfter, noon.AddDate(0, 0, -1)
		if forced := s.asks().op == opDetach; forced != want {
			t.Errorf("%s: taken out without being asked: %v", reason, forced)
		}
	}
}
