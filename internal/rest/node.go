package rest

import (
	"context"
	"slices"
	"strings"
)

// States of a node in GET /v1/nodes.
const (
	NodeActive          = "active"
	NodeDown            = "down"
	NodeProvisioning    = "provisioning"
	NodeDecommissioning = "decommissioning"
)

// Roles of a node in GET /v1/nodes/status.
const (
	RoleMaster = "master"
	RoleSlave  = "slave"
)

// Actions on a node.
const (
	MaintenanceOn  = "maintenance_on"
	MaintenanceOff = "maintenance_off"
	RemoveNode     = "remove"
	EnslaveNode    = "enslave_node"
)

// Node is a member of the cluster.
type Node struct {
	UID                       UID               `json:"uid"`
	Addr                      string            `json:"addr"`
	Status                    string            `json:"status"`
	SoftwareVersion           string            `json:"software_version"`
	RackID                    string            `json:"rack_id"`
	ExternalAddr              []string          `json:"external_addr"`
	OSSClusterIPMapping       []IPMapping       `json:"oss_cluster_ip_mapping"`
	AcceptServers             bool              `json:"accept_servers"`
	ShardCount                Int               `json:"shard_count"`
	ShardList                 []UID             `json:"shard_list"`
	TotalMemory               Int               `json:"total_memory"`
	Cores                     Int               `json:"cores"`
	Uptime                    Int               `json:"uptime"`
	BigstoreEnabled           bool              `json:"bigstore_enabled"`
	PersistentStorageSize     Float             `json:"persistent_storage_size"`
	EphemeralStorageSize      Float             `json:"ephemeral_storage_size"`
	SupportedDatabaseVersions []DatabaseVersion `json:"supported_database_versions"`
}

// IPMapping is how a node is announced to cluster-aware clients of a network, a host name, or "default".
type IPMapping struct {
	Key   string         `json:"key"`
	Value map[string]any `json:"value"`
}

// DatabaseVersion is a version of the database engine that a node can run.
type DatabaseVersion struct {
	DBType       string `json:"db_type"`
	Version      string `json:"version"`
	RedisVersion string `json:"redis_version"`
	Major        bool   `json:"major"`
}

// NodeUpdate holds what can be changed of a node; nil fields stay as they are.
type NodeUpdate struct {
	AcceptServers *bool     `json:"accept_servers,omitempty"`
	Addr          *string   `json:"addr,omitempty"`
	ExternalAddr  *[]string `json:"external_addr,omitempty"`
	// OSSClusterIPMapping replaces the whole mapping; releases before 8.0.18 do not know it.
	OSSClusterIPMapping *[]IPMapping `json:"oss_cluster_ip_mapping,omitempty"`
	MaxListeners        *Int         `json:"max_listeners,omitempty"`
	MaxRedisServers     *Int         `json:"max_redis_servers,omitempty"`
	RackID              *string      `json:"rack_id,omitempty"`
	RecoveryPath        *string      `json:"recovery_path,omitempty"`
}

// NodeStatus is the operational side of a node.
type NodeStatus struct {
	Hostname            string         `json:"hostname"`
	Role                string         `json:"role"`
	NodeStatus          string         `json:"node_status"`
	SoftwareVersion     string         `json:"software_version"`
	FreeRAM             Int            `json:"free_ram"`
	FreeProvisionalRAM  Int            `json:"free_provisional_ram"`
	TotalMemory         Int            `json:"total_memory"`
	MasterShards        []UID          `json:"master_shards"`
	SlaveShards         []UID          `json:"slave_shards"`
	MaintenanceSnapshot map[string]any `json:"maintenance_snapshot"`
}

// InMaintenance tells whether a maintenance snapshot of the node exists.
func (s NodeStatus) InMaintenance() bool { return len(s.MaintenanceSnapshot) > 0 }

// NodeAction is the progress of an action on a node.
type NodeAction struct {
	Name         string `json:"name"`
	ActionUID    string `json:"action_uid"`
	TaskID       string `json:"task_id"`
	NodeUID      UID    `json:"node_uid"`
	Status       string `json:"status"`
	Progress     Float  `json:"progress"`
	ErrorCode    string `json:"error_code"`
	ErrorMessage string `json:"error_message"`
}

// Phase reads the action's status word.
func (a NodeAction) Phase() Phase { return PhaseOf(a.Status) }

// NodeActionRequest holds the options of the actions; nil fields are left to the server.
type NodeActionRequest struct {
	// OverwriteSnapshot, EvictHAReplica, EvictActiveActiveReplica, EvictDBs and KeepSlaveShards belong to MaintenanceOn.
	OverwriteSnapshot        *bool    `json:"overwrite_snapshot,omitempty"`
	EvictHAReplica           *bool    `json:"evict_ha_replica,omitempty"`
	EvictActiveActiveReplica *bool    `json:"evict_active_active_replica,omitempty"`
	EvictDBs                 []string `json:"evict_dbs,omitempty"`
	KeepSlaveShards          *bool    `json:"keep_slave_shards,omitempty"`
	// SnapshotName and SkipShardsRestore belong to MaintenanceOff.
	SnapshotName      string `json:"snapshot_name,omitempty"`
	SkipShardsRestore *bool  `json:"skip_shards_restore,omitempty"`
	// WaitForPersistence belongs to RemoveNode.
	WaitForPersistence *bool `json:"wait_for_persistence,omitempty"`
}

// ListNodes reads all members.
func (c *Client) ListNodes(ctx context.Context) ([]Node, error) {
	var out []Node
	err := c.get(ctx, "/v1/nodes", "/v1/nodes", &out)
	return out, err
}

// GetNode reads one member.
func (c *Client) GetNode(ctx context.Context, uid UID) (*Node, error) {
	out := new(Node)
	if err := c.get(ctx, "/v1/nodes/{uid}", "/v1/nodes/"+uid.String(), out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateNode changes what is set in body.
func (c *Client) UpdateNode(ctx context.Context, uid UID, body *NodeUpdate) error {
	return c.put(ctx, "/v1/nodes/{uid}", "/v1/nodes/"+uid.String(), body, nil)
}

// NodeStatuses reads role, memory and maintenance of all members.
func (c *Client) NodeStatuses(ctx context.Context) (map[UID]NodeStatus, error) {
	var raw map[string]NodeStatus
	if err := c.get(ctx, "/v1/nodes/status", "/v1/nodes/status", &raw); err != nil {
		return nil, err
	}
	out := make(map[UID]NodeStatus, len(raw))
	for k, v := range raw {
		if uid, ok := ParseUID(k); ok {
			out[uid] = v
		}
	}
	return out, nil
}

func nodeActionPath(uid UID, action string) (route, path string) {
	return "/v1/nodes/{uid}/actions/" + action, "/v1/nodes/" + uid.String() + "/actions/" + action
}

// StartNodeAction starts one of the actions. IsBusy means that one of the kind is already running.
func (c *Client) StartNodeAction(ctx context.Context, uid UID, action string, options NodeActionRequest) error {
	route, path := nodeActionPath(uid, action)
	return c.post(ctx, route, path, options, nil)
}

// GetNodeAction reads how far an action is. The server may answer with the action itself or with a list; IsNotFound
// means that no such action is known (any more): look at the node.
func (c *Client) GetNodeAction(ctx context.Context, uid UID, action string) (*NodeAction, error) {
	route, path := nodeActionPath(uid, action)
	var out struct {
		NodeAction
		Actions []NodeAction `json:"actions"`
	}
	if err := c.get(ctx, route, path, &out); err != nil {
		return nil, err
	}
	if out.Status != "" {
		return &out.NodeAction, nil
	}
	for i := range slices.Backward(out.Actions) {
		if strings.HasPrefix(out.Actions[i].Name, action) {
			return &out.Actions[i], nil
		}
	}
	return nil, &Error{Status: 404, Method: "GET", Path: path, Message: "no such action"}
}

// CancelNodeAction stops an action; an action that is not there counts as stopped.
func (c *Client) CancelNodeAction(ctx context.Context, uid UID, action string) error {
	route, path := nodeActionPath(uid, action)
	err := c.delete(ctx, route, path, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

// ListNodeActions reads the actions of all nodes.
func (c *Client) ListNodeActions(ctx context.Context) ([]NodeAction, error) {
	var out struct {
		Actions []NodeAction `json:"actions"`
	}
	if err := c.get(ctx, "/v1/nodes/actions", "/v1/nodes/actions", &out); err != nil {
		return nil, err
	}
	return out.Actions, nil
}

// CheckNode runs the cluster's own checks on one node.
func (c *Client) CheckNode(ctx context.Context, uid UID) (*NodeCheck, error) {
	out := new(NodeCheck)
	if err := c.get(ctx, "/v1/nodes/check/{uid}", "/v1/nodes/check/"+uid.String(), out); err != nil {
		return nil, err
	}
	return out, nil
}
