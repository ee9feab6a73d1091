package activeactive

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestAA20_AnAnswerThatIsLostMakesNoSecondDatabase(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east := sites[0]
	for _, rule := range []faults.Rule{{Method: "POST", Path: "/v1/crdbs", Count: 2, Kind: faults.LostReply}, {Method: "PATCH", Path: "/v1/crdbs/*", Count: 1, Kind: faults.LostReply}} {
		if _, err := east.spoilt.Add(rule); err != nil {
			t.Fatal(err)
		}
	}
	east.make(east.orders(nil, "east", "west"))
	together("it is asked for", sites[:1], func(s *site, _ error) (string, bool) { return "", s.db().Annotations[names.AnnotationTask] != "" })
	east.operator() // the one that asked is gone
	settled(sites...)
	east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.MemorySize = "200MB"
	})
	settled(sites...)
	for _, s := range sites {
		list, err := s.api().ListCRDBs(t.Context())
		if err != nil || len(list) != 1 || rest.Value(s.bdb(t).MemorySize) != 200<<20 {
			t.Errorf("%s: %v %v", s.name, list, err)
		}
	}
}

func TestAA25_ADeletionDoesWithoutAClusterThatIsGone(t *testing.T) {
	w, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west"))
	settled(sites...)
	w.severed("west", true)
	if err := east.client.Delete(t.Context(), east.db()); err != nil {
		t.Fatal(err)
	}
	together("the deletion says what it waits for", sites[:1], func(s *site, _ error) (string, bool) {
		db := s.db()
		if db == nil {
			t.Fatal("the resource went without asking west")
		}
		return db.Annotations[names.AnnotationTask], recordOf(t, db).failed()
	})
	east.later = detachAfter + time.Minute
	together("it goes on without", sites[:1], func(s *site, _ error) (string, bool) {
		if db := s.db(); db != nil {
			return db.Annotations[names.AnnotationTask], false
		}
		return "", true
	})
	if !east.told(names.EventDeleted, "keep their data") {
		t.Errorf("%+v", east.events)
	}
	if west.crdb() == nil || west.db() == nil {
		t.Error("west lost its part")
	}
	if list, err := east.api().ListBDBs(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
	t.Run("what stayed behind can be deleted there", func(t *testing.T) {
		w.severed("west", false)
		if err := west.client.Delete(t.Context(), west.db()); err != nil {
			t.Fatal(err)
		}
		together("west is gone", sites[1:], func(s *site, _ error) (string, bool) {
			if db := s.db(); db != nil {
				return db.Annotations[names.AnnotationTask], false
			}
			return "", s.crdb() == nil
		})
	})
}

func recordOf(t *testing.T, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) Record {
	t.Helper()
	in := Inputs{Database: db}
	in.remember()
	return in.Task
}

func TestAA14_AClusterThatIsGoneIsTakenOut(t *testing.T) {
	w, sites := newWorld(t, "east", "west", "south")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west", "south"))
	settled(sites...)
	w.severed("west", true)
	remote := &v1alpha1.RedisEnterpriseRemoteCluster{}
	if err := east.client.Get(t.Context(), types.NamespacedName{Namespace: east.namespace(), Name: "west"}, remote); err != nil {
		t.Fatal(err)
	}
	remote.Status.Status = v1alpha1.RemoteClusterError // as its own reconciler finds out
	if err := east.client.Status().Update(t.Context(), remote); err != nil {
		t.Fatal(err)
	}
	east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters = slices.DeleteFunc(db.Spec.ParticipatingClusters, func(p v1alpha1.ParticipatingCluster) bool { return p.Name == "west" })
	})
	rest := []*site{east, sites[2]}
	together("west is out", rest, func(s *site, end error) (string, bool) {
		s.later += 2 * time.Second // pauses pass quickly
		return fmt.Sprint(s.db().Status.ParticipatingClusters), end == nil && len(s.db().Spec.ParticipatingClusters) == 2 && len(s.db().Status.ParticipatingClusters) == 2
	})
	if !east.told(names.EventDeleted, "without asking it") {
		t.Errorf("%+v", east.events)
	}
	t.Run("AA-25 when it comes back it purges its part and lets the resource go", func(t *testing.T) {
		w.severed("west", false)
		together("west is clean", sites[1:2], func(s *site, _ error) (string, bool) {
			db := s.db()
			if db != nil {
				return fmt.Sprint(db.Status.Status, db.Annotations[names.AnnotationTask]), false
			}
			list, err := west.api().ListBDBs(t.Context())
			return fmt.Sprint(list, err), err == nil && len(list) == 0
		})
	})
}

func TestAA23_ACutLinkIsTold(t *testing.T) {
	w, sites := newWorld(t, "east", "west")
	east := sites[0]
	east.make(east.orders(nil, "east", "west"))
	settled(sites...)
	w.severed("west", true)
	together("AA-23 not ready", sites, func(s *site, end error) (string, bool) {
		return fmt.Sprint(s.db().Status.ReplicationStatus), end != nil && s.db().Status.ReplicationStatus == v1alpha1.ReplicationDown && s.db().Status.Status == v1alpha1.ActiveActiveActive
	})
	if !east.told(names.EventNotReplicating, "") {
		t.Errorf("%+v", east.events)
	}
	w.severed("west", false)
	settled(sites...)
	if !east.told(names.EventReplicating, "up") {
		t.Errorf("%+v", east.events)
	}
}

func TestAA22_ACreationThatIsRefusedIsNotWaitedFor(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east := sites[0]
	rule, err := east.spoilt.Add(faults.Rule{Method: "POST", Path: "/v1/crdbs", Kind: faults.Status, Status: http.StatusNotAcceptable, Body: `{"error_code":"invalid_param","description":"memory_size is too much"}`})
	if err != nil {
		t.Fatal(err)
	}
	east.make(east.orders(nil, "east", "west"))
	refused := func(s *site, end error) (string, bool) {
		status := s.db().Status
		return fmt.Sprintf("%+v", status), end != nil && strings.Contains(end.Error(), "memory_size is too much") && status.Status == v1alpha1.ActiveActiveCreationFailed &&
			status.SpecStatus == appv1.SpecInvalid
	}
	together("it is told", sites[:1], refused)
	if status := east.db().Status; status.LastTaskUID != "" {
		t.Errorf("AA-24 task %s never was", status.LastTaskUID)
	}
	before, told := recordOf(t, east.db()), len(east.events)
	for range 3 {
		if text, same := refused(east, east.pass()); !same {
			t.Errorf("later it says %s", text)
		}
	}
	if after := recordOf(t, east.db()); after.Serial != before.Serial || len(east.events) != told {
		t.Errorf("it is asked for again at once, or told again: %+v", after)
	}
	east.spoilt.Remove(rule)
	t.Run("an edit is tried at once", func(*testing.T) {
		east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.MemorySize = "150MB"
		})
		settled(sites...)
	})
}

func TestAA9_AnEditIsNotMadeOfAnOldReading(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.make(east.orders(nil, "east", "west"))
	settled(sites...)
	key, prompt := types.NamespacedName{Namespace: west.namespace(), Name: "rec"}, west.links
	west.links = link.NewRegistry(link.Options{Busy: time.Hour, Idle: time.Hour}) // looks only when asked to
	t.Cleanup(west.links.Close)
	west.links.Ensure(key, prompt.Get(key).Target())
	west.operator()
	settled(sites...)
	east.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.MemorySize = "200MB"
	})
	settled(east)
	west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.EvictionPolicy = "noeviction"
	})
	if end := west.pass(); end == nil {
		t.Error("nothing is done about the edit")
	}
	west.links = prompt
	west.operator()
	together("both have both", sites, func(s *site, end error) (string, bool) {
		g := s.db().Spec.GlobalConfigurations
		return fmt.Sprintf("%s %s", g.MemorySize, g.EvictionPolicy), end == nil && g.MemorySize == "200MB" && g.EvictionPolicy == "noeviction"
	})
}
