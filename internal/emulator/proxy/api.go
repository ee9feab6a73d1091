// Package proxy is a database endpoint: a listener that speaks the Redis protocol to clients and sends each command to
// the shard that owns its keys.
//
// Three promises hold whatever the engine does meanwhile:
//   - A write is acknowledged only after the number of replicas that the configuration asks for has confirmed it.
//   - A shard that the configuration no longer names is never served from: its connections are cut by Update, and a
//     reply that was not yet released is not released.
//   - A command that has not yet been sent waits (bounded) for a shard that is being replaced; a command that has been
//     sent and not answered ends with the client's connection, never with a success.
package proxy

import (
	"crypto/tls"
	"net/netip"
	"time"
)

// Slots is the number of hash slots.
const Slots = 16384

// SlotRange is a range of hash slots, both ends included.
type SlotRange struct{ First, Last int }

// Backend is the master shard of some slots.
type Backend struct {
	// ID names the shard.
	ID string
	// Epoch must change whenever the process behind ID and Addr is another one than before (restart, fail-over and back):
	// a change cuts all connections to the earlier one.
	Epoch uint64
	// Addr is host:port of the master.
	Addr string
	// Password is the shard's own password.
	Password string
	// Slots are the slots it owns. Ignored (all) when the database is not sharded.
	Slots []SlotRange
	// RequiredAcks is how many replicas must confirm a write before the client hears of it. A write that waits sees a
	// lower number as soon as Update brings one.
	RequiredAcks int
}

// Node is one endpoint of the database as the OSS cluster API announces it.
type Node struct {
	ID    string // 40 hex digits, the same for every client; made from Host and Port when empty
	Host  string
	Port  int
	Slots []SlotRange
	// Hosts are told instead of Host to clients of their networks; of several that fit the narrowest counts.
	Hosts []HostFor
	// Self marks the node this endpoint is.
	Self bool
}

// HostFor is the host that clients of a network are told.
type HostFor struct {
	Network netip.Prefix
	Host    string
}

// Permit decides whether an authenticated connection may run a command; nil means everything is allowed. The error text
// is what the client sees, such as "NOPERM ...".
type Permit func(command string, args [][]byte) error

// Config is what an endpoint does. Values are not changed after they have been handed over.
type Config struct {
	// Backends are the master shards. With none at all, commands wait for an Update.
	Backends []Backend
	// Sharded tells that keys are spread by hash slot.
	Sharded bool
	// HashRules are the regular expressions that find the part of a key that is hashed, in order; the first that matches
	// wins and its group named "tag" counts. Empty is the standard policy: the text between the first { and }.
	HashRules []string
	// OSSCluster answers CLUSTER commands with Nodes, redirects keys of other nodes with MOVED, and restricts
	// multi-key commands to one slot.
	OSSCluster bool
	Nodes      []Node
	// DefaultUser tells whether the user "default" may sign in at all. Passwords are all that are valid for it; with none
	// no password is asked for.
	DefaultUser bool
	Passwords   []string
	// Authenticate checks any other user. It may be nil.
	Authenticate func(user, password string) (Permit, bool)
	// TLS, when not nil, is used for every new connection (client certificates included: set ClientAuth, ClientCAs and
	// VerifyPeerCertificate). Update with another nil-ness ends the connections of the other sort.
	TLS *tls.Config
	// MaxClients bounds the connections; 0 is no bound.
	MaxClients int
	// Paused refuses every command while traffic is stopped by hand.
	Paused bool
	// RESP3 tells whether HELLO 3 is accepted.
	RESP3 bool
	// Version is what INFO and HELLO call the server version, such as "7.4.2"; empty passes the shard's own on.
	Version string
	// CRDT is set for an instance of an Active-Active database.
	CRDT *CRDT
}

// Options are the constants of an endpoint. The zero value is right for most.
type Options struct {
	// Patience is how long a command that has not been sent waits for a shard; 0 is 15 seconds.
	Patience time.Duration
	// AckPoll is how often a write that still lacks replicas looks at the configuration again; 0 is 100 milliseconds.
	AckPoll time.Duration
	// DialTimeout bounds one attempt to reach a shard; 0 is one second.
	DialTimeout time.Duration
}

// Stats are the counters of an endpoint since it was opened; Clients is a gauge.
type Stats struct {
	Clients                                   int64
	Accepted, Disconnected, ProxyDisconnected uint64
	Refused                                   uint64 // over MaxClients
	AuthOK, AuthFailed                        uint64
	IngressBytes, EgressBytes                 uint64
	Reads, Writes, Others                     OpStats
	LongestPipeline                           uint64
	DispatchFailures                          uint64
	PubSubChannels, PubSubPatterns            int64
	LastRequest, LastResponse                 time.Time
}

// OpStats counts one class of commands.
type OpStats struct {
	Requests, Responses uint64
	// Latency is a histogram: Buckets[i] counts answers within LatencyBounds[i]; the last one counts all the others.
	Buckets [len(LatencyBounds) + 1]uint64
	Sum     time.Duration
}

// LatencyBounds are the upper bounds of the latency histogram.
var LatencyBounds = [...]time.Duration{
	100 * time.Microsecond, 200 * time.Microsecond, 400 * time.Microsecond, 800 * time.Microsecond,
	1600 * time.Microsecond, 3200 * time.Microsecond, 6400 * time.Microsecond, 12800 * time.Microsecond,
	25600 * time.Microsecond, 51200 * time.Microsecond, 102400 * time.Microsecond, 204800 * time.Microsecond,
	409600 * time.Microsecond, 819200 * time.Microsecond, 1638400 * time.Microsecond,
}
