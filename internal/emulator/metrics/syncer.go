package metrics

import (
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
)

// syncerMetrics are about the replication from another cluster. Offsets are bytes of keys and values: a link asks for changes by the
// number of the last one it has, and has no stream of commands. For the same reason there is no RDB file.
func (v second) syncerMetrics(y Syncer) {
	at := []label{{"cluster", v.cluster}, {"db", y.Database}, {"syncer_type", y.Type}, {"replica_id", y.Source}}
	v.add("database_syncer_config", gauge, 1, at...)
	link := y.Link
	if link == nil {
		link = &crdb.State{}
	}
	v.add("database_syncer_current_status", gauge, 1-boolean(link.Status == crdb.InSync), at...)
	v.add("database_syncer_src_connectivity_state", gauge, boolean(link.Source.Up), at...)
	v.add("database_syncer_dst_connectivity_state", gauge, boolean(link.Target.Up), at...)
	if y.Link == nil {
		return
	}
	for name, value := range map[string]float64{
		"lag_ms":                     milliseconds(behind(link)),
		"dst_lag":                    milliseconds(link.Held),
		"src_connectivity_state_ms":  milliseconds(time.Since(link.Source.Since)),
		"dst_connectivity_state_ms":  milliseconds(time.Since(link.Target.Since)),
		"src_repl_offset":            float64(link.Read),
		"syncer_repl_offset":         float64(link.Read),
		"dst_repl_offset":            float64(link.Taken),
		"ingress_bytes":              float64(link.Received),
		"ingress_bytes_decompressed": float64(link.Read),
		"total_requests":             float64(link.Asked),
		"total_responses":            float64(link.Keys),
		"rdb_size":                   0,
		"rdb_transferred":            0,
	} {
		v.add("database_syncer_"+name, gauge, value, at...)
	}
}

// behind grows while nothing is heard of the source.
func behind(link *crdb.State) time.Duration {
	if link.Status == crdb.InSync || link.Updated.IsZero() {
		return link.Lag
	}
	return link.Lag + time.Since(link.Updated)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
