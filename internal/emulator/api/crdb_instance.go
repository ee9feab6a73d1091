package api

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// What the leader of one participating cluster asks of another, with the credentials it was given for it. The product's
// coordinators have a protocol of their own for this, which is not published; these paths stand for it.

const instancePath = "/emulator/crdbs/{crdb_guid}"

// States of a configuration on a participant.
const (
	crdbPosted    = "posted"           // told, to be forgotten when nothing follows
	crdbCommitted = "commit-completed" // agreed
)

func instanceRoutes() []route {
	all := []route{
		{method: get, pattern: instancePath, permission: "view_crdb", serve: getInstance},
		{method: post, pattern: instancePath + "/check", permission: "create_crdb", serve: checkInstance},
		{method: put, pattern: instancePath, permission: "create_crdb", serve: putInstance},
		{method: remove, pattern: instancePath, permission: "delete_crdb", serve: deleteInstance},
		{method: post, pattern: instancePath + "/flush", permission: "flush_crdb", serve: flushInstance},
		{method: post, pattern: instancePath + "/upgrade", permission: "upgrade_crdb", serve: upgradeInstance},
		{method: get, pattern: instancePath + "/report", permission: "view_crdb", serve: instanceReport},
	}
	for i := range all {
		all[i].carried = true // whoever asks may reach one node only, through a front
	}
	return all
}

// newGUID makes a globally unique identifier.
func newGUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, says its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// instanceRequest reads the configuration that a participant is asked to have, and which instance is its own.
func (c *call) instanceRequest() (o Object, own int64, err error) {
	body, err := c.needBody()
	if err != nil {
		return nil, 0, err
	}
	o = object(body["crdb"])
	name, err := c.clusterName()
	if err != nil {
		return nil, 0, err
	}
	inst := crdb.InstanceOn(o, name)
	if inst == nil || schema.TextOf(o, "guid") != c.params["crdb_guid"] {
		return nil, 0, refusal(http.StatusNotAcceptable, "invalid_param", "This is cluster %s, which has no instance in the request", name)
	}
	return o, schema.IntOf(inst, "id"), nil
}

// instanceBDB is the database here of an Active-Active database, or nil.
func (c *call) instanceBDB(guid string) (Object, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if schema.TextOf(b, "crdt_guid") == guid {
			return b, nil
		}
	}
	return nil, nil
}

// checkInstance tells whether this cluster could do its part, and gives what the peers need to know about it.
func checkInstance(c *call) (any, error) {
	o, own, err := c.instanceRequest()
	if err != nil {
		return nil, err
	}
	bdb, err := c.instanceBDB(schema.TextOf(o, "guid"))
	if err != nil {
		return nil, err
	}
	facts, err := c.facts()
	if err != nil {
		return nil, err
	}
	if bdb == nil {
		settings := crdb.Settings(o, own)
		settings["crdt"] = true
		_, err = schema.NewBDB(settings, facts)
	} else {
		_, err = instanceChange(bdb, o, own, facts)
	}
	if err != nil {
		return nil, err
	}
	answer := Object{"proxy": "", "syncer": "", "exists": bdb != nil}
	for _, name := range []string{"proxy", "syncer"} {
		cert, err := c.Engine.Peek(c.ctx(), KindCertificate, name)
		if err != nil {
			return nil, err
		}
		answer[name] = schema.TextOf(cert, "certificate")
	}
	if cert := schema.TextOf(bdb, "_proxy_certificate"); cert != "" {
		answer["proxy"] = cert
	}
	return answer, nil
}

// instanceChange is what an update of the database has to set so that it follows the configuration.
func instanceChange(bdb, o Object, own int64, facts schema.Facts) (Object, error) {
	settings := crdb.Settings(o, own)
	for key, v := range settings {
		if same(bdb[key], v) || key == "redis_version" || key == "version" {
			delete(settings, key)
		}
	}
	fields, err := schema.ChangeBDB(bdb, settings, facts)
	if err != nil {
		return nil, err
	}
	hideDefaultPassword(fields)
	for key, v := range crdb.Replication(o, own) {
		if !same(bdb[key], v) && key != "crdt_config_version" {
			fields[key] = v
		}
	}
	return fields, nil
}

func same(a, b any) bool { return reflect.DeepEqual(normal(a), normal(b)) }

// normal is a value as JSON has it; what is told about sources at this moment is left out.
func normal(v any) any {
	raw, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(raw, &out)
	for _, e := range list(out) {
		o := object(e)
		if o["uri"] == nil {
			continue
		}
		for key := range o {
			switch key {
			case "uid", "uri", "compression", "encryption", "replication_tls_sni", "server_cert":
			default:
				delete(o, key)
			}
		}
	}
	return out
}

// putInstance makes this cluster's part of a configuration true: once the request is answered it is written down, and the
// state machine of the database works on it.
func putInstance(c *call) (any, error) {
	o, own, err := c.instanceRequest()
	if err != nil {
		return nil, err
	}
	c.bdbs.Lock()
	defer c.bdbs.Unlock()
	guid := schema.TextOf(o, "guid")
	old, err := c.Engine.Get(c.ctx(), KindCRDB, guid)
	if err != nil {
		return nil, err
	}
	if conflict(old, o) {
		return nil, refusal(http.StatusConflict, "config_edit_conflict", "Another change of the configuration came first")
	}
	o["_instance"], o["_since"] = own, schema.Timestamp(c.Now())
	bdb, err := c.instanceBDB(guid)
	if err != nil {
		return nil, err
	}
	if bdb == nil {
		return nil, c.newInstance(o, own)
	}
	facts, err := c.facts()
	if err != nil {
		return nil, err
	}
	fields, err := instanceChange(bdb, o, own, facts)
	if err != nil {
		return nil, err
	}
	o["_uid"] = bdb["uid"]
	if len(fields) > 0 {
		fields["crdt_config_version"] = o["_version"]
		if _, err := c.Engine.UpdateBDB(c.ctx(), schema.IntOf(bdb, "uid"), fields, ""); err != nil {
			return nil, err
		}
	}
	_, err = c.put(KindCRDB, guid, o)
	return nil, err
}

// conflict tells whether a configuration is not the one that follows: another cluster may have been asked for a change at
// the same time.
func conflict(known, next Object) bool {
	have, comes := schema.IntOf(known, "_version"), schema.IntOf(next, "_version")
	return have > comes || have == comes && known["_by"] != next["_by"]
}

// newInstance writes the configuration down first, so that nothing stays behind that nobody knows of.
func (c *call) newInstance(o Object, own int64) error {
	facts, err := c.facts()
	if err != nil {
		return err
	}
	settings := crdb.Settings(o, own)
	settings["crdt"] = true
	bdb, err := schema.NewBDB(settings, facts)
	if err != nil {
		return err
	}
	for key, v := range crdb.Replication(o, own) {
		bdb[key] = v
	}
	bdb["crdt_sync"] = "enabled"
	hideDefaultPassword(bdb)
	uid, err := c.Engine.NextUID(c.ctx(), KindBDB)
	if err != nil {
		return err
	}
	bdb["uid"], o["_uid"] = uid, uid
	if _, err := c.put(KindCRDB, schema.TextOf(o, "guid"), o); err != nil {
		return err
	}
	_, err = c.Engine.CreateBDB(c.ctx(), bdb)
	return err
}

// getInstance tells how this cluster's part is.
func getInstance(c *call) (any, error) {
	guid := c.params["crdb_guid"]
	o, err := c.Engine.Get(c.ctx(), KindCRDB, guid)
	if err != nil {
		return nil, err
	}
	bdb, err := c.instanceBDB(guid)
	if err != nil {
		return nil, err
	}
	if o == nil && bdb == nil {
		return nil, ErrNotFound
	}
	answer := Object{"version": o["_version"], "status": o["_status"], "available": false, "bdb_status": "", "address": ""}
	if c.flag("config") {
		answer["crdb"] = o
	}
	if bdb == nil {
		return answer, nil
	}
	uid := schema.IntOf(bdb, "uid")
	answer["db_uid"], answer["bdb_status"] = id(uid), bdb["status"]
	answer["available"] = c.Engine.Available(c.ctx(), uid) == nil
	down := []any{}
	for _, v := range list(bdb["crdt_sources"]) {
		if s := object(v); schema.TextOf(s, "status") != "in-sync" {
			down = append(down, schema.TextOf(s, "_cluster"))
		}
	}
	answer["down"] = down
	for _, e := range list(bdb["endpoints"]) {
		if addrs := list(object(e)["addr"]); len(addrs) > 0 {
			answer["address"] = fmt.Sprintf("%v:%d", addrs[0], schema.IntOf(object(e), "port"))
		}
	}
	return answer, nil
}

// deleteInstance takes this cluster's part down; it is over when getInstance says 404.
func deleteInstance(c *call) (any, error) {
	guid := c.params["crdb_guid"]
	c.bdbs.Lock()
	defer c.bdbs.Unlock()
	bdb, err := c.instanceBDB(guid)
	if err != nil {
		return nil, err
	}
	if bdb == nil {
		return nil, c.remove(KindCRDB, guid)
	}
	if schema.TextOf(bdb, "status") == "delete-pending" {
		return nil, nil
	}
	_, err = c.Engine.DeleteBDB(c.ctx(), schema.IntOf(bdb, "uid"))
	return nil, err
}

// mustInstance is the database here of the Active-Active database in the path.
func (c *call) mustInstance() (Object, error) {
	bdb, err := c.instanceBDB(c.params["crdb_guid"])
	if err == nil && bdb == nil {
		err = ErrNotFound
	}
	return bdb, err
}

// flushInstance drops everything that was written up to a moment, which is the same on all participants.
func flushInstance(c *call) (any, error) {
	body, err := c.needBody()
	if err != nil {
		return nil, err
	}
	bdb, err := c.mustInstance()
	if err != nil {
		return nil, err
	}
	_, err = c.Engine.UpdateBDB(c.ctx(), schema.IntOf(bdb, "uid"), Object{"_crdt_floor": body["floor"]}, "flush")
	return nil, err
}

func upgradeInstance(c *call) (any, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	bdb, err := c.mustInstance()
	if err != nil {
		return nil, err
	}
	facts, err := c.facts()
	if err != nil {
		return nil, err
	}
	if err := schema.RefuseVersion(body, facts); err != nil {
		return nil, err
	}
	if _, err = c.Engine.Start(c.ctx(), Operation{Scope: ScopeBDB, UID: schema.IntOf(bdb, "uid"), Name: "upgrade", Body: body}); err != nil {
		return nil, err
	}
	_, err = c.Engine.Update(c.ctx(), KindCRDB, c.params["crdb_guid"], func(o Object) (Object, error) {
		if version := schema.TextOf(body, "redis_version"); o != nil && version != "" {
			object(o["default_db_config"])["redis_version"] = version
		}
		return o, nil
	})
	return nil, err
}
