// Package shard runs one redis-server process: it writes its configuration, starts it, waits until it answers, changes
// its settings while it runs, moves it between master and replica, and stops it. The emulator uses it for the shards of
// databases and for the cluster configuration store alike.
//
// Nothing here decides anything. In particular a master without persistence comes back empty after a crash, and a
// replica that follows it would copy that emptiness: whoever restarts a shard must first make sure that no better copy
// exists.
package shard

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// Errors that a caller may want to tell apart.
var (
	// ErrStopped says that the process has ended or is ending.
	ErrStopped = errors.New("shard: process has ended")
	// ErrRole says that the operation needs the other role (a replica was asked for what only a master can do).
	ErrRole = errors.New("shard: wrong role")
)

// AOF says how often the append-only file reaches the disk.
type AOF string

// The append-only file policies.
const (
	AOFOff      AOF = ""
	AOFEverySec AOF = "everysec"
	AOFAlways   AOF = "always"
)

// Snapshot is one rule of the form "after so many seconds if at least so many keys changed".
type Snapshot struct {
	Seconds int
	Changes int
}

// Settings are the parts of a configuration that can change while the process runs.
type Settings struct {
	// MemoryBytes is the limit on the data set; 0 is no limit. Replicas leave eviction to their master.
	MemoryBytes int64
	// Eviction is Redis's maxmemory-policy, such as "volatile-lru"; empty is "noeviction".
	Eviction string
	// AOF is the append-only file policy.
	AOF AOF
	// Snapshots are the snapshot rules. Without AOF and without rules nothing is kept on disk: what is there from
	// earlier is removed, so that a restart cannot bring back data from before persistence was switched off.
	Snapshots []Snapshot
	// Extra are further directives by name, such as "hash-max-listpack-entries".
	Extra map[string]string
}

// Persistent tells whether the data survives a restart.
func (s Settings) Persistent() bool { return s.AOF != AOFOff || len(s.Snapshots) > 0 }

// Address is where a redis-server listens.
type Address struct {
	Host string
	Port int
}

// String is host:port.
func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Config is everything a process starts with.
type Config struct {
	// Binary is the redis-server program; empty is "redis-server" from the search path.
	Binary string
	// Dir holds the configuration and the persistence files. It is made (mode 0700) when absent; what is there is loaded.
	Dir string
	// LogFile is where redis-server logs; empty is redis.log in Dir.
	LogFile string
	// Address is the address to listen on. Port must not be 0.
	Address Address
	// Password protects the process (and is used towards a master). It only ever appears in the configuration file,
	// which is readable by the owner alone; never on a command line or in the environment.
	Password string
	// Settings are the initial settings.
	Settings Settings
	// Master, when not nil, makes the process start as a replica: it never accepts a write before Promote.
	Master *Address
	// AnnounceHost is the address that a replica tells its master about; empty is Address.Host.
	AnnounceHost string
	// StartTimeout bounds loading of the data set; 0 is one minute.
	StartTimeout time.Duration
}

// Role is what a process is at the moment.
type Role string

// The two roles.
const (
	Master  Role = "master"
	Replica Role = "replica"
)

// State is the replication state of a process.
type State struct {
	Role Role
	// ReplID and Offset identify the position in the stream of writes.
	ReplID string
	Offset int64
	// Master, LinkUp and Syncing describe a replica's link to its master. LinkDownFor is 0 while it is up.
	Master      Address
	LinkUp      bool
	LinkDownFor time.Duration
	Syncing     bool
	// Loading is true while the process still reads its data set.
	Loading bool
	// Replicas are the replicas a master knows.
	Replicas []ReplicaState
}

// InSync tells whether a replica follows its master now.
func (s State) InSync() bool { return s.Role == Replica && s.LinkUp && !s.Syncing && !s.Loading }

// ReplicaState is a replica as its master sees it.
type ReplicaState struct {
	Address Address
	// Online is true once the initial copy is over.
	Online bool
	// Offset is the last position the replica acknowledged and Lag the time since it last did so.
	Offset int64
	Lag    time.Duration
}

// Start starts a redis-server and returns once it answers with its data set loaded. The context bounds the start only;
// the process lives until Stop or Kill, or until this program ends.
func Start(ctx context.Context, c Config) (*Process, error) { return start(ctx, c) }

// Address is where the process listens.
func (p *Process) Address() Address { return p.config.Address }

// PID is the process id.
func (p *Process) PID() int { return p.pid }

// Done is closed when the process has ended, for whatever reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is nil until Done is closed, and afterwards nil for a process that was stopped and the reason for one that was not.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Do runs one command on a connection of its own kind (not for blocking commands) and returns the reply; an error reply is
// an error of type resp.Error.
func (p *Process) Do(ctx context.Context, args ...string) (resp.Value, error) {
	return p.conn.Do(ctx, args...)
}
