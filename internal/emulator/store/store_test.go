package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subnet gives every test loopback addresses of its own.
var subnet atomic.Uint32

func init() { subnet.Store(rand.Uint32N(1 << 14)) }

func freshHost(t *testing.T) string {
	t.Helper()
	for range 100 {
		n := subnet.Add(1)
		host := fmt.Sprintf("127.%d.%d.%d", 64+n>>14%64, n>>7%128, 1+n%128)
		l, err := net.Listen("tcp", host+":3346")
		if err == nil {
			_ = l.Close()
			return host
		}
	}
	t.Fatal("no free loopback address")
	return ""
}

type node struct {
	*store.Store
	dir, host string
	removed   atomic.Bool
}

type cluster struct {
	t     *testing.T
	nodes []*node
	hints func() []string
}

func (c *cluster) options(n *node) store.Options {
	out := io.Discard
	if testing.Verbose() {
		out = os.Stderr
	}
	return store.Options{
		Dir: n.dir, Host: n.host, InternodePort: 3346, CCSPort: 3333, FailureTimeout: time.Second,
		Logger:  slog.New(slog.NewTextHandler(out, nil)),
		Removed: func() { n.removed.Store(true) },
		Hints:   c.hints,
	}
}

func newCluster(t *testing.T, size int) *cluster {
	t.Helper()
	c := &cluster{t: t}
	for i := range size {
		n := &node{dir: filepath.Join(t.TempDir(), "store"), host: freshHost(t)}
		if i == 0 {
			id, err := store.NewIdentity(1, time.Now())
			must(t, err)
			n.Store, err = store.Create(t.Context(), c.options(n), id, func(*store.Tx) {})
			must(t, err)
			c.nodes = append(c.nodes, n)
			continue
		}
		c.join(n, int64(i+1))
	}
	t.Cleanup(func() {
		for _, n := range c.nodes {
			must(t, n.Kill())
		}
	})
	return c
}

// join adds a node as the engine does: first as a learner, then with a vote.
func (c *cluster) join(n *node, uid int64) {
	c.t.Helper()
	first := c.leader()
	id := first.Identity()
	id.UID = uid
	key := strconv.FormatInt(uid, 10)
	member := store.Member{UID: uid, Addr: n.host + ":3346"}
	put := func(tx *store.Tx) error { tx.Put(store.KindMember, key, member); return nil }
	must(c.t, first.Update(c.t.Context(), put))
	var err error
	n.Store, err = store.Join(c.t.Context(), c.options(n), id, first.host+":3346")
	must(c.t, err)
	c.nodes = append(c.nodes, n)
	eventually(c.t, "the new node has caught up", func() bool { return first.Peers()[uid].CaughtUp })
	member.Voter = true
	must(c.t, first.Update(c.t.Context(), put))
}

// leader waits for a master.
func (c *cluster) leader() *node {
	c.t.Helper()
	var found *node
	eventually(c.t, "a master exists", func() bool {
		for _, n := range c.nodes {
			if n.IsLeader() {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

func (c *cluster) without(out *node) *cluster {
	rest := &cluster{t: c.t}
	for _, n := range c.nodes {
		if n != out {
			rest.nodes = append(rest.nodes, n)
		}
	}
	return rest
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("did not come true: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func put(id string, v any) func(*store.Tx) error {
	return func(tx *store.Tx) error { tx.Put("thing", id, v); return nil }
}

func value(n *node, id string) string {
	v, _, _ := store.Get[string](n.Snapshot(), "thing", id)
	return v
}

func (c *cluster) agree(id, want string) {
	c.t.Helper()
	for _, n := range c.nodes {
		eventually(c.t, fmt.Sprintf("node %d shows %s=%s", n.UID(), id, want), func() bool { return value(n, id) == want })
	}
}

func TestEveryNodeSeesAChange(t *testing.T) {
	c := newCluster(t, 3)
	l := c.leader()
	must(t, l.Update(t.Context(), put("a", "1")))
	c.agree("a", "1")
	rev := l.Snapshot().Rev()
	must(t, l.Update(t.Context(), put("a", "1")))
	if got := l.Snapshot().Rev(); got != rev {
		t.Errorf("a change that changes nothing moved the revision from %d to %d", rev, got)
	}
	for _, n := range c.nodes {
		if n != l && !errors.Is(n.Update(t.Context(), put("a", "2")), store.ErrNotLeader) {
			t.Errorf("node %d took a change although it is not the master", n.UID())
		}
	}
	refused := errors.New("refused")
	err := l.Update(t.Context(), func(tx *store.Tx) error { tx.Put("thing", "a", "3"); return refused })
	if !errors.Is(err, refused) || value(l, "a") != "1" {
		t.Errorf("a refused change: error %v, value %q", err, value(l, "a"))
	}
}

// writer writes numbers until stopped and remembers which were acknowledged.
type writer struct {
	acked map[string]bool
	stop  chan struct{}
	wg    sync.WaitGroup
}

// write returns once a first change is acknowledged, and goes on writing.
func (c *cluster) write() *writer {
	w := &writer{acked: map[string]bool{}, stop: make(chan struct{})}
	first := make(chan struct{})
	w.wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-w.stop:
				return
			default:
			}
			id := strconv.Itoa(i)
			for _, n := range c.nodes {
				if n.IsLeader() && n.Update(context.Background(), put(id, "x")) == nil {
					if w.acked[id] = true; len(w.acked) == 1 {
						close(first)
					}
				}
			}
		}
	})
	<-first
	return w
}

func (w *writer) end() { close(w.stop); w.wg.Wait() }

func (w *writer) check(t *testing.T, n *node) {
	t.Helper()
	lost := 0
	for id := range w.acked {
		if value(n, id) != "x" {
			lost++
		}
	}
	if lost > 0 || len(w.acked) == 0 {
		t.Errorf("%d of %d acknowledged changes are lost", lost, len(w.acked))
	}
	t.Logf("%d changes acknowledged, %d lost", len(w.acked), lost)
}

func TestMasterDiesAndComesBackWithAnotherAddress(t *testing.T) {
	c := newCluster(t, 3)
	old := c.leader()
	rest := c.without(old)
	w := c.write()
	rev := old.Snapshot().Rev()
	eventually(t, "changes flow", func() bool { return old.Snapshot().Rev() > rev+20 })
	must(t, old.Kill())
	l := rest.leader()
	rev = l.Snapshot().Rev()
	eventually(t, "changes flow again", func() bool { return l.Snapshot().Rev() > rev+5 })
	w.end()
	w.check(t, l)

	old.host = freshHost(t)
	var err error
	old.Store, err = store.Open(t.Context(), c.options(old))
	must(t, err)
	must(t, l.Update(t.Context(), put("late", "yes")))
	c.agree("late", "yes")
	w.check(t, old)
	if addr := l.Peers()[old.UID()].Addr; addr != old.host+":3346" {
		t.Errorf("the master knows the returned node under %s, not %s", addr, old.host)
	}
}

func TestPartitionedMasterGivesUp(t *testing.T) {
	c := newCluster(t, 3)
	old := c.leader()
	must(t, old.Update(t.Context(), put("a", "before")))
	old.Isolate(true)
	err := old.Update(t.Context(), put("a", "lost"))
	if err == nil {
		t.Fatal("a master without a majority acknowledged a change")
	}
	if value(old, "a") != "before" {
		t.Errorf("a change that was not acknowledged is visible: %q", value(old, "a"))
	}
	l := c.without(old).leader()
	must(t, l.Update(t.Context(), put("b", "after")))
	if old.IsLeader() {
		t.Error("two masters")
	}
	old.Isolate(false)
	c.agree("b", "after")
	c.agree("a", "before")
}

func TestNoMajorityNoChange(t *testing.T) {
	c := newCluster(t, 3)
	l := c.leader()
	must(t, l.Update(t.Context(), put("a", "1")))
	for _, n := range c.without(l).nodes {
		must(t, n.Kill())
	}
	eventually(t, "the last node steps down", func() bool { return !l.IsLeader() })
	if err := l.Update(t.Context(), put("a", "2")); err == nil {
		t.Error("one of three nodes took a change")
	}
	if value(l, "a") != "1" {
		t.Errorf("the configuration is not readable without a majority: %q", value(l, "a"))
	}
}

func TestAllRestartWithNewAddresses(t *testing.T) {
	c := newCluster(t, 3)
	must(t, c.leader().Update(t.Context(), put("a", "kept")))
	for _, n := range c.nodes {
		must(t, n.Kill())
	}
	var hosts []string
	for _, n := range c.nodes {
		n.host = freshHost(t)
		hosts = append(hosts, n.host+":3346")
	}
	c.hints = func() []string { return hosts }
	for _, n := range c.nodes {
		var err error
		n.Store, err = store.Open(t.Context(), c.options(n))
		must(t, err)
	}
	c.leader()
	c.agree("a", "kept")
}

func TestTwoNodesMoveAndOnlyTheThirdKnows(t *testing.T) {
	c := newCluster(t, 3)
	l := c.leader()
	rest := c.without(l).nodes
	first, second := rest[0], rest[1]
	must(t, l.Update(t.Context(), put("a", "1")))
	c.agree("a", "1")
	must(t, second.Kill())
	must(t, first.Kill())
	eventually(t, "the master has stepped down", func() bool { return !l.IsLeader() })
	// The first comes back elsewhere and becomes master; the second never hears of its new address from itself.
	first.host = freshHost(t)
	var err error
	first.Store, err = store.Open(t.Context(), c.options(first))
	must(t, err)
	pair := c.without(second)
	if now := pair.leader(); now != first {
		must(t, now.Transfer(t.Context(), first.UID()))
	}
	eventually(t, "the first is master", first.IsLeader)
	second.host = freshHost(t)
	second.Store, err = store.Open(t.Context(), c.options(second))
	must(t, err)
	eventually(t, "a change is taken", func() bool { return pair.leader().Update(t.Context(), put("b", "2")) == nil })
	c.agree("b", "2")
}

func TestMasterRoleIsHandedOver(t *testing.T) {
	c := newCluster(t, 3)
	old := c.leader()
	w := c.write()
	target := c.without(old).nodes[0]
	must(t, old.Transfer(t.Context(), target.UID()))
	if l := c.leader(); l != target {
		t.Errorf("node %d became master, not %d", l.UID(), target.UID())
	}
	w.end()
	w.check(t, target)
	if err := old.Transfer(t.Context(), target.UID()); !errors.Is(err, store.ErrNoSuccessor) {
		t.Errorf("a node that is not master handed the role over: %v", err)
	}
	must(t, target.Close(t.Context()))
	c.without(target).leader()
}

func TestRemovedNodeIsTold(t *testing.T) {
	c := newCluster(t, 3)
	l := c.leader()
	gone := c.without(l).nodes[1]
	key := strconv.FormatInt(gone.UID(), 10)
	must(t, l.Update(t.Context(), func(tx *store.Tx) error { tx.Delete(store.KindMember, key); return nil }))
	eventually(t, "the removed node knows", gone.removed.Load)
	must(t, gone.Kill())
	must(t, c.without(gone).leader().Update(t.Context(), put("a", "two nodes")))
}

func TestProcessOfTheMasterDies(t *testing.T) {
	c := newCluster(t, 3)
	l := c.leader()
	must(t, l.Update(t.Context(), put("a", "1")))
	must(t, l.KillProcess())
	eventually(t, "changes are taken again", func() bool { return c.leader().Update(t.Context(), put("b", "2")) == nil })
	c.agree("a", "1")
	c.agree("b", "2")
}

func TestOpenWithoutCluster(t *testing.T) {
	c := &cluster{t: t}
	_, err := store.Open(t.Context(), c.options(&node{dir: t.TempDir(), host: freshHost(t)}))
	if !errors.Is(err, store.ErrNoCluster) {
		t.Errorf("got %v", err)
	}
}
