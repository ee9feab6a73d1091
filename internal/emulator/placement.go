package emulator

import (
	"cmp"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// candidates are the nodes that may take a shard of a database, the least loaded first.
func candidates(v view, w world, bdb api.Object, avoid ...int64) []int64 {
	load := map[int64]int{}
	for _, s := range v.shards() {
		load[s.Node]++
	}
	use, shun := uidSet(bdb["use_nodes"]), uidSet(bdb["avoid_nodes"])
	var out []int64
	for _, o := range v.nodes() {
		uid := schema.IntOf(o, "uid")
		rec := v.nodeRecord(uid)
		accepts, said := o["accept_servers"].(bool)
		switch {
		case schema.TextOf(o, "status") != "active", !w.alive(uid), rec.Leaving, rec.Maintenance > 0, said && !accepts:
		case slices.Contains(avoid, uid), len(use) > 0 && !use[uid], shun[uid]:
		default:
			out = append(out, uid)
		}
	}
	slices.SortStableFunc(out, func(a, b int64) int { return cmp.Compare(load[a], load[b]) })
	return out
}

func uidSet(v any) map[int64]bool {
	out := map[int64]bool{}
	list, _ := v.([]any)
	for _, e := range list {
		if uid, ok := schema.Int(e); ok {
			out[uid] = true
		}
	}
	return out
}

// placeMasters chooses a node for each of n new masters: dense puts them together, sparse spreads them.
func placeMasters(v view, w world, bdb api.Object, n int) []int64 {
	nodes := candidates(v, w, bdb)
	if len(nodes) == 0 {
		return nil
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = nodes[0]
		if schema.TextOf(bdb, "shards_placement") == "sparse" {
			out[i] = nodes[i%len(nodes)]
		}
	}
	return out
}

// placeReplica chooses a node for a replica: not its master's, not in its master's rack, and with dense placement where
// other replicas of the database already are.
func placeReplica(v view, w world, bdb api.Object, m shardRecord, avoid ...int64) (int64, bool) {
	nodes := candidates(v, w, bdb, append(avoid, m.Node)...)
	if schema.BoolOf(bdb, "rack_aware") {
		home, _ := v.node(m.Node)
		nodes = slices.DeleteFunc(nodes, func(uid int64) bool {
			o, _ := v.node(uid)
			return schema.TextOf(o, "rack_id") == schema.TextOf(home, "rack_id")
		})
	}
	if len(nodes) == 0 {
		return 0, false
	}
	if schema.TextOf(bdb, "shards_placement") != "sparse" {
		for _, s := range v.shardsOf(m.BDB) {
			if s.Role == roleSlave && slices.Contains(nodes, s.Node) {
				return s.Node, true
			}
		}
	}
	return nodes[0], true
}

// freeShardPort is a port that no shard of the cluster has, so that a shard can be told apart by its port alone.
func freeShardPort(v view) int {
	used := map[int]bool{}
	for _, s := range v.shards() {
		used[s.Port] = true
	}
	for port := firstShardPort; port <= lastShardPort; port++ {
		if !used[port] {
			return port
		}
	}
	return 0
}

// freeDatabasePort is the lowest port that no database has and that is not reserved.
func freeDatabasePort(v view) int {
	used := map[int]bool{zabbixPort: true}
	for _, d := range v.databases() {
		used[d.Port] = true
	}
	for _, o := range v.list(api.KindBDB) {
		used[int(schema.IntOf(o, "port"))] = true
	}
	cluster := v.singleton(api.KindCluster)
	for port := firstDatabasePort; port <= lastDatabasePort; port++ {
		if !used[port] && !schema.Reserved(cluster, int64(port)) {
			return port
		}
	}
	return 0
}

// newShard writes a shard with a new number and a port.
func newShard(tx *store.Tx, s shardRecord) shardRecord {
	s.UID = tx.NextUID(string(api.KindShard))
	s.Port = freeShardPort(view{tx})
	if s.Group == 0 {
		s.Group = s.UID
	}
	putShard(tx, s)
	return s
}
