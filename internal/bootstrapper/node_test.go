package bootstrapper

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFactsOfANodeThatRefusesAndDies: while refused credentials rest, the node is still asked whether it lives. Otherwise
// nobody would notice its end before the rest is over, and its pod would not end either.
func TestFactsOfANodeThatRefusesAndDies(t *testing.T) {
	var signed int
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); ok {
			signed++
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	dir := t.TempDir()
	for file, content := range map[string]string{"username": "demo@example.com", "password": "wrong"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node := NewRESTNode(strings.TrimPrefix(server.URL, "https://"), "rec.ns.svc.cluster.local", dir)
	defer node.Close()
	for range 10 {
		if facts, err := node.Facts(t.Context()); err != nil || facts.State != Completed {
			t.Fatalf("a node that refuses our credentials is a member: %+v, %v", facts, err)
		}
	}
	if !node.resting() || signed >= 5 {
		t.Fatalf("credentials were refused %d times and rest: %v", signed, node.resting())
	}
	server.Close()
	if facts, err := node.Facts(t.Context()); err == nil {
		t.Errorf("a dead node is %+v", facts)
	}
}
