package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Active-Active databases. Requests that change something only write a task down; the engine of the leader works it off.

func crdbRoutes() []route {
	const one = "/v1/crdbs/{crdb_guid}"
	all := []route{
		{method: get, pattern: "/v1/crdbs", permission: "view_crdb_list", serve: listCRDBs},
		{method: post, pattern: "/v1/crdbs", permission: "create_crdb", serve: createCRDB},
		{method: get, pattern: one, permission: "view_crdb", serve: getCRDB},
		{method: patch, pattern: one, permission: "update_crdb", serve: patchCRDB},
		{method: remove, pattern: one, permission: "delete_crdb", serve: deleteCRDB},
		{method: put, pattern: one + "/flush", permission: "flush_crdb", serve: flushCRDB},
		{method: put, pattern: one + "/purge", permission: "purge_instance", serve: purgeCRDB},
		{method: get, pattern: one + "/health_report", permission: "view_crdb", serve: crdbHealth},
		{method: post, pattern: one + "/updates", permission: "update_crdb", serve: modifyCRDB},
		{method: post, pattern: one + "/upgrade", permission: "upgrade_crdb", serve: upgradeCRDB},
		{method: get, pattern: "/v1/crdb_tasks", permission: "view_crdb_task_list", serve: listCRDBTasks},
		{method: get, pattern: "/v1/crdb_tasks/{task_id}", permission: "view_crdb_task", serve: getCRDBTask},
		{method: post, pattern: "/v1/crdb_tasks/{task_id}/actions/cancel", permission: "update_crdb", serve: cancelCRDBTask},
	}
	for i := range all {
		if all[i].method != get {
			all[i].serve = again(all[i].serve)
		}
	}
	return all
}

// again answers a request that was sent before with the task it began, also when what it was about is gone meanwhile.
func again(serve func(*call) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		taskID := c.request.Header.Get("X-Task-ID")
		if taskID == "" || c.params["task_id"] != "" {
			return serve(c)
		}
		task, err := c.Engine.Get(c.ctx(), KindCRDBTask, taskID)
		guid := c.params["crdb_guid"]
		if err != nil || task == nil || expired(task, c.Now()) || guid != "" && guid != schema.TextOf(task, "crdb_guid") ||
			schema.TextOf(task, "_call") != c.request.Method+" "+c.request.URL.Path {
			return serve(c) // startTask compares once more
		}
		return renderTask(task, false), nil
	}
}

func listCRDBs(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindCRDB)
	if err != nil {
		return nil, err
	}
	out := make([]Object, 0, len(all))
	for _, o := range all {
		if shown(o) {
			out = append(out, c.renderCRDB(o))
		}
	}
	return out, nil
}

// shown tells whether a configuration is one that the participants have agreed on.
func shown(o Object) bool { return schema.TextOf(o, "_status") == crdbCommitted }

func getCRDB(c *call) (any, error) {
	o, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	if n := c.request.URL.Query().Get("instance_id"); n != "" {
		uid, _ := schema.Int(n)
		if crdb.Instance(o, uid) == nil {
			return nil, refusal(http.StatusNotFound, "not_found", "Instance %s does not exist", n)
		}
	}
	return c.renderCRDB(o), nil
}

func (c *call) mustCRDB() (Object, error) {
	guid := c.params["crdb_guid"]
	o, err := c.Engine.Get(c.ctx(), KindCRDB, guid)
	if err == nil && (o == nil || !shown(o)) {
		err = refusal(http.StatusNotFound, "not_found", "Active-Active database %s does not exist", guid)
	}
	return o, err
}

// renderCRDB shows a configuration without what is private and without passwords.
func (c *call) renderCRDB(o Object) Object {
	out := public(o)
	instances := []any{}
	own := schema.IntOf(o, "_instance")
	for _, inst := range crdb.Instances(o) {
		i := public(inst)
		i["cluster"] = public(object(inst["cluster"]))
		if credentials := object(object(inst["cluster"])["credentials"]); credentials != nil {
			i["cluster"].(Object)["credentials"] = Object{"username": credentials["username"]}
		}
		if auth := object(object(inst["cluster"])["certificate_auth"]); auth != nil {
			i["cluster"].(Object)["certificate_auth"] = Object{"client_cert": auth["client_cert"], "trusted_ca": auth["trusted_ca"]}
		}
		i["db_config"] = hideSettings(object(inst["db_config"]))
		if i["db_uid"] = nil; schema.IntOf(inst, "id") == own {
			i["db_uid"] = id(schema.IntOf(o, "_uid"))
		}
		instances = append(instances, i)
	}
	out["instances"], out["default_db_config"] = instances, hideSettings(object(o["default_db_config"]))
	out["local_databases"] = []any{Object{"id": own, "bdb_uid": id(schema.IntOf(o, "_uid"))}}
	if out["modules"] == nil {
		out["modules"] = []any{}
	}
	return out
}

// public leaves out what is private; what it returns shares the rest.
func public(o Object) Object {
	out := make(Object, len(o))
	for key, v := range o {
		if !strings.HasPrefix(key, "_") {
			out[key] = v
		}
	}
	return out
}

func hideSettings(o Object) Object {
	out := public(o)
	delete(out, "private_key")
	return out
}

func createCRDB(c *call) (any, error) {
	ask, err := c.typed("crdb", schema.Create)
	if err != nil {
		return nil, err
	}
	o, err := crdb.New(ask, newGUID(), func() string { return randomText(48) })
	if err != nil {
		return nil, err
	}
	if err := c.takesPart(o); err != nil {
		return nil, err
	}
	if c.dryRun() {
		return nil, nil
	}
	return c.startTask("create_crdb", schema.TextOf(o, "guid"), Object{"_crdb": o})
}

// takesPart refuses a configuration in which this cluster has no instance.
func (c *call) takesPart(o Object) error {
	name, err := c.clusterName()
	if err == nil && crdb.InstanceOn(o, name) == nil {
		err = refusal(http.StatusNotAcceptable, "invalid_param", "Cluster %s is not among the instances", name)
	}
	return err
}

func (c *call) clusterName() (string, error) {
	cluster, err := c.Engine.Peek(c.ctx(), KindCluster, Singleton)
	return schema.TextOf(cluster, "name"), err
}

// patchCRDB is PATCH /v1/crdbs/{crdb_guid}: settings only.
func patchCRDB(c *call) (any, error) {
	now, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	ask, err := c.typed("crdb", schema.Change)
	if err != nil {
		return nil, err
	}
	if len(ask) == 0 {
		return nil, badRequest("The request needs a JSON object")
	}
	return c.change(now, Object{"crdb": ask}, "update_crdb")
}

// modifyCRDB is POST /v1/crdbs/{crdb_guid}/updates: settings and instances.
func modifyCRDB(c *call) (any, error) {
	now, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	ask, err := c.typed("crdb_modify_request", schema.Change)
	if err != nil {
		return nil, err
	}
	return c.change(now, ask, "modify_crdb")
}

func (c *call) change(now, ask Object, operation string) (any, error) {
	next, _, _, err := crdb.Next(now, ask, func() string { return "" })
	if err != nil {
		return nil, err
	}
	if err := c.takesPart(next); err != nil {
		return nil, err
	}
	if c.dryRun() {
		return nil, nil
	}
	return c.startTask(operation, schema.TextOf(now, "guid"), Object{"_ask": ask})
}

func deleteCRDB(c *call) (any, error) { return c.simpleTask("delete_crdb", Object{}) }

func flushCRDB(c *call) (any, error) { return c.simpleTask("flush_crdb", Object{}) }

func (c *call) simpleTask(operation string, body Object) (any, error) {
	o, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	return c.startTask(operation, schema.TextOf(o, "guid"), body)
}

// purgeCRDB is for the cluster whose instance was removed by force.
func purgeCRDB(c *call) (any, error) {
	o, err := c.mustCRDB()
	if err != nil {
		return nil, err
	}
	ask, err := c.typed("crdb_purge_request", schema.Create)
	if err != nil {
		return nil, err
	}
	for _, v := range list(ask["instances"]) {
		if n, _ := schema.Int(v); n != schema.IntOf(o, "_instance") {
			return nil, refusal(http.StatusNotFound, "not_found", "Instance %d is not on this cluster", n)
		}
	}
	if len(list(ask["instances"])) == 0 {
		return nil, badRequest("'instances' names no instance")
	}
	return c.startTask("purge_instance", schema.TextOf(o, "guid"), Object{})
}

func upgradeCRDB(c *call) (any, error) {
	if _, err := c.mustCRDB(); err != nil {
		return nil, err
	}
	ask, err := c.typed("crdb_upgrade_request", schema.Change)
	if err != nil {
		return nil, err
	}
	return c.simpleTask("upgrade_crdb", Object{"_ask": ask})
}

// Tasks.

const (
	taskQueued   = "queued"
	taskFinished = "finished"
	taskFailed   = "failed"
	// resultTTL is how long the result of a task is kept, in seconds, unless the request says otherwise.
	resultTTL = int64(500)
)

// startTask writes a task down, or finds the one that an earlier try of the same request wrote down.
func (c *call) startTask(operation, guid string, body Object) (any, error) {
	taskID := c.request.Header.Get("X-Task-ID")
	if taskID == "" {
		taskID = newGUID()
	}
	if len(taskID) > 128 || strings.ContainsAny(taskID, "/ ?#") {
		return nil, badRequest("X-Task-ID is not acceptable")
	}
	ttl := resultTTL
	if text := c.request.Header.Get("X-Result-TTL"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, badRequest("X-Result-TTL is not a number of seconds")
		}
		ttl = n
	}
	serial, err := c.Engine.NextUID(c.ctx(), KindCRDBTask)
	if err != nil {
		return nil, err
	}
	o := schema.Clone(body)
	o["_call"] = c.request.Method + " " + c.request.URL.Path
	stored, err := c.Engine.Update(c.ctx(), KindCRDBTask, taskID, func(old Object) (Object, error) {
		if old != nil && !expired(old, c.Now()) {
			if schema.TextOf(old, "_call") != o["_call"] {
				return nil, refusal(http.StatusConflict, "config_edit_conflict", "Task %s is another operation", taskID)
			}
			return old, nil
		}
		o["id"], o["crdb_guid"], o["operation"], o["status"] = taskID, guid, operation, taskQueued
		o["_ttl"], o["_serial"] = ttl, serial
		return o, nil
	})
	if err != nil {
		return nil, err
	}
	return renderTask(stored, false), nil
}

// expired tells whether the result of a task is no longer kept.
func expired(task Object, now time.Time) bool {
	ended, err := time.Parse(time.RFC3339, schema.TextOf(task, "ended"))
	return err == nil && now.Sub(ended) > time.Duration(schema.IntOf(task, "_ttl"))*time.Second
}

func renderTask(o Object, verbose bool) Object {
	out := public(o)
	if !verbose {
		delete(out, "progress")
	}
	return out
}

// listCRDBTasks is GET /v1/crdb_tasks: those that are not over.
func listCRDBTasks(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindCRDBTask)
	if err != nil {
		return nil, err
	}
	out := []Object{}
	for _, o := range all {
		if status := schema.TextOf(o, "status"); status != taskFinished && status != taskFailed {
			out = append(out, renderTask(o, false))
		}
	}
	return out, nil
}

func (c *call) mustTask() (Object, error) {
	o, err := c.Engine.Get(c.ctx(), KindCRDBTask, c.params["task_id"])
	if err == nil && (o == nil || expired(o, c.Now())) {
		err = refusal(http.StatusNotFound, "not_found", "Task %s does not exist", c.params["task_id"])
	}
	return o, err
}

func getCRDBTask(c *call) (any, error) {
	o, err := c.mustTask()
	if err != nil {
		return nil, err
	}
	return renderTask(o, c.flag("verbose")), nil
}

// cancelCRDBTask ends a task that has not begun; one that has can not be taken back half way.
func cancelCRDBTask(c *call) (any, error) {
	if _, err := c.mustTask(); err != nil {
		return nil, err
	}
	_, err := c.Engine.Update(c.ctx(), KindCRDBTask, c.params["task_id"], func(o Object) (Object, error) {
		if o == nil {
			return nil, ErrNotFound
		}
		if schema.TextOf(o, "status") != taskQueued {
			return nil, refusal(http.StatusNotAcceptable, "invalid_param", "The task can not be cancelled any more")
		}
		o["status"], o["ended"] = taskFailed, schema.Timestamp(c.Now())
		o["errors"] = []any{Object{"cluster_name": "", "description": "cancelled", "error_code": "cancelled"}}
		return o, nil
	})
	return nil, err
}
