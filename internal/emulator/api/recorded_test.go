package api_test

import (
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator/recorded"
)

// TestRecordedExchanges asks the surface what a real cluster was asked and compares every field and its JSON type.
func TestRecordedExchanges(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"recorded","memory_size":1073741824}`).is(200, "")
	b.post("/v1/nodes/1/actions/maintenance_on", "").is(200, "")
	compared := 0
	for _, e := range recorded.Exchanges() {
		t.Run(e.Path, func(t *testing.T) {
			r := b.in(t).get(e.Path)
			r.is(200, "")
			compared += len(e.Fields)
			for _, problem := range e.Differences(r.body) {
				t.Error(problem)
			}
		})
	}
	if compared < 500 {
		t.Errorf("only %d recorded fields were compared", compared)
	}
}
