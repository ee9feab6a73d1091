package main

// statusWords are the values of db_status.
var statusWords = map[string]string{"0": "active", "1": "changing", "2": "being created", "3": "importing", "4": "being deleted", "5": "recovering", "99": "unknown"}

func databaseDashboard() Dashboard {
	hits, misses := masters(ofDatabase, "redis_server_keyspace_read_hits"), masters(ofDatabase, "redis_server_keyspace_read_misses")
	delta := func(metric string) string {
		return sum(ofDatabase, one(ofShard, rate(metric+`{cluster=~"$cluster", db=~"$db", role="master"}`)))
	}
	return Dashboard{
		Name: "database", Title: "Redis Enterprise / Database", Description: "How a database serves its clients, and whether its limits are near.",
		Variables: []Variable{clusterVariable, databaseVariable},
		Rows: []Row{
			{"At a glance", []Panel{
				bars("Status", unitNone, "The status word of each database.", Query{named(one(ofDatabase, "db_status"+inDatabase)), "{{db_name}}"}, bad(1, 5)...).words(statusWords),
				bars("Memory used", unitPart, "Memory of all shards against the limit; replicas count on both sides of the limit.",
					Query{named(shards(ofDatabase, "redis_server_used_memory", inDatabase) + " / " + one(ofDatabase, "db_memory_limit_bytes"+inDatabase)), "{{db_name}}"}, bad(0.8, 0.95)...),
				bars("Shards up", unitPart, "The part of a database's shards that run.",
					Query{named("avg by (cluster, db) (" + one(ofShard, "redis_server_up"+inDatabase) + ")"), "{{db_name}}"}, good(0.99, 1)...),
			}},
			{"Requests", []Panel{
				lines("Requests", unitOps, "Requests of clients.", Query{named(requests(ofDatabase, inDatabase)), "{{db_name}}"}),
				lines("Reads and writes", unitOps, "Requests by kind, over all chosen databases.",
					Query{endpointRate(ofCluster, "endpoint_read_requests", inDatabase), "read"},
					Query{endpointRate(ofCluster, "endpoint_write_requests", inDatabase), "write"},
					Query{endpointRate(ofCluster, "endpoint_other_requests", inDatabase), "other"}).stacked(),
				lines("Unanswered", unitOps, "Requests that got no answer, as when a shard is lost.",
					Query{named("clamp_min(" + endpointRate(ofDatabase, "endpoint_read_requests", inDatabase) + " + " + endpointRate(ofDatabase, "endpoint_write_requests", inDatabase) + " - " +
						endpointRate(ofDatabase, "endpoint_read_responses", inDatabase) + " - " + endpointRate(ofDatabase, "endpoint_write_responses", inDatabase) + ", 0)"), "{{db_name}}"}),
				lines("Mean latency of reads", unitMicros, "From the arrival of a read at the proxy to its answer.", Query{named(latency(ofDatabase, "read", inDatabase)), "{{db_name}}"}),
				lines("Mean latency of writes", unitMicros, "From the arrival of a write at the proxy to its answer.", Query{named(latency(ofDatabase, "write", inDatabase)), "{{db_name}}"}),
				lines("Slow end", unitMicros, "99 of 100 requests are answered faster, over all chosen databases.",
					Query{quantile(0.99, ofCluster, "read", inDatabase), "read p99"}, Query{quantile(0.99, ofCluster, "write", inDatabase), "write p99"}),
			}},
			{"Clients", []Panel{
				lines("Connections", unitNone, "Connections that are open.", Query{named(connections(ofDatabase, inDatabase)), "{{db_name}}"}),
				lines("New connections", unitPerSec, "Connections that are opened. Many of them mean clients without a pool.", Query{named(endpointRate(ofDatabase, "endpoint_accepted_connections", inDatabase)), "{{db_name}}"}),
				lines("Refused passwords", unitPerSec, "Clients that gave a wrong user or password.", Query{named(endpointRate(ofDatabase, "endpoint_failed_user_password_authentication", inDatabase)), "{{db_name}}"}),
				lines("Traffic", unitBytesPS, "Bytes that clients send and receive.",
					Query{endpointRate(ofCluster, "endpoint_ingress", inDatabase), "in"}, Query{endpointRate(ofCluster, "endpoint_egress", inDatabase), "out"}),
			}},
			{"Data", []Panel{
				lines("Memory", unitBytes, "Memory of all shards, replicas included.", Query{named(shards(ofDatabase, "redis_server_used_memory", inDatabase)), "{{db_name}}"}),
				lines("Keys", unitNone, "Keys in the primary shards.", Query{named(masters(ofDatabase, "redis_server_db_keys")), "{{db_name}}"}),
				lines("Hits", unitPart, "The part of reads that found their key, since the shards started.", Query{named(hits + " / (" + hits + " + " + misses + ")"), "{{db_name}}"}).upTo(1),
				lines("Evicted and expired", unitPerSec, "Keys that went to make room, and keys whose time was over.",
					Query{named(delta("redis_server_evicted_keys")), "{{db_name}} evicted"}, Query{named(delta("redis_server_expired_keys")), "{{db_name}} expired"}),
			}},
		},
	}
}
