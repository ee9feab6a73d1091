package api

import (
	"crypto/tls"
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// bdbAction is a call that starts an operation on a database.
type bdbAction struct {
	name     string
	typeName string // of the body; "" wants none
	mode     schema.Mode
	quiet    bool // answers without a body
	whole    bool // answers with the database
}

func (a bdbAction) serve(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	body, err := c.body()
	if err == nil && a.typeName != "" {
		body, err = schema.Check(a.typeName, body, a.mode)
	}
	if err != nil {
		return nil, err
	}
	if c.dryRun() && (a.name == "rebalance" || a.name == "revamp") {
		return c.blueprint(bdb)
	}
	if err := a.refuse(c, body); err != nil {
		return nil, err
	}
	if a.name == "revamp" && len(body) > 0 {
		return c.revamp(body)
	}
	op := Operation{Scope: ScopeBDB, UID: schema.IntOf(bdb, "uid"), Name: a.name, Body: body}
	action, err := c.Engine.Start(c.ctx(), op)
	switch {
	case err != nil:
		return nil, notThere(err, c.params["uid"])
	case a.quiet:
		return nil, nil
	case a.whole:
		now, err := c.mustBDB("uid")
		if err != nil {
			return nil, err
		}
		now["action_uid"] = action.UID
		return schema.Render("bdb", now, schema.View{Mask: c.view().Mask}), nil
	}
	return Object{"action_uid": action.UID}, nil
}

// revamp changes what the body says, by the rules of any change, and spreads the shards anew.
func (c *call) revamp(body Object) (any, error) {
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
	fields, err := schema.ChangeBDB(old, body, facts)
	if err != nil {
		return nil, err
	}
	stored, err := c.Engine.UpdateBDB(c.ctx(), schema.IntOf(old, "uid"), fields, "revamp")
	if err != nil {
		return nil, notThere(err, c.params["uid"])
	}
	return Object{"action_uid": stored["action_uid"]}, nil
}

// refuse applies the licence to what changes a database, and what the nodes offer to an upgrade.
func (a bdbAction) refuse(c *call, body Object) error {
	switch a.name {
	case "upgrade", "revamp", "import":
	default:
		return nil
	}
	facts, err := c.facts()
	if err != nil {
		return err
	}
	if err := schema.RefuseExpired(facts); err != nil || a.name != "upgrade" {
		return err
	}
	return schema.RefuseVersion(body, facts)
}

func (c *call) blueprint(bdb Object) (any, error) {
	plan, err := c.Engine.Blueprint(c.ctx(), schema.IntOf(bdb, "uid"))
	if err != nil {
		return nil, notThere(err, c.params["uid"])
	}
	if plan == nil {
		plan = []Object{}
	}
	return plan, nil
}

// optimizePlacement is GET /v1/bdbs/{uid}/actions/optimize_shards_placement.
func optimizePlacement(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	return c.blueprint(bdb)
}

// resetStatus is PUT /v1/bdbs/{uid}/actions/{export|import|backup}_reset_status: what the last run left is forgotten.
func resetStatus(what string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		_, err := c.Engine.Update(c.ctx(), KindBDB, c.params["uid"], func(b Object) (Object, error) {
			if b == nil {
				return nil, noBDB(c.params["uid"])
			}
			if s := schema.TextOf(b, what+"_status"); s == "exporting" || s == "importing" || s == "initializing" {
				return nil, refusal(http.StatusConflict, "db_busy", "The %s is still running", what)
			}
			b[what+"_status"], b[what+"_failure_reason"], b[what+"_progress"] = "", "", float64(0)
			return b, nil
		})
		return nil, err
	}
}

// recoveryPlan is GET /v1/bdbs/{uid}/actions/recover.
func recoveryPlan(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	files := list(bdb["_recovery_files"])
	if files == nil {
		files = []any{}
	}
	status := "missing-files"
	if len(files) > 0 || schema.TextOf(bdb, "status") == "recovery" {
		status = "ready"
	}
	return Object{"data_files": files, "status": status}, nil
}

// upgradeBDB is POST /v1/bdbs/{uid}/upgrade.
func upgradeBDB(c *call) (any, error) {
	return bdbAction{name: "upgrade", typeName: "bdb_upgrade_request", mode: schema.Change, whole: true}.serve(c)
}

// noSyncer is the answer of the syncer state of Replica Of: 404 while no syncer runs, and none does.
func noSyncer(c *call) (any, error) {
	if _, err := c.mustBDB("uid"); err != nil {
		return nil, err
	}
	return nil, refusal(http.StatusNotFound, "not_found", "No syncer runs for database %s", c.params["uid"])
}

// migration is GET /v1/migrations/{uid}.
func migration(c *call) (any, error) {
	if _, err := c.mustBDB("uid"); err != nil {
		return nil, err
	}
	return nil, refusal(http.StatusNotFound, "not_found", "No migration runs for database %s", c.params["uid"])
}

// Certificates of one database (8.2).

func listBDBCertificates(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	out := []Object{}
	for _, b := range all {
		if o := bdbCertificateOf(b); o != nil {
			out = append(out, o)
		}
	}
	return out, nil
}

func bdbCertificateOf(bdb Object) Object {
	text := schema.TextOf(bdb, "_proxy_certificate")
	cert, err := parseCertificate(text)
	if err != nil {
		return nil
	}
	return Object{
		"bdb_uid": id(schema.IntOf(bdb, "uid")), "cert": text,
		"not_before": schema.Timestamp(cert.NotBefore), "not_after": schema.Timestamp(cert.NotAfter),
	}
}

func getBDBCertificate(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	o := bdbCertificateOf(bdb)
	if o == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Database %s has no certificate of its own", c.params["uid"])
	}
	return o, nil
}

func setBDBCertificate(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	text, key := schema.TextOf(raw, "cert"), schema.TextOf(raw, "private_key")
	cert, err := parseCertificate(text)
	if err != nil {
		return nil, err
	}
	if _, err := tls.X509KeyPair([]byte(text), []byte(key)); err != nil {
		return nil, refusal(http.StatusBadRequest, "invalid_certificate", "Certificate and key do not belong together")
	}
	if c.Now().After(cert.NotAfter) {
		return nil, refusal(http.StatusNotAcceptable, "certificate_expired", "The certificate has expired")
	}
	fields := Object{"_proxy_certificate": text, "_proxy_key": key}
	if !c.dryRun() {
		if _, err := c.changeBDB(bdb, fields, ""); err != nil {
			return nil, err
		}
	}
	bdb["_proxy_certificate"] = text
	return bdbCertificateOf(bdb), nil
}

func deleteBDBCertificate(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	if bdbCertificateOf(bdb) == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Database %s has no certificate of its own", c.params["uid"])
	}
	_, err = c.changeBDB(bdb, Object{"_proxy_certificate": "", "_proxy_key": ""}, "")
	return nil, err
}
