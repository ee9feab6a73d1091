// Package metrics writes what a cluster measures in the text format of Prometheus: the second version of the metrics at /v2
// (whole cluster) and /v2/node (one node, without the labels cluster and node), the first one at /.
package metrics

import (
	"context"
	"net/http"
	"time"

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
	// Self is the uid of the node asked.
	Self string
}

// Cluster describes the whole.
type Cluster struct {
	Name              string
	Generation        int64
	HasQuorum         bool
	IsPrimary         bool // the node asked is the leader
	PrimarySelections int64
	LiveNodes         int
	TotalNodes        int
	Users             int
	LicenseExpires    time.Time
	// LicenseShards is the limit by type of shard ("ram", "flash").
	LicenseShards map[string]int64
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
	// CPUIdle, CPUUser and CPUSystem are portions of the node, from 0 to 1.
	CPUIdle, CPUUser, CPUSystem float64
	// Certificates are the expiry times by name of the certificate.
	Certificates map[string]time.Time
}

// Database describes one database.
type Database struct {
	UID, Name   string
	Status      string // as the admin API says it
	MemoryLimit int64
	Version     string
	Shards      int
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
