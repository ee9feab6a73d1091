package bootstrapper

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeNode is a node that does at once what it is told.
type fakeNode struct {
	mu    sync.Mutex
	facts NodeFacts
	duty  Duty
	down  bool
	calls []string
}

func (f *fakeNode) Facts(context.Context) (NodeFacts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return NodeFacts{}, errors.New("connection refused")
	}
	return f.facts, nil
}

func (f *fakeNode) Certificate(context.Context) (string, error) { return "PEM", nil }

func (f *fakeNode) CreateCluster(context.Context, string) error {
	return f.call("create", func() { f.facts = NodeFacts{State: Completed, UID: "1"} })
}

func (f *fakeNode) JoinCluster(_ context.Context, _ []string, uid string) error {
	return f.call("join "+uid, func() { f.facts = NodeFacts{State: Completed, UID: "2"} })
}

func (f *fakeNode) Duty(context.Context, string) (Duty, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.duty, nil
}

func (f *fakeNode) MaintenanceOn(context.Context, string) error {
	return f.call("maintenance on", func() { f.duty.Maintenance, f.duty.MasterShards, f.duty.Endpoints = true, 0, 0 })
}

func (f *fakeNode) MaintenanceOff(context.Context, string) error {
	return f.call("maintenance off", func() { f.duty.Maintenance = false })
}

func (f *fakeNode) GiveUpMaster(context.Context, string) error {
	return f.call("give up master", func() { f.duty.Master = false })
}

func (f *fakeNode) call(name string, effect func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	effect()
	return nil
}

func (f *fakeNode) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

// fakeBoard is a board at hand.
type fakeBoard struct {
	mu     sync.Mutex
	data   board.Data
	gone   bool
	ending bool
}

func (f *fakeBoard) Read() board.Data {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := board.Data{}
	for k, v := range f.data {
		out[k] = v
	}
	return out
}

func (f *fakeBoard) Gone(context.Context) bool               { return f.gone }
func (f *fakeBoard) PodEnding(context.Context) (bool, error) { return f.ending, nil }

func (f *fakeBoard) Publish(_ context.Context, r board.Report) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.data[board.Key("rec-1")] = r.String()
	return nil
}

func newAgent(node *fakeNode, notes *fakeBoard) *Agent {
	if notes.data == nil {
		notes.data = board.Data{}
	}
	return &Agent{Node: node, Board: notes, Pod: "rec-1", Ordinal: 1, Address: "10.0.0.2", Cluster: "rec.ns.svc.cluster.local",
		Every: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
}

// running runs the agent until the test ends.
func running(t *testing.T, a *Agent) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
		time.Sleep(time.Millisecond)
	}
}

func get(a *Agent, path string) int {
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

func TestREC15_JoinsPublishesAndBecomesReady(t *testing.T) {
	node := &fakeNode{facts: NodeFacts{State: Idle}, duty: Duty{Active: true}}
	notes := &fakeBoard{data: board.Data{names.BoardFormed: "true", names.BoardMembers: "10.0.0.1"}}
	a := newAgent(node, notes)
	if get(a, names.PathStartup) == http.StatusOK {
		t.Error("started before the node has answered")
	}
	running(t, a)
	eventually(t, "not on the board", func() bool {
		r, ok := notes.Read().Report("rec-1")
		return ok && r.State == "completed" && r.UID == "2" && r.Certificate == "PEM" && r.Address == "10.0.0.2"
	})
	if calls := node.seen(); len(calls) != 1 || calls[0] != "join " {
		t.Errorf("calls: %v", calls)
	}
	eventually(t, "not ready", func() bool {
		return get(a, names.PathReady) == http.StatusOK && get(a, names.PathLive) == http.StatusOK
	})
}

func TestREC22_ABoardMadeAnewGetsItsEntriesBack(t *testing.T) {
	node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true}}
	notes := &fakeBoard{data: board.Data{names.BoardFormed: "true"}}
	running(t, newAgent(node, notes))
	for range 2 {
		eventually(t, "not on the board", func() bool { _, ok := notes.Read().Report("rec-1"); return ok })
		notes.mu.Lock()
		notes.data = board.Data{names.BoardFormed: "true"}
		notes.mu.Unlock()
	}
}

func TestANodeThatRefusesTheCredentialsIsStillWhoItWas(t *testing.T) {
	node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}}
	a := newAgent(node, &fakeBoard{})
	a.look(t.Context())
	node.facts = NodeFacts{State: Completed} // it wants credentials, and ours are none
	if facts, report := a.look(t.Context()); facts.UID != "2" || report.UID != "2" {
		t.Errorf("%+v %+v", facts, report)
	}
	node.facts = NodeFacts{State: Idle} // it has left the cluster
	if facts, _ := a.look(t.Context()); facts.UID != "" {
		t.Errorf("%+v", facts)
	}
}

func TestSTB4_ANodeThatTheClusterCountsAsDownIsNotReady(t *testing.T) {
	node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: false}}
	a := newAgent(node, &fakeBoard{})
	running(t, a)
	eventually(t, "never seen", func() bool { return get(a, names.PathStartup) == http.StatusOK })
	if get(a, names.PathReady) == http.StatusOK {
		t.Error("ready although the cluster counts it as down")
	}
}

func TestREC17_Drain(t *testing.T) {
	t.Run("everything moves off the node, then the hook returns", func(t *testing.T) {
		node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true, Master: true, MasterShards: 3, Endpoints: 1}}
		a := newAgent(node, &fakeBoard{ending: true})
		running(t, a)
		eventually(t, "never seen", func() bool { return get(a, names.PathStartup) == http.StatusOK })
		if code := get(a, names.PathPreStop); code != http.StatusOK {
			t.Errorf("hook: %d", code)
		}
		if calls := node.seen(); len(calls) != 2 || calls[0] != "maintenance on" || calls[1] != "give up master" {
			t.Errorf("calls: %v", calls)
		}
	})
	t.Run("a container that only restarts keeps its duties", func(t *testing.T) {
		node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true, MasterShards: 3}}
		a := newAgent(node, &fakeBoard{ending: false})
		running(t, a)
		get(a, names.PathPreStop)
		if calls := node.seen(); len(calls) > 0 {
			t.Errorf("calls: %v", calls)
		}
	})
	t.Run("a cluster that is being deleted is not drained", func(t *testing.T) {
		node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true, MasterShards: 3}}
		a := newAgent(node, &fakeBoard{ending: true, gone: true})
		running(t, a)
		get(a, names.PathPreStop)
		if calls := node.seen(); len(calls) > 0 {
			t.Errorf("calls: %v", calls)
		}
	})
	t.Run("a drain is done once, however often it is asked for", func(t *testing.T) {
		node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true, MasterShards: 3}}
		a := newAgent(node, &fakeBoard{ending: true})
		running(t, a)
		eventually(t, "never seen", func() bool { return get(a, names.PathStartup) == http.StatusOK })
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { get(a, names.PathPreStop) })
		}
		all.Wait()
		if calls := node.seen(); len(calls) != 1 {
			t.Errorf("calls: %v", calls)
		}
	})
	t.Run("a drain that cannot end does not outlive the agent", func(t *testing.T) {
		node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true, MasterShards: 3, Busy: true}}
		a := newAgent(node, &fakeBoard{ending: true})
		ctx, end := context.WithCancel(t.Context())
		ran, drained := make(chan error), make(chan struct{})
		go func() { ran <- a.Run(ctx) }()
		eventually(t, "never seen", func() bool { return get(a, names.PathStartup) == http.StatusOK })
		go func() { defer close(drained); a.Drain(t.Context()) }()
		eventually(t, "the drain never began", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.draining })
		end()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		<-drained
	})
	t.Run("maintenance left from the pod's last life is ended", func(t *testing.T) {
		node := &fakeNode{facts: NodeFacts{State: Completed, UID: "2"}, duty: Duty{Active: true, Maintenance: true}}
		running(t, newAgent(node, &fakeBoard{}))
		eventually(t, "maintenance stays on", func() bool { calls := node.seen(); return len(calls) == 1 && calls[0] == "maintenance off" })
	})
}
