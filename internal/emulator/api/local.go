package api

import (
	"net/http"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// masterHealth is GET /v1/local/node/master_healthcheck: does this node see a leader?
func masterHealth(c *call) (any, error) {
	status := "active"
	if _, err := c.Engine.Leader(c.ctx()); err != nil {
		status = "inactive" // not an error: this is what the call is there to tell
	}
	return Object{"status": status}, nil
}

func localServices(c *call) (any, error) {
	out := Object{}
	started := c.Engine.Bootstrap().EndTime
	for name, running := range c.Engine.LocalServices() {
		o := Object{"status": "STOPPED", "start_time": "", "uptime": ""}
		if running {
			o["status"], o["start_time"] = "RUNNING", schema.Timestamp(started)
			o["uptime"] = c.Now().Sub(started).Round(1e9).String()
		}
		out[name] = o
	}
	return out, nil
}

// operateServices is POST /v1/local/services and /v1/services. Nothing is restarted; the answer says so.
func operateServices(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]any{"stop", "start", "restart"}, raw["operation_type"]) {
		return nil, badRequest("operation_type must be stop, start or restart")
	}
	known, out := c.Engine.LocalServices(), Object{}
	for _, name := range texts(raw["services"]) {
		if _, there := known[name]; !there {
			return nil, badRequest("There is no service '%s'", name)
		}
		out[name] = false
	}
	if len(out) == 0 {
		return nil, badRequest("services is missing")
	}
	return out, nil
}

// watchdogs is GET /v1/nodes/wd_status and GET /v1/nodes/{uid}/wd_status, known only from live clusters.
func watchdogs(c *call) (any, error) {
	if c.params["uid"] != "" {
		node, err := c.mustNode("uid")
		if err != nil {
			return nil, err
		}
		return Object{"status": schema.TextOf(node, "status")}, nil
	}
	all, err := c.Engine.List(c.ctx(), KindNode)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, n := range all {
		out[id(schema.IntOf(n, "uid"))] = Object{"status": schema.TextOf(n, "status")}
	}
	return out, nil
}

func witnessDisk(*call) (any, error) { return Object{}, nil }

// jsonSchema is GET /v1/jsonschema?object=bdb; without a name it lists all.
func jsonSchema(c *call) (any, error) {
	name := c.request.URL.Query().Get("object")
	if name == "" {
		all := Object{}
		for _, n := range schema.Names() {
			all[n], _ = schema.JSONSchema(n)
		}
		return all, nil
	}
	o, ok := schema.JSONSchema(name)
	if !ok {
		return nil, refusal(http.StatusNotAcceptable, "invalid_param", "There is no object '%s'", name)
	}
	return o, nil
}

// unsupported is for calls whose object kinds are not emulated.
func unsupported(*call) (any, error) { return nil, ErrUnsupported }
