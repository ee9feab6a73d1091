// Package metrics writes what a cluster measures in the text format of Prometheus: the second version of the metrics at /v2
// (whole cluster) and /v2/node (one node, without the labels cluster and node), the first one at /.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
)

// Source tells what there is to measure.
type Source interface {
	// Snapshot is the state of the cluster as this node sees it. What is not known is left zero.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Leader is the URL of the leader's metrics, such as "https://10.0.0.1:8070", or empty on the leader itself: version 1
	// is only served there.
	Leader() string
	// Authorized tells whether a request may see metrics; the cluster can ask for credentials.
	Authorized(r *http.Request) bool
}

// Snapshot is what is measured at one moment.
type Snapshot struct {
	Cluster   Cluster
	Nodes     []Node
	Databases []Database
	Shards    []Shard
	Endpoints []Endpoint
	Syncers   []Syncer
	// Self is the uid of the node asked.
	Self string
}

// Cluster describes the whole.
type Cluster struct {
	Name string
	// Watchdogs is what each node that answers thinks of the cluster.
	Watchdogs      []Watchdog
	Users          int
	LicenseExpires time.Time
	// LicenseShards is the limit by type of shard ("ram", "flash").
	LicenseShards map[string]int64
	// TagKeys are the tags that become labels; nil where none are to be exposed.
	TagKeys []string
}

// Watchdog is what one node thinks of the cluster.
type Watchdog struct {
	Node                          string
	HasQuorum, IsPrimary          bool
	Generation, PrimarySelections int64
	LiveNodes, TotalNodes         int
}

// Node describes one node. Sizes are bytes.
type Node struct {
	UID                             string
	Up                              bool
	FreeMemory                      int64
	AvailableMemory                 int64
	ProvisionalMemory               int64
	PersistentFree, PersistentAvail int64
	EphemeralFree, EphemeralAvail   int64
	// TotalMemory is that of the machine.
	TotalMemory int64
	// CPU are the seconds that each processor of the machine has spent since it started, by mode ("idle", "user", ...).
	CPU map[string]map[string]float64
	// Certificates are the expiry times by name of the certificate.
	Certificates map[string]time.Time
}

// Database describes one database.
type Database struct {
	UID, Name   string
	Status      string // as the admin API says it
	MemoryLimit int64
	Version     string
	Port        int64
	TLSMode     string
	Replication bool
	Tags        map[string]string
}

// Shard describes one shard. Info is the INFO of its process; empty when it is down.
type Shard struct {
	UID, Database, Node string
	Role                string // "master" or "slave"
	Up                  bool
	Info                map[string]string
}

// Endpoint is the listener of a database on one node.
type Endpoint struct {
	Database, Node string
	Stats          proxy.Stats
}

// Syncer is the replication of a database from one source in another cluster.
type Syncer struct {
	Database, Source string
	Type             string      // "replicaof" or "crdt"
	Link             *crdb.State // nil when nothing runs for it
}

// statusCodes are the values of db_status.
var statusCodes = map[string]float64{
	"active": 0, "active-change-pending": 1, "pending": 2, "import-pending": 3, "delete-pending": 4, "recovery": 5,
}

func statusCode(status string) float64 {
	if n, ok := statusCodes[status]; ok {
		return n
	}
	return 99
}
