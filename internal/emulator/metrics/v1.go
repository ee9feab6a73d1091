package metrics

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
)

// rates turns counters into rates between two scrapes, because version 1 speaks in operations and bytes per second.
type rates struct {
	mu   sync.Mutex
	last map[string]point
	gone map[string]time.Time
}

// down is for how many seconds something has been seen down.
func (r *rates) down(key string, down bool, now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !down {
		delete(r.gone, key)
		return 0
	}
	if r.gone == nil {
		r.gone = make(map[string]time.Time)
	}
	if r.gone[key].IsZero() {
		r.gone[key] = now
	}
	return now.Sub(r.gone[key]).Seconds()
}

type point struct {
	at    time.Time
	value float64
	rate  float64
}

// least is the shortest time between two points; scrapes that follow faster see the rate before.
const least = time.Second

// of is the rate of a counter since the point before.
func (r *rates) of(key string, value float64, now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = make(map[string]point)
	}
	p, ok := r.last[key]
	if ok && now.Sub(p.at) < least {
		return p.rate
	}
	rate := 0.0
	if ok && value >= p.value {
		rate = (value - p.value) / now.Sub(p.at).Seconds()
	}
	r.last[key] = point{at: now, value: value, rate: rate}
	return rate
}

// first is a page of version 1.
type first struct {
	*page
	snapshot Snapshot
	rates    *rates
	now      time.Time
}

// writeV1 collects version 1.
func writeV1(s Snapshot, p *page, r *rates, now time.Time) {
	v := first{page: p, snapshot: s, rates: r, now: now}
	for _, kind := range slices.Sorted(maps.Keys(s.Cluster.LicenseShards)) {
		v.add("cluster_shards_limit", gauge, float64(s.Cluster.LicenseShards[kind]), label{"cluster", s.Cluster.Name},
			label{"shard_type", kind})
	}
	for _, n := range s.Nodes {
		v.nodeMetrics(n)
	}
	for _, d := range s.Databases {
		v.databaseMetrics(d)
	}
	for _, e := range s.Endpoints {
		v.listenerMetrics(e)
	}
	for _, sh := range s.Shards {
		v.shardMetrics(sh)
	}
}

// all adds several gauges with the same labels.
func (v first) all(values map[string]float64, at []label) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v.add(name, gauge, values[name], at...)
	}
}

func (v first) nodeMetrics(n Node) {
	at := []label{{"cluster", v.snapshot.Cluster.Name}, {"node", n.UID}}
	var total traffic
	for _, e := range v.snapshot.Endpoints {
		if e.Node == n.UID {
			total.add(e.Stats)
		}
	}
	key := "node/" + n.UID + "/"
	v.all(map[string]float64{
		"node_up":                                boolean(n.Up),
		"node_free_memory":                       float64(n.FreeMemory),
		"node_available_memory":                  float64(n.AvailableMemory),
		"node_available_memory_no_overbooking":   float64(n.AvailableMemory),
		"node_provisional_memory":                float64(n.ProvisionalMemory),
		"node_provisional_memory_no_overbooking": float64(n.ProvisionalMemory),
		"node_persistent_storage_free":           float64(n.PersistentFree),
		"node_persistent_storage_avail":          float64(n.PersistentAvail),
		"node_ephemeral_storage_free":            float64(n.EphemeralFree),
		"node_ephemeral_storage_avail":           float64(n.EphemeralAvail),
		"node_cpu_idle":                          v.portion(n, "idle"),
		"node_cpu_user":                          v.portion(n, "user"),
		"node_cpu_system":                        v.portion(n, "system"),
		"node_conns":                             total.clients,
		"node_total_req":                         v.rates.of(key+"req", total.requests(), v.now),
		"node_ingress_bytes":                     v.rates.of(key+"in", total.in, v.now),
		"node_egress_bytes":                      v.rates.of(key+"out", total.out, v.now),
		"node_avg_latency":                       total.average(),
		"node_cur_aof_rewrites":                  v.sumNode(n.UID, "aof_rewrite_in_progress"),
	}, at)
	for _, name := range slices.Sorted(maps.Keys(n.Certificates)) {
		v.add("node_cert_expiration_seconds", gauge, n.Certificates[name].Sub(v.now).Seconds(),
			append(slices.Clone(at), certificateLabels(name)...)...)
	}
}

// portion is what part of the machine's processors a mode took between two scrapes.
func (v first) portion(n Node, mode string) float64 {
	spent, all := 0.0, 0.0
	for _, cpu := range n.CPU {
		for name, seconds := range cpu {
			all += seconds
			if name == mode {
				spent += seconds
			}
		}
	}
	key := "node/" + n.UID + "/cpu/" + mode
	total := v.rates.of(key+"/all", all, v.now)
	if total == 0 {
		return 0
	}
	return v.rates.of(key, spent, v.now) / total
}

// traffic adds up endpoints.
type traffic struct {
	clients, reads, writes, others, in, out, accepted float64
	spent                                             time.Duration
	readTime, writeTime                               time.Duration
	answered, readAnswered, writeAnswered             float64
}

func (t *traffic) add(s proxy.Stats) {
	t.clients += float64(s.Clients)
	t.reads += float64(s.Reads.Requests)
	t.writes += float64(s.Writes.Requests)
	t.others += float64(s.Others.Requests)
	t.in += float64(s.IngressBytes)
	t.out += float64(s.EgressBytes)
	t.accepted += float64(s.Accepted)
	t.spent += s.Reads.Sum + s.Writes.Sum + s.Others.Sum
	t.readTime += s.Reads.Sum
	t.writeTime += s.Writes.Sum
	t.readAnswered += float64(s.Reads.Responses)
	t.writeAnswered += float64(s.Writes.Responses)
	t.answered += float64(s.Reads.Responses + s.Writes.Responses + s.Others.Responses)
}

func (t *traffic) requests() float64 { return t.reads + t.writes + t.others }

// average is the mean latency in seconds.
func (t *traffic) average() float64 { return mean(t.spent, t.answered) }

func mean(spent time.Duration, n float64) float64 {
	if n == 0 {
		return 0
	}
	return spent.Seconds() / n
}

func (v first) sumNode(node, field string) float64 {
	total := 0.0
	for _, s := range v.snapshot.Shards {
		if s.Node == node {
			n, _ := field2number(s.Info, field)
			total += n
		}
	}
	return total
}

// sumDatabase adds a field over the master shards of a database.
func (v first) sumDatabase(db, field string) float64 {
	total := 0.0
	for _, s := range v.snapshot.Shards {
		if s.Database == db && s.Role == "master" {
			n, _ := field2number(s.Info, field)
			total += n
		}
	}
	return total
}

func (v first) databaseMetrics(d Database) {
	at := []label{{"cluster", v.snapshot.Cluster.Name}, {"bdb", d.UID}}
	var t traffic
	for _, e := range v.snapshot.Endpoints {
		if e.Database == d.UID {
			t.add(e.Stats)
		}
	}
	keys, expires, shards, used, up := 0.0, 0.0, 0.0, 0.0, true
	for _, s := range v.snapshot.Shards {
		if s.Database != d.UID {
			continue
		}
		shards++
		n, _ := field2number(s.Info, "used_memory")
		used += n
		if s.Role == "master" {
			k := keyspace(s.Info["db0"])
			keys, expires, up = keys+k["keys"], expires+k["expires"], up && s.Up
		}
	}
	rate := func(name string, value float64) float64 { return v.rates.of("bdb/"+d.UID+"/"+name, value, v.now) }
	v.all(map[string]float64{
		"bdb_up": boolean(up && shards > 0), "bdb_conns": t.clients, "bdb_used_memory": used,
		"bdb_memory_limit": float64(d.MemoryLimit), "bdb_no_of_keys": keys, "no_of_expires": expires, "bdb_shards_used": shards,
		"bdb_total_req": rate("req", t.requests()), "bdb_total_res": rate("res", t.answered),
		"bdb_read_req": rate("read", t.reads), "bdb_read_res": rate("readres", t.readAnswered),
		"bdb_write_req": rate("write", t.writes), "bdb_write_res": rate("writeres", t.writeAnswered),
		"bdb_other_req": rate("other", t.others), "bdb_other_res": rate("otherres", t.answered-t.readAnswered-t.writeAnswered),
		"bdb_ingress_bytes": rate("in", t.in), "bdb_egress_bytes": rate("out", t.out),
		"bdb_total_connections_received": rate("accepted", t.accepted),
		"bdb_instantaneous_ops_per_sec":  v.sumDatabase(d.UID, "instantaneous_ops_per_sec"),
		"bdb_evicted_objects":            rate("evicted", v.sumDatabase(d.UID, "evicted_keys")),
		"bdb_expired_objects":            rate("expired", v.sumDatabase(d.UID, "expired_keys")),
		"bdb_read_hits":                  rate("hits", v.sumDatabase(d.UID, "keyspace_hits")),
		"bdb_read_misses":                rate("misses", v.sumDatabase(d.UID, "keyspace_misses")),
		"bdb_write_hits":                 0, "bdb_write_misses": 0, "bdb_bigstore_shard_count": 0,
		"bdb_avg_latency": t.average(), "bdb_avg_read_latency": mean(t.readTime, t.readAnswered),
		"bdb_avg_write_latency": mean(t.writeTime, t.writeAnswered),
		"bdb_pubsub_channels":   v.sumDatabase(d.UID, "pubsub_channels"), "bdb_pubsub_patterns": v.sumDatabase(d.UID, "pubsub_patterns"),
		"bdb_mem_frag_ratio": v.sumDatabase(d.UID, "mem_fragmentation_ratio") / max(1, shards),
		"bdb_mem_size_lua":   v.sumDatabase(d.UID, "used_memory_lua"), "bdb_monitor_sessions_count": 0,
		"bdb_shard_cpu_user":   rate("user", v.sumDatabase(d.UID, "used_cpu_user")),
		"bdb_shard_cpu_system": rate("system", v.sumDatabase(d.UID, "used_cpu_sys")),
	}, at)
}

func (v first) listenerMetrics(e Endpoint) {
	at := []label{{"cluster", v.snapshot.Cluster.Name}, {"bdb", e.Database}, {"node", e.Node}, {"proxy", e.Node}}
	s := e.Stats
	rate := func(name string, value uint64) float64 {
		return v.rates.of("listener/"+e.Database+"/"+e.Node+"/"+name, float64(value), v.now)
	}
	v.all(map[string]float64{
		"listener_conns":                      float64(s.Clients),
		"listener_total_connections_received": rate("accepted", s.Accepted),
		"listener_max_connections_exceeded":   rate("refused", s.Refused),
		"listener_ingress_bytes":              rate("in", s.IngressBytes),
		"listener_egress_bytes":               rate("out", s.EgressBytes),
		"listener_total_req":                  rate("req", s.Reads.Requests+s.Writes.Requests+s.Others.Requests),
		"listener_total_res":                  rate("res", s.Reads.Responses+s.Writes.Responses+s.Others.Responses),
		"listener_read_req":                   rate("readreq", s.Reads.Requests),
		"listener_read_res":                   rate("readres", s.Reads.Responses),
		"listener_write_req":                  rate("writereq", s.Writes.Requests),
		"listener_write_res":                  rate("writeres", s.Writes.Responses),
		"listener_other_req":                  rate("otherreq", s.Others.Requests),
		"listener_other_res":                  rate("otherres", s.Others.Responses),
		"listener_acc_read_latency":           s.Reads.Sum.Seconds(),
		"listener_acc_write_latency":          s.Writes.Sum.Seconds(),
		"listener_acc_other_latency":          s.Others.Sum.Seconds(),
		"listener_acc_latency":                (s.Reads.Sum + s.Writes.Sum + s.Others.Sum).Seconds(),
		"listener_last_req_time":              unix(s.LastRequest),
		"listener_last_res_time":              unix(s.LastResponse),
		"listener_monitor_sessions_count":     0,
	}, at)
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}

// v1Shard are the fields of INFO that version 1 carries as redis_<field>.
var v1Shard = []string{
	"active_defrag_running", "allocator_active", "allocator_allocated", "allocator_resident", "aof_last_cow_size",
	"aof_rewrite_in_progress", "aof_rewrites", "aof_delayed_fsync", "blocked_clients", "connected_clients", "connected_slaves",
	"evicted_keys", "expire_cycle_cpu_milliseconds", "expired_keys", "master_repl_offset",
	"maxmemory", "mem_aof_buffer", "mem_clients_normal", "mem_clients_slaves", "mem_fragmentation_ratio",
	"mem_not_counted_for_evict", "mem_replication_backlog", "module_fork_in_progress", "rdb_bgsave_in_progress",
	"rdb_last_cow_size", "rdb_saves", "total_commands_processed", "total_connections_received", "total_net_input_bytes",
	"total_net_output_bytes", "used_memory",
}

func (v first) shardMetrics(s Shard) {
	at := []label{{"cluster", v.snapshot.Cluster.Name}, {"bdb", s.Database}, {"node", s.Node}, {"redis", s.UID}, {"role", s.Role}}
	v.add("redis_up", gauge, boolean(s.Up), at...)
	if !s.Up {
		return
	}
	for _, field := range v1Shard {
		if value, ok := field2number(s.Info, field); ok {
			v.add("redis_"+field, gauge, value, at...)
		}
	}
	db := keyspace(s.Info["db0"])
	values := map[string]float64{
		"redis_db0_keys": db["keys"], "redis_db0_expires": db["expires"], "redis_db0_avg_ttl": db["avg_ttl"],
		"redis_forwarding_state":        boolean(s.Role == "master"),
		"redis_master_link_status":      boolean(s.Role == "master" || s.Info["master_link_status"] == "up"),
		"redis_master_sync_in_progress": boolean(s.Info["master_sync_in_progress"] == "1"),
	}
	for name, field := range map[string]string{
		"redis_keyspace_read_hits": "keyspace_hits", "redis_keyspace_read_misses": "keyspace_misses",
		"redis_process_resident_memory_bytes":                "used_memory_rss",
		"redis_process_cpu_user_seconds_total":               "used_cpu_user",
		"redis_process_cpu_system_seconds_total":             "used_cpu_sys",
		"redis_process_main_thread_cpu_user_seconds_total":   "used_cpu_user_main_thread",
		"redis_process_main_thread_cpu_system_seconds_total": "used_cpu_sys_main_thread",
	} {
		values[name], _ = field2number(s.Info, field)
	}
	if up, ok := field2number(s.Info, "uptime_in_seconds"); ok {
		values["redis_process_start_time_seconds"] = float64(v.now.Unix()) - up
	}
	v.all(values, at)
}
