package activeactive

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// passed lets the task of a request end, and the operator write down what the plan says.
func (s *scene) passed(ask request, status string, errs ...rest.CRDBTaskError) Plan {
	s.t.Helper()
	s.in.Task, s.obs.Task = ask.record, &rest.CRDBTask{Status: status, Errors: errs}
	p := s.plan()
	for _, step := range p.Steps {
		switch step := step.(type) {
		case agree:
			s.in.Agreed = &step.terms
		case conclude:
			s.in.Task = step.record
		}
	}
	s.obs.Task = nil
	return p
}

func TestRERC8_CredentialsThatWereSentAreKnown(t *testing.T) {
	there := rest.Credentials{Username: "admin", Password: "hidden-new"}
	s := newScene(t).made()
	s.in.Credentials["there"] = there
	ask := s.asks()
	t.Run("a failure loses nothing", func(t *testing.T) {
		p := s.passed(ask, "failed", rest.CRDBTaskError{Code: "connect_error"})
		if len(p.Steps) != 1 || s.in.Task.Failures != 1 {
			t.Fatalf("%v", p.Steps)
		}
		if p := plan(s.in, s.obs, noon.Add(time.Hour)); len(p.Steps) != 2 {
			t.Fatalf("it is not tried again: %v %v", p.Steps, p.End)
		}
	})
	s.passed(s.again(), "finished")
	if p := s.plan(); p.End != nil || !p.Complete {
		t.Errorf("not at rest: %v %v", p.Steps, p.End)
	}
	s.in.Credentials["there"] = rest.Credentials{Username: "admin", Password: "hidden-newer"}
	if again := s.asks(); again.op != opUpdate || again.record.Wish == ask.record.Wish {
		t.Errorf("the next change is not sent: %+v", again.record)
	}
}

// again is what is asked for long after a failure.
func (s *scene) again() request {
	s.t.Helper()
	s.in.Task.Ended = noon.Add(-time.Hour)
	return s.asks()
}

func TestAA18_CertificatesAreKnownOnceTheTaskHasSucceeded(t *testing.T) {
	s := newScene(t).made()
	s.obs.Snapshot.Certificates = map[string]string{"proxy_cert": "old"}
	s.in.Agreed.Secrets[purposeCertificates], s.in.Agreed.Generation = certificatesPrint(s.obs), 1
	s.obs.Snapshot.Certificates = map[string]string{"proxy_cert": "new"}
	ask := s.asks()
	s.passed(ask, "failed", rest.CRDBTaskError{Code: "connect_error"})
	if p := s.plan(); reasonOf(p.End) != v1alpha1.ReasonTaskFailed {
		t.Fatalf("the failure is forgotten: %v %v", p.Steps, p.End)
	}
	again := s.again()
	if again.op != opRenew || again.record.Failures != 1 || s.in.Agreed.Generation != 1 {
		t.Fatalf("%+v, agreed %+v", again.record, s.in.Agreed)
	}
	s.passed(again, "finished")
	if p := s.plan(); p.End != nil || len(p.Steps) > 0 || s.in.Agreed.Generation != 2 {
		t.Errorf("%v %v, agreed %+v", p.Steps, p.End, s.in.Agreed)
	}
	t.Run("a reading without certificates is not one with others", func(t *testing.T) {
		s.obs.Snapshot.Certificates = nil
		if p := s.plan(); len(p.Steps) > 0 {
			t.Errorf("%v", p.Steps)
		}
	})
	t.Run("AA-9 what is agreed is written down although the others cannot be told", func(t *testing.T) {
		s.obs.Snapshot.Certificates = map[string]string{"proxy_cert": "newest"}
		s.passed(s.asks(), "failed", rest.CRDBTaskError{Code: "connect_error"})
		s.in.Agreed.Global = tree{"memorySize": "1GB"}
		p := s.plan()
		if len(p.Steps) != 1 || p.Steps[0].String() != (agree{}).String() || reasonOf(p.End) != v1alpha1.ReasonTaskFailed {
			t.Errorf("%v %v", p.Steps, p.End)
		}
	})
}

// credentials writes others into the Secret of a remote cluster.
func (s *site) credentials(of string, c rest.Credentials) {
	s.t.Helper()
	if err := s.client.Update(s.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace(), Name: "redis-enterprise-" + of},
		Data: map[string][]byte{names.UsernameKey: []byte(c.Username), names.PasswordKey: []byte(c.Password)}}); err != nil {
		s.t.Fatal(err)
	}
}

func TestRERC2_ChangedCredentialsAreFollowed(t *testing.T) {
	_, sites := newWorld(t, "east", "west", "south")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west"))
	settled(sites[:2]...)
	second := rest.Credentials{Username: "second@example.com", Password: "battery staple"}
	if _, err := west.api().CreateUser(t.Context(), &rest.User{Email: &second.Username, Password: &second.Password, Name: rest.Ptr("second"), RoleUIDs: &[]rest.UID{1}}); err != nil {
		t.Fatal(err)
	}
	for _, s := range sites {
		s.credentials("west", second)
	}
	settled(sites[:2]...)
	if inst := instanceOn(east.crdb(), west.fqdn()); inst.Cluster.Credentials == nil || inst.Cluster.Credentials.Username != second.Username {
		t.Errorf("%+v", inst.Cluster)
	}
	t.Run("at rest nothing is written", func(t *testing.T) {
		before := east.writes + west.writes
		settled(sites[:2]...)
		if after := east.writes + west.writes; after != before {
			t.Errorf("%d writes", after-before)
		}
	})
	t.Run("AA-14 a participant may join then", func(*testing.T) {
		east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: "south"})
		})
		settled(sites...)
	})
}

func TestAA18_AFailedRenewalIsRepeated(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west"))
	settled(sites...)
	if _, err := east.spoilt.Add(faults.Rule{Method: "POST", Path: "/emulator/crdbs/*/check", Count: 1, Kind: faults.Status, Status: http.StatusNotAcceptable, Body: `{"error_code":"not_now"}`}); err != nil {
		t.Fatal(err)
	}
	if err := west.api().RotateCertificates(t.Context()); err != nil {
		t.Fatal(err)
	}
	together("the failure is told", sites[1:], func(s *site, end error) (string, bool) {
		return fmt.Sprint(s.db().Status.ClusterCertificatesGeneration), s.told(names.EventTaskFailed, string(opRenew)) && end != nil
	})
	if got := west.db().Status.ClusterCertificatesGeneration; got != 1 {
		t.Errorf("AA-24 generation %d counts what nobody was told", got)
	}
	west.later = time.Hour
	together("the others are told at last", sites, func(s *site, end error) (string, bool) {
		got := s.db().Status.ClusterCertificatesGeneration
		return fmt.Sprint(got), end == nil && (s.name == "east" || got == 2)
	})
}
