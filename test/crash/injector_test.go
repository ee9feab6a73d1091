package crash

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestFaults proves that each fault does what its name says: whether the call arrives, and what the caller learns.
func TestFaults(t *testing.T) {
	cases := []struct {
		fault   Fault
		method  string
		arrives bool
		status  int // 0 for an error
		body    string
		killed  bool
	}{
		{fault: Kill, method: http.MethodPost, killed: true},
		{fault: KillAfter, method: http.MethodPost, arrives: true, killed: true},
		{fault: Fail, method: http.MethodPost, status: http.StatusServiceUnavailable, body: "injected"},
		{fault: Timeout, method: http.MethodPost},
		{fault: Lost, method: http.MethodPost, arrives: true},
		{fault: Stale, method: http.MethodGet, arrives: true, status: http.StatusOK, body: "first"},
		{fault: Fail, method: http.MethodGet, arrives: true, status: http.StatusServiceUnavailable, body: "injected"},
		{fault: Timeout, method: http.MethodGet, arrives: true},
	}
	for _, c := range cases {
		t.Run(c.method+" "+string(c.fault), func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, []string{"first", "second", "third"}[calls.Add(1)-1])
			}))
			defer server.Close()
			killed := false
			injector := &Injector{Point: Point{At: 2, Fault: c.fault}, Kill: func() { killed = true }}
			client := &http.Client{Transport: injector.Wrap("redis", http.DefaultTransport)}
			defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			if status, body := call(t, client, c.method, server.URL); status != http.StatusOK || body != "first" {
				t.Fatalf("the first call is spoilt: %d %s", status, body)
			}
			status, body := call(t, client, c.method, server.URL)
			if status != c.status || body != c.body {
				t.Errorf("the caller gets %d %q, want %d %q", status, body, c.status, c.body)
			}
			if arrived := calls.Load() == 2; arrived != c.arrives {
				t.Errorf("the call arrives: %v, want %v", arrived, c.arrives)
			}
			if hit, fault := injector.Hit(); killed != c.killed || fault != c.fault || !strings.HasPrefix(hit, "redis "+c.method) {
				t.Errorf("killed %v, hit %q with %q", killed, hit, fault)
			}
			status, _ = call(t, client, c.method, server.URL)
			if alive := status == http.StatusOK; alive == c.killed {
				t.Errorf("the call after the fault works: %v", alive)
			}
		})
	}
}

// call returns status 0 for an error.
func call(t *testing.T, client *http.Client, method, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestPoints: the same answer again is no point, and a call is found by its name whatever its namespace and its object's number or GUID.
func TestPoints(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}`)
	}))
	defer server.Close()
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	injector := &Injector{Point: Point{On: "redis PUT /v1/bdbs/N", Fault: Lost}}
	client := &http.Client{Transport: injector.Wrap("redis", http.DefaultTransport)}
	for range 3 {
		call(t, client, http.MethodGet, server.URL+"/api/v1/namespaces/some/pods")
	}
	if status, _ := call(t, client, http.MethodPut, server.URL+"/v1/bdbs/12"); status != 0 {
		t.Errorf("the call was not found by its name")
	}
	call(t, client, http.MethodPatch, server.URL+"/v1/crdbs/ed6ca742-7b5c-4c3a-9146-354eb1cb4f86/updates")
	if calls := strings.Join(injector.Calls(), "; "); calls != "redis GET /api/v1/pods; redis PUT /v1/bdbs/N; redis PATCH /v1/crdbs/N/updates" {
		t.Errorf("the calls are %s", calls)
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		a, b State
		want string
	}{
		{State{"a", "b"}, State{"b", "c"}, "- a\n+ c"},
		{State{"database"}, State{"database", "database"}, "+ database"},
		{State{"node", "node"}, State{"node"}, "- node"},
		{State{"a", "b"}, State{"b", "a"}, ""},
	} {
		if diff := c.a.Diff(c.b); diff != c.want {
			t.Errorf("%v against %v: %q, want %q", c.a, c.b, diff, c.want)
		}
	}
}
