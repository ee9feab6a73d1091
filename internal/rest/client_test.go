package rest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

const (
	nodeA = "10.0.0.1:9443"
	nodeB = "10.0.0.2:9443"
	nodeC = "10.0.0.3:9443"
)

func client(t *resttest.Transport, addresses ...string) *rest.Client {
	return rest.New(rest.Options{Addresses: func() []string { return addresses }, Transport: t,
		Credentials: func() rest.Credentials { return rest.Credentials{Username: "admin@example.com", Password: "pw"} }})
}

// asked lists address, method and path of what went out.
func asked(t *resttest.Transport) []string {
	var out []string
	for _, r := range t.Requests() {
		out = append(out, r.Address+" "+r.Method+" "+r.Path)
	}
	return out
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("went out:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestREC65_RedirectsCarryBodyAndCredentials(t *testing.T) {
	var tr resttest.Transport
	tr.On("POST", nodeA+"/v1/bdbs", resttest.Always(resttest.Redirect("10.0.0.2:9443", "/v1/bdbs")))
	tr.On("POST", nodeB+"/v1/bdbs", resttest.Always(resttest.JSON(`{"uid":3,"status":"pending","action_uid":"a"}`)))
	c := client(&tr, "10.0.0.1", "10.0.0.2")
	b, err := c.CreateBDB(context.Background(), &rest.BDB{Name: rest.Ptr("db"), MemorySize: rest.Ptr(rest.Int(5))})
	if err != nil || *b.UID != 3 {
		t.Fatalf("%v %v", b, err)
	}
	expect(t, asked(&tr), nodeA+" POST /v1/bdbs", nodeB+" POST /v1/bdbs")
	for _, r := range tr.Requests() {
		if r.User != "admin@example.com" || r.Password != "pw" || r.Body != `{"name":"db","memory_size":5}` || r.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("sent %+v", r)
		}
	}
	tr.Forget()
	if _, err := c.CreateBDB(context.Background(), &rest.BDB{}); err != nil {
		t.Fatal(err)
	}
	expect(t, asked(&tr), nodeB+" POST /v1/bdbs") // it keeps to the leader
}

func TestRedirectsEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		location string
		code     string
	}{
		"two nodes that send to each other": {location: "https://" + nodeA + "/v1/bdbs", code: "redirect_loop"},
		"a redirect to plain HTTP":          {location: "http://" + nodeA + "/v1/bdbs"},
		"a redirect to nowhere":             {location: ""},
	} {
		t.Run(name, func(t *testing.T) {
			var tr resttest.Transport
			tr.On("POST", "/v1/bdbs", resttest.Always(resttest.Answer{Status: 307, Header: map[string]string{"Location": tc.location}}))
			_, err := client(&tr, nodeA).CreateBDB(context.Background(), &rest.BDB{})
			e, ok := rest.As(err)
			if !ok || e.Code != tc.code {
				t.Fatalf("got %v", err)
			}
			if n := len(tr.Requests()); n > 4 {
				t.Fatalf("%d requests", n)
			}
		})
	}
}

func TestMovesOn(t *testing.T) {
	type send func(*rest.Client) error
	read := func(c *rest.Client) error { _, err := c.ListNodes(context.Background()); return err }
	create := func(c *rest.Client) error { _, err := c.CreateBDB(context.Background(), &rest.BDB{}); return err }
	change := func(c *rest.Client) error { _, err := c.UpdateBDB(context.Background(), 1, &rest.BDB{}); return err }
	for _, tc := range []struct {
		name   string
		send   send
		method string
		path   string
		first  resttest.Answer
		body   string
		moves  bool
		check  func(error) bool
	}{
		{name: "a read after nobody answered", send: read, method: "GET", path: "/v1/nodes", first: resttest.Answer{Err: resttest.Refused}, body: "[]", moves: true},
		{name: "a read after a lost answer", send: read, method: "GET", path: "/v1/nodes", first: resttest.Answer{Err: resttest.Lost}, body: "[]", moves: true},
		{name: "a read after 503", send: read, method: "GET", path: "/v1/nodes", first: resttest.Answer{Status: 503, Body: "no healthy upstream"}, body: "[]", moves: true},
		{name: "a read after an answer that is no JSON", send: read, method: "GET", path: "/v1/nodes", first: resttest.JSON("<html>"), body: "[]", moves: true},
		{name: "a read refused with 401 is not repeated", send: read, method: "GET", path: "/v1/nodes", first: resttest.Status(401, "", ""), check: rest.IsUnauthorized},
		{name: "a read refused with 403 is not repeated", send: read, method: "GET", path: "/v1/nodes", first: resttest.Status(403, "", ""), check: rest.IsForbidden},
		{name: "a create after nobody answered", send: create, method: "POST", path: "/v1/bdbs", first: resttest.Answer{Err: resttest.Refused}, body: `{"uid":1}`, moves: true},
		{name: "a create whose answer was lost is not repeated", send: create, method: "POST", path: "/v1/bdbs", first: resttest.Answer{Err: resttest.Lost}, check: rest.MaybeApplied},
		{name: "a create after 503 is not repeated", send: create, method: "POST", path: "/v1/bdbs", first: resttest.Status(503, "", ""), check: rest.MaybeApplied},
		{name: "a create answered without a uid is not repeated", send: create, method: "POST", path: "/v1/bdbs", first: resttest.JSON(""), check: rest.MaybeApplied},
		{name: "an update after nobody answered", send: change, method: "PUT", path: "/v1/bdbs/1", first: resttest.Answer{Err: resttest.Refused}, body: `{}`, moves: true},
		{name: "an update after 503", send: change, method: "PUT", path: "/v1/bdbs/1", first: resttest.Status(503, "", ""), body: `{}`, moves: true},
		{name: "an update whose answer was lost is not repeated", send: change, method: "PUT", path: "/v1/bdbs/1", first: resttest.Answer{Err: resttest.Lost}, check: rest.MaybeApplied},
		{name: "an update of a busy database is not repeated", send: change, method: "PUT", path: "/v1/bdbs/1", first: resttest.Status(409, "db_busy", ""), check: rest.IsBusy},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var tr resttest.Transport
			tr.On(tc.method, nodeA+tc.path, resttest.Always(tc.first))
			tr.On(tc.method, nodeB+tc.path, resttest.Always(resttest.JSON(tc.body)))
			err := tc.send(client(&tr, nodeA, nodeB))
			if !tc.moves {
				expect(t, asked(&tr), nodeA+" "+tc.method+" "+tc.path)
				if !tc.check(err) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			expect(t, asked(&tr), nodeA+" "+tc.method+" "+tc.path, nodeB+" "+tc.method+" "+tc.path)
		})
	}
}

func TestKeepsToTheNodeThatWorks(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/nodes", resttest.Always(resttest.JSON("[]")))
	tr.Once("GET", nodeA+"/v1/nodes", resttest.Always(resttest.Answer{Err: resttest.Refused}))
	c := client(&tr, nodeA, nodeB, nodeC)
	for range 3 {
		if _, err := c.ListNodes(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	line := " GET /v1/nodes"
	expect(t, asked(&tr), nodeA+line, nodeB+line, nodeB+line, nodeB+line)
	if c.Preferred() != nodeB {
		t.Fatal(c.Preferred())
	}
}

func TestNobodyThere(t *testing.T) {
	var tr resttest.Transport
	tr.On("PUT", "/v1/license", resttest.Always(resttest.Answer{Err: resttest.Refused}))
	err := client(&tr, nodeA, nodeB).UpdateLicense(context.Background(), "text")
	if !rest.NeverSent(err) || rest.MaybeApplied(err) || len(tr.Requests()) != 2 {
		t.Fatalf("%v after %d requests", err, len(tr.Requests()))
	}
	err = client(&tr).UpdateLicense(context.Background(), "text")
	if !errors.Is(err, rest.ErrNoAddress) || !rest.NeverSent(err) {
		t.Fatalf("without addresses: %v", err)
	}
}

func TestAnAnswerCountsMoreThanSilence(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", nodeA+"/v1/nodes", resttest.Always(resttest.Status(503, "no_quorum", "no majority")))
	tr.On("GET", nodeB+"/v1/nodes", resttest.Always(resttest.Answer{Err: resttest.Refused}))
	_, err := client(&tr, nodeA, nodeB).ListNodes(context.Background())
	if rest.Code(err) != "no_quorum" {
		t.Fatalf("got %v", err)
	}
}

func TestAtAsksOneNodeOnly(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", nodeB+"/v1/local/node/master_healthcheck", resttest.Always(resttest.JSON(`{"status":"active"}`)))
	tr.On("GET", nodeC+"/v1/local/node/master_healthcheck", resttest.Always(resttest.Status(503, "", "")))
	c := client(&tr, nodeA)
	if sees, err := c.At("10.0.0.2").SeesMaster(context.Background()); err != nil || !sees {
		t.Fatalf("%v %v", sees, err)
	}
	if _, err := c.At(nodeC).SeesMaster(context.Background()); !rest.IsUnavailable(err) {
		t.Fatalf("got %v", err)
	}
	for _, r := range tr.Requests() {
		if r.Address == nodeA {
			t.Fatal("another node was asked")
		}
	}
	if c.Preferred() != "" {
		t.Fatal("a call to one node changed which one is preferred")
	}
}

func TestContextEndsACall(t *testing.T) {
	var tr resttest.Transport
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client(&tr, nodeA, nodeB).ListNodes(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if n := len(tr.Requests()); n != 0 {
		t.Fatalf("%d requests after the end", n)
	}
}

func TestStateID(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/nodes", resttest.Always(resttest.Answer{Status: http.StatusOK, Body: "[]", Header: map[string]string{"cluster-state-id": "77"}}))
	c := client(&tr, nodeA)
	if _, err := c.ListNodes(context.Background()); err != nil || c.StateID() != 77 {
		t.Fatalf("%d %v", c.StateID(), err)
	}
}

func TestIPv6Addresses(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/nodes", resttest.Always(resttest.JSON("[]")))
	if _, err := client(&tr, "fd00::1").ListNodes(context.Background()); err != nil {
		t.Fatal(err)
	}
	expect(t, asked(&tr), "[fd00::1]:9443 GET /v1/nodes")
}
