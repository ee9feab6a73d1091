package metrics

import (
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

// linked is a registry with a cluster that answers.
func linked(t *testing.T) *link.Registry {
	t.Helper()
	server := &resttest.Transport{}
	for path, body := range map[string]string{"/v1/nodes": `[]`, "/v1/nodes/status": `{}`, "/v1/bdbs": `[
		{"uid": 1, "name": "plain", "status": "active"},
		{"uid": 2, "name": "kept", "status": "active", "backup": true, "backup_interval": 3600, "last_backup_time": "2026-01-02T03:04:05Z", "created_time": "2026-01-01T00:00:00Z"},
		{"uid": 3, "name": "broken", "status": "active", "backup": true, "backup_status": "failed", "created_time": "2026-01-01T00:00:00Z"}]`, "/v1/shards": `[]`, "/v1/cluster": `{}`} {
		server.On("GET", path, resttest.Always(resttest.JSON(body)))
	}
	links := link.NewRegistry(link.Options{Transport: func(types.NamespacedName) http.RoundTripper { return server }})
	t.Cleanup(links.Close)
	l := links.Ensure(rec, link.Target{Addresses: []string{"10.0.0.1"}, ServerName: "rec"})
	if _, err := l.Observe(t.Context()); err != nil {
		t.Fatal(err)
	}
	return links
}
