package recorded_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/recorded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user   = "admin@cluster.test"
	secret = "correct horse"
)

// TestDifferences is the check of the check.
func TestDifferences(t *testing.T) {
	e := recorded.Exchange{Path: "/x", Fields: map[string][]string{
		"uid": {"int"}, "size": {"float"}, "name": {"text", "null"}, "list": {"list"}, "list[]": {"object"}, "list[].a": {"int"},
	}}
	for answer, want := range map[string]int{
		`{"uid":1,"size":1.0,"name":"a","list":[{"a":1}],"more":1}`: 0,
		`{"uid":1,"size":1.0,"name":null,"list":[]}`:                0,
		`{"uid":1,"size":1,"name":"a","list":[]}`:                   1,
		`{"uid":"1","size":1.0,"list":[{"b":1}]}`:                   3,
		`nonsense`: 1,
	} {
		if got := e.Differences([]byte(answer)); len(got) != want {
			t.Errorf("%s: %v, want %d", answer, got, want)
		}
	}
}

// node is an emulated node with its processes.
type node struct {
	*emulator.Node
	t      *testing.T
	client *http.Client
}

func startNode(t *testing.T) *node {
	t.Helper()
	n, err := emulator.New(emulator.Config{Addr: freeHost(t), Dir: t.TempDir(), TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The node is a stranger whose certificate nobody knows yet.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	t.Cleanup(func() {
		if err := n.Kill(); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
	})
	return &node{Node: n, t: t, client: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

func freeHost(t *testing.T) string {
	t.Helper()
	for i := 1; i < 250; i++ {
		host := fmt.Sprintf("127.94.%d.%d", time.Now().UnixNano()>>10&127, i)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", host+":9443")
		if err == nil {
			_ = l.Close()
			return host
		}
	}
	t.Fatal("no free loopback address")
	return ""
}

func (n *node) ask(method, path, body string) (int, []byte) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, n.URL()+path, bytes.NewBufferString(body))
	if err != nil {
		n.t.Fatal(err)
	}
	req.SetBasicAuth(user, secret)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, []byte(err.Error())
	}
	return resp.StatusCode, data
}

// until polls a path until its answer has the value at the key path.
func (n *node) until(path, want string, keys ...string) {
	n.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		status, body := n.ask("GET", path, "")
		var v any
		_ = json.Unmarshal(body, &v)
		for _, k := range keys {
			o, _ := v.(map[string]any)
			v = o[k]
		}
		if status == 200 && v == want {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("%s: %d %s, want %s", path, status, body, want)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (n *node) must(method, path, body string) {
	n.t.Helper()
	if status, answer := n.ask(method, path, body); status != 200 {
		n.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
}

// TestEmulatedNode runs the recorded exchanges against a node with real processes.
func TestEmulatedNode(t *testing.T) {
	n := startNode(t)
	n.must("POST", "/v1/bootstrap/create_cluster", fmt.Sprintf(
		`{"action":"create_cluster","cluster":{"name":"cluster.test"},"credentials":{"username":%q,"password":%q}}`, user, secret))
	n.until("/v1/bootstrap", "completed", "bootstrap_status", "state")
	n.must("POST", "/v1/bdbs", `{"name":"recorded","memory_size":104857600}`)
	n.until("/v1/bdbs/1", "active", "status")
	n.must("POST", "/v1/nodes/1/actions/maintenance_on", "")
	n.until("/v1/nodes/1/actions/maintenance_on", "completed", "status")
	compared := 0
	for _, e := range recorded.Exchanges() {
		t.Run(e.Path, func(t *testing.T) {
			status, body := n.ask("GET", e.Path, "")
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			compared += len(e.Fields)
			for _, problem := range e.Differences(body) {
				t.Error(problem)
			}
		})
	}
	if compared < 500 {
		t.Errorf("only %d recorded fields were compared", compared)
	}
	n.must("POST", "/v1/nodes/1/actions/maintenance_off", "")
	n.until("/v1/nodes/1/actions/maintenance_off", "completed", "status")
	n.checkStatuses()
}

// checkStatuses asks for everything that a live cluster was asked for.
func (n *node) checkStatuses() {
	n.t.Helper()
	var actions []struct {
		UID string `json:"action_uid"`
	}
	var modules []struct {
		UID string `json:"uid"`
	}
	for path, into := range map[string]any{"/v2/actions": &actions, "/v1/modules": &modules} {
		_, body := n.ask("GET", path, "")
		if err := json.Unmarshal(body, into); err != nil {
			n.t.Fatalf("%s: %v", path, err)
		}
	}
	objects := map[string]string{
		"bdb": "1", "node": "1", "shard": "1", "suffix": "cluster.test", "action": actions[0].UID, "module": modules[0].UID,
	}
	for _, s := range recorded.Statuses() {
		if status, body := n.ask("GET", s.In(objects), ""); status != s.Want {
			n.t.Errorf("GET %s: %d %s, recorded %d", s.In(objects), status, body, s.Want)
		}
	}
	if len(recorded.Statuses()) < 90 {
		n.t.Errorf("only %d recorded statuses", len(recorded.Statuses()))
	}
}
