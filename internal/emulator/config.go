// Package emulator is a Redis Enterprise node as its documentation describes it: the admin API, the cluster
// configuration store and its elections, databases made of real redis-server processes, and their endpoints. It is an
// emulator for development and tests; docs/emulator.md says what it does and does not do.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Ports are where a node listens, all on its own address.
type Ports struct {
	API       int // admin API, HTTPS
	UI        int // administration console
	Metrics   int // Prometheus
	Discovery int // Sentinel protocol
	Internode int // between nodes, mutual TLS
	CCS       int // redis-server of the configuration store
}

// DefaultPorts are the documented ports of the product.
var DefaultPorts = Ports{API: 9443, UI: 8443, Metrics: 8070, Discovery: 8001, Internode: 3346, CCS: 3333}

// Ranges of ports inside a cluster.
const (
	firstDatabasePort = 10000
	lastDatabasePort  = 19999
	zabbixPort        = 10050
	firstShardPort    = 20000
	lastShardPort     = 29999
)

// Config is everything a node is started with.
type Config struct {
	// Addr is the address other nodes and clients use.
	Addr string
	// Bind is the address that clients are served on; empty is Addr. What is between nodes is on Addr alone.
	Bind string
	// Ports default to DefaultPorts, one by one.
	Ports Ports
	// Dir survives restarts: membership, configuration and data live there. TempDir need not.
	Dir, TempDir string
	// RedisServer is the program; empty finds it in the search path.
	RedisServer string
	// SoftwareVersion is what the node says it runs; empty is the documented release.
	SoftwareVersion string
	// Hostname is what the node calls itself; empty asks the machine.
	Hostname string
	// Memory is the node's total memory as it reports it; 0 is 8 GiB.
	Memory int64
	// OperationDelay is how long asynchronous work takes at least, so that clients meet busy answers.
	OperationDelay time.Duration
	// FailureTimeout is how long a node may be silent before it counts as lost; 0 is two seconds.
	FailureTimeout time.Duration
	// PeerPatience is how long an Active-Active task waits for another cluster that does not answer; 0 is 15 seconds.
	PeerPatience time.Duration
	// Dial connects to what is outside of the cluster, as the others of an Active-Active database are; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock of everything that is shown or kept; nil is time.Now. Time-outs use the machine's own.
	Now func() time.Time
	// Logger is where the node logs; nil discards.
	Logger *slog.Logger
	// Faults may spoil requests of the admin API; FaultsAPI serves its rules too.
	Faults    *faults.Set
	FaultsAPI bool
	// OnRequest is told of each request of the admin API.
	OnRequest func(api.Request)
	// PeerHints gives addresses (hosts) where nodes of this cluster may be, for the case that all of them changed theirs.
	PeerHints func() []string
}

func (c Config) withDefaults() (Config, error) {
	if net.ParseIP(c.Addr) == nil {
		return c, fmt.Errorf("emulator: %q is no IP address", c.Addr)
	}
	if c.Dir == "" {
		return c, errors.New("emulator: a directory is needed")
	}
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, err
	}
	if c.Bind == "" {
		c.Bind = c.Addr
	}
	if c.TempDir == "" {
		c.TempDir = filepath.Join(c.Dir, "tmp")
	}
	if c.RedisServer == "" {
		c.RedisServer = "redis-server"
	}
	if c.RedisServer, err = exec.LookPath(c.RedisServer); err != nil {
		return c, fmt.Errorf("emulator: redis-server is needed: %w", err)
	}
	if c.Hostname == "" {
		c.Hostname, _ = os.Hostname()
	}
	setDefault(&c.SoftwareVersion, schema.SoftwareVersion)
	setDefault(&c.Memory, 8<<30)
	setDefault(&c.FailureTimeout, 2*time.Second)
	setDefault(&c.PeerPatience, 15*time.Second)
	setDefault(&c.Ports.API, DefaultPorts.API)
	setDefault(&c.Ports.UI, DefaultPorts.UI)
	setDefault(&c.Ports.Metrics, DefaultPorts.Metrics)
	setDefault(&c.Ports.Discovery, DefaultPorts.Discovery)
	setDefault(&c.Ports.Internode, DefaultPorts.Internode)
	setDefault(&c.Ports.CCS, DefaultPorts.CCS)
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func setDefault[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}
