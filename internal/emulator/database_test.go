package emulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestDatabaseSurvivesTheLossOfItsMaster(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true, "data_persistence": "aof"})
	if !l.inSync(l.nodes[0], 2) {
		t.Errorf("an active database has shards out of order: %v", l.list(l.nodes[0], "/v1/shards"))
	}
	victim := l.masterNode(l.nodes[0], uid)
	alive := l.other(victim)
	w := write(func() string { return l.endpoint(alive, uid) })
	w.flows(l)
	must(t, l.nodes[victim].Kill())
	w.flows(l)
	w.end()
	w.check(t)

	host := freshHost(t)
	l.boot(victim, host)
	l.await("the node is back as itself", func() bool { return l.active(alive) == 3 })
	l.await("the replica is there again", func() bool { return l.inSync(alive, 2) })
	w.check(t)
	if status, _ := l.ask(alive, http.MethodGet, "/v1/bdbs/1/availability", nil); status != http.StatusOK {
		t.Errorf("availability answers %d", status)
	}
}

func TestMasterProcessDies(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true})
	w := write(func() string { return l.endpoint(l.nodes[0], uid) })
	w.flows(l)
	// Without persistence a master that simply came back would come back empty, and empty its replica too.
	killShard(t, l, uid)
	w.flows(l)
	w.end()
	w.check(t)
	l.await("the replica is there again", func() bool { return l.inSync(l.nodes[0], 2) })
	w.check(t)
}

func TestPartitionedNodeLosesNoWrite(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true, "data_persistence": "aof"})
	victim := l.masterNode(l.nodes[0], uid)
	old := l.endpoint(l.nodes[0], uid)
	stubborn := write(func() string { return old }) // a client that only knows the old address
	stubborn.flows(l)
	l.nodes[victim].Isolate(true)
	alive := l.other(victim)
	l.await("another node takes over", func() bool { e := l.endpoint(alive, uid); return e != "" && e != old })
	l.ready(alive, uid)
	w := write(func() string { return l.endpoint(alive, uid) })
	w.flows(l)
	l.nodes[victim].Isolate(false)
	l.await("the node is back", func() bool { return l.active(alive) == 3 && l.inSync(alive, 2) })
	w.end()
	stubborn.end()
	stubborn.find = func() string { return l.endpoint(alive, uid) }
	stubborn.check(t)
	if t.Failed() {
		t.Log("acknowledged by the node that was cut off, and lost")
	}
}

func TestNoQuorum(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(object{"name": "db", "memory_size": 100 << 20})
	keep := l.masterNode(l.nodes[0], uid)
	addr := l.endpoint(l.nodes[0], uid)
	for i, n := range l.nodes {
		if i != keep {
			must(t, n.Kill())
		}
	}
	n := l.nodes[keep]
	l.await("the API says that there is no quorum", func() bool {
		status, _, err := l.try(n, http.MethodGet, "/v1/cluster", nil)
		return err == nil && status == http.StatusServiceUnavailable
	})
	w := write(func() string { return addr })
	w.flows(l) // the data is served all the same
	w.end()
	w.check(t)
}

func TestDatabaseChanges(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	l.license(license(t))
	uid := l.create(object{
		"name": "db", "memory_size": 100 << 20, "sharding": true, "shards_count": 1,
		"shard_key_regex": []object{{"regex": `.*\{(?<tag>.*)\}.*`}, {"regex": `(?<tag>.*)`}},
	})
	w := write(func() string { return l.endpoint(l.nodes[0], uid) })
	w.flows(l)
	path := fmt.Sprintf("/v1/bdbs/%d", uid)
	for _, change := range []struct {
		name   string
		body   object
		shards int
	}{
		{"replication on", object{"replication": true}, 2},
		{"persistence on", object{"data_persistence": "aof", "aof_policy": "appendfsync-every-sec"}, 2},
		{"two shards", object{"shards_count": 2, "memory_size": 400 << 20}, 4},
		{"six shards", object{"shards_count": 6}, 12},
		{"eviction and memory", object{"eviction_policy": "allkeys-lru", "memory_size": 1 << 30}, 12},
		{"all nodes serve", object{"proxy_policy": "all-nodes"}, 12},
		{"replication off", object{"replication": false}, 6},
	} {
		o := l.need(l.nodes[0], http.MethodPut, path, change.body)
		if o["status"] != "active-change-pending" || o["action_uid"] == nil {
			t.Errorf("%s: accepted with status %v, action %v", change.name, o["status"], o["action_uid"])
		}
		if status, out := l.ask(l.nodes[0], http.MethodPut, path, object{"memory_size": 1}); status != http.StatusConflict {
			t.Errorf("%s: a second change meanwhile answers %d %v", change.name, status, out)
		}
		l.ready(l.nodes[0], uid)
		action := l.need(l.nodes[0], http.MethodGet, "/v1/actions/"+o["action_uid"].(string), nil)
		if action["status"] != "completed" {
			t.Errorf("%s: the action is %v", change.name, action)
		}
		if !l.inSync(l.nodes[0], change.shards) {
			t.Errorf("%s: shards %v", change.name, l.list(l.nodes[0], "/v1/shards"))
		}
		w.flows(l)
	}
	w.end()
	w.check(t)
	if w.fails > 0 {
		t.Logf("clients noticed %d times: %v", w.fails, w.first)
	}

	l.need(l.nodes[0], http.MethodPut, path, object{"authentication_redis_pass": "s3cret", "tls_mode": "enabled", "enforce_client_authentication": "disabled"})
	l.ready(l.nodes[0], uid)
	addr := l.endpoint(l.nodes[0], uid)
	c := redis.NewClient(&redis.Options{
		Addr: addr, Password: "s3cret", Protocol: 2, DisableIdentity: true,
		TLSConfig: &tls.Config{RootCAs: l.proxyCA(), ServerName: "redis-10000." + clusterName},
	})
	if v, err := c.Get(t.Context(), w.key(0)).Result(); err != nil || v != "0" {
		t.Errorf("with TLS and password: %q, %v", v, err)
	}
	must(t, c.Close())

	l.need(l.nodes[0], http.MethodDelete, path, nil)
	l.await("the database is gone", func() bool {
		status, _ := l.ask(l.nodes[0], http.MethodGet, path, nil)
		return status == http.StatusNotFound
	})
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		t.Error("the endpoint of a deleted database still listens")
	}
}

// proxyCA is the certificate that endpoints show.
func (l *lab) proxyCA() *x509.CertPool {
	pool := x509.NewCertPool()
	certs := l.need(l.nodes[0], http.MethodGet, "/v1/cluster/certificates", nil)
	pool.AppendCertsFromPEM([]byte(certs["proxy_cert"].(string)))
	return pool
}

// killShard kills the redis-server process of a database's master.
func killShard(t *testing.T, l *lab, uid int64) {
	t.Helper()
	n := l.nodes[l.masterNode(l.nodes[0], uid)]
	must(t, n.KillMaster(uid))
}
