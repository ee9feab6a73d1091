package api

import (
	"net/http"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Snapshots remember which shards a node had, for the return from maintenance.

func listSnapshots(c *call) (any, error) {
	if _, err := c.mustNode("uid"); err != nil {
		return nil, err
	}
	all, err := c.Engine.List(c.ctx(), KindSnapshot)
	if err != nil {
		return nil, err
	}
	out := []Object{}
	for _, s := range all {
		if schema.TextOf(s, "node_uid") == c.params["uid"] {
			out = append(out, schema.Render("node_snapshot", s, schema.View{}))
		}
	}
	return out, nil
}

func (c *call) snapshotKey() string { return c.params["uid"] + "/" + c.params["snapshot_name"] }

func createSnapshot(c *call) (any, error) {
	node, err := c.mustNode("uid")
	if err != nil {
		return nil, err
	}
	// Times of snapshots have a blank where all others have a T.
	stamp := strings.Replace(strings.TrimSuffix(schema.Timestamp(c.Now()), "Z"), "T", " ", 1)
	stored, err := c.put(KindSnapshot, c.snapshotKey(), Object{
		"name": c.params["snapshot_name"], "node_uid": c.params["uid"], "created_time": stamp,
		"_shards": node["shard_list"],
	})
	if err != nil {
		return nil, err
	}
	return schema.Render("node_snapshot", stored, schema.View{}), nil
}

func deleteSnapshot(c *call) (any, error) {
	s, err := c.Engine.Get(c.ctx(), KindSnapshot, c.snapshotKey())
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Snapshot %s does not exist", c.params["snapshot_name"])
	}
	if err := c.remove(KindSnapshot, c.snapshotKey()); err != nil {
		return nil, err
	}
	return schema.Render("node_snapshot", s, schema.View{}), nil
}
