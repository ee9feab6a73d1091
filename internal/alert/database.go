package alert

import (
	"fmt"
	"time"
)

func databaseAlerts(s Scope) []Alert {
	alerts := []Alert{
		{
			Name: Prefix + "ShardDown", Severity: Critical, For: 2 * time.Minute,
			Expr:        s.expr(`redis_server_up{$c,role="master"} == 0`),
			Summary:     "A part of a Redis Enterprise database is not served",
			Description: database + ": its master shard {{ $labels.redis }} on node {{ $labels.node }} is down and nothing has taken over.",
		},
		{
			Name: Prefix + "ShardDown", Severity: Warning, For: 10 * time.Minute,
			Expr:        s.expr(`redis_server_up{$c,role="slave"} == 0`),
			Summary:     "A replica shard of a Redis Enterprise database is down",
			Description: database + ": its replica shard {{ $labels.redis }} on node {{ $labels.node }} is down. The loss of the master would lose data.",
		},
		{
			Name: Prefix + "DatabaseNotActive", Severity: Critical, For: 10 * time.Minute,
			Expr:        s.expr(`max by (cluster, db) (db_status{$c}) >= 5`),
			Summary:     "A Redis Enterprise database waits for recovery or is in an unknown state",
			Description: database + " has status {{ $value }} (5 waits to be recovered, 99 is unknown).",
		},
		{
			Name: Prefix + "ConnectionsRejected", Severity: Warning, For: 5 * time.Minute,
			Expr: s.expr(`sum by (cluster, db) (increase(endpoint_client_establishment_failures{$c}[5m])` +
				` + increase(endpoint_dispatch_failures{$c}[5m])) > 0`),
			Summary:     "Clients of a Redis Enterprise database are turned away",
			Description: database + " has turned away {{ $value | humanize }} connections within five minutes.",
		},
		{
			Name: Prefix + "LatencyHigh", Severity: Warning, For: 10 * time.Minute,
			Expr: s.expr(`histogram_quantile(0.99, sum by (cluster, db, le) (` +
				`rate(endpoint_read_requests_latency_histogram_bucket{$c}[5m])` +
				` + rate(endpoint_write_requests_latency_histogram_bucket{$c}[5m]))) > 10000`),
			Summary:     "A Redis Enterprise database is slow",
			Description: database + ": one in a hundred reads and writes takes longer than {{ $value | humanize }} microseconds.",
		},
	}
	used := `sum by (cluster, db) (redis_server_used_memory{$c,role="master"})` +
		` / (sum by (cluster, db) (redis_server_maxmemory{$c,role="master"}) > 0)`
	return append(alerts, levels(
		Alert{
			Name: Prefix + "DatabaseMemoryHigh", For: 10 * time.Minute,
			Expr:        s.expr("(" + used + " > 0.85) <= 0.95"),
			Summary:     "A Redis Enterprise database is nearly full",
			Description: database + " uses {{ $value | humanizePercentage }} of its memory. When it is full, keys are evicted or writes refused, as its eviction policy says.",
		},
		Alert{For: 5 * time.Minute, Expr: s.expr(used + " > 0.95")},
	)...)
}

func replicationAlerts(s Scope) []Alert {
	alerts := []Alert{
		{
			Name: Prefix + "ReplicaOutOfSync", Severity: Warning, For: 10 * time.Minute,
			Expr:        s.expr(`redis_server_master_link_status{$c,role="slave"} != 1`),
			Summary:     "A replica shard of a Redis Enterprise database has lost its master",
			Description: database + ": replica shard {{ $labels.redis }} on node {{ $labels.node }} is not connected to its master. A failover to it would lose data.",
		},
		{
			Name: Prefix + "ReplicaLagging", Severity: Warning, For: 5 * time.Minute,
			Expr: s.expr(`redis_server_mem_clients_slaves{$c,role="master"}` +
				` / (redis_server_slave_buffer{$c,role="master"} > 0) > 0.5`),
			Summary:     "A replica shard of a Redis Enterprise database falls behind",
			Description: database + ": what waits to be sent to the replica of shard {{ $labels.redis }} fills {{ $value | humanizePercentage }} of the buffer. When that is full, the replica starts from scratch.",
		},
	}
	for _, link := range []struct{ kind, name, words string }{
		{"replicaof", "ReplicaOf", "Replica Of"},
		{"crdt", "ActiveActive", "Active-Active"},
	} {
		of := fmt.Sprintf(`{$c,syncer_type=%q}`, link.kind)
		alerts = append(alerts,
			Alert{
				Name: Prefix + link.name + "OutOfSync", Severity: Warning, For: 15 * time.Minute,
				Expr:        s.expr(`max by (cluster, db) (database_syncer_current_status` + of + `) > 0`),
				Summary:     link.words + " replication of a Redis Enterprise database does not work",
				Description: database + " is not in sync with at least one of its " + link.words + " sources.",
			},
			Alert{
				Name: Prefix + link.name + "Lagging", Severity: Warning, For: 5 * time.Minute,
				Expr:        s.expr(`max by (cluster, db) (database_syncer_lag_ms` + of + `) > 10000`),
				Summary:     link.words + " replication of a Redis Enterprise database falls behind",
				Description: database + " is {{ $value | humanize }} milliseconds behind one of its " + link.words + " sources.",
			})
	}
	return alerts
}
