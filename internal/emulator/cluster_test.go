package emulator_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	clusterName = "cluster.test"
	admin       = "admin@cluster.test"
	secret      = "correct horse"
)

var subnet atomic.Uint32

func init() { subnet.Store(rand.Uint32N(1 << 14)) }

// freshHost is a loopback address nobody uses.
func freshHost(t *testing.T) string {
	t.Helper()
	for range 100 {
		n := subnet.Add(1)
		host := fmt.Sprintf("127.%d.%d.%d", 130+n>>14%64, n>>7%128, 1+n%128)
		l, err := net.Listen("tcp", host+":9443")
		if err == nil {
			_ = l.Close()
			return host
		}
	}
	t.Fatal("no free loopback address")
	return ""
}

// lab is a set of nodes and a client of their admin API.
type lab struct {
	t      *testing.T
	client *http.Client
	nodes  []*emulator.Node
	dirs   []string
	tweak  func(*emulator.Config)
}

func newLab(t *testing.T, size int, tweak func(*emulator.Config)) *lab {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	l := &lab{t: t, tweak: tweak}
	l.client = &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		r.SetBasicAuth(admin, secret)
		return nil
	}}
	for range size {
		l.add()
	}
	t.Cleanup(func() {
		for _, n := range l.nodes {
			if err := n.Kill(); err != nil {
				t.Error(err)
			}
		}
		transport.CloseIdleConnections()
	})
	return l
}

func (l *lab) add() *emulator.Node {
	l.t.Helper()
	l.dirs = append(l.dirs, l.t.TempDir())
	l.nodes = append(l.nodes, nil)
	return l.boot(len(l.nodes)-1, freshHost(l.t))
}

// boot starts node i (again) on an address.
func (l *lab) boot(i int, host string) *emulator.Node {
	l.t.Helper()
	level := slog.LevelError + 8
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	c := emulator.Config{
		Addr: host, Dir: l.dirs[i], Hostname: fmt.Sprintf("node-%d", i), OperationDelay: 50 * time.Millisecond,
		FailureTimeout: 1200 * time.Millisecond,
		Logger:         slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	if l.tweak != nil {
		l.tweak(&c)
	}
	n, err := emulator.New(c)
	must(l.t, err)
	l.nodes[i] = n
	must(l.t, n.Launch(l.t.Context()))
	return n
}

type object = map[string]any

// ask does one request to a node and decodes the answer, whatever it is.
func (l *lab) ask(n *emulator.Node, method, path string, body any) (int, any) {
	l.t.Helper()
	status, out, err := l.try(n, method, path, body)
	if err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
	return status, out
}

func (l *lab) try(n *emulator.Node, method, path string, body any) (int, any, error) {
	return l.tryWith(n, method, path, body, http.Header{})
}

// tryWith is try with headers of one's own.
func (l *lab) tryWith(n *emulator.Node, method, path string, body any, header http.Header) (int, any, error) {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, n.URL()+path, payload)
	if err != nil {
		return 0, nil, err
	}
	for key := range header {
		req.Header.Set(key, header.Get(key))
	}
	req.SetBasicAuth(admin, secret)
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var out any
	_ = json.NewDecoder(resp.Body).Decode(&out)
	return resp.StatusCode, out, nil
}

// need is ask for an object and status 200.
func (l *lab) need(n *emulator.Node, method, path string, body any) object {
	l.t.Helper()
	status, out := l.ask(n, method, path, body)
	if status != http.StatusOK {
		l.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	o, _ := out.(object)
	return o
}

func (l *lab) list(n *emulator.Node, path string) []object {
	_, out, _ := l.try(n, http.MethodGet, path, nil)
	list, _ := out.([]any)
	var objects []object
	for _, e := range list {
		o, _ := e.(object)
		objects = append(objects, o)
	}
	return objects
}

func (l *lab) bootstrapped(n *emulator.Node) (state string, answer object) {
	_, out, _ := l.try(n, http.MethodGet, "/v1/bootstrap", nil)
	answer, _ = out.(object)
	status, _ := answer["bootstrap_status"].(object)
	state, _ = status["state"].(string)
	return state, status
}

func createBody() object {
	return object{
		"action": "create_cluster", "cluster": object{"name": clusterName},
		"credentials": object{"username": admin, "password": secret},
	}
}

func joinBody(to string) object {
	return object{
		"action": "join_cluster", "cluster": object{"name": clusterName, "nodes": []string{to}},
		"credentials": object{"username": admin, "password": secret},
	}
}

// form makes one cluster of all nodes.
func (l *lab) form() {
	l.t.Helper()
	l.need(l.nodes[0], http.MethodPost, "/v1/bootstrap/create_cluster", createBody())
	l.await("the cluster is created", func() bool { s, _ := l.bootstrapped(l.nodes[0]); return s == "completed" })
	for _, n := range l.nodes[1:] {
		l.need(n, http.MethodPost, "/v1/bootstrap/join_cluster", joinBody(l.nodes[0].Addr()))
		l.await("a node has joined", func() bool { s, _ := l.bootstrapped(n); return s == "completed" })
	}
	l.await("all nodes are active", func() bool { return l.active(l.nodes[0]) == len(l.nodes) })
}

func (l *lab) active(n *emulator.Node) int {
	count := 0
	for _, o := range l.list(n, "/v1/nodes") {
		if o["status"] == "active" {
			count++
		}
	}
	return count
}

// license lifts the limit of the trial.
func (l *lab) license(text string) {
	l.need(l.nodes[0], http.MethodPut, "/v1/license", object{"license": text})
}

func (l *lab) create(body object) int64 {
	l.t.Helper()
	o := l.need(l.nodes[0], http.MethodPost, "/v1/bdbs", body)
	uid := number(o["uid"])
	l.ready(l.nodes[0], uid)
	return uid
}

func (l *lab) ready(n *emulator.Node, uid int64) {
	l.t.Helper()
	l.await("the database is ready", func() bool {
		bdb := l.bdb(n, uid)
		status, _, _ := l.try(n, http.MethodGet, fmt.Sprintf("/v1/bdbs/%d/availability", uid), nil)
		return bdb["status"] == "active" && status == http.StatusOK
	})
}

func (l *lab) bdb(n *emulator.Node, uid int64) object {
	_, out, _ := l.try(n, http.MethodGet, "/v1/bdbs/"+strconv.FormatInt(uid, 10), nil)
	o, _ := out.(object)
	return o
}

// endpoint is where clients reach a database now.
func (l *lab) endpoint(n *emulator.Node, uid int64) string {
	endpoints, _ := l.bdb(n, uid)["endpoints"].([]any)
	if len(endpoints) == 0 {
		return ""
	}
	e, _ := endpoints[0].(object)
	addrs, _ := e["addr"].([]any)
	if len(addrs) == 0 {
		return ""
	}
	return fmt.Sprintf("%v:%d", addrs[0], number(e["port"]))
}

// inSync tells whether all shards are as they should be.
func (l *lab) inSync(n *emulator.Node, want int) bool {
	shards := l.list(n, "/v1/shards")
	for _, s := range shards {
		if s["status"] != "active" || s["detailed_status"] != "ok" {
			return false
		}
	}
	return len(shards) == want
}

// masterNode is the index of the node that holds the (first) master of a database.
func (l *lab) masterNode(n *emulator.Node, uid int64) (found int) {
	l.t.Helper()
	l.await("a master is listed", func() bool {
		var holder any
		for _, s := range l.list(n, "/v1/shards") {
			if s["role"] == "master" && number(s["bdb_uid"]) == uid {
				holder = s["node_uid"]
				break
			}
		}
		for _, o := range l.list(n, "/v1/nodes") {
			if holder == strconv.FormatInt(number(o["uid"]), 10) {
				found = l.index(o["addr"].(string))
				return true
			}
		}
		return false
	})
	return found
}

func (l *lab) index(addr string) int {
	for i, n := range l.nodes {
		if n.Addr() == addr {
			return i
		}
	}
	l.t.Fatalf("no node has address %s", addr)
	return 0
}

// other is a node that is not i.
func (l *lab) other(i int) *emulator.Node { return l.nodes[(i+1)%len(l.nodes)] }

func (l *lab) await(what string, holds func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			l.t.Fatalf("did not come true: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func number(v any) int64 {
	f, _ := v.(float64)
	return int64(f)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type emulatorNode = emulator.Node

// license is a licence for many shards.
func license(t *testing.T) string {
	t.Helper()
	text, err := schema.LicenseText(object{"shards_limit": 100, "owner": "tests", "expiration_date": "2099-01-01T00:00:00Z"})
	must(t, err)
	return text
}
