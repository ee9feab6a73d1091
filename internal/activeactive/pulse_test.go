package activeactive

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// reports reads health reports as the API writes them.
func reports(t *testing.T, text string) []rest.CRDBHealth {
	t.Helper()
	var out []rest.CRDBHealth
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	bothUp       = `[{"cluster_name":"a","connections":[{"name":"b","status":"ok","replication_links":[{"link_uid":"1:2","status":"up"}]}]},{"cluster_name":"b","connections":[{"name":"a","status":"ok","replication_links":[{"link_uid":"1:1","status":"up"}]}]}]`
	oneDown      = `[{"cluster_name":"a","connections":[{"name":"b","status":"lost","replication_links":[{"link_uid":"1:2","status":"down"}]}]},{"cluster_name":"b","connections":[{"name":"a","status":"ok","replication_links":[{"link_uid":"1:1","status":"up"}]}]}]`
	oneMute      = `[{"cluster_name":"a","connections":[{"name":"b","status":"ok","replication_links":[{"link_uid":"1:2","status":"up"}]}]},{"cluster_name":"b","connection_error":"no route","connections":[]}]`
	threeOneMute = `[{"cluster_name":"a","connections":[{"name":"b","replication_links":[{"status":"up"}]},{"name":"c","replication_links":[{"status":"down"}]}]},` +
		`{"cluster_name":"b","connections":[{"name":"a","replication_links":[{"status":"up"}]},{"name":"c","replication_links":[{"status":"down"}]}]},{"cluster_name":"c","connection_error":"no route","connections":[]}]`
	linkless = `[{"cluster_name":"a","connections":[]},{"cluster_name":"b","connections":[{"name":"a","status":"ok","replication_links":[{"link_uid":"1:1","status":"up"}]}]}]`
	alone    = `[{"cluster_name":"a","connections":[]}]`
)

func TestAA23_ReplicationIsUpWhenEveryLinkIs(t *testing.T) {
	for _, c := range []struct {
		name, text, problem string
		up                  map[string]bool
	}{
		{"all links up", bothUp, "", map[string]bool{"a": true, "b": true}},
		{"one direction is down", oneDown, "a does not receive from b", map[string]bool{"a": false, "b": false}},
		{"one does not answer", oneMute, "b does not answer: no route", map[string]bool{"a": true, "b": false}},
		{"one of three does not answer, and only that one is to blame", threeOneMute, "c does not answer: no route", map[string]bool{"a": true, "b": true, "c": false}},
		{"one has no link yet", linkless, "a has links to 0 of 1 clusters", map[string]bool{"a": false, "b": true}},
		{"the only one", alone, "", map[string]bool{"a": true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := replicationOf("a", reports(t, c.text), nil); !got.equal(Replication{Known: true, Up: c.up, Problem: c.problem}) {
				t.Errorf("%+v", got)
			}
		})
	}
	if got := replicationOf("a", nil, errors.New("boom")); got.Problem == "" || !got.Known {
		t.Errorf("%+v", got)
	}
}

const ownAtThree = `{"cluster_name":"a","configurations":[{"version":3,"instances":[{"cluster":{"name":"a"}},{"cluster":{"name":"b"}}]}]}`

func TestAA14_AClusterThatWasTakenOutWithoutBeingAskedFindsOut(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"listed", `[` + ownAtThree + `,{"cluster_name":"b","configurations":[{"version":4,"instances":[{"cluster":{"name":"a"}},{"cluster":{"name":"b"}}]}]}]`, false},
		{"listed no more", `[` + ownAtThree + `,{"cluster_name":"b","configurations":[{"version":4,"instances":[{"cluster":{"name":"b"}}]},{"version":3,"instances":[{"cluster":{"name":"a"}}]}]}]`, true},
		{"not listed yet: it hears of the newcomer last", `[` + ownAtThree + `,{"cluster_name":"b","configurations":[{"version":2,"instances":[{"cluster":{"name":"b"}}]}]}]`, false},
		{"not told", `[` + ownAtThree + `,{"cluster_name":"b","configurations":[]}]`, false},
		{"no answer", `[` + ownAtThree + `,{"cluster_name":"b","connection_error":"x","configurations":[{"version":4,"instances":[{"cluster":{"name":"b"}}]}]}]`, false},
		{"its own version is not known", `[{"cluster_name":"a"},{"cluster_name":"b","configurations":[{"version":4,"instances":[{"cluster":{"name":"b"}}]}]}]`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := replicationOf("a", reports(t, c.text), nil); got.Expelled != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// patient is a cluster whose reports a test chooses.
type patient struct {
	reports atomic.Pointer[[]rest.CRDBHealth]
}

func (p *patient) CRDBHealth(context.Context, string) ([]rest.CRDBHealth, error) {
	return *p.reports.Load(), nil
}

func TestAA23_OneBadLookIsNoNews(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	pulse := NewPulse(clock)
	defer pulse.Close()
	key, asks := types.NamespacedName{Namespace: "ns", Name: "orders"}, &patient{}
	good, bad := reports(t, bothUp), reports(t, oneDown)
	asks.reports.Store(&good)
	told := make(chan struct{}, 10)
	defer pulse.Subscribe(func(types.NamespacedName) { told <- struct{}{} })()
	if known := pulse.Ensure(key, "guid", "a", asks); known.Known {
		t.Fatalf("%+v", known)
	}
	<-told
	if known := pulse.Ensure(key, "guid", "a", asks); !known.Known || known.Problem != "" {
		t.Fatalf("%+v", known)
	}
	asks.reports.Store(&bad)
	look := func() {
		for !clock.HasWaiters() {
			time.Sleep(time.Millisecond)
		}
		clock.Step(pulseUp)
	}
	look() // once
	for !clock.HasWaiters() {
		time.Sleep(time.Millisecond)
	}
	if known := pulse.Ensure(key, "guid", "a", asks); known.Problem != "" {
		t.Fatalf("after one bad look: %+v", known)
	}
	look() // twice
	<-told
	if known := pulse.Ensure(key, "guid", "a", asks); known.Problem == "" {
		t.Fatalf("after two bad looks: %+v", known)
	}
	pulse.Remove(key)
}

func TestAA14_OneLookIsNotEnoughToDropData(t *testing.T) {
	var b beat
	out := Replication{Known: true, Expelled: true, Problem: "b has links to 0 of 1 clusters"}
	if b.note(Replication{Known: true}); !b.known.Known {
		t.Fatal("a good look is not kept")
	}
	if changed := b.note(out); !changed || b.known.Known || b.known.Expelled {
		t.Errorf("after one look: %+v", b.known)
	}
	if b.note(out); !b.known.Expelled {
		t.Errorf("after two looks: %+v", b.known)
	}
}
