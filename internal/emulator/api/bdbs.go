package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// view reads how databases shall be shown.
func (c *call) view() schema.View {
	v := schema.View{Extended: c.flag("extended"), Mask: c.clusterFlag(c, "mask_bdb_credentials")}
	for _, f := range strings.Split(c.request.URL.Query().Get("fields"), ",") {
		if f = strings.TrimSpace(f); f != "" {
			v.Fields = append(v.Fields, f)
		}
	}
	return v
}

func listBDBs(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	view := c.view()
	out := make([]Object, 0, len(all))
	for _, b := range all {
		out = append(out, schema.Render("bdb", b, view))
	}
	return out, nil
}

// mustBDB loads the database of the path.
func (c *call) mustBDB(param string) (Object, error) {
	bdb, err := c.Engine.Get(c.ctx(), KindBDB, c.params[param])
	if err == nil && bdb == nil {
		err = noBDB(c.params[param])
	}
	return bdb, err
}

func noBDB(uid string) error {
	return refusal(http.StatusNotFound, "db_not_exist", "Database %s does not exist", uid)
}

func getBDB(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	return schema.Render("bdb", bdb, c.view()), nil
}

// facts gathers what the rules of databases look at.
func (c *call) facts() (schema.Facts, error) {
	f := schema.Facts{Now: c.Now(), StateID: c.Engine.StateID(), AdminPassword: randomText(48)}
	var err error
	if f.Cluster, err = clusterSettings.load(c); err != nil {
		return f, err
	}
	if f.Policy, err = policySettings.load(c); err != nil {
		return f, err
	}
	if f.License, err = c.license(); err != nil {
		return f, err
	}
	if f.Nodes, err = c.Engine.List(c.ctx(), KindNode); err != nil {
		return f, err
	}
	if f.BDBs, err = c.Engine.List(c.ctx(), KindBDB); err != nil {
		return f, err
	}
	if f.Roles, err = c.uids(KindRole); err != nil {
		return f, err
	}
	if f.ACLs, err = c.uids(KindRedisACL); err != nil {
		return f, err
	}
	if n, ok := schema.Int(c.request.Header.Get("cluster-state-id")); ok {
		f.AskedFor = &n
	}
	return f, nil
}

func (c *call) uids(kind Kind) (map[int64]bool, error) {
	all, err := c.Engine.List(c.ctx(), kind)
	set := make(map[int64]bool, len(all))
	for _, o := range all {
		set[schema.IntOf(o, "uid")] = true
	}
	return set, err
}

// createBDB is POST /v1/bdbs.
func createBDB(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	return c.createFrom(raw)
}

// createBDB2 is POST /v2/bdbs: the database under the key bdb.
func createBDB2(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	bdb, ok := raw["bdb"].(map[string]any)
	if !ok {
		return nil, badRequest("'bdb' is a required property")
	}
	for key := range raw {
		if key != "bdb" && key != "recovery_plan" {
			return nil, badRequest("Additional properties are not allowed ('%s' was unexpected)", key)
		}
	}
	if plan := object(raw["recovery_plan"]); len(list(plan["data_files"])) > 0 {
		return nil, ErrUnsupported
	}
	return c.createFrom(bdb)
}

func (c *call) createFrom(raw Object) (any, error) {
	c.bdbs.Lock()
	defer c.bdbs.Unlock()
	facts, err := c.facts()
	if err != nil {
		return nil, err
	}
	bdb, err := schema.NewBDB(raw, facts)
	if err != nil {
		return nil, err
	}
	if c.dryRun() {
		return schema.Render("bdb", bdb, schema.View{}), nil
	}
	hideDefaultPassword(bdb)
	stored, err := c.Engine.CreateBDB(c.ctx(), bdb)
	if err != nil {
		return nil, err
	}
	return schema.Render("bdb", stored, schema.View{Mask: c.view().Mask}), nil
}

// hideDefaultPassword keeps the list of live passwords of the default user next to the one the object shows.
func hideDefaultPassword(fields Object) {
	password, said := fields["authentication_redis_pass"].(string)
	switch {
	case !said:
	case password == "":
		fields["_default_passwords"] = []any{}
	default:
		fields["_default_passwords"] = []any{password}
	}
}

// updateBDB is PUT /v1/bdbs/{uid} and PUT /v1/bdbs/{uid}/{action}.
func updateBDB(c *call) (any, error) {
	action := c.params["action"]
	if action != "" && action != "flush" && action != "reset_admin_pass" {
		return nil, refusal(http.StatusNotFound, "not_found", "%s does not exist", c.request.URL.Path)
	}
	raw, err := c.body()
	if err != nil {
		return nil, err
	}
	if action == "" && len(raw) == 0 {
		return nil, badRequest("The request needs a JSON object")
	}
	c.bdbs.Lock()
	defer c.bdbs.Unlock()
	old, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	facts, err := c.facts()
	if err != nil {
		return nil, err
	}
	fields, err := schema.ChangeBDB(old, raw, facts)
	if err != nil {
		return nil, err
	}
	if action != "" && schema.BoolOf(old, "crdt") {
		return nil, refusal(http.StatusNotAcceptable, "not_supported_action_on_crdt",
			"'%s' does not work on an Active-Active instance", action)
	}
	if action == "reset_admin_pass" {
		fields["authentication_admin_pass"] = facts.AdminPassword
	}
	if c.dryRun() {
		return dryUpdate(old, fields), nil
	}
	hideDefaultPassword(fields)
	return c.changeBDB(old, fields, action)
}

func dryUpdate(old, fields Object) Object {
	o := schema.Clone(old)
	for k, v := range fields {
		o[k] = v
	}
	return schema.Render("bdb", o, schema.View{})
}

func (c *call) changeBDB(old, fields Object, action string) (any, error) {
	stored, err := c.Engine.UpdateBDB(c.ctx(), schema.IntOf(old, "uid"), fields, action)
	if err != nil {
		return nil, notThere(err, c.params["uid"])
	}
	return schema.Render("bdb", stored, schema.View{Mask: c.view().Mask}), nil
}

func notThere(err error, uid string) error {
	if errors.Is(err, ErrNotFound) {
		return noBDB(uid)
	}
	return err
}

// deleteBDB is DELETE /v1/bdbs/{uid}.
func deleteBDB(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	if schema.BoolOf(bdb, "internal") {
		return nil, refusal(http.StatusForbidden, "unauthorized_action", "Internal databases can not be deleted")
	}
	if guid := schema.TextOf(bdb, "crdt_guid"); guid != "" {
		return nil, refusal(http.StatusForbidden, "unauthorized_action", "This instance goes through /v1/crdbs/%s", guid)
	}
	action, err := c.Engine.DeleteBDB(c.ctx(), schema.IntOf(bdb, "uid"))
	if err != nil {
		return nil, notThere(err, c.params["uid"])
	}
	return Object{"action_uid": action}, nil
}

// bdbPasswords is PUT, POST and DELETE of /v1/bdbs/{uid}/passwords: the passwords of the default user.
func bdbPasswords(c *call) (any, error) {
	ask, err := c.typed("password_body", schema.Create)
	if err != nil {
		return nil, err
	}
	c.bdbs.Lock()
	defer c.bdbs.Unlock()
	old, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	password := schema.TextOf(ask, "password")
	live := list(old["_default_passwords"])
	at := indexOf(live, password)
	switch c.request.Method {
	case http.MethodPut:
		live = []any{password}
	case http.MethodPost:
		if at < 0 {
			live = append(live, password)
		}
	case http.MethodDelete:
		if at < 0 {
			return nil, refusal(http.StatusNotAcceptable, "invalid_param", "The database has no such password")
		}
		live = append(live[:at:at], live[at+1:]...)
	}
	fields := Object{"_default_passwords": live, "authentication_redis_pass": ""}
	if len(live) > 0 {
		fields["authentication_redis_pass"] = live[len(live)-1]
	}
	_, err = c.changeBDB(old, fields, "")
	return nil, err
}

func indexOf(values []any, wanted string) int {
	for i, v := range values {
		if v == wanted {
			return i
		}
	}
	return -1
}

// bdbAvailability is GET /v1/bdbs/{uid}/availability.
func bdbAvailability(c *call) (any, error) {
	return nil, c.available(c.Engine.Available)
}

// localAvailability is GET /v1/local/bdbs/{uid}/endpoint/availability.
func localAvailability(c *call) (any, error) {
	if _, err := c.Engine.Leader(c.ctx()); err != nil {
		return nil, err
	}
	return nil, c.available(c.Engine.EndpointAvailable)
}

func (c *call) available(ask func(ctx context.Context, uid int64) error) error {
	bdb, err := c.Engine.Get(c.ctx(), KindBDB, c.params["uid"])
	if err != nil {
		return err
	}
	if bdb == nil {
		return refusal(http.StatusNotFound, "db_not_found", "Database %s does not exist", c.params["uid"])
	}
	for _, check := range strings.Split(c.request.URL.Query().Get("extend_check"), ",") {
		switch check {
		case "":
		case "lag":
			// Measured on the product: databases that are not Active-Active never pass the lag check.
			tolerance, err := c.lagTolerance()
			if err != nil {
				return err
			}
			if !schema.BoolOf(bdb, "crdt") || lagging(bdb, tolerance) {
				return refusal(http.StatusServiceUnavailable, "bdb_unavailable", "Database %s is unavailable", c.params["uid"])
			}
		default:
			return badRequest("'%s' is not a known check", check)
		}
	}
	return ask(c.ctx(), schema.IntOf(bdb, "uid"))
}
