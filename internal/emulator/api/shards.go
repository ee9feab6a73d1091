package api

import (
	"errors"
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func listShards(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindShard)
	if err != nil {
		return nil, err
	}
	return renderShards(all), nil
}

func renderShards(all []Object) []Object {
	out := make([]Object, 0, len(all))
	for _, s := range all {
		out = append(out, schema.Render("shard", s, schema.View{}))
	}
	return out
}

func bdbShards(c *call) (any, error) {
	bdb, err := c.mustBDB("bdb_uid")
	if err != nil {
		return nil, err
	}
	all, err := c.Engine.List(c.ctx(), KindShard)
	if err != nil {
		return nil, err
	}
	mine := all[:0]
	for _, s := range all {
		if schema.IntOf(s, "bdb_uid") == schema.IntOf(bdb, "uid") {
			mine = append(mine, s)
		}
	}
	return renderShards(mine), nil
}

func (c *call) shard(uid string) (Object, error) {
	s, err := c.Engine.Get(c.ctx(), KindShard, uid)
	if err == nil && s == nil {
		err = refusal(http.StatusNotFound, "shard_not_exist", "Shard %s does not exist", uid)
	}
	return s, err
}

func getShard(c *call) (any, error) {
	s, err := c.shard(c.params["uid"])
	if err != nil {
		return nil, err
	}
	return schema.Render("shard", s, schema.View{}), nil
}

// failoverShard is POST /v1/shards/{uid}/actions/failover.
func failoverShard(c *call) (any, error) {
	body, err := c.typed("shard_failover_request", schema.Change)
	if err != nil {
		return nil, err
	}
	return c.failover([]string{c.params["uid"]}, body)
}

// failoverShards is POST /v1/shards/actions/failover, for shards of one database.
func failoverShards(c *call) (any, error) {
	body, err := c.typed("shards_failover_request", schema.Change)
	if err != nil {
		return nil, err
	}
	uids := texts(body["shard_uids"])
	if len(uids) == 0 {
		return nil, refusal(http.StatusNotFound, "shard_uids_required", "shard_uids is missing")
	}
	return c.failover(uids, body)
}

func (c *call) failover(uids []string, body Object) (any, error) {
	bdb := int64(0)
	for _, uid := range uids {
		s, err := c.shard(uid)
		if err != nil {
			return nil, err
		}
		if schema.TextOf(s, "role") != "master" {
			return nil, refusal(http.StatusBadRequest, "shard_is_slave", "Shard %s is not a master", uid)
		}
		if bdb != 0 && bdb != schema.IntOf(s, "bdb_uid") {
			return nil, refusal(http.StatusBadRequest, "failover_shards_different_bdb", "The shards are of different databases")
		}
		bdb = schema.IntOf(s, "bdb_uid")
	}
	return c.startShards("failover", bdb, uids, body, "Failover of shards was initiated")
}

// migrateShard is POST /v1/shards/{uid}/actions/migrate.
func migrateShard(c *call) (any, error) {
	body, err := c.typed("shard_migrate_request", schema.Change)
	if err != nil {
		return nil, err
	}
	return c.migrate([]string{c.params["uid"]}, body)
}

// migrateShards is POST /v1/shards/actions/migrate.
func migrateShards(c *call) (any, error) {
	body, err := c.typed("shards_migrate_request", schema.Create)
	if err != nil {
		return nil, err
	}
	return c.migrate(texts(body["shard_uids"]), body)
}

func (c *call) migrate(uids []string, body Object) (any, error) {
	target, ok := schema.Int(body["target_node_uid"])
	if !ok {
		return nil, refusal(http.StatusNotFound, "node_not_found", "target_node_uid is missing")
	}
	node, err := c.Engine.Get(c.ctx(), KindNode, id(target))
	if err != nil {
		return nil, err
	}
	if node == nil {
		return nil, noNode(id(target))
	}
	bdb := int64(0)
	for _, uid := range uids {
		s, err := c.shard(uid)
		if err != nil {
			return nil, err
		}
		if schema.TextOf(s, "node_uid") == id(target) {
			return nil, refusal(http.StatusBadRequest, "invalid_param", "Shard %s is already on node %d", uid, target)
		}
		bdb = schema.IntOf(s, "bdb_uid")
	}
	return c.startShards("migrate", bdb, uids, body, "Migrate was initiated")
}

func (c *call) startShards(name string, bdb int64, uids []string, body Object, description string) (any, error) {
	if schema.BoolOf(body, "dry_run") || c.dryRun() {
		return Object{"description": "Dry run: nothing was started"}, nil
	}
	a, err := c.Engine.Start(c.ctx(), Operation{Scope: ScopeShards, UID: bdb, Name: name, Shards: uids, Body: body})
	if errors.Is(err, ErrNotFound) {
		err = refusal(http.StatusNotFound, "shard_not_exist", "Shard does not exist")
	}
	if err != nil {
		return nil, err
	}
	return Object{"action_uid": a.UID, "description": description}, nil
}

func texts(v any) []string {
	var out []string
	for _, e := range list(v) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
