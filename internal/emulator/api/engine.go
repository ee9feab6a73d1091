package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Object is one JSON object of the API; keys that begin with "_" are private and never answered.
type Object = schema.Object

// Error is a refusal with its HTTP status and error code. An Engine returns it to choose what the client sees; any
// other error is answered as 500 internal_error.
type Error = schema.Error

// Errors an Engine returns for the state of the whole cluster; the surface turns them into the documented answers.
var (
	// ErrNoQuorum says that no majority of the nodes is reachable: 503.
	ErrNoQuorum = errors.New("the cluster has no quorum")
	// ErrNotFound says that the object of a Start, Cancel, UpdateBDB or DeleteBDB does not exist: 404.
	ErrNotFound = errors.New("no such object")
	// ErrUnsupported says that this operation is not emulated: 501 with a sentence.
	ErrUnsupported = errors.New("operation is not emulated")
	// ErrBusy says that a state machine works on the database: 409 db_busy.
	ErrBusy = errors.New("the database is busy")
)

// Kind names a sort of object in the cluster configuration.
type Kind string

// Kinds of objects. A singleton has the id "0".
const (
	KindCluster      Kind = "cluster"       // singleton
	KindPolicy       Kind = "policy"        // singleton
	KindLicense      Kind = "license"       // singleton
	KindServices     Kind = "services"      // singleton: services_configuration
	KindCMSettings   Kind = "cm_settings"   // singleton
	KindJobScheduler Kind = "job_scheduler" // singleton
	KindMetrics      Kind = "metrics_config"
	KindLDAP         Kind = "ldap"
	KindSSO          Kind = "sso"
	KindOCSP         Kind = "ocsp"
	KindAudit        Kind = "audit"
	KindDiagnostics  Kind = "diagnostics"
	KindUser         Kind = "user"         // id = uid; written only by the surface; _password_sha256 holds hex digests
	KindRole         Kind = "role"         // id = uid; written only by the surface
	KindRedisACL     Kind = "redis_acl"    // id = uid; written only by the surface
	KindLDAPMapping  Kind = "ldap_mapping" // id = uid; written only by the surface
	KindSuffix       Kind = "suffix"       // id = name
	KindBDBGroup     Kind = "bdb_group"    // id = uid
	KindCertificate  Kind = "certificate"  // id = name ("api", "proxy", ...); {name, certificate, key}
	KindEvent        Kind = "event"        // id = ordinal; entries of /v1/logs
	KindBDB          Kind = "bdb"          // id = uid; status, endpoints, ... written by the engine
	KindNode         Kind = "node"         // id = uid; written by the engine; see schema.NewNode
	KindProxy        Kind = "proxy"        // id = node uid; settings of the node's proxy; see schema.NewProxy
	KindShard        Kind = "shard"        // id = uid; written by the engine; see schema.NewShard
	KindSnapshot     Kind = "snapshot"     // id = "<node uid>/<name>"
	KindCRDB         Kind = "crdb"         // id = guid; see package crdb
	KindCRDBTask     Kind = "crdb_task"    // id = task id; written by the surface, worked off by the engine
)

// Singleton is the id of the kinds of which a cluster has one object.
const Singleton = "0"

// Store is the replicated cluster configuration. Get and List answer from the local copy on every member, leader or
// not, and must be quick: each request authenticates against it. For KindBDB, KindNode and KindShard the engine may
// overlay what it knows to be true at this moment. Objects given out are the caller's to change.
type Store interface {
	// Get returns nil without error for an absent object.
	Get(ctx context.Context, kind Kind, id string) (Object, error)
	// Peek is Get for a caller that only looks: what it returns is shared, and nobody may change it. Nothing is
	// overlaid, so it is for kinds of which that is not asked.
	Peek(ctx context.Context, kind Kind, id string) (Object, error)
	// List returns all objects of a kind, ordered by numeric id, then by text.
	List(ctx context.Context, kind Kind) ([]Object, error)
	// Update replaces an object atomically with what change makes of it; change gets nil for an absent object and
	// returns nil to delete. An error of change is returned as it is and nothing is written. It returns what was
	// written once a majority has it, and the cluster state id has grown. Only called on the leader.
	Update(ctx context.Context, kind Kind, id string, change func(old Object) (Object, error)) (Object, error)
	// NextUID draws a number that was never used for this kind.
	NextUID(ctx context.Context, kind Kind) (int64, error)
}

// Leader tells where the primary node is.
type Leader struct {
	UID  int64
	Addr string // host:port of its REST API, by internal IP
	Self bool   // this node is it
}

// BootstrapState is one word of the bootstrap life cycle.
type BootstrapState string

// The states of a node on its way into a cluster.
const (
	BootstrapIdle       BootstrapState = "idle"
	BootstrapInitiated  BootstrapState = "initiated"
	BootstrapCreating   BootstrapState = "creating_cluster"
	BootstrapJoining    BootstrapState = "joining_cluster"
	BootstrapRecovering BootstrapState = "recovering_cluster"
	BootstrapCompleted  BootstrapState = "completed"
	BootstrapError      BootstrapState = "error"
)

// BootstrapStatus is what GET /v1/bootstrap tells.
type BootstrapStatus struct {
	State      BootstrapState
	StartTime  time.Time
	EndTime    time.Time
	Failure    *Error // in BootstrapError: Code, Description (becomes error_details.message) and Details
	LocalNode  Object // local_node_info; see schema.NewLocalNode
	InProgress bool
}

// BootstrapRequest is a validated body of POST /v1/bootstrap/{action}.
type BootstrapRequest struct {
	Action       string // create_cluster, join_cluster or recover_cluster
	ClusterName  string
	JoinNodes    []string // addresses of members, without port unless given
	Username     string
	Password     string
	Identity     Object // node.identity: addr, external_addr, rack_id, uid (text) to replace a dead node
	Paths        Object // node.paths
	Limits       Object // node.limits
	RecoveryFile string
	Body         Object // everything as sent, for InitialObjects
}

// Member is this very node; none of these wait for the cluster.
type Member interface {
	// NodeUID is 0 before the node is in a cluster.
	NodeUID() int64
	Bootstrap() BootstrapStatus
	// StartBootstrap begins; the surface has checked state and body. A *Error refuses at once.
	StartBootstrap(ctx context.Context, req BootstrapRequest) error
	// Leader returns ErrNoQuorum while no leader is known.
	Leader(ctx context.Context) (Leader, error)
	// StateID is the cluster-state-id: it grows with every change of the configuration.
	StateID() int64
	// Admit runs on the leader for a node that joins (see Join): payload and reply are the engine's own.
	Admit(ctx context.Context, payload json.RawMessage) (json.RawMessage, error)
}

// Scope says what an operation works on.
type Scope string

// Scopes of operations.
const (
	ScopeCluster Scope = "cluster"
	ScopeNode    Scope = "node"
	ScopeBDB     Scope = "bdb"
	ScopeShards  Scope = "shards"
)

// Operation is a wish for asynchronous work that is not a plain change of a database.
//
//	cluster: change_master (Body.node_uid)
//	node:    maintenance_on, maintenance_off, remove, enslave_node, snapshot_create, snapshot_restore, ...
//	bdb:     rebalance, revamp, recover, stop_traffic, resume_traffic, export, import, upgrade
//	shards:  failover, migrate (Shards; Body as sent)
type Operation struct {
	Scope  Scope
	UID    int64 // of node or database
	Name   string
	Shards []string // uids as text, for ScopeShards
	Body   Object   // as sent, never nil
}

// Action is asynchronous work, running or done.
type Action struct {
	UID          string
	Name         string // SMCreateBDB, SMUpdateBDB, remove_node, ...
	StateMachine bool   // listed under "state-machines", with BDB; a task otherwise
	// Status is one of queued, starting, running, cancelling, cancelled, aborted, completed, failed.
	Status      string
	Progress    float64 // 0 to 100
	Scope       Scope
	BDB         int64
	Node        int64
	Created     time.Time
	PendingOps  map[string]Object
	ErrorCode   string
	Description string
	Extra       Object // further keys of the node action answer, e.g. task_id
}

// Databases are changed by state machines of the engine. A nil error means accepted: the object returned carries
// action_uid and the status the machine began with, and the change is visible through Store at once.
type Databases interface {
	// CreateBDB gets a complete object; uid 0 or absent means choose one.
	CreateBDB(ctx context.Context, bdb Object) (Object, error)
	// UpdateBDB gets only the fields that change, already checked, and "", "flush" or "reset_admin_pass".
	UpdateBDB(ctx context.Context, uid int64, fields Object, action string) (Object, error)
	// DeleteBDB returns the uid of the action.
	DeleteBDB(ctx context.Context, uid int64) (string, error)
	// Available returns nil if clients can use the database, else a *Error 503 with its bdb_unavailable code.
	Available(ctx context.Context, uid int64) error
	// EndpointAvailable is the same for the endpoint on this very node: *Error 503 bdb_endpoint_unavailable.
	EndpointAvailable(ctx context.Context, uid int64) error
	// Blueprint proposes where the shards of a database should live: [{slot_range, nodes: [{node_uid, role}]}].
	Blueprint(ctx context.Context, uid int64) ([]Object, error)
}

// Operations run elsewhere than in the database life cycle.
type Operations interface {
	Start(ctx context.Context, op Operation) (Action, error)
	Cancel(ctx context.Context, actionUID string) error
	// Actions lists all that are remembered, oldest first.
	Actions(ctx context.Context) ([]Action, error)
}

// Measurements are facts about now.
type Measurements interface {
	// NodeStatus is the answer of /v1/nodes/{uid}/status.
	NodeStatus(ctx context.Context, uid int64) (Object, error)
	// CheckNode runs the node's checks: name → "" (good) or what is wrong.
	CheckNode(ctx context.Context, uid int64) (map[string]string, error)
	// Stats are the present figures of a KindBDB, KindNode, KindShard or KindCluster object; missing ones read 0.
	Stats(ctx context.Context, kind Kind, uid string) (map[string]float64, error)
	// LocalServices tells name → running, for /v1/local/services and the node health report.
	LocalServices() map[string]bool
	// RotateCertificates renews certificates the cluster made itself; they appear under KindCertificate.
	RotateCertificates(ctx context.Context, names []string) error
}

// Engine is everything behind the HTTP surface.
type Engine interface {
	Store
	Member
	Databases
	Operations
	Measurements
}
