package metrics

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
)

// second is a page of version 2.
type second struct {
	*page
	cluster string
	tagKeys []string
	rates   *rates
	now     time.Time
}

// writeV2 collects version 2; with self only what belongs to the node asked.
func writeV2(s Snapshot, p *page, r *rates, self bool, now time.Time) {
	v := second{page: p, cluster: s.Cluster.Name, tagKeys: s.Cluster.TagKeys, rates: r, now: now}
	v.clusterMetrics(s.Cluster)
	for _, w := range s.Cluster.Watchdogs {
		if !self || w.Node == s.Self {
			v.watchdogMetrics(w)
		}
	}
	for _, n := range s.Nodes {
		if !self || n.UID == s.Self {
			v.nodeMetrics(n)
		}
	}
	for _, d := range s.Databases {
		if !self {
			v.databaseMetrics(d)
		}
	}
	for _, e := range s.Endpoints {
		if !self || e.Node == s.Self {
			v.endpointMetrics(e)
		}
	}
	for _, sh := range s.Shards {
		if !self || sh.Node == s.Self {
			v.shardMetrics(sh)
		}
	}
	for _, y := range s.Syncers {
		if !self {
			v.syncerMetrics(y)
		}
	}
}

func (v second) watchdogMetrics(w Watchdog) {
	at := []label{{"cluster", v.cluster}, {"node", w.Node}}
	v.add("generation", gauge, float64(w.Generation), at...)
	v.add("has_quorum", gauge, boolean(w.HasQuorum), append(slices.Clone(at), label{"has_witness_disk", "False"})...)
	v.add("is_primary", gauge, boolean(w.IsPrimary), at...)
	v.add("primary_selections_total", counter, float64(w.PrimarySelections), at...)
	v.add("total_live_nodes_count", gauge, float64(w.LiveNodes), at...)
	v.add("total_nodes_count", gauge, float64(w.TotalNodes), at...)
}

func (v second) clusterMetrics(c Cluster) {
	at := label{"cluster", c.Name}
	v.add("users_count", gauge, float64(c.Users), at)
	if !c.LicenseExpires.IsZero() {
		v.add("license_expiration_days", gauge, float64(int(c.LicenseExpires.Sub(v.now).Hours()/24)), at)
	}
	for _, kind := range slices.Sorted(maps.Keys(c.LicenseShards)) {
		v.add("license_shards_limit", gauge, float64(c.LicenseShards[kind]), at, label{"shard_type", kind})
	}
}

func (v second) nodeMetrics(n Node) {
	at := []label{{"cluster", v.cluster}, {"node", n.UID}}
	for name, value := range map[string]float64{
		"node_metrics_up":                              boolean(n.Up),
		"node_memory_MemFree_bytes":                    float64(n.FreeMemory),
		"node_available_memory_bytes":                  float64(n.AvailableMemory),
		"node_available_memory_no_overbooking_bytes":   float64(n.AvailableMemory),
		"node_provisional_memory_bytes":                float64(n.ProvisionalMemory),
		"node_provisional_memory_no_overbooking_bytes": float64(n.ProvisionalMemory),
		"node_persistent_storage_free_bytes":           float64(n.PersistentFree),
		"node_persistent_storage_avail_bytes":          float64(n.PersistentAvail),
		"node_ephemeral_storage_free_bytes":            float64(n.EphemeralFree),
		"node_ephemeral_storage_avail_bytes":           float64(n.EphemeralAvail),
		"node_available_flash_bytes":                   0,
		"node_available_flash_no_overbooking_bytes":    0,
		"node_provisional_flash_bytes":                 0,
		"node_provisional_flash_no_overbooking_bytes":  0,
		"node_bigstore_free_bytes":                     0,
		"node_memory_MemTotal_bytes":                   float64(n.TotalMemory),
		"dmc_ping_failures":                            1 - boolean(n.Up),
		"dmc_ping_failure_duration_seconds":            v.rates.down("node/"+n.UID, !n.Up, v.now),
		"customer_managed_ine_certificates":            0,
	} {
		v.add(name, gauge, value, at...)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Certificates)) {
		v.add("node_cert_expires_in_seconds", gauge, n.Certificates[name].Sub(v.now).Seconds(),
			append(slices.Clone(at), certificateLabels(name)...)...)
	}
	for _, cpu := range slices.Sorted(maps.Keys(n.CPU)) {
		for _, mode := range slices.Sorted(maps.Keys(n.CPU[cpu])) {
			v.add("node_cpu_seconds_total", counter, n.CPU[cpu][mode], append(slices.Clone(at), label{"cpu", cpu}, label{"mode", mode})...)
		}
	}
}

// certificateLabels name a certificate and the file that the product keeps it in.
func certificateLabels(name string) []label {
	return []label{{"logical_name", name}, {"path", "/etc/opt/redislabs/" + name + "_cert.pem"}}
}

func (v second) databaseMetrics(d Database) {
	at := []label{{"cluster", v.cluster}, {"db", d.UID}}
	v.add("db_status", gauge, statusCode(d.Status), at...)
	v.add("db_memory_limit_bytes", gauge, float64(d.MemoryLimit), at...)
	v.add("db_replication_factor", gauge, 1+boolean(d.Replication), at...)
	v.add("db_config", gauge, 1, append(slices.Clone(at), label{"db_name", d.Name}, label{"db_version", d.Version},
		label{"db_port", strconv.FormatInt(d.Port, 10)}, label{"tls_mode", d.TLSMode})...)
	tags := slices.Clone(at)
	for _, key := range slices.Sorted(maps.Keys(d.Tags)) {
		if slices.Contains(v.tagKeys, key) && labelName.MatchString(key) && !slices.Contains(systemTags, key) {
			tags = append(tags, label{key, d.Tags[key]})
		}
	}
	if len(tags) > len(at) {
		v.add("db_tags", gauge, 1, tags...)
	}
}

// labelName is what a tag must look like to become a label, and systemTags are those that never do.
var (
	labelName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	systemTags = []string{"redis", "cluster", "db"}
)

func (v second) endpointMetrics(e Endpoint) {
	at := []label{{"cluster", v.cluster}, {"db", e.Database}, {"node", e.Node}, {"proxy", e.Node}}
	s := e.Stats
	for name, value := range map[string]uint64{
		"endpoint_accepted_connections":                    s.Accepted,
		"endpoint_client_connections":                      s.Accepted,
		"endpoint_client_disconnections":                   s.Disconnected,
		"endpoint_proxy_disconnections":                    s.ProxyDisconnected,
		"endpoint_client_establishment_failures":           s.Refused,
		"endpoint_dispatch_failures":                       s.DispatchFailures,
		"endpoint_failed_user_password_authentication":     s.AuthFailed,
		"endpoint_successful_user_password_authentication": s.AuthOK,
		"endpoint_ingress":                                 s.IngressBytes,
		"endpoint_egress":                                  s.EgressBytes,
		"endpoint_read_requests":                           s.Reads.Requests,
		"endpoint_read_responses":                          s.Reads.Responses,
		"endpoint_write_requests":                          s.Writes.Requests,
		"endpoint_write_responses":                         s.Writes.Responses,
		"endpoint_other_requests":                          s.Others.Requests,
		"endpoint_other_responses":                         s.Others.Responses,
	} {
		v.add(name, counter, float64(value), at...)
	}
	for _, name := range idleCounters {
		v.add(name, counter, 0, at...)
	}
	for _, name := range []string{"endpoint_ping_failures", "endpoint_ping_failure_duration_seconds"} {
		v.add(name, gauge, 0, append(slices.Clone(at), label{"endpoint_uid", e.Database + ":1"})...)
	}
	v.add("endpoint_rate_limit_ok", gauge, 1, at...)
	v.add("endpoint_connections_rate", gauge,
		v.rates.of("v2/"+e.Database+"/"+e.Node+"/accepted", float64(s.Accepted), v.now), at...)
	v.latency("endpoint_read_requests_latency_histogram", s.Reads, at)
	v.latency("endpoint_write_requests_latency_histogram", s.Writes, at)
	v.latency("endpoint_other_requests_latency_histogram", s.Others, at)
}

// idleCounters count what an emulated endpoint never meets.
var idleCounters = []string{
	"endpoint_client_connection_expired", "endpoint_client_expiration_refresh", "endpoint_client_tracking_off_requests",
	"endpoint_client_tracking_on_requests", "endpoint_disconnected_cba_client", "endpoint_disconnected_ldap_client",
	"endpoint_disconnected_user_password_client", "endpoint_disposed_commands_after_client_caching",
	"endpoint_egress_pending", "endpoint_egress_pending_discarded", "endpoint_failed_cba_authentication",
	"endpoint_failed_ldap_authentication", "endpoint_rate_limit_overflows", "endpoint_successful_cba_authentication",
	"endpoint_successful_ldap_authentication",
}

// latencyBounds are the bounds of the proxy's histogram in microseconds.
var latencyBounds = func() []float64 {
	var b []float64
	for _, d := range proxy.LatencyBounds {
		b = append(b, float64(d.Microseconds()))
	}
	return b
}()

func (v second) latency(name string, o proxy.OpStats, at []label) {
	v.histogram(name, latencyBounds, o.Buckets[:], float64(o.Sum.Microseconds()), at...)
}

// sameName are the metrics redis_server_<field> that carry a field of INFO unchanged.
var sameName = []string{
	"active_defrag_running", "allocator_active", "allocator_allocated", "allocator_resident", "aof_last_cow_size",
	"aof_rewrite_in_progress", "aof_rewrites", "aof_delayed_fsync", "blocked_clients", "connected_clients", "connected_slaves",
	"evicted_keys", "expire_cycle_cpu_milliseconds", "expired_keys", "instantaneous_ops_per_sec", "master_repl_offset",
	"maxmemory", "mem_aof_buffer", "mem_clients_normal", "mem_clients_slaves",
	"mem_fragmentation_ratio", "mem_not_counted_for_evict", "mem_replication_backlog", "module_fork_in_progress",
	"pubsub_channels", "rdb_bgsave_in_progress", "rdb_last_cow_size", "rdb_saves", "total_commands_processed",
	"total_connections_received", "total_net_input_bytes", "total_net_output_bytes", "used_memory", "used_memory_lua",
}

// otherName are those with another name in INFO.
var otherName = map[string]string{
	"redis_server_keyspace_read_hits":     "keyspace_hits",
	"redis_server_keyspace_read_misses":   "keyspace_misses",
	"redis_server_max_process_mem":        "total_system_memory",
	"namedprocess_namegroup_memory_bytes": "used_memory_rss",
}

func (v second) shardMetrics(s Shard) {
	at := []label{{"cluster", v.cluster}, {"db", s.Database}, {"node", s.Node}, {"redis", s.UID}, {"role", s.Role}}
	v.add("redis_server_up", gauge, boolean(s.Up), at...)
	ping := append(slices.Clone(at), label{"shard_uid", s.UID})
	v.add("shard_ping_failures", gauge, 1-boolean(s.Up), ping...)
	v.add("shard_ping_failure_duration_seconds", gauge, v.rates.down("shard/"+s.UID, !s.Up, v.now), ping...)
	if !s.Up {
		return
	}
	for _, field := range sameName {
		if value, ok := field2number(s.Info, field); ok {
			v.add("redis_server_"+field, gauge, value, at...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(otherName)) {
		if value, ok := field2number(s.Info, otherName[name]); ok {
			v.add(name, gauge, value, at...)
		}
	}
	v.add("redis_server_forwarding_state", gauge, boolean(s.Role == "master"), at...)
	v.add("redis_server_master_link_status", gauge, linkStatus(s), at...)
	v.add("redis_server_slave_buffer", gauge, replicaBuffer, at...)
	v.add("redis_server_master_sync_in_progress", gauge, boolean(s.Info["master_sync_in_progress"] == "1"), at...)
	v.keyMetrics(s, at)
	v.processMetrics(s, at)
}

// replicaBuffer is the hard limit of what a redis-server keeps for a replica that does not read, as it is without
// configuration.
const replicaBuffer = 256 << 20

// linkStatus is 1 for a replica that is connected to its master, 2 for one that is not, 3 for a master.
func linkStatus(s Shard) float64 {
	switch {
	case s.Role == "master":
		return 3
	case s.Info["master_link_status"] == "up":
		return 1
	}
	return 2
}

// keyMetrics are about the keys of a shard.
func (v second) keyMetrics(s Shard, at []label) {
	db := keyspace(s.Info["db0"])
	v.add("redis_server_db_keys", gauge, db["keys"], at...)
	v.add("redis_server_db0_keys", gauge, db["keys"], at...)
	v.add("redis_server_db_avg_ttl", gauge, db["avg_ttl"], at...)
	v.add("redis_server_db0_avg_ttl", gauge, db["avg_ttl"], at...)
	for _, name := range []string{
		"redis_server_keys_trimmed", "redis_server_keyspace_write_hits", "redis_server_keyspace_write_misses",
		"redis_server_repl_touch_bytes",
	} {
		v.add(name, gauge, 0, at...)
	}
}

// processMetrics are about the process of a shard.
func (v second) processMetrics(s Shard, at []label) {
	for name, fields := range map[string][2]string{
		"namedprocess_namegroup_cpu_seconds_total":        {"used_cpu_user", "used_cpu_sys"},
		"namedprocess_namegroup_thread_cpu_seconds_total": {"used_cpu_user_main_thread", "used_cpu_sys_main_thread"},
	} {
		for i, mode := range []string{"user", "system"} {
			if value, ok := field2number(s.Info, fields[i]); ok {
				v.add(name, counter, value, append(slices.Clone(at), label{"mode", mode})...)
			}
		}
	}
	if up, ok := field2number(s.Info, "uptime_in_seconds"); ok {
		v.add("namedprocess_namegroup_oldest_start_time_seconds", gauge, float64(v.now.Unix())-up, at...)
	}
	if clients, ok := field2number(s.Info, "connected_clients"); ok {
		v.add("namedprocess_namegroup_open_filedesc", gauge, clients, at...)
	}
	v.add("namedprocess_namegroup_thread_count", gauge, 1, at...)
}

// field2number reads a number of INFO.
func field2number(info map[string]string, field string) (float64, bool) {
	text, ok := info[field]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// keyspace parses a line such as "keys=1,expires=0,avg_ttl=0".
func keyspace(text string) map[string]float64 {
	m := make(map[string]float64)
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		m[name], _ = strconv.ParseFloat(value, 64)
	}
	return m
}
