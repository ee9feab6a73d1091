package api

import (
	"net/http"
	"strconv"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// v1Status says the status in the words that each kind of action uses in version 1 of the API.
func (a Action) v1Status() string {
	if !a.StateMachine {
		return a.Status
	}
	switch a.Status {
	case "queued", "starting":
		return "pending"
	case "running", "cancelling":
		return "active"
	case "aborted", "cancelled":
		return "failed"
	}
	return a.Status
}

// v1 is the element of /v1/actions. Numbers of tasks are text here.
func (a Action) v1() Object {
	o := Object{"action_uid": a.UID, "name": a.Name, "status": a.v1Status()}
	if a.StateMachine {
		o["object_name"] = a.objectName()
		o["pending_ops"] = a.pendingOps()
		o["state"], o["heartbeat"] = a.step(), a.Created.Unix()
		if a.ErrorCode != "" {
			o["error"] = a.Description
		}
		return o
	}
	o["task_id"], o["progress"] = a.UID, strconv.FormatFloat(a.Progress, 'f', -1, 64)
	o["creation_time"] = strconv.FormatInt(a.Created.Unix(), 10)
	if a.Node != 0 {
		o["node_uid"] = id(a.Node)
	}
	a.addError(o)
	return o
}

func (a Action) step() string {
	if s := schema.TextOf(a.Extra, "state"); s != "" {
		return s
	}
	return a.Status
}

func (a Action) addError(o Object) {
	if a.ErrorCode != "" {
		o["error_code"], o["error_message"] = a.ErrorCode, a.Description
	}
}

func (a Action) objectName() string {
	if a.BDB != 0 {
		return "bdb:" + id(a.BDB)
	}
	return "cluster"
}

func (a Action) pendingOps() Object {
	ops := Object{}
	for k, v := range a.PendingOps {
		ops[k] = v
	}
	return ops
}

// v2 is the element of /v2/actions.
func (a Action) v2() Object {
	o := Object{
		"action_uid": a.UID, "action_type": "task", "creation_time": a.Created.Unix(), "name": a.Name,
		"progress": schema.Decimal(a.Progress), "status": a.Status,
	}
	info := Object{}
	switch {
	case a.BDB != 0:
		info["object_type"], info["object_uid"] = "bdb", id(a.BDB)
	case a.Node != 0:
		info["object_type"], info["object_uid"] = "node", id(a.Node)
	}
	if a.StateMachine {
		o["action_type"] = "state-machine"
		if len(a.PendingOps) > 0 {
			info["pending_ops"] = a.pendingOps()
		}
	}
	if a.ErrorCode != "" {
		info["error"], info["description"] = a.ErrorCode, a.Description
	}
	if len(info) > 0 {
		o["additional_info"] = info
	}
	return o
}

// node is the answer of node and cluster actions.
func (a Action) node() Object {
	o := Object{
		"name": a.Name, "action_uid": a.UID, "task_id": a.UID, "status": a.Status,
		"progress": schema.Decimal(a.Progress), "creation_time": strconv.FormatInt(a.Created.Unix(), 10),
	}
	if a.Node != 0 {
		o["node_uid"] = id(a.Node)
	}
	a.addError(o)
	for k, v := range a.Extra {
		o[k] = v
	}
	return o
}

func listActions(c *call) (any, error) {
	all, err := c.Engine.Actions(c.ctx())
	if err != nil {
		return nil, err
	}
	tasks, machines := []Object{}, []Object{}
	for _, a := range all {
		if a.StateMachine {
			machines = append(machines, a.v1())
		} else {
			tasks = append(tasks, a.v1())
		}
	}
	return Object{"actions": tasks, "state-machines": machines}, nil
}

func listActions2(c *call) (any, error) {
	all, err := c.Engine.Actions(c.ctx())
	if err != nil {
		return nil, err
	}
	out := []Object{}
	for _, a := range all {
		out = append(out, a.v2())
	}
	return out, nil
}

func (c *call) findAction() (Action, error) {
	all, err := c.Engine.Actions(c.ctx())
	if err != nil {
		return Action{}, err
	}
	for _, a := range all {
		if a.UID == c.params["uid"] {
			return a, nil
		}
	}
	return Action{}, refusal(http.StatusNotFound, "not_found", "Action %s does not exist", c.params["uid"])
}

func getAction(c *call) (any, error) {
	a, err := c.findAction()
	if err != nil {
		return nil, err
	}
	return a.v1(), nil
}

func getAction2(c *call) (any, error) {
	a, err := c.findAction()
	if err != nil {
		return nil, err
	}
	return a.v2(), nil
}

// bdbActions is GET /v1/actions/bdb/{bdb_uid}.
func bdbActions(c *call) (any, error) {
	all, err := c.Engine.Actions(c.ctx())
	if err != nil {
		return nil, err
	}
	uid, out := c.uid("bdb_uid"), []Object{}
	for _, a := range all {
		if a.BDB == uid {
			out = append(out, a.v1())
		}
	}
	if len(out) == 0 {
		if _, err := c.mustBDB("bdb_uid"); err != nil {
			return nil, err
		}
	}
	return out, nil
}
