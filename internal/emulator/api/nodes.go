package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func listNodes(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindNode)
	if err != nil {
		return nil, err
	}
	out := make([]Object, 0, len(all))
	for _, n := range all {
		out = append(out, schema.Render("node", n, schema.View{}))
	}
	return out, nil
}

func (c *call) mustNode(param string) (Object, error) {
	node, err := c.Engine.Get(c.ctx(), KindNode, c.params[param])
	if err == nil && node == nil {
		err = noNode(c.params[param])
	}
	return node, err
}

func noNode(uid string) error {
	return refusal(http.StatusNotFound, "node_not_found", "Node %s does not exist", uid)
}

func getNode(c *call) (any, error) {
	node, err := c.mustNode("uid")
	if err != nil {
		return nil, err
	}
	return schema.Render("node", node, schema.View{}), nil
}

// updateNode is PUT /v1/nodes/{uid}; the answer has no body.
func updateNode(c *call) (any, error) {
	ask, err := c.typed("node_update", schema.Change)
	if err != nil {
		return nil, err
	}
	node, err := c.mustNode("uid")
	if err != nil {
		e := refusalOf(err)
		return nil, refusal(http.StatusNotAcceptable, e.Code, "%s", e.Description)
	}
	if err := checkNodeUpdate(node, ask); err != nil {
		return nil, err
	}
	_, err = c.Engine.Update(c.ctx(), KindNode, c.params["uid"], func(n Object) (Object, error) {
		if n == nil {
			return nil, refusal(http.StatusNotAcceptable, "node_not_found", "Node %s does not exist", c.params["uid"])
		}
		for k, v := range ask {
			n[k] = v
		}
		return n, nil
	})
	return nil, err
}

func checkNodeUpdate(node, ask Object) error {
	if err := schema.CheckAddresses(ask); err != nil {
		return err
	}
	if addr, said := ask["addr"].(string); said && addr != node["addr"] && schema.TextOf(node, "status") != "down" {
		return refusal(http.StatusNotAcceptable, "node_not_offline", "The address can change only while the node is down")
	}
	for _, key := range []string{"rack_id", "second_rack_id"} {
		rack, said := ask[key].(string)
		if !said {
			continue
		}
		if rack != "" && !rackID.MatchString(rack) {
			return badRequest("'%s' is not an acceptable %s", rack, key)
		}
		if old := schema.TextOf(node, key); old != "" && !strings.EqualFold(old, rack) {
			return refusal(http.StatusNotAcceptable, "node_already_has_rack_id", "The node already has %s %s", key, old)
		}
	}
	if accepts, said := ask["accept_servers"].(bool); said && !accepts && len(list(node["shard_list"])) > 0 {
		return refusal(http.StatusNotAcceptable, "node_already_populated", "There are shards on the node")
	}
	return nil
}

// nodesStatus is GET /v1/nodes/status: a map by uid.
func nodesStatus(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindNode)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, n := range all {
		uid := schema.IntOf(n, "uid")
		status, err := c.Engine.NodeStatus(c.ctx(), uid)
		if err != nil {
			return nil, err
		}
		out[id(uid)] = schema.Render("node_status", status, schema.View{})
	}
	return out, nil
}

func nodeStatus(c *call) (any, error) {
	if _, err := c.mustNode("uid"); err != nil {
		return nil, err
	}
	status, err := c.Engine.NodeStatus(c.ctx(), c.uid("uid"))
	if err != nil {
		return nil, err
	}
	return schema.Render("node_status", status, schema.View{}), nil
}

// nodeCheck runs the checks of one node. Its uid is a number here and on the cluster check alike; sources differ.
func (c *call) nodeCheck(uid int64) (Object, bool, error) {
	checks, err := c.Engine.CheckNode(c.ctx(), uid)
	if err != nil {
		return nil, false, err
	}
	o := Object{"node_uid": uid, "result": true}
	for _, name := range sortedNames(checks) {
		if reason := checks[name]; reason != "" && o["error"] == nil {
			o["result"], o["error"] = false, name+" FAILED - "+reason
		}
	}
	return o, o["result"] == true, nil
}

func checkNode(c *call) (any, error) {
	if _, err := c.mustNode("uid"); err != nil {
		return nil, err
	}
	o, _, err := c.nodeCheck(c.uid("uid"))
	return o, err
}

// clusterCheck is GET /v1/cluster/check: cluster_test_result true means that all is well.
func clusterCheck(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindNode)
	if err != nil {
		return nil, err
	}
	good, nodes := true, []Object{}
	for _, n := range all {
		o, ok, err := c.nodeCheck(schema.IntOf(n, "uid"))
		if err != nil {
			return nil, err
		}
		good = good && ok
		nodes = append(nodes, o)
	}
	return Object{"cluster_test_result": good, "nodes": nodes}, nil
}

// Actions of nodes and of the cluster.

// nodeActionNames are the actions clients may start, with the name they are reported under.
var nodeActionNames = map[string]string{
	"remove": "remove_node", "maintenance_on": "maintenance_on", "maintenance_off": "maintenance_off",
	"enslave_node": "enslave_node",
}

func (c *call) actionsOf(keep func(Action) bool) ([]Action, error) {
	all, err := c.Engine.Actions(c.ctx())
	if err != nil {
		return nil, err
	}
	var out []Action
	for _, a := range all {
		if keep(a) {
			out = append(out, a)
		}
	}
	return out, nil
}

func actionList(actions []Action) Object {
	out := []Object{}
	for _, a := range actions {
		out = append(out, a.node())
	}
	return Object{"actions": out}
}

func listNodeActions(c *call) (any, error) {
	uid := c.uid("node_uid")
	if c.params["node_uid"] != "" {
		if _, err := c.mustNode("node_uid"); err != nil {
			return nil, err
		}
	}
	actions, err := c.actionsOf(func(a Action) bool {
		return a.Scope == ScopeNode && (c.params["node_uid"] == "" || a.Node == uid)
	})
	if err != nil {
		return nil, err
	}
	return actionList(actions), nil
}

// latestAction is the youngest action of a name; only that one is remembered per name and object.
func latestAction(actions []Action, name string) (Action, error) {
	for i := len(actions) - 1; i >= 0; i-- {
		if a := actions[i]; a.Name == name || a.Name == nodeActionNames[name] {
			return a, nil
		}
	}
	return Action{}, refusal(http.StatusNotFound, "not_found", "Action %s does not exist", name)
}

func getNodeAction(c *call) (any, error) {
	uid := c.uid("node_uid")
	actions, err := c.actionsOf(func(a Action) bool { return a.Scope == ScopeNode && a.Node == uid })
	if err != nil {
		return nil, err
	}
	a, err := latestAction(actions, c.params["action"])
	if err != nil {
		return nil, err
	}
	return a.node(), nil
}

func startNodeAction(c *call) (any, error) {
	name := c.params["action"]
	if nodeActionNames[name] == "" {
		return nil, refusal(http.StatusNotFound, "not_found", "There is no node action %s", name)
	}
	body, err := c.typed("node_action_request", schema.Change)
	if err != nil {
		return nil, err
	}
	node, err := c.mustNode("node_uid")
	if err != nil {
		return nil, err
	}
	uid := schema.IntOf(node, "uid")
	running, err := c.actionsOf(func(a Action) bool { return a.Scope == ScopeNode && a.Node == uid && !a.over() })
	if err != nil {
		return nil, err
	}
	for _, a := range running {
		if a.Name == nodeActionNames[name] {
			return nil, refusal(http.StatusConflict, "busy", "Action %s is already running on node %d", a.Name, uid)
		}
	}
	a, err := c.Engine.Start(c.ctx(), Operation{Scope: ScopeNode, UID: uid, Name: name, Body: body})
	if err != nil {
		return nil, busyNode(err, c.params["node_uid"])
	}
	return Object{"action_uid": a.UID, "task_id": a.UID}, nil
}

func busyNode(err error, uid string) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return noNode(uid)
	case errors.Is(err, ErrBusy):
		return refusal(http.StatusConflict, "busy", "Node %s is busy", uid)
	}
	return err
}

func (a Action) over() bool {
	switch a.Status {
	case "completed", "failed", "aborted", "cancelled":
		return true
	}
	return false
}

func cancelNodeAction(c *call) (any, error) {
	uid := c.uid("node_uid")
	actions, err := c.actionsOf(func(a Action) bool { return a.Scope == ScopeNode && a.Node == uid })
	if err != nil {
		return nil, err
	}
	return nil, c.cancel(actions)
}

func (c *call) cancel(actions []Action) error {
	a, err := latestAction(actions, c.params["action"])
	if err != nil {
		return err
	}
	if err := c.Engine.Cancel(c.ctx(), a.UID); !errors.Is(err, ErrNotFound) {
		return err
	}
	return refusal(http.StatusNotFound, "not_found", "Action %s does not exist", c.params["action"])
}

func clusterScope(a Action) bool { return a.Scope == ScopeCluster && !a.StateMachine }

func listClusterActions(c *call) (any, error) {
	actions, err := c.actionsOf(clusterScope)
	if err != nil {
		return nil, err
	}
	return actionList(actions), nil
}

func getClusterAction(c *call) (any, error) {
	actions, err := c.actionsOf(clusterScope)
	if err != nil {
		return nil, err
	}
	a, err := latestAction(actions, c.params["action"])
	if err != nil {
		return nil, err
	}
	return a.node(), nil
}

func cancelClusterAction(c *call) (any, error) {
	actions, err := c.actionsOf(clusterScope)
	if err != nil {
		return nil, err
	}
	return nil, c.cancel(actions)
}

// startClusterAction is POST /v1/cluster/actions/change_master.
func startClusterAction(c *call) (any, error) {
	name := c.params["action"]
	if name != "change_master" {
		return nil, refusal(http.StatusBadRequest, "invalid_param", "There is no cluster action %s", name)
	}
	body, err := c.typed("change_master_request", schema.Create)
	if err != nil {
		return nil, err
	}
	uid, ok := schema.Int(body["node_uid"])
	if !ok {
		return nil, badRequest("node_uid is not a number")
	}
	node, err := c.Engine.Get(c.ctx(), KindNode, id(uid))
	if err != nil {
		return nil, err
	}
	if node == nil {
		return nil, noNode(id(uid))
	}
	if status := schema.TextOf(node, "status"); status != "active" {
		return nil, refusal(http.StatusNotAcceptable, "invalid_param", "Node %d is %s", uid, status)
	}
	running, err := c.actionsOf(func(a Action) bool { return clusterScope(a) && !a.over() })
	if err != nil {
		return nil, err
	}
	if len(running) > 0 {
		return nil, refusal(http.StatusConflict, "busy", "A cluster action is already in progress")
	}
	body["node_uid"] = uid
	_, err = c.Engine.Start(c.ctx(), Operation{Scope: ScopeCluster, UID: uid, Name: name, Body: body})
	return nil, busyNode(err, id(uid))
}
