package emulator_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

// fails starts a bootstrap that is accepted and must end in an error with a code.
func (l *lab) fails(n *emulator.Node, path string, body object, code string) {
	l.t.Helper()
	l.need(n, http.MethodPost, path, body)
	l.await("bootstrap ends", func() bool { s, _ := l.bootstrapped(n); return s == "error" || s == "completed" })
	if state, answer := l.bootstrapped(n); state != "error" || answer["error_code"] != code {
		l.t.Errorf("want error %s, got %v", code, answer)
	}
}

func TestBootstrapErrors(t *testing.T) {
	skewed := false
	l := newLab(t, 2, func(c *emulator.Config) {
		if skewed {
			c.Now = func() time.Time { return time.Now().Add(time.Hour) }
		}
	})
	first, second := l.nodes[0], l.nodes[1]
	if state, _ := l.bootstrapped(first); state != "idle" {
		t.Errorf("a fresh node is %s", state)
	}
	if status, _ := l.ask(first, http.MethodGet, "/v1/nodes", nil); status != http.StatusServiceUnavailable {
		t.Errorf("a fresh node answers %d to other calls", status)
	}
	t.Run("nobody answers", func(t *testing.T) {
		l.fails(second, "/v1/bootstrap/join_cluster", joinBody(freshHost(t)), "connect_error")
	})
	t.Run("the node to join is in no cluster", func(*testing.T) {
		l.fails(second, "/v1/bootstrap/join_cluster", joinBody(first.Addr()), "connect_error")
	})
	l.need(first, http.MethodPost, "/v1/bootstrap/create_cluster", createBody())
	l.await("the cluster is created", func() bool { s, _ := l.bootstrapped(first); return s == "completed" })
	t.Run("wrong password", func(*testing.T) {
		body := joinBody(first.Addr())
		body["credentials"] = object{"username": admin, "password": "wrong"}
		l.fails(second, "/v1/bootstrap/join_cluster", body, "access_denied")
	})
	t.Run("a bad licence", func(*testing.T) {
		body := createBody()
		body["license"] = "no licence"
		l.fails(second, "/v1/bootstrap/create_cluster", body, "invalid_license")
	})
	t.Run("clocks apart", func(*testing.T) {
		skewed = true
		l.fails(l.add(), "/v1/bootstrap/join_cluster", joinBody(first.Addr()), "time_not_sync")
		skewed = false
	})
	t.Run("a node that failed may try again", func(*testing.T) {
		l.need(second, http.MethodPost, "/v1/bootstrap/join_cluster", joinBody(first.Addr()))
		l.await("the node has joined", func() bool { s, _ := l.bootstrapped(second); return s == "completed" })
	})
	t.Run("already a member", func(t *testing.T) {
		for _, n := range l.nodes[:2] {
			status, out := l.ask(n, http.MethodPost, "/v1/bootstrap/join_cluster", joinBody(first.Addr()))
			if status != http.StatusConflict {
				t.Errorf("a member that is to join answers %d %v", status, out)
			}
		}
	})
}

func TestDeadNodeIsReplaced(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	must(t, l.nodes[2].Kill())
	l.await("the loss is noticed", func() bool { return l.active(l.nodes[0]) == 2 })
	fresh := l.add()
	l.need(fresh, http.MethodPost, "/v1/bootstrap/join_cluster", joinBody(l.nodes[0].Addr()))
	l.await("bootstrap ends", func() bool { s, _ := l.bootstrapped(fresh); return s == "error" })
	_, answer := l.bootstrapped(fresh)
	details, _ := answer["error_details"].(object)
	if answer["error_code"] != "repair_required" || details["replace_candidate"] != "3" {
		t.Errorf("a degraded cluster answers %v", answer)
	}
	body := joinBody(l.nodes[0].Addr())
	body["node"] = object{"identity": object{"uid": 3}}
	l.need(fresh, http.MethodPost, "/v1/bootstrap/join_cluster", body)
	l.await("the node has taken the place", func() bool { s, _ := l.bootstrapped(fresh); return s == "completed" })
	l.await("all nodes are active", func() bool { return l.active(l.nodes[0]) == 3 })
	if n := len(l.list(l.nodes[0], "/v1/nodes")); n != 3 {
		t.Errorf("there are %d nodes", n)
	}
}

func TestRemovedNodeIsEmpty(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true})
	leader := l.nodes[0]
	l.need(leader, http.MethodPost, "/v1/nodes/1/actions/remove", object{})
	l.await("the node is out of the cluster", func() bool { s, _ := l.bootstrapped(leader); return s == "idle" })
	l.await("two nodes are left", func() bool { return len(l.list(l.nodes[1], "/v1/nodes")) == 2 })
	l.await("the database has both shards elsewhere", func() bool { return l.inSync(l.nodes[1], 2) })
	l.ready(l.nodes[1], uid)
	l.need(leader, http.MethodPost, "/v1/bootstrap/join_cluster", joinBody(l.nodes[1].Addr()))
	l.await("it can join again", func() bool { s, _ := l.bootstrapped(leader); return s == "completed" })
	if got := l.list(l.nodes[1], "/v1/nodes"); len(got) != 3 || number(got[2]["uid"]) != 4 {
		t.Errorf("nodes after the return: %v", got)
	}
}

func TestWholeClusterRestarts(t *testing.T) {
	hosts := []string{}
	l := newLab(t, 3, func(c *emulator.Config) { c.PeerHints = func() []string { return hosts } })
	l.form()
	uid := l.create(object{
		"name": "db", "memory_size": 100 << 20, "replication": true, "data_persistence": "aof",
		"aof_policy": "appendfsync-always", // once a second could lose the last one when all processes are killed
	})
	w := write(func() string { return l.endpoint(l.nodes[0], uid) })
	w.flows(l)
	w.end()
	for _, n := range l.nodes {
		must(t, n.Kill())
	}
	for range l.nodes {
		hosts = append(hosts, freshHost(t))
	}
	for i := range l.nodes {
		l.boot(i, hosts[i])
	}
	l.ready(l.nodes[0], uid)
	w.check(t)
	l.await("the replica is in sync again", func() bool { return l.inSync(l.nodes[0], 2) })
	w.check(t)
}
