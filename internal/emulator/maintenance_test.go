package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
)

func (l *lab) nodeAction(n *emulatorNode, uid int64, action string, body object) {
	l.t.Helper()
	path := fmt.Sprintf("/v1/nodes/%d/actions/%s", uid, action)
	l.need(n, http.MethodPost, path, body)
	l.await(action+" is completed", func() bool {
		_, out, _ := l.try(n, http.MethodGet, path, nil)
		o, _ := out.(object)
		if o["status"] == "failed" {
			l.t.Fatalf("%s failed: %v", action, o)
		}
		return o["status"] == "completed"
	})
}

func TestMaintenanceUnderLoad(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	l.need(l.nodes[0], http.MethodPut, "/v1/license", object{"license": license(t)})
	replicated := l.create(object{"name": "replicated", "memory_size": 100 << 20, "replication": true, "data_persistence": "aof"})
	sharded := l.create(object{
		"name": "sharded", "memory_size": 200 << 20, "sharding": true, "shards_count": 2, "replication": true,
		"shard_key_regex": []object{{"regex": `.*\{(?<tag>.*)\}.*`}, {"regex": `(?<tag>.*)`}},
	})
	single := l.create(object{"name": "single", "memory_size": 100 << 20})
	var writers []*writer
	for _, uid := range []int64{replicated, sharded, single} {
		w := write(func() string { return l.endpoint(l.nodes[2], uid) })
		w.flows(l)
		writers = append(writers, w)
	}
	for node := int64(1); node <= 3; node++ {
		l.nodeAction(l.nodes[node%3], node, "maintenance_on", object{})
		l.await("nothing but replicas is left on the node", func() bool {
			_, out, _ := l.try(l.nodes[node%3], http.MethodGet, fmt.Sprintf("/v1/nodes/%d/status", node), nil)
			o, _ := out.(object)
			masters, _ := o["master_shards"].([]any)
			return o["role"] == "slave" && len(masters) == 0
		})
		for _, w := range writers {
			w.flows(l)
		}
		l.nodeAction(l.nodes[node%3], node, "maintenance_off", object{})
	}
	for _, w := range writers {
		w.flows(l)
		w.end()
		w.check(t)
	}
}
