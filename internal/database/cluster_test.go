package database

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// cluster is a small stand-in for the admin API behind a real link: databases as JSON objects, nothing asynchronous
// unless a test says so, every write recorded.
type cluster struct {
	mu      sync.Mutex
	bdbs    map[int64]map[string]any
	alerts  map[string]any
	actions []map[string]any
	license map[string]any
	next    int64
	writes  []string
	// answer, when set, may take a request over; it reports whether it did.
	answer func(w http.ResponseWriter, r *http.Request) bool
	down   bool
	// status of databases after a write; "active" unless a test says otherwise.
	status string
}

func newCluster() *cluster {
	return &cluster{bdbs: map[int64]map[string]any{}, alerts: map[string]any{}, next: 1, status: rest.BDBActive}
}

// RoundTrip makes the stand-in the network of a link.
func (c *cluster) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return nil, fmt.Errorf("no route to host")
	}
	w := httptest.NewRecorder()
	if r.Method != http.MethodGet {
		c.writes = append(c.writes, r.Method+" "+r.URL.Path)
	}
	if c.answer == nil || !c.answer(w, r) {
		c.serve(w, r)
	}
	response := w.Result()
	if response.StatusCode == statusLost {
		return nil, fmt.Errorf("connection reset by peer")
	}
	return response, nil
}

// statusLost makes the answer disappear after the request took effect.
const statusLost = 299

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	id, hasID := strings.CutPrefix(r.URL.Path, "/v1/bdbs/")
	uid, err := strconv.ParseInt(id, 10, 64)
	switch path := r.URL.Path; {
	case path == "/v1/bdbs" && r.Method == http.MethodGet:
		list := []any{}
		for _, uid := range slices.Sorted(maps.Keys(c.bdbs)) {
			list = append(list, c.bdbs[uid])
		}
		reply(w, list)
	case path == "/v1/bdbs":
		c.create(w, r)
	case path == "/v1/bdbs/alerts":
		reply(w, c.alerts)
	case strings.HasPrefix(path, "/v1/bdbs/alerts/"):
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		c.alerts[strings.TrimPrefix(path, "/v1/bdbs/alerts/")] = body
	case hasID && err == nil:
		c.one(w, r, uid)
	case path == "/v1/nodes":
		reply(w, []any{map[string]any{"uid": 1, "status": "active", "addr": "10.0.0.1"}})
	case path == "/v1/nodes/status":
		reply(w, map[string]any{})
	case path == "/v1/cluster":
		reply(w, map[string]any{"name": "rec.ns.svc.cluster.local"})
	case path == "/v1/actions":
		reply(w, map[string]any{"actions": c.actions})
	case path == "/v1/modules":
		reply(w, []any{map[string]any{"uid": "m", "module_name": "search", "semantic_version": "8.2.1"}})
	case path == "/v1/license" && c.license != nil:
		reply(w, c.license)
	case path == "/v1/shards":
		reply(w, c.shards())
	default:
		fail(w, http.StatusNotFound, "not_found", path)
	}
}

func (c *cluster) create(w http.ResponseWriter, r *http.Request) {
	var bdb map[string]any
	if err := json.NewDecoder(r.Body).Decode(&bdb); err != nil {
		fail(w, http.StatusBadRequest, "bad_json", err.Error())
		return
	}
	uid := c.next
	c.next++
	port, _ := bdb["port"].(float64)
	if port == 0 {
		port = float64(12000 + uid)
	}
	bdb["uid"], bdb["status"], bdb["version"] = uid, c.status, "8.2.1"
	bdb["created_time"], bdb["last_changed_time"] = "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
	bdb["endpoints"] = []any{map[string]any{"uid": fmt.Sprintf("%d:1", uid), "dns_name": fmt.Sprintf("redis-%d.rec", int(port)),
		"port": port, "addr": []any{"10.0.0.1"}, "addr_type": "internal", "proxy_policy": bdb["proxy_policy"]}}
	c.bdbs[uid] = bdb
	answer := maps.Clone(bdb)
	answer["action_uid"] = fmt.Sprintf("action-%d", uid)
	reply(w, answer)
}

func (c *cluster) one(w http.ResponseWriter, r *http.Request, uid int64) {
	bdb, there := c.bdbs[uid]
	switch {
	case !there:
		fail(w, http.StatusNotFound, "db_not_exist", "no such database")
	case r.Method == http.MethodDelete:
		delete(c.bdbs, uid)
	case r.Method == http.MethodPut:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		delete(body, "endpoint")
		maps.Copy(bdb, body)
		answer := maps.Clone(bdb)
		answer["action_uid"], answer["status"] = fmt.Sprintf("change-%d", len(c.writes)), rest.BDBActiveChangePending
		reply(w, answer)
	default:
		reply(w, bdb)
	}
}

func (c *cluster) shards() []any {
	list := []any{}
	for _, uid := range slices.Sorted(maps.Keys(c.bdbs)) {
		n, _ := c.bdbs[uid]["shards_count"].(float64)
		for i := range int(n) {
			list = append(list, map[string]any{"uid": strconv.Itoa(int(uid)*100 + i), "bdb_uid": uid, "status": "active", "role": "master"})
		}
	}
	return list
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func fail(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error_code": code, "description": text})
}

// with runs a change of the stand-in under its lock.
func (c *cluster) with(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// written returns the writes so far and forgets them.
func (c *cluster) written() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.writes
	c.writes = nil
	return w
}

// names of the databases that exist.
func (c *cluster) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, uid := range slices.Sorted(maps.Keys(c.bdbs)) {
		out = append(out, fmt.Sprint(c.bdbs[uid]["name"]))
	}
	return out
}

// get reads one setting of a database.
func (c *cluster) get(uid int64, key string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bdbs[uid][key]
}

// linkTo connects a registry to the stand-in under the key of the test's cluster.
func linkTo(t *testing.T, c *cluster) *link.Registry {
	t.Helper()
	registry := link.NewRegistry(link.Options{Busy: 10 * time.Millisecond, Idle: 10 * time.Millisecond, Jitter: -1,
		Transport: func(types.NamespacedName) http.RoundTripper { return c }})
	registry.Ensure(types.NamespacedName{Namespace: "ns", Name: "rec"}, link.Target{
		Addresses: []string{"10.0.0.1"}, ServerName: "rec.ns.svc.cluster.local", Credentials: rest.Credentials{Username: "u", Password: "p"}})
	t.Cleanup(registry.Close)
	return registry
}
