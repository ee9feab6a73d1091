package schema

import "strings"

const sharedStats = `available_flash available_memory avg_latency bigstore_free bigstore_iops bigstore_kv_ops
	bigstore_throughput conns cpu_idle cpu_system cpu_user egress_bytes ephemeral_storage_avail
	ephemeral_storage_free free_memory ingress_bytes persistent_storage_avail persistent_storage_free
	provisional_flash provisional_memory total_req available_flash_no_overbooking
	available_memory_no_overbooking cpu_iowait cpu_irqs cpu_nice cpu_steal provisional_flash_no_overbooking
	provisional_memory_no_overbooking`

const flashStats = `big_del_flash big_del_ram big_fetch_flash big_fetch_ram big_io_ratio_flash big_io_ratio_redis
	big_write_flash big_write_ram bigstore_io_dels bigstore_io_read_bytes bigstore_io_reads
	bigstore_io_write_bytes bigstore_io_writes bigstore_iops bigstore_kv_ops bigstore_objs_flash
	bigstore_objs_ram bigstore_throughput disk_frag_ratio`

const dataStats = `evicted_objects expired_objects fork_cpu_system fork_cpu_user main_thread_cpu_system
	main_thread_cpu_user mem_frag_ratio mem_not_counted_for_evict mem_size_lua no_of_expires no_of_keys
	pubsub_channels pubsub_patterns read_hits read_misses shard_cpu_system shard_cpu_user total_req
	used_memory write_hits write_misses`

var statNames = map[string][]string{
	"cluster": strings.Fields(sharedStats),
	"node":    strings.Fields(sharedStats + " cur_aof_rewrites"),
	"bdb": strings.Fields(flashStats + " " + dataStats + ` avg_latency avg_other_latency avg_read_latency
		avg_write_latency conns egress_bytes ingress_bytes instantaneous_ops_per_sec monitor_sessions_count other_req
		other_res ram_overhead read_req read_res total_connections_received total_res used_bigstore used_ram
		write_req write_res`),
	"shard": strings.Fields(flashStats + " " + dataStats + ` aof_rewrite_inprog avg_ttl blocked_clients
		connected_clients last_save_time rdb_changes_since_last_save used_memory_peak used_memory_rss`),
}

// StatNames are the figures of one sample of a cluster, node, bdb or shard. All are numbers with a decimal point.
func StatNames(kind string) []string { return statNames[kind] }

// FieldNames are the names of the fields of a type, in the order of its table.
func FieldNames(typeName string) []string {
	t := types()[typeName]
	if t == nil {
		return nil
	}
	names := make([]string, len(t.fields))
	for i, f := range t.fields {
		names[i] = f.name
	}
	return names
}
