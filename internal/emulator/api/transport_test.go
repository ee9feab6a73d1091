package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
)

func TestEveryAnswerLooksLikeTheProduct(t *testing.T) {
	b := newBench(t, 1)
	r := b.get("/v1/cluster")
	r.is(200, "")
	if got := r.header.Get("server"); got != "envoy" {
		t.Errorf("server header %q", got)
	}
	before, err := strconv.Atoi(r.header.Get("cluster-state-id"))
	if err != nil {
		t.Fatalf("cluster-state-id: %v", err)
	}
	after, _ := strconv.Atoi(b.put("/v1/cluster", `{"email_from":"a@b"}`).header.Get("cluster-state-id"))
	if after <= before {
		t.Errorf("cluster-state-id went from %d to %d on a change", before, after)
	}
}

func TestBadRequests(t *testing.T) {
	b := newBench(t, 1)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"bad JSON", "POST", "/v1/bdbs", `{"name":`, 400, "invalid_schema"},
		{"two values", "POST", "/v1/bdbs", `{} {}`, 400, "invalid_schema"},
		{"a list", "POST", "/v1/bdbs", `[]`, 400, "invalid_schema"},
		{"an unknown field", "POST", "/v1/bdbs", `{"name":"a","memory_size":1,"nonsense":1}`, 400, "invalid_schema"},
		{"a wrong type", "POST", "/v1/bdbs", `{"name":"a","memory_size":"1"}`, 400, "invalid_schema"},
		{"a null uid", "POST", "/v1/bdbs", `{"name":"a","memory_size":1,"uid":null}`, 400, "invalid_schema"},
		{"an unknown database", "GET", "/v1/bdbs/77", "", 404, "db_not_exist"},
		{"an unknown node", "GET", "/v1/nodes/77", "", 404, "node_not_found"},
		{"an unknown user", "GET", "/v1/users/77", "", 404, "user_not_exist"},
		{"an unknown shard", "GET", "/v1/shards/77", "", 404, "shard_not_exist"},
		{"an unknown action", "GET", "/v1/actions/77", "", 404, "not_found"},
		{"an unknown path", "GET", "/v1/nonsense", "", 404, "not_found"},
		{"an unknown method", "POST", "/v1/bootstrap", "", 404, "not_found"},
		{"no list of endpoints", "GET", "/v1/endpoints", "", 404, "not_found"},
		{"a misspelt path", "GET", "/v1/boostrap", "", 404, "not_found"},
		{"an unknown schema", "GET", "/v1/jsonschema?object=nonsense", "", 406, "invalid_param"},
	} {
		t.Run(c.name, func(t *testing.T) { b.in(t).do(c.method, c.path, c.body).is(c.status, c.code) })
	}
}

func TestABodyNeedsItsContentType(t *testing.T) {
	b := newBench(t, 1)
	r := b.do("POST", "/v1/roles", `{"name":"x"}`, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	})
	r.is(400, "invalid_schema")
	b.do("POST", "/v1/roles", `{"name":"x"}`, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json;charset=utf-8")
	}).is(200, "")
}

func TestMissingOrWrongCredentialsGetAnEmpty401(t *testing.T) {
	b := newBench(t, 1)
	for name, edit := range map[string]func(*http.Request){
		"none":        func(r *http.Request) { r.Header.Del("Authorization") },
		"wrong":       func(r *http.Request) { r.SetBasicAuth(admin, "no") },
		"stranger":    func(r *http.Request) { r.SetBasicAuth("x@y", password) },
		"bad token":   func(r *http.Request) { r.Header.Set("Authorization", "JWT a.b.c") },
		"empty token": func(r *http.Request) { r.Header.Set("Authorization", "JWT ") },
	} {
		t.Run(name, func(t *testing.T) {
			r := b.in(t).do("GET", "/v1/bdbs", "", edit)
			r.is(401, "")
			if len(r.body) != 0 {
				t.Errorf("a 401 has no body, got %s", r.body)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	b := newBench(t, 1)
	token, _ := b.post("/v1/users/authorize", `{"ttl":600}`).ok()["access_token"].(string)
	with := func(header string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", header) }
	}
	b.do("GET", "/v1/bdbs", "", with("JWT "+token)).is(200, "")
	b.do("GET", "/v1/bdbs", "", with("Bearer "+token)).is(200, "")
	fresh, _ := b.do("POST", "/v1/users/refresh_jwt", "", with("JWT "+token)).ok()["access_token"].(string)
	b.now = b.now.Add(301 * time.Second)
	b.do("GET", "/v1/bdbs", "", with("JWT "+fresh)).is(401, "")
	b.do("GET", "/v1/bdbs", "", with("JWT "+token)).is(200, "")
	b.now = b.now.Add(300 * time.Second)
	b.do("GET", "/v1/bdbs", "", with("JWT "+token)).is(401, "")
	b.post("/v1/users/authorize", `{"ttl":86401}`).is(400, "invalid_schema")
	b.post("/v1/users/refresh_jwt", "").is(401, "")
	body := fmt.Sprintf(`{"username":%q,"password":%q}`, admin, password)
	b.as("", "").post("/v1/users/authorize", body).is(200, "")
	b.as("", "").post("/v1/users/authorize", "").is(401, "")
}

func TestBasicAuthenticationCanBeSwitchedOff(t *testing.T) {
	b := newBench(t, 1)
	token, _ := b.post("/v1/users/authorize", "").ok()["access_token"].(string)
	b.put("/v1/cluster", `{"control_plane_basic_authentication":false}`).is(200, "")
	b.get("/v1/cluster").is(401, "")
	b.do("GET", "/v1/cluster", "", func(r *http.Request) { r.Header.Set("Authorization", "JWT "+token) }).is(200, "")
}

func TestFiveFailuresLockAUserOut(t *testing.T) {
	b := newBench(t, 1)
	wrong := b.as(admin, "wrong")
	for range 4 {
		wrong.get("/v1/bdbs").is(401, "")
	}
	b.get("/v1/bdbs").is(200, "") // a success clears the count
	for range 5 {
		wrong.get("/v1/bdbs").is(401, "")
	}
	b.get("/v1/bdbs").is(401, "")
	b.now = b.now.Add(1799 * time.Second)
	b.get("/v1/bdbs").is(401, "")
	b.now = b.now.Add(2 * time.Second)
	b.get("/v1/bdbs").is(200, "")
}

func TestBeforeBootstrapOnlyBootstrapAnswers(t *testing.T) {
	b := newBench(t, 0).as("", "")
	o := b.get("/v1/bootstrap").ok()
	if state := o["bootstrap_status"].(map[string]any)["state"]; state != "idle" {
		t.Errorf("state %v", state)
	}
	for _, path := range []string{"/", "/v1/cluster", "/v1/nonsense", "/v1/local/node/master_healthcheck"} {
		b.get(path).is(503, "no_cluster")
	}
	if id := b.get("/v1/bootstrap").header.Get("cluster-state-id"); id != "" {
		t.Errorf("cluster-state-id %q before there is a cluster", id)
	}
}

func TestBootstrap(t *testing.T) {
	b := newBench(t, 0).as("", "")
	good := `{"action":"create_cluster","cluster":{"name":"c.local"},"credentials":{"username":"a@b","password":"p"}}`
	b.post("/v1/bootstrap/create_cluster", `{"cluster":{"name":"c.local"}}`).is(400, "invalid_schema")
	b.post("/v1/bootstrap/create_cluster", `{"cluster":{"name":"a_b"},"credentials":{"username":"a","password":"p"}}`).is(400, "invalid_schema")
	b.post("/v1/bootstrap/join_cluster", good).is(400, "invalid_schema")
	b.post("/v1/bootstrap/nonsense", good).is(404, "not_found")
	r := b.post("/v1/bootstrap/validate/create_cluster", `{"cluster":{},"credentials":{"username":"a","password":"p"}}`)
	r.is(406, "")
	if code := r.object()["bootstrap_status"].(map[string]any)["error_code"]; code != "config_error" {
		t.Errorf("validate says %v", code)
	}
	b.post("/v1/bootstrap/validate/create_cluster", good).is(200, "")
	b.post("/v1/bootstrap/join_cluster",
		`{"action":"join_cluster","cluster":{"nodes":["127.0.0.9"]},"credentials":{"username":"a","password":"p"}}`).is(200, "")
	status := b.get("/v1/bootstrap").ok()["bootstrap_status"].(map[string]any)
	if status["state"] != "error" || status["error_code"] != "connect_error" || status["error_details"].(map[string]any)["message"] == "" {
		t.Errorf("after a failed join: %v", status)
	}
	b.post("/v1/bootstrap/create_cluster", good).is(200, "")
	b.post("/v1/bootstrap/create_cluster", good).is(409, "bootstrap_in_progress")
	b.get("/v1/bootstrap").is(401, "")
	if state := b.as("a@b", "p").get("/v1/bootstrap").ok()["bootstrap_status"].(map[string]any)["state"]; state != "completed" {
		t.Errorf("state %v", state)
	}
}

func TestFollowersRedirect(t *testing.T) {
	b := newBench(t, 3)
	b.engine.Follow("172.18.0.3:9443")
	r := b.get("/v1/bdbs?fields=uid")
	r.is(307, "")
	if got, want := r.header.Get("Location"), "https://172.18.0.3:9443/v1/bdbs?fields=uid"; got != want {
		t.Errorf("Location %s, want %s", got, want)
	}
	b.post("/v1/bdbs", `{"name":"x","memory_size":1}`).is(307, "")
	b.get("/v1/local/node/master_healthcheck").is(200, "")
	b.get("/v1/bootstrap").is(200, "")
	b.as(admin, "wrong").get("/v1/bdbs").is(401, "")
}

func TestFollowersCarryRequestsOnWhenTold(t *testing.T) {
	b := newBench(t, 3)
	b.put("/v1/cluster", `{"handle_redirects":true}`).is(200, "")
	leader := newBench(t, 3)
	server := httptest.NewTLSServer(leader.handler)
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	b.engine.Follow(server.Listener.Addr().String())
	follower := api.New(api.Options{Engine: b.engine, Transport: server.Client().Transport})
	req := httptest.NewRequest("GET", "/v1/nodes", nil)
	req.SetBasicAuth(admin, password)
	w := httptest.NewRecorder()
	follower.ServeHTTP(w, req)
	if w.Code != 200 || len(w.Header().Values("server")) != 1 {
		t.Fatalf("status %d, headers %v", w.Code, w.Header())
	}
}

func TestWithoutQuorum(t *testing.T) {
	b := newBench(t, 3)
	b.engine.LoseQuorum(true)
	b.get("/v1/bdbs").is(503, "no_quorum")
	if got := b.get("/v1/local/node/master_healthcheck").ok()["status"]; got != "inactive" {
		t.Errorf("health %v", got)
	}
	b.get("/v1/local/bdbs/1/endpoint/availability").is(503, "no_quorum")
	b.get("/v1/bootstrap").is(200, "")
	b.engine.LoseQuorum(false)
	if got := b.get("/v1/local/node/master_healthcheck").ok()["status"]; got != "active" {
		t.Errorf("health %v", got)
	}
}

func TestTheHealthcheckMayBeOpen(t *testing.T) {
	b := newBench(t, 1)
	stranger := b.as("", "")
	stranger.get("/v1/local/node/master_healthcheck").is(401, "")
	b.put("/v1/cluster/policy", `{"master_healthcheck_api_auth":false}`).is(200, "")
	stranger.get("/v1/local/node/master_healthcheck").is(200, "")
}

func TestRequestLog(t *testing.T) {
	b := newBench(t, 1)
	b.get("/v1/bdbs?fields=uid")
	b.as(admin, "wrong").get("/v1/cluster")
	want := []api.Request{
		{Method: "GET", Path: "/v1/bdbs", Query: "fields=uid", Status: 200, User: admin},
		{Method: "GET", Path: "/v1/cluster", Status: 401},
	}
	if fmt.Sprint(b.log.seen) != fmt.Sprint(want) {
		t.Errorf("log %v, want %v", b.log.seen, want)
	}
}

func TestJoin(t *testing.T) {
	member := newBench(t, 1)
	server := httptest.NewTLSServer(member.handler)
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	ask := func(pass string, nodes ...string) (string, error) {
		req := api.BootstrapRequest{Username: admin, Password: pass, JoinNodes: nodes}
		reply, err := api.Join(t.Context(), client, req, []byte(`{"addr":"127.0.0.2"}`))
		return string(reply), err
	}
	addr := server.Listener.Addr().String()
	reply, err := ask(password, "127.0.0.1:1", addr)
	if err != nil || reply != `{"welcome":{"addr":"127.0.0.2"}}`+"\n" {
		t.Fatalf("join: %q, %v", reply, err)
	}
	for name, c := range map[string]struct{ pass, node, code string }{
		"wrong password":   {"wrong", addr, "access_denied"},
		"unreachable node": {password, "127.0.0.1:1", "connect_error"},
	} {
		_, err := ask(c.pass, c.node)
		if e := (*api.Error)(nil); !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	outside := newBench(t, 0)
	alone := httptest.NewTLSServer(outside.handler)
	defer alone.Close()
	_, err = api.Join(t.Context(), alone.Client(), api.BootstrapRequest{
		Username: admin, Password: password, JoinNodes: []string{alone.Listener.Addr().String()},
	}, nil)
	alone.Client().CloseIdleConnections()
	if e := (*api.Error)(nil); !errors.As(err, &e) || e.Code != "connect_error" {
		t.Errorf("a node outside a cluster: %v", err)
	}
}
