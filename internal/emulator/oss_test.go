package emulator_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/open-redis-enterprise/operator/test/balancer"
)

// ossBody asks for two shards with replicas that cluster-aware clients find by themselves.
func ossBody() object {
	return object{
		"name": "db", "memory_size": 100 << 20, "sharding": true, "shards_count": 2, "replication": true,
		"shard_key_regex":  []object{{"regex": `.*\{(?<tag>.*)\}.*`}, {"regex": `(?<tag>.*)`}},
		"shards_placement": "sparse", "proxy_policy": "all-master-shards", "oss_cluster": true,
	}
}

// clusterClient is a cluster-aware client; from may be empty.
func clusterClient(t *testing.T, seed, from string) *redis.ClusterClient {
	t.Helper()
	o := &redis.ClusterOptions{Addrs: []string{seed}, MaxRedirects: 8, DialTimeout: time.Second}
	if from != "" {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: time.Second}
		o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		}
	}
	c := redis.NewClusterClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// hosts are where a client is told to find the masters.
func (l *lab) hosts(c *redis.ClusterClient) []string {
	l.t.Helper()
	slots, err := c.ClusterSlots(l.t.Context()).Result()
	must(l.t, err)
	var hosts []string
	covered := 0
	for _, s := range slots {
		covered += s.End - s.Start + 1
		host, _, err := net.SplitHostPort(s.Nodes[0].Addr)
		must(l.t, err)
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if covered != 16384 {
		l.t.Errorf("%d slots are served: %v", covered, slots)
	}
	slices.Sort(hosts)
	return hosts
}

// fill writes and reads keys of many slots.
func fill(t *testing.T, c *redis.ClusterClient, round string) error {
	t.Helper()
	for i := range 64 {
		key := fmt.Sprintf("%s-%d", round, i)
		if err := c.Set(t.Context(), key, i, 0).Err(); err != nil {
			return err
		}
		if got, err := c.Get(t.Context(), key).Int(); err != nil || got != i {
			return fmt.Errorf("%s is %d: %w", key, got, err)
		}
	}
	return nil
}

func TestNET11_ClusterClientInside(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(ossBody())
	c := clusterClient(t, l.endpoint(l.nodes[0], uid), "")
	must(t, fill(t, c, "before"))
	inside := l.hosts(c)
	if len(inside) != 2 {
		t.Errorf("two masters on two nodes are announced at %v", inside)
	}
	for _, host := range inside {
		l.index(host) // fails for what is not a node's own address
	}
	info, err := c.ClusterInfo(t.Context()).Result()
	if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_slots_assigned:16384") {
		t.Errorf("CLUSTER INFO: %s %v", info, err)
	}

	victim := l.masterNode(l.nodes[0], uid)
	must(t, l.nodes[victim].Kill())
	l.await("the client finds its way after the loss of a node", func() bool { return fill(t, c, "after") == nil })
	l.await("the lost node is announced no more", func() bool {
		c.ReloadState(t.Context())
		return !slices.Contains(l.hosts(c), l.nodes[victim].Addr())
	})
	for i := range 64 {
		if got, err := c.Get(t.Context(), fmt.Sprintf("before-%d", i)).Int(); err != nil || got != i {
			t.Errorf("key %d of before the loss: %d, %v", i, got, err)
		}
	}
}

// TestNET12_ClusterClientOutside reaches the nodes through load balancers, whose addresses the cluster was told.
func TestNET12_ClusterClientOutside(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	uid := l.create(ossBody())
	port := int(number(l.bdb(l.nodes[0], uid)["endpoints"].([]any)[0].(object)["port"]))
	var balancers []*balancer.Balancer
	var outside []string
	for i, n := range l.nodes {
		ext := freshHost(t)
		b, err := balancer.Start(fmt.Sprintf("%s:%d", ext, port), func() string { return fmt.Sprintf("%s:%d", n.Addr(), port) })
		must(t, err)
		t.Cleanup(b.Stop)
		balancers, outside = append(balancers, b), append(outside, ext)
		l.need(l.nodes[0], http.MethodPut, fmt.Sprintf("/v1/nodes/%d", i+1), object{"external_addr": []string{ext}})
	}
	l.need(l.nodes[0], http.MethodPut, fmt.Sprintf("/v1/bdbs/%d", uid), object{"oss_cluster_api_preferred_ip_type": "external"})
	l.ready(l.nodes[0], uid)
	if e, _ := l.bdb(l.nodes[0], uid)["endpoints"].([]any)[0].(object); e["oss_cluster_api_preferred_ip_type"] != "external" {
		t.Errorf("the endpoint says %v", e["oss_cluster_api_preferred_ip_type"])
	}
	seed := l.endpoint(l.nodes[0], uid)
	c := clusterClient(t, seed, "127.8.1.1")
	l.await("load balancers are announced", func() bool {
		c.ReloadState(t.Context())
		return fill(t, c, "out") == nil && !slices.ContainsFunc(l.hosts(c), func(h string) bool { return !slices.Contains(outside, h) })
	})
	must(t, fill(t, c, "more"))
	used := 0
	for _, b := range balancers {
		used += min(1, b.Taken())
	}
	if used != 2 {
		t.Errorf("%d of 3 load balancers carried connections for two masters", used)
	}

	t.Run("NET-14 clients of mapped networks are told of the nodes themselves", func(t *testing.T) {
		for i, n := range l.nodes {
			l.need(l.nodes[0], http.MethodPut, fmt.Sprintf("/v1/nodes/%d", i+1), object{"oss_cluster_ip_mapping": []object{
				{"key": "127.9.0.0/16", "value": object{"ip": n.Addr()}},
			}})
		}
		in := clusterClient(t, seed, "127.9.1.1")
		l.await("addresses of nodes are announced inside", func() bool {
			in.ReloadState(t.Context())
			return fill(t, in, "in") == nil && !slices.ContainsFunc(l.hosts(in), func(h string) bool { return slices.Contains(outside, h) })
		})
		if got := l.hosts(c); slices.ContainsFunc(got, func(h string) bool { return !slices.Contains(outside, h) }) {
			t.Errorf("clients elsewhere are told of %v", got)
		}
	})
	t.Run("without an external address a node is announced with its own", func(*testing.T) {
		for i := range l.nodes {
			l.need(l.nodes[0], http.MethodPut, fmt.Sprintf("/v1/nodes/%d", i+1), object{"external_addr": []string{}})
		}
		l.await("addresses of nodes are announced", func() bool {
			again := redis.NewClient(&redis.Options{Addr: l.endpoint(l.nodes[0], uid)})
			defer func() { _ = again.Close() }()
			slots, err := again.ClusterSlots(l.t.Context()).Result()
			return err == nil && len(slots) == 2 && !slices.ContainsFunc(outside, func(h string) bool { return strings.HasPrefix(slots[0].Nodes[0].Addr, h+":") })
		})
	})
}

func TestNodeAddressesAreChecked(t *testing.T) {
	l := newLab(t, 1, nil)
	l.form()
	for name, c := range map[string]struct {
		body   object
		status int
	}{
		"addresses":         {object{"external_addr": []string{"203.0.113.1", "2001:db8::1"}}, 200},
		"a host name":       {object{"external_addr": []string{"a1b2.elb.example.com"}}, 200},
		"none":              {object{"external_addr": []string{}}, 200},
		"text":              {object{"external_addr": "203.0.113.1"}, 400},
		"no address":        {object{"external_addr": []string{"203.0.113.999"}}, 400},
		"empty":             {object{"external_addr": []string{""}}, 400},
		"one twice":         {object{"external_addr": []string{"203.0.113.1", "203.0.113.1"}}, 400},
		"a mapping":         {object{"oss_cluster_ip_mapping": []object{{"key": "10.0.0.0/8", "value": object{"ip": "10.0.0.1"}}, {"key": "default", "value": object{}}}}, 200},
		"no network":        {object{"oss_cluster_ip_mapping": []object{{"key": "10.0.0.0/99", "value": object{}}}}, 400},
		"a network twice":   {object{"oss_cluster_ip_mapping": []object{{"key": "10.0.0.0/8", "value": object{}}, {"key": "10.0.0.0/8", "value": object{}}}}, 400},
		"an unknown field":  {object{"external_address": []string{}}, 400},
		"somebody's number": {object{"external_addr": []any{7}}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, out := l.ask(l.nodes[0], http.MethodPut, "/v1/nodes/1", c.body)
			if status != c.status {
				t.Fatalf("%d %v, not %d", status, out, c.status)
			}
			answer, _ := out.(object)
			if status == 400 && answer["error_code"] != "invalid_schema" {
				t.Errorf("%v", answer)
			}
		})
	}
	if status, out := l.ask(l.nodes[0], http.MethodPut, "/v1/nodes/9", object{"external_addr": []string{}}); status != http.StatusNotAcceptable {
		t.Errorf("a node that is not there: %d %v", status, out)
	}
}
