package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// page reads a page that is no JSON.
func (l *lab) page(url string) string {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, url, nil)
	must(l.t, err)
	resp, err := l.client.Do(req)
	must(l.t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	must(l.t, err)
	if resp.StatusCode != http.StatusOK {
		l.t.Errorf("%s answers %s", url, resp.Status)
	}
	return string(raw)
}

func TestOtherPorts(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true})
	for _, n := range l.nodes {
		t.Run("metrics of the whole cluster from every node", func(t *testing.T) {
			text := l.page(fmt.Sprintf("https://%s:8070/v2", n.Addr()))
			for _, want := range []string{
				`redis_server_up{`, `has_quorum{`, fmt.Sprintf(`db_status{cluster=%q,db="%d"`, clusterName, uid), `node="3"`,
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%s is missing", want)
				}
			}
		})
		t.Run("old metrics from the leader", func(t *testing.T) {
			if text := l.page(fmt.Sprintf("https://%s:8070/", n.Addr())); !strings.Contains(text, "bdb_used_memory") {
				t.Error("bdb_used_memory is missing")
			}
		})
		t.Run("discovery", func(t *testing.T) {
			c := redis.NewSentinelClient(&redis.Options{Addr: n.Addr() + ":8001", Protocol: 2, DisableIdentity: true})
			defer func() { _ = c.Close() }()
			got, err := c.GetMasterAddrByName(t.Context(), "db").Result()
			if err != nil || strings.Join(got, ":") != l.endpoint(n, uid) {
				t.Errorf("found %v, %v; the endpoint is %s", got, err, l.endpoint(n, uid))
			}
		})
		t.Run("console", func(t *testing.T) {
			if text := l.page(fmt.Sprintf("https://%s:8443/", n.Addr())); !strings.Contains(text, clusterName) {
				t.Error("the page does not name the cluster")
			}
		})
	}
}

func TestClusterFacts(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	check := l.need(l.nodes[1], http.MethodGet, "/v1/cluster/check", nil)
	if check["cluster_test_result"] != true {
		t.Errorf("a healthy cluster checks as %v", check)
	}
	roles := map[any]int{}
	for _, n := range l.nodes {
		health := l.need(n, http.MethodGet, "/v1/local/node/master_healthcheck", nil)
		if health["status"] != "active" {
			t.Errorf("%s: master_healthcheck %v", n.Addr(), health)
		}
	}
	for uid, s := range l.need(l.nodes[2], http.MethodGet, "/v1/nodes/status", nil) {
		o, _ := s.(object)
		roles[o["role"]]++
		if n, _ := strconv.Atoi(uid); o["hostname"] != fmt.Sprintf("node-%d", n-1) {
			t.Errorf("node %s says it is called %v", uid, o["hostname"])
		}
	}
	if roles["master"] != 1 || roles["slave"] != 2 {
		t.Errorf("roles: %v", roles)
	}
	l.need(l.nodes[0], http.MethodPost, "/v1/cluster/actions/change_master", object{"node_uid": 3})
	l.await("node 3 is the leader", func() bool {
		_, out, _ := l.try(l.nodes[0], http.MethodGet, "/v1/nodes/3/status", nil)
		o, _ := out.(object)
		return o["role"] == "master"
	})
	l.await("the action is over", func() bool {
		_, out, _ := l.try(l.nodes[0], http.MethodGet, "/v1/cluster/actions/change_master", nil)
		o, _ := out.(object)
		return o["status"] == "completed"
	})
	must(t, l.nodes[1].Kill())
	l.await("the loss shows in the checks", func() bool {
		_, out, _ := l.try(l.nodes[0], http.MethodGet, "/v1/cluster/check", nil)
		o, _ := out.(object)
		return o["cluster_test_result"] == false
	})
	l.await("and in the list of nodes", func() bool { return l.active(l.nodes[0]) == 2 })
}

func TestShardActions(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true})
	w := write(func() string { return l.endpoint(l.nodes[0], uid) })
	w.flows(l)
	before := l.masterNode(l.nodes[0], uid)
	var master string
	used := map[string]bool{}
	for _, s := range l.list(l.nodes[0], "/v1/shards") {
		used[s["node_uid"].(string)] = true
		if s["role"] == "master" {
			master = s["uid"].(string)
		}
	}
	l.need(l.nodes[0], http.MethodPost, "/v1/shards/"+master+"/actions/failover", object{})
	l.await("the replica is master", func() bool { return l.masterNode(l.nodes[0], uid) != before })
	l.ready(l.nodes[0], uid)
	target := 1
	for used[fmt.Sprint(target)] {
		target++
	}
	l.await("the migration is accepted", func() bool {
		status, _ := l.ask(l.nodes[0], http.MethodPost, "/v1/shards/"+master+"/actions/migrate", object{"target_node_uid": target})
		return status == http.StatusOK
	})
	l.await("the shard has moved", func() bool {
		for _, s := range l.list(l.nodes[0], "/v1/shards") {
			if s["node_uid"] == fmt.Sprint(target) {
				return l.inSync(l.nodes[0], 2)
			}
		}
		return false
	})
	l.ready(l.nodes[0], uid)
	w.flows(l)
	w.end()
	w.check(t)
	if w.fails > 0 {
		t.Errorf("clients were told of a planned change %d times: %v", w.fails, w.first)
	}
}
