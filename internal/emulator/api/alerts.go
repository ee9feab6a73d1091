package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// The emulator keeps alert settings and shows them; it raises one alert of its own: a node that is down.

func (c *call) alertState(setting any, raised bool) Object {
	o := Object{
		"enabled": false, "state": false, "severity": "WARNING", "change_time": schema.Timestamp(c.Now()),
		"change_value": Object{"state": false},
	}
	switch s := setting.(type) {
	case bool:
		o["enabled"] = s
	case map[string]any:
		o["enabled"] = schema.BoolOf(s, "enabled")
		if threshold, there := s["threshold"]; there {
			o["threshold"] = threshold
		}
	}
	if raised && (o["enabled"] == true || c.flag("ignore_settings")) {
		o["state"], o["change_value"] = true, Object{"state": true}
	}
	return o
}

// bdbAlertsOf are all alerts of a database, as set.
func (c *call) bdbAlertsOf(bdb Object) Object {
	set, out := object(bdb["_alerts"]), Object{}
	for _, name := range schema.FieldNames("bdb_alert_settings") {
		out[name] = c.alertState(set[name], false)
	}
	return out
}

func listBDBAlerts(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, b := range all {
		out[id(schema.IntOf(b, "uid"))] = c.bdbAlertsOf(b)
	}
	return out, nil
}

func getBDBAlerts(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	return c.pickAlert(c.bdbAlertsOf(bdb))
}

func (c *call) pickAlert(all Object) (any, error) {
	name := c.params["alert"]
	if name == "" {
		return all, nil
	}
	if all[name] == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Alert %s does not exist", name)
	}
	return all[name], nil
}

// setBDBAlerts is POST /v1/bdbs/alerts/{uid}: only the alerts named change.
func setBDBAlerts(c *call) (any, error) {
	ask, err := c.typed("bdb_alert_settings", schema.Change)
	if err != nil {
		return nil, err
	}
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	if !c.dryRun() {
		bdb, err = c.Engine.Update(c.ctx(), KindBDB, c.params["uid"], func(b Object) (Object, error) {
			if b == nil {
				return nil, noBDB(c.params["uid"])
			}
			b["_alerts"] = mergedAlerts(object(b["_alerts"]), ask)
			return b, nil
		})
		if err != nil {
			return nil, err
		}
	} else {
		bdb["_alerts"] = mergedAlerts(object(bdb["_alerts"]), ask)
	}
	return c.bdbAlertsOf(bdb), nil
}

func mergedAlerts(old, ask Object) Object {
	out := schema.Clone(old)
	if out == nil {
		out = Object{}
	}
	for name, v := range ask {
		out[name] = v
	}
	return out
}

// sourceAlerts answers for the sources of syncers.
func sourceAlerts(c *call) (any, error) {
	crdt := strings.HasPrefix(c.request.URL.Path, "/v1/bdbs/crdt_sources/")
	if c.params["uid"] == "" {
		return c.allSourceAlerts(crdt)
	}
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	var at any = c.sourceAlertsOf(bdb, crdt)
	for _, param := range []string{"source", "alert"} {
		value, asked := c.params[param]
		if !asked {
			break
		}
		if at = object(at)[value]; at == nil {
			return nil, refusal(http.StatusNotFound, "not_found", "%s does not exist", value)
		}
	}
	return at, nil
}

func (c *call) allSourceAlerts(crdt bool) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, b := range all {
		if sources := c.sourceAlertsOf(b, crdt); len(sources) > 0 {
			out[id(schema.IntOf(b, "uid"))] = sources
		}
	}
	return out, nil
}

// sourceAlertsOf are the alerts of the sources of a database; no syncer runs for those of Replica Of.
func (c *call) sourceAlertsOf(bdb Object, crdt bool) Object {
	out := Object{}
	if !crdt || !schema.BoolOf(bdb, "crdt") {
		return out
	}
	set := object(bdb["_alerts"])
	for _, v := range list(bdb["crdt_sources"]) {
		s := object(v)
		cut := schema.TextOf(s, "status") == "out-of-sync" && schema.TextOf(bdb, "crdt_sync") == "enabled"
		out[id(schema.IntOf(s, "uid"))] = Object{
			"bdb_crdt_src_high_syncer_lag":         c.alertState(set["bdb_crdt_src_high_syncer_lag"], false),
			"bdb_crdt_src_syncer_connection_error": c.alertState(set["bdb_crdt_src_syncer_connection_error"], cut),
			"bdb_crdt_src_syncer_general_error":    c.alertState(set["bdb_crdt_src_syncer_general_error"], false),
		}
	}
	return out
}

func (c *call) clusterAlerts(prefix string) (Object, error) {
	cluster, err := clusterSettings.load(c)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for name, setting := range object(cluster["alert_settings"]) {
		if strings.HasPrefix(name, prefix) {
			out[name] = c.alertState(setting, false)
		}
	}
	return out, nil
}

func getClusterAlerts(c *call) (any, error) {
	all, err := c.clusterAlerts("cluster_")
	if err != nil {
		return nil, err
	}
	return c.pickAlert(all)
}

func (c *call) nodeAlerts(node Object) (Object, error) {
	all, err := c.clusterAlerts("node_")
	if err != nil {
		return nil, err
	}
	cluster, err := clusterSettings.load(c)
	if err != nil {
		return nil, err
	}
	down := schema.TextOf(node, "status") == "down"
	all["node_failed"] = c.alertState(object(cluster["alert_settings"])["node_failed"], down)
	return all, nil
}

func listNodeAlerts(c *call) (any, error) {
	nodes, err := c.Engine.List(c.ctx(), KindNode)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, n := range nodes {
		if out[id(schema.IntOf(n, "uid"))], err = c.nodeAlerts(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func getNodeAlerts(c *call) (any, error) {
	node, err := c.mustNode("uid")
	if err != nil {
		return nil, err
	}
	all, err := c.nodeAlerts(node)
	if err != nil {
		return nil, err
	}
	return c.pickAlert(all)
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
