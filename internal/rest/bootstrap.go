package rest

import (
	"context"
	"encoding/json"
	"net/http"
)

// States of a node's bootstrap.
const (
	BootstrapIdle      = "idle"
	BootstrapInitiated = "initiated"
	BootstrapCreating  = "creating_cluster"
	BootstrapJoining   = "joining_cluster"
	BootstrapRecover   = "recovering_cluster"
	BootstrapError     = "error"
	BootstrapCompleted = "completed"
)

// Actions that a node can be bootstrapped with.
const (
	CreateCluster  = "create_cluster"
	JoinCluster    = "join_cluster"
	RecoverCluster = "recover_cluster"
)

// Bootstrap is the request that makes a node create, join or recover a cluster.
type Bootstrap struct {
	Action               string               `json:"action,omitempty"`
	Cluster              *BootstrapCluster    `json:"cluster,omitempty"`
	Node                 *BootstrapNode       `json:"node,omitempty"`
	Credentials          *BootstrapCredential `json:"credentials,omitempty"`
	License              string               `json:"license,omitempty"`
	DNSSuffixes          []BootstrapDNSSuffix `json:"dns_suffixes,omitempty"`
	RecoveryFilename     string               `json:"recovery_filename,omitempty"`
	RequiredVersion      string               `json:"required_version,omitempty"`
	MaxRetries           *int                 `json:"max_retries,omitempty"`
	RetryTime            *int                 `json:"retry_time,omitempty"`
	CNMHTTPSPort         *int                 `json:"cnm_https_port,omitempty"`
	CRDBCoordinatorPort  *int                 `json:"crdb_coordinator_port,omitempty"`
	EnvoyAdminPort       *int                 `json:"envoy_admin_port,omitempty"`
	EnvoyMgmtServerPort  *int                 `json:"envoy_mgmt_server_port,omitempty"`
	GossipEnvoyAdminPort *int                 `json:"gossip_envoy_admin_port,omitempty"`
}

// String shows the action only; the fields hold a password and a licence.
func (b Bootstrap) String() string { return "bootstrap by " + b.Action }

// GoString hides the secrets from %#v as well.
func (b Bootstrap) GoString() string { return "rest.Bootstrap{" + b.Action + "}" }

// BootstrapCluster names the cluster to create, or the members to join through.
type BootstrapCluster struct {
	Name  string   `json:"name,omitempty"`
	Nodes []string `json:"nodes,omitempty"`
}

// BootstrapNode is what the node brings into the cluster.
type BootstrapNode struct {
	Identity        *BootstrapIdentity `json:"identity,omitempty"`
	Limits          *BootstrapLimits   `json:"limits,omitempty"`
	Paths           *BootstrapPaths    `json:"paths,omitempty"`
	BigstoreEnabled *bool              `json:"bigstore_enabled,omitempty"`
	BigstoreDriver  string             `json:"bigstore_driver,omitempty"`
}

// BootstrapIdentity says who the node is. A UID takes the place of a dead node.
type BootstrapIdentity struct {
	UID            *UID     `json:"uid,omitempty"`
	Name           string   `json:"name,omitempty"`
	Addr           string   `json:"addr,omitempty"`
	ExternalAddr   []string `json:"external_addr,omitempty"`
	RackID         string   `json:"rack_id,omitempty"`
	OverrideRackID *bool    `json:"override_rack_id,omitempty"`
	AcceptServers  *bool    `json:"accept_servers,omitempty"`
}

// BootstrapLimits bounds what may run on the node.
type BootstrapLimits struct {
	MaxListeners    *int `json:"max_listeners,omitempty"`
	MaxRedisServers *int `json:"max_redis_servers,omitempty"`
}

// BootstrapPaths says where the node keeps its files.
type BootstrapPaths struct {
	PersistentPath    string `json:"persistent_path,omitempty"`
	EphemeralPath     string `json:"ephemeral_path,omitempty"`
	BigstorePath      string `json:"bigstore_path,omitempty"`
	CCSPersistentPath string `json:"ccs_persistent_path,omitempty"`
}

// BootstrapCredential is the admin account to make (create) or to use (join). It never prints its password.
type BootstrapCredential struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// String hides the password.
func (c BootstrapCredential) String() string { return c.Username + ":***" }

// GoString hides the password from %#v as well.
func (c BootstrapCredential) GoString() string { return "rest.BootstrapCredential{" + c.String() + "}" }

// BootstrapDNSSuffix is a DNS zone of the cluster.
type BootstrapDNSSuffix struct {
	Name            string `json:"name"`
	ClusterDefault  *bool  `json:"cluster_default,omitempty"`
	UseInternalAddr *bool  `json:"use_internal_addr,omitempty"`
}

// BootstrapReport is the answer of GET /v1/bootstrap.
type BootstrapReport struct {
	Status BootstrapStatus `json:"bootstrap_status"`
	Node   LocalNode       `json:"local_node_info"`
}

// BootstrapStatus says how far the bootstrap is.
type BootstrapStatus struct {
	State        string          `json:"state"`
	StartTime    Text            `json:"start_time"`
	EndTime      Text            `json:"end_time"`
	ErrorCode    string          `json:"error_code"`
	ErrorDetails json.RawMessage `json:"error_details"`
}

// ErrorMessage is the sentence inside the error details, or their JSON if they have none.
func (s BootstrapStatus) ErrorMessage() string {
	var details struct {
		Message Text `json:"message"`
	}
	if json.Unmarshal(s.ErrorDetails, &details) == nil {
		return string(details.Message)
	}
	return truncate(string(s.ErrorDetails), 200)
}

// LocalNode is what the node asked says of itself.
type LocalNode struct {
	UID                       UID                `json:"uid"`
	SoftwareVersion           string             `json:"software_version"`
	ShortHostname             string             `json:"short_hostname"`
	AvailableAddresses        []AvailableAddress `json:"available_addresses"`
	AvailableAddrs            []AvailableAddress `json:"available_addrs"`
	Cores                     Int                `json:"cores"`
	TotalMemory               Int                `json:"total_memory"`
	PersistentStorageSize     Float              `json:"persistent_storage_size"`
	EphemeralStorageSize      Float              `json:"ephemeral_storage_size"`
	PersistentStoragePath     string             `json:"persistent_storage_path"`
	EphemeralStoragePath      string             `json:"ephemeral_storage_path"`
	SupportedDatabaseVersions []DatabaseVersion  `json:"supported_database_versions"`
}

// Addresses returns the node's addresses under whichever key this version sends them.
func (n LocalNode) Addresses() []AvailableAddress {
	if len(n.AvailableAddresses) > 0 {
		return n.AvailableAddresses
	}
	return n.AvailableAddrs
}

// AvailableAddress is an address that the node could use.
type AvailableAddress struct {
	Address string `json:"address"`
	Format  string `json:"format"`
	IfName  string `json:"if_name"`
	Private bool   `json:"private"`
}

// GetBootstrap reads the bootstrap state of the node asked, with credentials: a node in a cluster wants them.
func (c *Client) GetBootstrap(ctx context.Context) (*BootstrapReport, error) {
	out := new(BootstrapReport)
	if err := c.get(ctx, "/v1/bootstrap", "/v1/bootstrap", out); err != nil {
		return nil, err
	}
	return out, nil
}

// GetBootstrapAnonymous is GetBootstrap without credentials: a node in no cluster answers it, and a node in a cluster
// refuses it without counting a failed sign-in.
func (c *Client) GetBootstrapAnonymous(ctx context.Context) (*BootstrapReport, error) {
	out := new(BootstrapReport)
	err := c.do(ctx, call{method: http.MethodGet, route: "/v1/bootstrap", path: "/v1/bootstrap", out: out, anonymous: true})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// StartBootstrap starts b.Action on the node asked; GetBootstrap tells how it goes.
func (c *Client) StartBootstrap(ctx context.Context, b Bootstrap) error {
	return c.do(ctx, call{method: http.MethodPost, route: "/v1/bootstrap/{action}", path: "/v1/bootstrap/" + b.Action,
		body: b, anonymous: true})
}

// ValidateBootstrap checks whether b.Action would be accepted, without doing it.
func (c *Client) ValidateBootstrap(ctx context.Context, b Bootstrap) error {
	return c.do(ctx, call{method: http.MethodPost, route: "/v1/bootstrap/validate/{action}",
		path: "/v1/bootstrap/validate/" + b.Action, body: b, anonymous: true})
}
