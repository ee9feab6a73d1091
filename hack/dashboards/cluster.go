package main

func clusterDashboard() Dashboard {
	const day = 86400
	memory := one(ofCluster, shards(ofCluster, "redis_server_used_memory", inCluster))
	return Dashboard{
		Name: "cluster", Title: "Redis Enterprise / Cluster", Description: "Is the cluster well, has it room, and what does it do?",
		Variables: []Variable{clusterVariable, nodeVariable},
		Rows: []Row{
			{"At a glance", []Panel{
				figure("Quorum", unitBool, "Whether every node that answers sees a majority of the nodes. Without one the cluster cannot be changed.",
					"min by (cluster) (has_quorum"+inCluster+")", good(0.5, 1)...),
				figure("Nodes lost", unitNone, "Nodes that are members and not alive.",
					one(ofCluster, "total_nodes_count"+inCluster)+" - "+one(ofCluster, "total_live_nodes_count"+inCluster), bad(1, 2)...),
				figure("Databases", unitNone, "Databases of the cluster.", "count by (cluster) ("+one(ofDatabase, "db_config"+inCluster)+")", plain...),
				figure("Shards down", unitNone, "Shards that should run and do not.",
					"count by (cluster) ("+one(ofShard, "redis_server_up"+inCluster)+") - "+sum(ofCluster, one(ofShard, "redis_server_up"+inCluster)), bad(1, 2)...),
				figure("Licence", unitDays, "How long the licence lasts.", "min by (cluster) (license_expiration_days"+inCluster+")", good(7, 30)...),
				figure("First certificate to end", unitSeconds, "How long the certificate lasts that ends first, on any node.",
					"min by (cluster) (node_cert_expires_in_seconds"+inCluster+")", good(7*day, 30*day)...),
			}},
			{"Nodes", []Panel{
				lines("Nodes alive", unitNone, "1 while a node is part of the cluster and connected.", Query{one(ofNode, "node_metrics_up"+inNode), "node {{node}}"}).upTo(1.2),
				lines("Memory available", unitBytes, "Memory that shards can still use on each node.", Query{one(ofNode, "node_available_memory_bytes"+inNode), "node {{node}}"}),
				lines("Memory for new shards", unitBytes, "Memory on each node that is not promised to any shard.", Query{one(ofNode, "node_provisional_memory_bytes"+inNode), "node {{node}}"}),
				lines("Persistent storage available", unitBytes, "Room on the volume of each node.", Query{one(ofNode, "node_persistent_storage_avail_bytes"+inNode), "node {{node}}"}),
				lines("Ephemeral storage available", unitBytes, "Room in the temporary storage of each node.", Query{one(ofNode, "node_ephemeral_storage_avail_bytes"+inNode), "node {{node}}"}),
				bars("Certificates", unitSeconds, "How long each certificate lasts, whichever node's ends first.",
					Query{`label_replace(min by (path) (node_cert_expires_in_seconds` + inNode + `), "file", "$1", "path", "(?:.*/)?([^/]+)")`, "{{file}}"}, good(7*day, 30*day)...),
			}},
			{"Work", []Panel{
				lines("Requests", unitOps, "Requests of clients to all databases.",
					Query{endpointRate(ofCluster, "endpoint_read_requests", inNode), "read"},
					Query{endpointRate(ofCluster, "endpoint_write_requests", inNode), "write"},
					Query{endpointRate(ofCluster, "endpoint_other_requests", inNode), "other"}).stacked(),
				lines("Requests by database", unitOps, "Which databases are busy.", Query{named(requests(ofDatabase, inNode)), "{{db_name}}"}).stacked(),
				lines("Requests by node", unitOps, "Which proxies are busy.", Query{requests(ofNode, inNode), "node {{node}}"}).stacked(),
				lines("Mean latency", unitMicros, "From the arrival of a request at the proxy to its answer.",
					Query{latency(ofCluster, "read", inNode), "read"}, Query{latency(ofCluster, "write", inNode), "write"}),
				lines("Connections", unitNone, "Connections of clients by node.", Query{connections(ofNode, inNode), "node {{node}}"}).stacked(),
				lines("Traffic", unitBytesPS, "Bytes that clients send and receive.",
					Query{endpointRate(ofCluster, "endpoint_ingress", inNode), "in"}, Query{endpointRate(ofCluster, "endpoint_egress", inNode), "out"}),
			}},
			{"Shards and limits", []Panel{
				lines("Memory of shards", unitBytes, "What all shards use, replicas included, beside the limits of all databases.",
					Query{memory, "used"}, Query{sum(ofCluster, one(ofDatabase, "db_memory_limit_bytes"+inCluster)), "limit"}),
				lines("Shards by node", unitNone, "Where the shards are. After a node was lost they may all be on the others.",
					Query{sum(ofNode, one(ofShard, "redis_server_up"+inNode)), "node {{node}}"}).stacked(),
				lines("Shards and licence", unitNone, "Shards that run, and how many the licence allows.",
					Query{sum(ofCluster, one(ofShard, "redis_server_up"+inCluster)), "shards"}, Query{one("cluster, shard_type", "license_shards_limit"+inCluster), "limit {{shard_type}}"}),
				lines("Elections", unitNone, "How often a leader was chosen, since the count began.", Query{one(ofCluster, "primary_selections_total"+inCluster), "elections"}),
			}},
		},
	}
}
