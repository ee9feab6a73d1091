package main

const shardLegend = "{{db}}/{{redis}} {{role}}"

func shardDashboard() Dashboard {
	shard := func(metric string) Query { return Query{one(ofShard, metric+inShard), shardLegend} }
	perSecond := func(metric string) Query { return Query{one(ofShard, rate(metric+inShard)), shardLegend} }
	cpu := func(metric string) Query {
		return Query{sum(ofShard, one(ofShard+", mode", rate(metric+inShard))), shardLegend}
	}
	return Dashboard{
		Name: "shard", Title: "Redis Enterprise / Shard", Description: "Single shards: work, memory, processor, replication and persistence. A series is called database/shard and role.",
		Variables: []Variable{clusterVariable, databaseVariable, nodeVariable},
		Rows: []Row{
			{"At a glance", []Panel{
				figure("Shards up", unitNone, "Shards that run.", sum(ofCluster, one(ofShard, "redis_server_up"+inShard)), plain...),
				figure("Shards down", unitNone, "Shards that should run and do not.",
					"count by (cluster) ("+one(ofShard, "redis_server_up"+inShard)+") - "+sum(ofCluster, one(ofShard, "redis_server_up"+inShard)), bad(1, 2)...),
				figure("Busiest shard", unitOps, "Commands per second of the busiest shard. One far above the others holds a hot key.",
					"max by (cluster) ("+rate("redis_server_total_commands_processed"+inShard)+")", plain...),
				figure("Largest shard", unitBytes, "Memory of the largest shard.", "max by (cluster) (redis_server_used_memory"+inShard+")", plain...),
			}},
			{"Work", []Panel{
				lines("Up", unitNone, "1 while a shard runs. After a failover the replica continues as a master.", shard("redis_server_up")).upTo(1.2),
				lines("Commands", unitOps, "Commands of clients, proxies and replication.", perSecond("redis_server_total_commands_processed")),
				lines("Processor", unitPart, "Processor time of the shard's process; 100 % is one core.", cpu("namedprocess_namegroup_cpu_seconds_total")),
				lines("Main thread", unitPart, "Processor time of the thread that runs commands. At 100 % the shard can do no more.", cpu("namedprocess_namegroup_thread_cpu_seconds_total")),
				lines("Received", unitBytesPS, "Bytes that the shard reads.", perSecond("redis_server_total_net_input_bytes")),
				lines("Sent", unitBytesPS, "Bytes that the shard writes.", perSecond("redis_server_total_net_output_bytes")),
			}},
			{"Memory and keys", []Panel{
				lines("Memory used", unitBytes, "What the data and its overhead take.", shard("redis_server_used_memory")),
				lines("Memory of the process", unitBytes, "What the operating system counts.", shard("namedprocess_namegroup_memory_bytes")),
				lines("Fragmentation", unitNone, "Memory of the process by memory used. Far above 1 is waste, once there is data worth counting.", shard("redis_server_mem_fragmentation_ratio")),
				lines("Keys", unitNone, "Keys of the shard. Primary shards of a database should be about equal.", shard("redis_server_db_keys")),
				lines("Evicted", unitPerSec, "Keys that went to make room.", perSecond("redis_server_evicted_keys")),
				lines("Expired", unitPerSec, "Keys whose time was over.", perSecond("redis_server_expired_keys")),
			}},
			{"Replication and persistence", []Panel{
				lines("Connected to its master", unitNone, "1 while a replica is connected; masters are left out.",
					Query{one(ofShard, `redis_server_master_link_status{cluster=~"$cluster", db=~"$db", node=~"$node", role="slave"}`) + " == bool 1", shardLegend}).upTo(1.2),
				lines("Catching up", unitNone, "1 while a replica takes over all data anew.", shard("redis_server_master_sync_in_progress")).upTo(1.2),
				lines("Written to replicas", unitBytesPS, "Growth of the replication offset.", perSecond("redis_server_master_repl_offset")),
				lines("Snapshot being written", unitNone, "1 while the shard writes a snapshot.", shard("redis_server_rdb_bgsave_in_progress")).upTo(1.2),
				lines("Append-only file being rewritten", unitNone, "1 while the shard rewrites its append-only file.", shard("redis_server_aof_rewrite_in_progress")).upTo(1.2),
				lines("Delayed by the disk", unitPerSec, "Writes of the append-only file that the disk delayed.", perSecond("redis_server_aof_delayed_fsync")),
			}},
		},
	}
}
