package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

// world is several clusters of one or more nodes each.
type worlds struct {
	t    *testing.T
	labs []*lab
}

func site(i int) string { return fmt.Sprintf("site-%d.test", i) }

// newWorlds forms clusters of so many nodes each.
func newWorlds(t *testing.T, sizes ...int) *worlds {
	t.Helper()
	w := &worlds{t: t}
	for i, size := range sizes {
		l := newLab(t, size, func(c *emulator.Config) {
			c.OperationDelay, c.PeerPatience = 0, 2*time.Second
		})
		create := createBody()
		create["cluster"] = object{"name": site(i)}
		l.need(l.nodes[0], http.MethodPost, "/v1/bootstrap/create_cluster", create)
		l.await("the cluster is created", func() bool { s, _ := l.bootstrapped(l.nodes[0]); return s == "completed" })
		for _, n := range l.nodes[1:] {
			join := joinBody(l.nodes[0].Addr())
			join["cluster"] = object{"name": site(i), "nodes": []string{l.nodes[0].Addr()}}
			l.need(n, http.MethodPost, "/v1/bootstrap/join_cluster", join)
			l.await("a node has joined", func() bool { s, _ := l.bootstrapped(n); return s == "completed" })
		}
		l.await("all nodes are active", func() bool { return l.active(l.nodes[0]) == size })
		w.labs = append(w.labs, l)
	}
	return w
}

// instance is what a request says about site i.
func (w *worlds) instance(i int) object {
	return object{"cluster": object{
		"name": site(i), "url": w.labs[i].nodes[0].URL(), "credentials": object{"username": admin, "password": secret},
	}}
}

// body asks for a database on some sites.
func (w *worlds) body(sites ...int) object {
	var instances []object
	for _, i := range sites {
		instances = append(instances, w.instance(i))
	}
	return object{
		"name": "aa", "encryption": true, "instances": instances,
		"default_db_config": object{"memory_size": 100 << 20, "replication": false, "port": 12000},
	}
}

func (w *worlds) at(i int) (*lab, *emulator.Node) { return w.labs[i], w.labs[i].nodes[0] }

// task waits for the end of the task in an answer and returns it.
func (w *worlds) task(i int, answer object) object {
	w.t.Helper()
	l, n := w.at(i)
	var task object
	l.await("the task is over", func() bool {
		status, out, _ := l.try(n, http.MethodGet, "/v1/crdb_tasks/"+fmt.Sprint(answer["id"]), nil)
		task, _ = out.(object)
		return status == http.StatusOK && (task["status"] == "finished" || task["status"] == "failed")
	})
	return task
}

// finished is task for one that must end well; it returns the guid.
func (w *worlds) finished(i int, answer object) string {
	w.t.Helper()
	task := w.task(i, answer)
	if task["status"] != "finished" {
		w.t.Fatalf("the task failed: %v", task)
	}
	guid, _ := task["crdb_guid"].(string)
	return guid
}

// make creates a database from the first of its sites.
func (w *worlds) make(sites ...int) string {
	w.t.Helper()
	l, n := w.at(sites[0])
	return w.finished(sites[0], l.need(n, http.MethodPost, "/v1/crdbs", w.body(sites...)))
}

// database is the database of site i, or nil.
func (w *worlds) database(i int, guid string) object {
	l, n := w.at(i)
	for _, b := range l.list(n, "/v1/bdbs") {
		if b["crdt_guid"] == guid {
			return b
		}
	}
	return nil
}

func printed(v any) string { return fmt.Sprint(v) }
