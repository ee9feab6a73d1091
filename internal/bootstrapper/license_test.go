package bootstrapper

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// A cluster whose licence has run out changes nothing any more, and tells all the same.
func TestREC16_REC74_AnExpiredLicenceLeavesPodsReady(t *testing.T) {
	status := "active"
	answers := map[string]func() string{
		"/v1/bootstrap": func() string {
			return `{"bootstrap_status":{"state":"completed"},"local_node_info":{"uid":"2"}}`
		},
		"/v1/nodes/2":      func() string { return fmt.Sprintf(`{"uid":2,"addr":"10.0.0.2","status":%q}`, status) },
		"/v1/nodes/status": func() string { return `{"2":{"role":"slave"}}` },
		"/v1/shards":       func() string { return `[]` },
		"/v1/bdbs":         func() string { return `[]` },
		"/v1/license":      func() string { return `{"expired":true}` },
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := answers[r.URL.Path]
		switch {
		case r.Method != http.MethodGet:
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `{"error_code":"license_expired","description":"the license has expired"}`)
		case answer == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = fmt.Fprint(w, answer())
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	for file, content := range map[string]string{"username": "demo@example.com", "password": "right"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node := NewRESTNode(strings.TrimPrefix(server.URL, "https://"), "example.com", dir)
	defer node.Close()
	a := newAgent(nil, &fakeBoard{data: board.Data{names.BoardFormed: "true"}})
	a.Node = node
	if facts, _ := a.look(t.Context()); facts.State != Completed || facts.UID != "2" {
		t.Fatalf("%+v", facts)
	}
	if duty, err := node.Duty(t.Context(), "2"); err != nil || !duty.Active {
		t.Fatalf("%+v, %v", duty, err)
	}
	for _, path := range []string{names.PathStartup, names.PathLive, names.PathReady} {
		if code := get(a, path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
	status = "down"
	if code := get(a, names.PathReady); code == http.StatusOK {
		t.Error("ready although the cluster counts the node as down")
	}
}
