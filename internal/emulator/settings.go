package emulator

import (
	"net"
	"strconv"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

// shardSettings are the redis-server settings of one shard of a database.
func shardSettings(bdb api.Object, s shardRecord) shard.Settings {
	out := shard.Settings{
		MemoryBytes: schema.IntOf(bdb, "memory_size") / max(schema.ShardTotal(bdb), 1),
		Eviction:    schema.TextOf(bdb, "eviction_policy"),
		Extra:       map[string]string{"repl-timeout": "10", "client-output-buffer-limit": "replica 0 0 0"},
	}
	if s.Roomy {
		out.MemoryBytes = 0
	}
	switch schema.TextOf(bdb, "data_persistence") {
	case "aof":
		out.AOF = shard.AOFEverySec
		if schema.TextOf(bdb, "aof_policy") == "appendfsync-always" {
			out.AOF = shard.AOFAlways
		}
	case "snapshot":
		rules, _ := bdb["snapshot_policy"].([]any)
		for _, r := range rules {
			rule, _ := r.(map[string]any)
			out.Snapshots = append(out.Snapshots, shard.Snapshot{
				Seconds: int(schema.IntOf(rule, "secs")), Changes: int(schema.IntOf(rule, "writes")),
			})
		}
	}
	return out
}

// keepsWrites tells whether a shard process that was killed comes back with everything it ever acknowledged. An
// append-only file that is synchronised every second is not enough: while a synchronisation runs, redis-server holds back
// what it writes.
func keepsWrites(bdb api.Object) bool {
	return appends(bdb) && schema.TextOf(bdb, "aof_policy") == "appendfsync-always"
}

// appends tells whether a killed process comes back with all but perhaps the last second.
func appends(bdb api.Object) bool { return schema.TextOf(bdb, "data_persistence") == "aof" }

func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
