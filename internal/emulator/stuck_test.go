package emulator_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

func TestDeletionDoesNotWaitForever(t *testing.T) {
	var later atomic.Int64
	l := newLab(t, 1, nil)
	l.form()
	must(t, l.nodes[0].Close(t.Context()))
	l.tweak = func(c *emulator.Config) {
		c.OperationDelay = time.Hour
		c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	}
	n := l.boot(0, freshHost(t))
	l.await("the node leads again", func() bool { return l.active(n) == 1 })
	o := l.need(n, http.MethodPost, "/v1/bdbs", object{"name": "db", "memory_size": 100 << 20})
	path := fmt.Sprintf("/v1/bdbs/%d", number(o["uid"]))
	if status, out := l.ask(n, http.MethodDelete, path, nil); status != http.StatusConflict {
		t.Errorf("a busy database is deleted: %d %v", status, out)
	}
	later.Store(int64(2 * time.Minute))
	if status, out := l.ask(n, http.MethodDelete, path, nil); status != http.StatusOK {
		t.Errorf("a stuck database is not deleted: %d %v", status, out)
	}
}
