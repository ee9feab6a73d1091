package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	*faults.Set
	served atomic.Int32
	server *httptest.Server
}

func newBench(t *testing.T) *bench {
	b := &bench{Set: &faults.Set{}}
	b.server = httptest.NewServer(b.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b.served.Add(1)
		_, _ = io.WriteString(w, "served")
	})))
	t.Cleanup(func() {
		b.Clear()
		b.server.CloseClientConnections()
		b.server.Close()
		b.server.Client().CloseIdleConnections()
	})
	return b
}

// ask returns the status, or 0 when the connection broke.
func (b *bench) ask(t *testing.T, method, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A POST without GetBody is not sent again by the transport, so one question is one request.
	resp, err := b.server.Client().Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func (b *bench) add(t *testing.T, r faults.Rule) int {
	t.Helper()
	id, err := b.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNothingIsSpoiledUnasked(t *testing.T) {
	b := newBench(t)
	if status, body := b.ask(t, "POST", "/v1/bdbs"); status != 200 || body != "served" {
		t.Errorf("%d %s", status, body)
	}
}

func TestStatusCountAndSkip(t *testing.T) {
	b := newBench(t)
	id := b.add(t, faults.Rule{Method: "POST", Path: "/v1/bdbs", Kind: faults.Status, Body: "busy", Skip: 1, Count: 2})
	want := []int{200, 503, 503, 200}
	for i, w := range want {
		if status, _ := b.ask(t, "POST", "/v1/bdbs"); status != w {
			t.Errorf("request %d: %d, want %d", i, status, w)
		}
	}
	if got := b.Spoiled(id); got != 2 {
		t.Errorf("spoiled %d", got)
	}
	if got := b.served.Load(); got != 2 {
		t.Errorf("served %d", got)
	}
}

func TestRulesKeepToTheirMethodAndPath(t *testing.T) {
	b := newBench(t)
	b.add(t, faults.Rule{Method: "PUT", Path: "/v1/bdbs/*", Kind: faults.Status, Status: 500})
	for path, want := range map[string]int{"/v1/bdbs/1": 500, "/v1/bdbs": 200, "/v1/bdbs/1/flush": 200} {
		if status, _ := b.ask(t, "PUT", path); status != want {
			t.Errorf("PUT %s: %d, want %d", path, status, want)
		}
	}
	if status, _ := b.ask(t, "GET", "/v1/bdbs/1"); status != 200 {
		t.Errorf("GET is not PUT: %d", status)
	}
}

func TestResetDoesNothingAndLostReplyDoesEverything(t *testing.T) {
	b := newBench(t)
	b.add(t, faults.Rule{Kind: faults.Reset, Count: 1})
	if status, _ := b.ask(t, "POST", "/"); status != 0 || b.served.Load() != 0 {
		t.Errorf("reset: %d, served %d", status, b.served.Load())
	}
	b.Clear()
	b.add(t, faults.Rule{Kind: faults.LostReply, Count: 1})
	if status, _ := b.ask(t, "POST", "/"); status != 0 || b.served.Load() != 1 {
		t.Errorf("lost reply: %d, served %d", status, b.served.Load())
	}
}

func TestLatencyWaits(t *testing.T) {
	b := newBench(t)
	b.add(t, faults.Rule{Kind: faults.Latency, Delay: 50 * time.Millisecond})
	start := time.Now()
	if status, _ := b.ask(t, "GET", "/"); status != 200 || time.Since(start) < 50*time.Millisecond {
		t.Errorf("%d after %s", status, time.Since(start))
	}
}

func TestHangLastsUntilTheRuleGoes(t *testing.T) {
	b := newBench(t)
	id := b.add(t, faults.Rule{Kind: faults.Hang})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", b.server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.server.Client().Do(req); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // there is none
		t.Fatalf("a hanging server answered: %v", err)
	}
	done := make(chan int, 1)
	go func() {
		status, _ := b.ask(t, "POST", "/")
		done <- status
	}()
	for b.Spoiled(id) < 2 {
		time.Sleep(time.Millisecond)
	}
	b.Remove(id)
	if status := <-done; status != 0 {
		t.Errorf("a released request was answered with %d", status)
	}
}

func TestRulesOverHTTP(t *testing.T) {
	set := &faults.Set{}
	do := func(method, query, body string) (int, []byte) {
		w := httptest.NewRecorder()
		set.Admin().ServeHTTP(w, httptest.NewRequest(method, "/emulator/faults"+query, bytes.NewBufferString(body)))
		return w.Code, w.Body.Bytes()
	}
	if code, body := do("POST", "", `{"kind":"status","path":"/v1/bdbs"}`); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	for _, bad := range []string{`{"kind":"nonsense"}`, `{"kind":"reset","path":"["}`, `{"kind":"reset","nope":1}`, `{`} {
		if code, _ := do("POST", "", bad); code != 400 {
			t.Errorf("%s: %d", bad, code)
		}
	}
	_, body := do("GET", "", "")
	var rules []faults.Rule
	if err := json.Unmarshal(body, &rules); err != nil || len(rules) != 1 || rules[0].Status != 503 {
		t.Errorf("rules %s, %v", body, err)
	}
	if code, _ := do("DELETE", "?id=9", ""); code != 404 {
		t.Errorf("removing a rule that is not there: %d", code)
	}
	do("DELETE", "?id=1", "")
	if len(set.Rules()) != 0 {
		t.Error("the rule is still there")
	}
	if code, _ := do("PUT", "", ""); code != 405 {
		t.Errorf("PUT: %d", code)
	}
}
