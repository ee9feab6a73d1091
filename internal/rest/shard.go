package rest

import "context"

// Shard is a redis process of a database.
type Shard struct {
	UID            UID        `json:"uid"`
	BDBUID         UID        `json:"bdb_uid"`
	NodeUID        UID        `json:"node_uid"`
	Role           string     `json:"role"`
	Status         string     `json:"status"`
	DetailedStatus string     `json:"detailed_status"`
	AssignedSlots  string     `json:"assigned_slots"`
	Sync           *ShardSync `json:"sync"`
	Loading        *Loading   `json:"loading"`
}

// ShardSync is how a replica follows its master.
type ShardSync struct {
	Progress Float  `json:"progress"`
	Status   string `json:"status"`
}

// Loading is how far a shard has read its data from disk.
type Loading struct {
	Status   string `json:"status"`
	Progress Float  `json:"progress"`
}

// InSync tells whether a replica has all of its master's data as far as the cluster knows; a master always has.
func (s Shard) InSync() bool {
	return s.Role == RoleMaster || s.Sync == nil || s.Sync.Status == "" || s.Sync.Status == "idle"
}

// Healthy tells whether the shard is up and answers.
func (s Shard) Healthy() bool {
	return s.Status == "active" && (s.DetailedStatus == "" || s.DetailedStatus == "ok")
}

// ListShards reads all shards of all databases.
func (c *Client) ListShards(ctx context.Context) ([]Shard, error) {
	var out []Shard
	err := c.get(ctx, "/v1/shards", "/v1/shards", &out)
	return out, err
}

// FailoverShard makes the replica of a master shard take over.
func (c *Client) FailoverShard(ctx context.Context, uid UID) error {
	return c.post(ctx, "/v1/shards/{uid}/actions/failover", "/v1/shards/"+uid.String()+"/actions/failover", struct{}{}, nil)
}
