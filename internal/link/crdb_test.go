package link

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

// asked counts the reads of a path.
func (c *cluster) asked(path string) int {
	n := 0
	for _, r := range c.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

func TestAA3_SharedDatabasesAreReadByTheOnePoller(t *testing.T) {
	const crdbs, certificates = "/v1/crdbs", "/v1/cluster/certificates"
	c := newCluster()
	c.bdbs = list(1, "active")
	for path, text := range map[string]string{
		crdbs:        `[{"guid":"g","name":"db-1","local_databases":[{"id":1,"bdb_uid":"1"}]}]`,
		certificates: `{"proxy_cert":"P","proxy_key":"hidden","syncer_cert":"S","syncer_key":"hidden","api_cert":"A"}`,
	} {
		c.other[path] = text
		c.On("GET", path, func(resttest.Request) resttest.Answer {
			c.mu.Lock()
			defer c.mu.Unlock()
			return resttest.JSON(c.other[path])
		})
	}
	inBubble(t, c, func(t *testing.T, r *Registry, l *Link) {
		var changed []rest.UID
		defer r.Subscribe(func(change Change) { changed = append(changed, change.BDBs...) })()
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.asked(crdbs)+c.asked(certificates) > 0 {
			t.Error("they are asked for where there are none")
		}
		c.set(&c.bdbs, `[{"uid":1,"name":"db-1","status":"active","crdt":true,"crdt_guid":"g"}]`)
		time.Sleep(time.Minute)
		synctest.Wait()
		s := l.Latest()
		if crdb := s.CRDBOf(1); crdb == nil || rest.Value(crdb.GUID) != "g" || s.CRDBOf(2) != nil {
			t.Fatalf("%+v", s.CRDBs)
		}
		if len(s.Certificates) != 2 || s.Certificates["proxy_cert"] != "P" || s.Certificates["syncer_cert"] != "S" {
			t.Errorf("certificates %v", s.Certificates)
		}
		changed = nil
		c.setOther(crdbs, `[{"guid":"g","name":"db-1","instances":[{"id":1},{"id":2}],"local_databases":[{"id":1,"bdb_uid":"1"}]}]`)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !slices.Equal(changed, []rest.UID{1}) {
			t.Errorf("another participant makes news of %v", changed)
		}
	})
}
