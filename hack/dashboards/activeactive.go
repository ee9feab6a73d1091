package main

func activeActiveDashboard() Dashboard {
	const (
		syncer = "cluster, db, syncer_type, replica_id"
		name   = "{{db}} {{syncer_type}} {{replica_id}}"
	)
	figures := func(metric string) Query { return Query{one(syncer, metric+inDatabase), name} }
	perSecond := func(metric string) Query {
		return Query{one(syncer, rate(metric+inDatabase)), name}
	}
	return Dashboard{
		Name: "active-active", Title: "Redis Enterprise / Active-Active", Description: "How far the instances of Active-Active databases, and replicas of other databases, are behind their sources.",
		Variables: []Variable{clusterVariable, databaseVariable},
		Rows: []Row{
			{"At a glance", []Panel{
				figure("Longest lag", unitMillis, "The syncer that is furthest behind its source.", "max by (cluster) (database_syncer_lag_ms"+inDatabase+")", bad(1000, 10000)...),
				figure("Not in sync", unitNone, "Syncers that are not in sync with their source.", "count by (cluster) ("+one(syncer, "database_syncer_current_status"+inDatabase)+" != 0) or on () vector(0)", bad(1, 2)...),
				figure("Without a source", unitNone, "Syncers that have no connection to their source.", "count by (cluster) ("+one(syncer, "database_syncer_src_connectivity_state"+inDatabase)+" == 0) or on () vector(0)", bad(1, 2)...),
			}},
			{"Lag", []Panel{
				lines("Lag behind the source", unitMillis, "Time between a write at the source and here.", figures("database_syncer_lag_ms")),
				lines("Lag before the destination", unitMillis, "Time that a write waits in the syncer before this database has it.", figures("database_syncer_dst_lag")),
				lines("Waiting in the syncer", unitBytes, "Replication stream that was read and not acknowledged by the destination.",
					Query{"clamp_min(" + one(syncer, "database_syncer_src_repl_offset"+inDatabase) + " - " + one(syncer, "database_syncer_dst_repl_offset"+inDatabase) + ", 0)", name}),
			}},
			{"Connections", []Panel{
				lines("Connected to the source", unitNone, "1 while the syncer is connected to its source.", figures("database_syncer_src_connectivity_state")).upTo(1.2),
				lines("Connected to the destination", unitNone, "1 while the syncer is connected to this database.", figures("database_syncer_dst_connectivity_state")).upTo(1.2),
				lines("Status", unitNone, "0 is in sync; anything else is not.", figures("database_syncer_current_status")),
			}},
			{"Work", []Panel{
				lines("Read from the source", unitBytesPS, "Bytes between the clusters, as they travel.", perSecond("database_syncer_ingress_bytes")),
				lines("The same, decompressed", unitBytesPS, "Bytes between the clusters, as they are written here.", perSecond("database_syncer_ingress_bytes_decompressed")),
				lines("Writes", unitOps, "Writes to the destination, and those it acknowledged.",
					Query{one(syncer, rate("database_syncer_total_requests"+inDatabase)), name + " sent"}, Query{one(syncer, rate("database_syncer_total_responses"+inDatabase)), name + " acknowledged"}),
				lines("First copy", unitPart, "How much of the source's data a syncer has taken over that began anew.",
					Query{one(syncer, "database_syncer_rdb_transferred"+inDatabase) + " / (" + one(syncer, "database_syncer_rdb_size"+inDatabase) + " > 0)", name}).upTo(1),
			}},
		},
	}
}
