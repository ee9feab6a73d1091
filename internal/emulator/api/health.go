package api

import (
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// The health report (8.0.16): one call for licence, nodes, alerts and databases. issues_only keeps what is not well.

func clusterHealth(c *call) (any, error) {
	cluster, err := clusterSettings.load(c)
	if err != nil {
		return nil, err
	}
	license, err := c.licenseHealth()
	if err != nil {
		return nil, err
	}
	nodes, nodesWell, err := c.nodesHealth()
	if err != nil {
		return nil, err
	}
	bdbs, bdbsWell, err := c.databasesHealth()
	if err != nil {
		return nil, err
	}
	certificates, err := c.certificatesHealth()
	if err != nil {
		return nil, err
	}
	status := "ok"
	if !nodesWell || !bdbsWell || license["expired"] == true {
		status = "warning"
	}
	return Object{
		"active_alerts": []any{}, "certificates": certificates, "database_infos": bdbs, "license": license,
		"fqdn": schema.TextOf(cluster, "name"), "nodes": nodes, "status": status,
	}, nil
}

func (c *call) licenseHealth() (Object, error) {
	v, err := getLicense(c)
	if err != nil {
		return nil, err
	}
	l, _ := v.(Object)
	limit := func(key string) int64 { n, _ := schema.Int(l[key]); return n }
	return Object{
		"expired": l["expired"], "valid_until": l["expiration_date"], "shards_limit": limit("shards_limit"),
		"ram_shards_limit": limit("ram_shards_limit"), "flex_shards_limit": limit("flash_shards_limit"),
		"ram_shards_in_use": limit("ram_shards_in_use"), "flex_shards_in_use": limit("flash_shards_in_use"),
		"shards_in_use": limit("ram_shards_in_use") + limit("flash_shards_in_use"),
	}, nil
}

func (c *call) nodesHealth() ([]any, bool, error) {
	all, err := c.Engine.List(c.ctx(), KindNode)
	if err != nil {
		return nil, false, err
	}
	shards, err := c.Engine.List(c.ctx(), KindShard)
	if err != nil {
		return nil, false, err
	}
	leader, err := c.Engine.Leader(c.ctx())
	if err != nil {
		return nil, false, err
	}
	out, well := []any{}, true
	for _, n := range all {
		o, err := c.nodeHealth(n, shards, leader)
		if err != nil {
			return nil, false, err
		}
		well = well && o["status"] == "active"
		if o["status"] != "active" || !c.flag("issues_only") {
			out = append(out, o)
		}
	}
	return out, well, nil
}

func (c *call) nodeHealth(n Object, shards []Object, leader Leader) (Object, error) {
	uid := schema.IntOf(n, "uid")
	status, err := c.Engine.NodeStatus(c.ctx(), uid)
	if err != nil {
		return nil, err
	}
	role := "follower"
	if uid == leader.UID {
		role = "leader"
	}
	word := schema.TextOf(n, "status")
	short := map[string]string{"active": "active", "down": "down"}[word]
	if short == "" {
		short = "warning"
	}
	mine := []any{}
	for _, s := range shards {
		if schema.TextOf(s, "node_uid") == id(uid) {
			mine = append(mine, shardHealth(s))
		}
	}
	services := []any{}
	if uid == c.Engine.NodeUID() {
		running := c.Engine.LocalServices()
		for _, name := range sortedNames(running) {
			services = append(services, Object{"name": name, "status": map[bool]string{true: "up", false: "down"}[running[name]]})
		}
	}
	return Object{
		"active_alerts": []any{}, "detailed_status": word, "status": short, "role": role, "id": id(uid),
		"ephemeral_memory_path":  schema.TextOf(n, "ephemeral_storage_path"),
		"ephemeral_memory_size":  n["ephemeral_storage_size"],
		"persistent_memory_path": schema.TextOf(n, "persistent_storage_path"),
		"persistent_memory_size": n["persistent_storage_size"],
		"in_maintenance":         status["maintenance_snapshot"] != nil, "observed_at": c.Now().Unix(),
		"quorum_only": n["accept_servers"] == false, "services": services, "shards": mine,
		"version": schema.TextOf(n, "software_version"),
		"memory": Object{
			"free_provisional_ram": schema.IntOf(status, "free_provisional_ram"), "free_ram": schema.IntOf(status, "free_ram"),
			"overbooking_depth":     schema.IntOf(status, "node_overbooking_depth"),
			"total_provisional_ram": schema.IntOf(status, "total_provisional_ram"),
			"total_ram":             schema.IntOf(n, "total_memory"),
		},
	}, nil
}

func shardHealth(s Object) Object {
	role := "follower"
	if schema.TextOf(s, "role") == "master" {
		role = "leader"
	}
	return Object{
		"id": s["uid"], "role": role, "status": s["status"], "detailed_status": s["detailed_status"],
	}
}

func (c *call) databasesHealth() ([]any, bool, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, false, err
	}
	out, well := []any{}, true
	for _, b := range all {
		status := c.databaseStatus(b)
		well = well && status == "active"
		if status == "active" && c.flag("issues_only") {
			continue
		}
		out = append(out, Object{
			"id": id(schema.IntOf(b, "uid")), "name": b["name"], "version": schema.TextOf(b, "version"), "status": status,
			"detailed_status": b["status"], "high_availability": Object{"status": highAvailability(b)},
		})
	}
	return out, well, nil
}

func (c *call) databaseStatus(b Object) string {
	switch {
	case c.Engine.Available(c.ctx(), schema.IntOf(b, "uid")) != nil:
		return "down"
	case schema.TextOf(b, "status") != "active":
		return "warning"
	}
	return "active"
}

func highAvailability(b Object) string {
	if schema.BoolOf(b, "replication") {
		return "up"
	}
	return "disabled"
}

func (c *call) certificatesHealth() ([]any, error) {
	all, err := c.Engine.List(c.ctx(), KindCertificate)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, o := range all {
		cert, err := parseCertificate(schema.TextOf(o, "certificate"))
		if err != nil {
			continue
		}
		expired := c.Now().After(cert.NotAfter)
		if expired || !c.flag("issues_only") {
			out = append(out, Object{"type": o["name"], "expired": expired, "valid_until": schema.Timestamp(cert.NotAfter)})
		}
	}
	return out, nil
}

// databaseHealth is GET /v4/db/{uid}/health.
func databaseHealth(c *call) (any, error) {
	b, err := c.Engine.Get(c.ctx(), KindBDB, c.params["uid"])
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, refusal(http.StatusNotFound, "db_not_found", "Database %s does not exist", c.params["uid"])
	}
	shards, err := c.Engine.List(c.ctx(), KindShard)
	if err != nil {
		return nil, err
	}
	up, problems := "up", []any{}
	if err := c.Engine.Available(c.ctx(), schema.IntOf(b, "uid")); err != nil {
		up, problems = "down", []any{refusalOf(err).Code}
	}
	mine, endpoints := []any{}, []any{}
	for _, s := range shards {
		if schema.IntOf(s, "bdb_uid") == schema.IntOf(b, "uid") {
			mine = append(mine, shardHealth(s))
		}
	}
	for _, e := range list(b["endpoints"]) {
		endpoints = append(endpoints, Object{"availability": up, "name": schema.TextOf(object(e), "dns_name")})
	}
	persistence := map[string]string{"aof": "aof", "snapshot": "rdb"}[schema.TextOf(b, "data_persistence")]
	if persistence == "" {
		persistence = "disabled"
	}
	return Object{
		"active_alerts": []any{}, "availability": up, "availability_errors": problems, "creation_time": b["created_time"],
		"detailed_status": b["status"], "endpoints": endpoints, "high_availability": Object{"status": highAvailability(b)},
		"id": c.params["uid"], "last_backup_time": nil, "last_configured_time": b["last_changed_time"], "name": b["name"],
		"persistence": persistence, "shards": mine, "shards_placement": b["shards_placement"],
		"status": c.databaseStatus(b), "version": schema.TextOf(b, "version"),
	}, nil
}
