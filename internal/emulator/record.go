package emulator

import (
	"strconv"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// Kinds of records that only the engine and the agents read; the admin API shows objects made of them.
const (
	kindShardRecord    = "placed"
	kindDatabaseRecord = "served"
	kindNodeRecord     = "host"
	kindActionRecord   = "work"
)

type shardRole string

const (
	roleMaster shardRole = "master"
	roleSlave  shardRole = "slave"
)

// syncState is how much a replica is worth.
type syncState string

const (
	// syncCopying: not to be promoted, and nobody waits for it.
	syncCopying syncState = "copying"
	// syncJoining: writes wait for it already, but some node may not know that yet.
	syncJoining syncState = "joining"
	// syncDone: every acknowledged write has reached it; it may be promoted.
	syncDone syncState = "in-sync"
)

// shardRecord is one shard as the leader wants it. A group is a range of slots: one master and its replicas.
type shardRecord struct {
	UID   int64     `json:"uid"`
	BDB   int64     `json:"bdb"`
	Group int64     `json:"group"`
	Node  int64     `json:"node"`
	Port  int       `json:"port"`
	Role  shardRole `json:"role"`
	First int       `json:"first"`
	Last  int       `json:"last"`
	// Follow is the shard a replica copies from: its master, or another replica while it moves.
	Follow int64 `json:"follow,omitempty"`
	// Epoch grows whenever another process becomes the master. Serving equals it once that process has said so; until
	// then no endpoint sends it anything.
	Epoch   uint64 `json:"epoch"`
	Serving uint64 `json:"serving"`
	// Grant names the one process (see token) that may be master. A process that came back after a crash has another
	// token, so it cannot serve old or lost data before the leader has looked for a better copy.
	Grant string `json:"grant,omitempty"`
	// Sync is the state of a replica, SyncToken the process it was true of.
	Sync      syncState `json:"sync,omitempty"`
	SyncToken string    `json:"sync_token,omitempty"`
	// Roomy lifts the memory limit while a shard still holds keys of slots that it gave away.
	Roomy bool `json:"roomy,omitempty"`
	// Moving marks the new copy of a shard that changes its node.
	Moving bool `json:"moving,omitempty"`
}

func (s shardRecord) id() string { return strconv.FormatInt(s.UID, 10) }

func (s shardRecord) serving() bool {
	return s.Role == roleMaster && s.Epoch > 0 && s.Serving == s.Epoch
}

// databaseRecord is what a database has beside its API object.
type databaseRecord struct {
	BDB int64 `json:"bdb"`
	// Port is the port of the endpoint, Nodes are the nodes that serve it.
	Port  int     `json:"port"`
	Nodes []int64 `json:"nodes"`
	// Password protects the shards inside the cluster.
	Password string `json:"password"`
	// Action is the state machine that works on the database, if any.
	Action string `json:"action,omitempty"`
}

// nodeRecord is what the engine knows about a node beside its API object.
type nodeRecord struct {
	UID int64 `json:"uid"`
	// Maintenance counts maintenance_on calls not yet taken back.
	Maintenance int `json:"maintenance,omitempty"`
	// Leaving is set by remove: nothing new is placed there.
	Leaving bool `json:"leaving,omitempty"`
	// Accepted is accept_servers as it was before maintenance.
	Accepted bool `json:"accepted,omitempty"`
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func putShard(tx *store.Tx, s shardRecord)       { tx.Put(kindShardRecord, s.id(), s) }
func putDatabase(tx *store.Tx, d databaseRecord) { tx.Put(kindDatabaseRecord, text(d.BDB), d) }

// view is the configuration decoded for the engine, the agents and the API overlays.
type view struct {
	r store.Reader
}

func (v view) shards() []shardRecord {
	list, _ := store.List[shardRecord](v.r, kindShardRecord)
	return list
}

func (v view) shardsOf(bdb int64) []shardRecord {
	var out []shardRecord
	for _, s := range v.shards() {
		if s.BDB == bdb {
			out = append(out, s)
		}
	}
	return out
}

func (v view) shard(uid int64) (shardRecord, bool) {
	s, ok, _ := store.Get[shardRecord](v.r, kindShardRecord, text(uid))
	return s, ok
}

func (v view) databases() []databaseRecord {
	list, _ := store.List[databaseRecord](v.r, kindDatabaseRecord)
	return list
}

func (v view) database(bdb int64) (databaseRecord, bool) {
	d, ok, _ := store.Get[databaseRecord](v.r, kindDatabaseRecord, text(bdb))
	return d, ok
}

func (v view) bdb(uid int64) (api.Object, bool) {
	o, ok, _ := store.Get[api.Object](v.r, string(api.KindBDB), text(uid))
	return o, ok
}

func (v view) nodes() []api.Object {
	list, _ := store.List[api.Object](v.r, string(api.KindNode))
	return list
}

func (v view) node(uid int64) (api.Object, bool) {
	o, ok, _ := store.Get[api.Object](v.r, string(api.KindNode), text(uid))
	return o, ok
}

func (v view) nodeRecord(uid int64) nodeRecord {
	r, _, _ := store.Get[nodeRecord](v.r, kindNodeRecord, text(uid))
	r.UID = uid
	return r
}

func (v view) addr(node int64) string {
	return schema.TextOf(v.peek(api.KindNode, text(node)), "addr")
}

func (v view) singleton(kind api.Kind) api.Object {
	o, _, _ := store.Get[api.Object](v.r, string(kind), api.Singleton)
	return o
}

func (v view) clusterName() string {
	return schema.TextOf(v.peek(api.KindCluster, api.Singleton), "name")
}

// peek is an object to look at and not to change; nil when there is none.
func (v view) peek(kind api.Kind, id string) api.Object {
	o, _, _ := store.Peek(v.r, string(kind), id)
	return o
}

// masters and replicas pick from the shards of one database, by group.
func groups(shards []shardRecord) (order []int64, masters map[int64]shardRecord, replicas map[int64][]shardRecord) {
	masters, replicas = map[int64]shardRecord{}, map[int64][]shardRecord{}
	for _, s := range shards {
		if s.Role == roleMaster {
			masters[s.Group] = s
			order = append(order, s.Group)
		} else {
			replicas[s.Group] = append(replicas[s.Group], s)
		}
	}
	return order, masters, replicas
}

func (v view) object(kind api.Kind, uid int64) api.Object {
	o, _, _ := store.Get[api.Object](v.r, string(kind), text(uid))
	return o
}

func (v view) list(kind api.Kind) []api.Object {
	list, _ := store.List[api.Object](v.r, string(kind))
	return list
}

// certificateOf is a certificate to look at; nil when the cluster has none of that name.
func certificateOf(v view, name string) api.Object {
	return v.peek(api.KindCertificate, name)
}
