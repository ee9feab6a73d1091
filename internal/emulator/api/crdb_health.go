package api

import (
	"context"
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Peers is what an engine offers that can talk to other clusters.
type Peers interface {
	// PeerReport asks the cluster of an instance for its part of a health report.
	PeerReport(ctx context.Context, guid string, instance Object) (Object, error)
}

// crdbHealth is GET /v1/crdbs/{crdb_guid}/health_report: one entry per participating cluster.
func crdbHealth(c *call) (any, error) {
	o, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	only, _ := schema.Int(c.request.URL.Query().Get("instance_id"))
	if only != 0 && crdb.Instance(o, only) == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Instance %d does not exist", only)
	}
	var asked []Object
	for _, inst := range crdb.Instances(o) {
		if only == 0 || schema.IntOf(inst, "id") == only {
			asked = append(asked, inst)
		}
	}
	out := make([]Object, len(asked))
	done := make(chan struct{})
	for i, inst := range asked {
		go func() {
			defer func() { done <- struct{}{} }()
			out[i] = c.reportOf(o, inst)
		}()
	}
	for range asked {
		<-done
	}
	return out, nil
}

// reportOf is the part of one cluster; one that does not answer is reported with the reason.
func (c *call) reportOf(o, inst Object) Object {
	var report Object
	var err error
	if schema.IntOf(inst, "id") == schema.IntOf(o, "_instance") {
		report, err = c.ownReport(o)
	} else if peers, can := c.Engine.(Peers); can {
		report, err = peers.PeerReport(c.ctx(), schema.TextOf(o, "guid"), inst)
	} else {
		err = ErrUnsupported
	}
	if err != nil {
		return Object{
			"cluster_name": crdb.ClusterName(inst), "name": o["name"], "guid": o["guid"], "connection_error": err.Error(),
			"configurations": []any{}, "connections": []any{}, "active_config_version": nil,
		}
	}
	return report
}

// instanceReport is what another participant is told.
func instanceReport(c *call) (any, error) {
	o, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	return c.ownReport(o)
}

func (c *call) ownReport(o Object) (Object, error) {
	bdb, err := c.instanceBDB(schema.TextOf(o, "guid"))
	if err != nil {
		return nil, err
	}
	own := schema.IntOf(o, "_instance")
	uid := id(schema.IntOf(bdb, "uid"))
	instances := []any{}
	for _, inst := range crdb.Instances(o) {
		cluster := object(inst["cluster"])
		i := Object{"id": inst["id"], "db_uid": "", "cluster": Object{"name": cluster["name"], "url": cluster["url"]}}
		if schema.IntOf(inst, "id") == own {
			i["db_uid"] = uid
		}
		instances = append(instances, i)
	}
	connections := []any{}
	for _, v := range list(bdb["crdt_sources"]) {
		s := object(v)
		status, link := "ok", "up"
		if schema.TextOf(s, "status") != "in-sync" {
			link = "down"
			if reason := schema.TextOf(s, "last_error"); reason != "" {
				status = reason
			}
		}
		connections = append(connections, Object{
			"name": s["_cluster"], "status": status,
			"replication_links": []any{Object{"link_uid": uid + ":" + id(schema.IntOf(s, "uid")), "status": link}},
		})
	}
	return Object{
		"active_config_version": o["_version"], "cluster_name": crdb.ClusterName(crdb.Instance(o, own)), "name": o["name"],
		"guid": o["guid"], "connection_error": nil, "connections": connections,
		"configurations": []any{Object{
			"version": o["_version"], "status": o["_status"], "name": o["name"], "encryption": o["encryption"],
			"causal_consistency": o["causal_consistency"], "featureset_version": o["featureset_version"],
			"protocol_version": o["protocol_version"], "instances": instances,
		}},
	}, nil
}
