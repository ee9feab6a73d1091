package link

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = types.NamespacedName{Namespace: "ns", Name: "rec"}

// cluster is a scripted cluster with state that tests change.
type cluster struct {
	resttest.Transport
	mu    sync.Mutex
	bdbs  string
	nodes string
	other map[string]string
}

func newCluster() *cluster {
	c := &cluster{bdbs: `[]`, nodes: `[{"uid":1,"addr":"10.0.0.1","status":"active"}]`,
		other: map[string]string{"/v1/nodes/status": `{"1":{"role":"master"}}`, "/v1/shards": `[]`, "/v1/actions": `{"actions":[]}`,
			"/v1/cluster": `{"name":"c"}`, "/v1/cluster/policy": `{}`, "/v1/modules": `[]`, "/v1/bdbs/alerts": `{}`, "/v1/license": `{"shards_limit":4}`}}
	c.On("GET", "/v1/bdbs", func(resttest.Request) resttest.Answer { return c.answer(&c.bdbs) })
	c.On("GET", "/v1/nodes", func(resttest.Request) resttest.Answer { return c.answer(&c.nodes) })
	for path := range c.other {
		c.On("GET", path, func(resttest.Request) resttest.Answer {
			c.mu.Lock()
			defer c.mu.Unlock()
			return resttest.JSON(c.other[path])
		})
	}
	c.On("DELETE", "/v1/bdbs/1", resttest.Always(resttest.JSON("")))
	return c
}

func (c *cluster) answer(text *string) resttest.Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return resttest.JSON(*text)
}

func (c *cluster) set(text *string, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*text = value
}

func (c *cluster) setOther(path, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.other[path] = value
}

// readings counts how often the databases were read, which each reading does once.
func (c *cluster) readings() int {
	n := 0
	for _, r := range c.Requests() {
		if r.Method == http.MethodGet && r.Path == "/v1/bdbs" {
			n++
		}
	}
	return n
}

func target() Target {
	return Target{Addresses: []string{"10.0.0.1"}, ServerName: "rec.ns.svc.cluster.local", Credentials: rest.Credentials{Username: "u", Password: "p"}}
}

// inBubble runs a test with a registry and one link on a clock that costs no time.
func inBubble(t *testing.T, c *cluster, test func(*testing.T, *Registry, *Link)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(Options{Jitter: -1, Transport: func(types.NamespacedName) http.RoundTripper { return c }})
		defer r.Close()
		test(t, r, r.Ensure(key, target()))
	})
}

func list(n int, status string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"uid":%d,"name":"db-%d","status":%q}`, i+1, i+1, status)
	}
	return "[" + strings.TrimPrefix(b.String(), ",") + "]"
}

func TestReadsDoNotGrowWithDatabases(t *testing.T) {
	counts := map[int]int{}
	for _, n := range []int{1, 300} {
		c := newCluster()
		c.bdbs = list(n, "active")
		inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
			time.Sleep(10*time.Minute + time.Second)
			synctest.Wait()
			if got := len(l.Latest().BDBs); got != n {
				t.Fatalf("%d databases, want %d", got, n)
			}
			counts[n] = len(c.Requests())
		})
	}
	// 121 readings of five calls, and every half minute five more.
	if counts[1] != counts[300] || counts[1] != 121*5+21*5 {
		t.Fatalf("%d reads for one database, %d for 300", counts[1], counts[300])
	}
}

func TestPace(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setUp func(*cluster, *Link)
		want  int // readings in the minute that follows
	}{
		{"an idle cluster is read every five seconds", func(*cluster, *Link) {}, 12},
		{"a database that changes is followed every second", func(c *cluster, _ *Link) { c.set(&c.bdbs, list(1, "active-change-pending")) }, 60},
		{"a database that failed for good is not", func(c *cluster, _ *Link) { c.set(&c.bdbs, list(1, "creation-failed")) }, 12},
		{"a running action is followed", func(c *cluster, _ *Link) {
			c.setOther("/v1/actions", `{"actions":[{"action_uid":"a","status":"running"}]}`)
		}, 60},
		{"a finished action is not", func(c *cluster, _ *Link) {
			c.setOther("/v1/actions", `{"actions":[{"action_uid":"a","status":"completed"}]}`)
		}, 12},
		{"a node that is down is followed", func(c *cluster, _ *Link) { c.set(&c.nodes, `[{"uid":1,"status":"down"}]`) }, 60},
		{"a replica that catches up is followed", func(c *cluster, _ *Link) {
			c.setOther("/v1/shards", `[{"uid":"1","bdb_uid":1,"role":"slave","status":"active","sync":{"status":"in_progress"}}]`)
		}, 60},
		{"a consumer can ask for haste", func(_ *cluster, l *Link) { l.Hurry(time.Hour) }, 60},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCluster()
			inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
				synctest.Wait()
				tc.setUp(c, l)
				time.Sleep(6 * time.Second) // the reading that finds out
				synctest.Wait()
				c.Forget()
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := c.readings(); got < tc.want-1 || got > tc.want+1 {
					t.Fatalf("%d readings in a minute, want %d", got, tc.want)
				}
			})
		})
	}
}

func TestObserve(t *testing.T) {
	c := newCluster()
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		ctx := context.Background()
		if _, err := l.Observe(ctx); err != nil {
			t.Fatal(err)
		}
		c.Forget()
		for range 100 {
			if _, err := l.Observe(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(c.Requests()); n != 0 {
			t.Fatalf("%d reads although nothing was written", n)
		}
		c.set(&c.bdbs, list(1, "pending"))
		if err := l.Client().DeleteBDB(ctx, 1); err != nil {
			t.Fatal(err)
		}
		s, err := l.Observe(ctx)
		if err != nil || s.BDBNamed("db-1") == nil || s.BDB(1) == nil {
			t.Fatalf("a snapshot from before the own write: %v %v", s.BDBs, err)
		}
	})
}

func TestFactsThatChangeSeldomFollowOwnWritesAtOnce(t *testing.T) {
	c := newCluster()
	c.On("POST", "/v1/bdbs/alerts/1", func(resttest.Request) resttest.Answer {
		c.setOther("/v1/bdbs/alerts", `{"1":{"bdb_size":{"enabled":true,"threshold":"80"}}}`)
		return resttest.JSON("{}")
	})
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		if s, err := l.Observe(context.Background()); err != nil || len(s.Alerts) != 0 {
			t.Fatalf("%v %v", s.Alerts, err)
		}
		must(t, l.Client().UpdateBDBAlerts(context.Background(), 1, map[string]rest.AlertSetting{"bdb_size": {Enabled: true}}))
		if s, err := l.Observe(context.Background()); err != nil || !s.Alerts[1]["bdb_size"].Enabled {
			t.Fatalf("the own change is not seen: %v %v", s.Alerts, err)
		}
	})
}

func TestAFailedWriteMakesSnapshotsOldAsWell(t *testing.T) {
	c := newCluster()
	c.On("POST", "/v1/bdbs", func(resttest.Request) resttest.Answer {
		c.set(&c.bdbs, list(1, "pending")) // applied, but the answer is lost
		return resttest.Answer{Err: resttest.Lost}
	})
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		if _, err := l.Observe(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Client().CreateBDB(context.Background(), &rest.BDB{}); !rest.MaybeApplied(err) {
			t.Fatal(err)
		}
		s, err := l.Observe(context.Background())
		if err != nil || s.BDBNamed("db-1") == nil {
			t.Fatalf("the lost create is not seen: %v", err)
		}
	})
}

func TestRefreshesShareReadings(t *testing.T) {
	c := newCluster()
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		c.On("GET", "/v1/nodes", func(resttest.Request) resttest.Answer {
			time.Sleep(100 * time.Millisecond) // so that callers meet during a reading
			return c.answer(&c.nodes)
		})
		time.Sleep(time.Second)
		c.Forget()
		before := l.Latest()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if s, err := l.Refresh(context.Background()); err != nil || s == before {
					t.Errorf("no new snapshot: %v", err)
				}
			})
		}
		wg.Wait()
		if n := c.readings(); n < 1 || n > 2 {
			t.Fatalf("%d readings for 50 callers", n)
		}
	})
}

func TestAfter(t *testing.T) {
	c := newCluster()
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		start := time.Now().Add(-time.Second)
		synctest.Wait()
		c.Forget()
		if s, err := l.After(context.Background(), start); err != nil || len(c.Requests()) != 0 {
			t.Fatalf("read anew although it was young enough: %v %v", s.Time, err)
		}
		time.Sleep(time.Second)
		now := time.Now()
		time.Sleep(time.Second)
		if s, err := l.After(context.Background(), now); err != nil || !s.Time.After(now) {
			t.Fatalf("got the one of %v: %v", s.Time, err)
		}
	})
}

func TestRefusedCredentialsAreNotTriedAgain(t *testing.T) {
	c := newCluster()
	for _, path := range []string{"/v1/nodes", "/v1/bdbs", "/v1/nodes/status"} {
		c.On("GET", path, func(r resttest.Request) resttest.Answer {
			if r.Password != "new" {
				return resttest.Status(401, "", "")
			}
			return resttest.JSON(map[string]string{"/v1/nodes": c.nodes, "/v1/bdbs": c.bdbs, "/v1/nodes/status": `{}`}[r.Path])
		})
	}
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		ctx := context.Background()
		if _, err := l.Observe(ctx); !rest.IsUnauthorized(err) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(2 * time.Second) // the second opinion
		for range 20 {              // neither consumers nor writes may try them
			if _, err := l.Refresh(ctx); !rest.IsUnauthorized(err) {
				t.Fatalf("got %v", err)
			}
			if err := l.Client().DeleteBDB(ctx, 1); !rest.IsUnauthorized(err) {
				t.Fatalf("got %v", err)
			}
		}
		if n := len(c.Requests()); n != 2 {
			t.Fatalf("%d attempts with refused credentials", n)
		}
		time.Sleep(15 * time.Minute)
		if n := len(c.Requests()); n > 4 {
			t.Fatalf("%d attempts in 15 minutes, 5 lock the account", n)
		}
		changed := target()
		changed.Credentials.Password = "new"
		l.Update(changed)
		if s, err := l.Observe(ctx); err != nil || !s.Up() {
			t.Fatalf("new credentials are not used at once: %v", err)
		}
	})
}

func TestOneRefusalIsNotBelieved(t *testing.T) {
	c := newCluster()
	c.On("GET", "10.0.0.1:9443/v1/nodes", resttest.Always(resttest.Status(401, "", ""))) // it has left the cluster
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(Options{Jitter: -1, Transport: func(types.NamespacedName) http.RoundTripper { return c }})
		defer r.Close()
		both := target()
		both.Addresses = []string{"10.0.0.1", "10.0.0.2"}
		l := r.Ensure(key, both)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := l.Latest(); !s.Up() {
			t.Fatalf("another node was not asked: %v", s.Err)
		}
		c.Forget()
		time.Sleep(time.Minute)
		for _, q := range c.Requests() {
			if q.Address == "10.0.0.1:9443" {
				t.Fatal("the node that refuses is asked again and again")
			}
		}
	})
}

func TestWhileInDoubtOneCallAtATime(t *testing.T) {
	c := newCluster()
	c.On("GET", "/v1/nodes", resttest.Always(resttest.Status(401, "", "")))
	c.On("DELETE", "/v1/bdbs/1", func(resttest.Request) resttest.Answer {
		time.Sleep(time.Second)
		return resttest.Status(401, "", "")
	})
	inBubble(t, c, func(t *testing.T, _ *Registry, l *Link) {
		synctest.Wait()
		time.Sleep(doubtPause)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := l.Client().DeleteBDB(context.Background(), 1); !rest.IsUnauthorized(err) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if n := len(c.Requests()); n > 2 {
			t.Fatalf("%d attempts", n)
		}
	})
}

func TestChanges(t *testing.T) {
	c := newCluster()
	c.bdbs = list(3, "active")
	inBubble(t, c, func(t *testing.T, r *Registry, l *Link) {
		var mu sync.Mutex
		var changes []Change
		cancel := r.Subscribe(func(ch Change) {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, ch)
		})
		next := func() Change {
			time.Sleep(6 * time.Second)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			var sum Change
			for _, ch := range changes {
				sum.BDBs = append(sum.BDBs, ch.BDBs...)
				sum.Names = append(sum.Names, ch.Names...)
				sum.Nodes = sum.Nodes || ch.Nodes
				sum.Cluster = sum.Cluster || ch.Cluster
				sum.WentUp = sum.WentUp || ch.WentUp
				sum.WentDown = sum.WentDown || ch.WentDown
			}
			changes = nil
			return sum
		}
		if got := next(); !got.WentUp || len(got.BDBs) != 3 || !got.Nodes {
			t.Fatalf("the first reading: %+v", got)
		}
		if got := next(); !got.Empty() {
			t.Fatalf("nothing changed: %+v", got)
		}
		c.set(&c.bdbs, `[{"uid":1,"name":"db-1","status":"active"},{"uid":2,"name":"db-2","status":"active","memory_size":5},{"uid":4,"name":"db-4","status":"active"}]`)
		if got := next(); !slices.Equal(got.BDBs, []rest.UID{2, 3, 4}) || !slices.Equal(got.Names, []string{"db-2", "db-3", "db-4"}) || got.Nodes {
			t.Fatalf("one changed, one gone, one new: %+v", got)
		}
		c.setOther("/v1/shards", `[{"uid":"9","bdb_uid":1,"node_uid":"1","role":"master","status":"active"}]`)
		if got := next(); !slices.Equal(got.BDBs, []rest.UID{1}) {
			t.Fatalf("a shard: %+v", got)
		}
		c.setOther("/v1/nodes/status", `{"1":{"role":"slave","free_ram":1}}`)
		if got := next(); !got.Nodes || len(got.BDBs) != 0 {
			t.Fatalf("a role: %+v", got)
		}
		c.setOther("/v1/nodes/status", `{"1":{"role":"slave","free_ram":2}}`)
		if got := next(); !got.Empty() {
			t.Fatalf("free memory always moves: %+v", got)
		}
		c.set(&c.bdbs, `[{"uid":1,"name":"db-1","status":"active","backup_progress":1.0,"replica_sources":[{"uid":1,"uri":"redis://x","status":"in-sync","lag":5}]}]`)
		if got := next(); len(got.BDBs) == 0 {
			t.Fatal("new sources are news")
		}
		c.set(&c.bdbs, `[{"uid":1,"name":"db-1","status":"active","backup_progress":2.0,"replica_sources":[{"uid":1,"uri":"redis://x","status":"in-sync","lag":6,"last_update":"now"}]}]`)
		if got := next(); !got.Empty() {
			t.Fatalf("progress and lag always move: %+v", got)
		}
		known := len(l.Latest().BDBs)
		c.On("GET", "/v1/bdbs", resttest.Always(resttest.Answer{Err: resttest.Refused}))
		if got := next(); !got.WentDown || len(got.BDBs) != 0 || len(l.Latest().BDBs) != known {
			t.Fatalf("the cluster went away: %+v, %d of %d databases known", got, len(l.Latest().BDBs), known)
		}
		if _, err := l.Observe(context.Background()); !rest.IsTransport(err) {
			t.Fatalf("got %v", err)
		}
		c.On("GET", "/v1/bdbs", func(resttest.Request) resttest.Answer { return c.answer(&c.bdbs) })
		if got := next(); !got.WentUp || len(got.BDBs) != 0 {
			t.Fatalf("the cluster came back as it was: %+v", got)
		}
		cancel()
		c.set(&c.bdbs, `[]`)
		if got := next(); !got.Empty() {
			t.Fatalf("told after the end: %+v", got)
		}
	})
}

func TestUpdateKeepsState(t *testing.T) {
	c := newCluster()
	inBubble(t, c, func(t *testing.T, r *Registry, l *Link) {
		synctest.Wait()
		snapshot := l.Latest()
		moved := target()
		moved.Addresses = []string{"10.0.0.2", "10.0.0.1"}
		if r.Ensure(key, moved) != l || l.Latest() != snapshot {
			t.Fatal("new addresses made a new link or dropped the snapshot")
		}
		c.On("GET", "10.0.0.1:9443/v1/nodes", resttest.Always(resttest.Answer{Err: resttest.Refused}))
		if _, err := l.Refresh(context.Background()); err != nil {
			t.Fatalf("the new address is not used: %v", err)
		}
		renamed := target()
		renamed.ServerName = "other.ns.svc.cluster.local"
		if r.Ensure(key, renamed) == l {
			t.Fatal("another server name needs a new link")
		}
		if _, err := l.Refresh(context.Background()); !errors.Is(err, ErrClosed) {
			t.Fatalf("the old link goes on: %v", err)
		}
	})
}

func TestRemove(t *testing.T) {
	c := newCluster()
	inBubble(t, c, func(t *testing.T, r *Registry, l *Link) {
		synctest.Wait()
		r.Remove(key)
		c.Forget()
		time.Sleep(time.Hour)
		if n := len(c.Requests()); n != 0 || r.Get(key) != nil {
			t.Fatalf("%d reads after the removal", n)
		}
		if _, err := l.Observe(context.Background()); !errors.Is(err, ErrClosed) {
			t.Fatalf("got %v", err)
		}
		r.Remove(key) // once more is fine
	})
}

func TestASnapshotIsNotGivenBeforeTheFirstReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		release := make(chan struct{})
		c.On("GET", "/v1/nodes", func(resttest.Request) resttest.Answer { <-release; return c.answer(&c.nodes) })
		r := NewRegistry(Options{Jitter: -1, Transport: func(types.NamespacedName) http.RoundTripper { return c }})
		defer r.Close()
		l := r.Ensure(key, target())
		if s := l.Latest(); !errors.Is(s.Err, ErrNotYet) || s.Known() || s.Up() {
			t.Fatalf("got %+v", s)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := l.Observe(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		close(release)
		if s, err := l.Observe(context.Background()); err != nil || s.Master() == nil || s.NodeAt("10.0.0.1") == nil {
			t.Fatalf("got %v", err)
		}
	})
}
