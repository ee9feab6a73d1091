package schema

import (
	"net/http"
	"regexp"
	"slices"
	"time"
)

// Facts are what the rules of databases need to know about the cluster.
type Facts struct {
	Now      time.Time
	Cluster  Object
	Policy   Object
	License  Object
	Nodes    []Object
	BDBs     []Object
	Roles    map[int64]bool // uids in use
	ACLs     map[int64]bool
	StateID  int64  // the present cluster-state-id
	AskedFor *int64 // the cluster-state-id header of the request, if any
	// AdminPassword is a fresh random text for the synchronisation password of a new database.
	AdminPassword string
}

var bdbName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)

// NewBDB checks the body of a create and completes it with the defaults of the tables, the policy and the version. The
// engine adds uid (when absent), status, endpoints and shards.
func NewBDB(raw Object, facts Facts) (Object, error) {
	if err := neededOnCreate(raw); err != nil {
		return nil, err
	}
	asked, err := Check("bdb", raw, Create)
	if err != nil {
		return nil, err
	}
	bdb, err := completeBDB(asked, facts)
	if err != nil {
		return nil, err
	}
	w := wish{now: bdb, asked: asked, facts: facts}
	if err := w.check(append(createRules, sharedRules...)); err != nil {
		return nil, err
	}
	delete(bdb, "shards_blueprint")
	if blueprint, there := asked["shards_blueprint"]; there {
		bdb["_shards_blueprint"] = blueprint
	}
	return bdb, nil
}

func neededOnCreate(raw Object) error {
	if raw["name"] == nil {
		return notAcceptable("missing_db_name", "Database name is missing")
	}
	if _, there := raw["memory_size"]; !there {
		return notAcceptable("missing_memory_size", "Database memory_size is missing")
	}
	return nil
}

// ChangeBDB checks the body of an update against the database as it is and returns only the fields that it sets.
func ChangeBDB(old, raw Object, facts Facts) (Object, error) {
	asked, err := Check("bdb", raw, Change)
	if err != nil {
		return nil, err
	}
	if err := dropFixed(old, asked); err != nil {
		return nil, err
	}
	linkSyncNames(asked)
	now := Clone(old)
	for k, v := range asked {
		now[k] = v
	}
	w := wish{old: old, now: now, asked: asked, facts: facts}
	if err := w.check(append(changeRules, sharedRules...)); err != nil {
		return nil, err
	}
	if blueprint, there := asked["shards_blueprint"]; there {
		delete(asked, "shards_blueprint")
		asked["_shards_blueprint"] = blueprint
	}
	return asked, nil
}

// dropFixed takes fields that cannot change out of an update that repeats their present value, and refuses others.
func dropFixed(old, asked Object) error {
	for _, key := range sortedKeys(asked) {
		f := types()["bdb"].byName[key]
		if f == nil || !f.createOnly {
			continue
		}
		if !equal(old[key], asked[key]) && !samePort(old, key, asked[key]) {
			return notAcceptable("invalid_param", "Field '%s' can not be changed after the database was created", key)
		}
		delete(asked, key)
	}
	return nil
}

// samePort allows an update to name the port that the database has, whoever chose it, or to leave the choice.
func samePort(old Object, key string, asked any) bool {
	port, ok := Int(asked)
	return key == "port" && ok && (port == 0 || usesPort(old, port))
}

func equal(a, b any) bool {
	if x, ok := number(a); ok {
		y, isNumber := number(b)
		return isNumber && x == y
	}
	switch a.(type) {
	case nil, string, bool:
		return a == b
	}
	return false
}

// completeBDB fills in what the request left open.
func completeBDB(asked Object, facts Facts) (Object, error) {
	linkSyncNames(asked)
	linkTLS(asked)
	bdb := Clone(asked)
	policyDefaults(bdb, facts.Policy)
	if err := chooseVersion(bdb, facts); err != nil {
		return nil, err
	}
	if BoolOf(bdb, "crdt") {
		fallback(bdb, "eviction_policy", "noeviction")
	}
	if BoolOf(bdb, "bigstore") {
		fallback(bdb, "max_aof_file_size", int64(150)<<30)
		fallback(bdb, "bigstore_version", int64(2))
	}
	Fill("bdb", bdb)
	for _, section := range []string{"audit_settings", "gradual_sync_policy_parameters", "query_performance_factor"} {
		if o, _ := bdb[section].(map[string]any); o == nil {
			bdb[section] = Object{}
		}
		for k, v := range defaultsWithNested(types()["bdb"].byName[section].of) {
			fallback(bdb[section].(Object), k, v)
		}
	}
	if _, there := bdb["module_list"]; !there {
		bdb["module_list"] = bundledModuleList(bdb)
	}
	if TextOf(bdb, "authentication_admin_pass") == "" {
		bdb["authentication_admin_pass"] = facts.AdminPassword
	}
	stamp := Timestamp(facts.Now)
	bdb["created_time"], bdb["last_changed_time"] = stamp, stamp
	bdb["status"] = "pending"
	return bdb, nil
}

// policyDefaults are the defaults that an administrator can move.
func policyDefaults(bdb, policy Object) {
	proxyPolicy := "default_non_sharded_proxy_policy"
	if BoolOf(bdb, "sharding") {
		proxyPolicy = "default_sharded_proxy_policy"
	}
	fallback(bdb, "proxy_policy", orText(policy[proxyPolicy], "single"))
	for field, source := range map[string]string{
		"shards_placement":          "default_shards_placement",
		"tracking_table_max_keys":   "default_tracking_table_max_keys_policy",
		"recovery_wait_time":        "default_recovery_wait_time",
		"resp3":                     "resp3_default",
		"oss_cluster":               "default_oss_cluster",
		"oss_sharding":              "default_oss_sharding",
		"data_internode_encryption": "data_internode_encryption",
		"db_conns_auditing":         "db_conns_auditing",
	} {
		if v, there := policy[source]; there && v != nil {
			fallback(bdb, field, v)
		}
	}
	for _, field := range []string{"oss_cluster_api_preferred_ip_type", "oss_cluster_api_preferred_endpoint_type"} {
		if v, there := policy[field]; there && v != nil {
			fallback(bdb, field, v)
		}
	}
	// The OSS cluster API is a default only where it is possible.
	if _, asked := bdb["oss_cluster"]; asked && !BoolOf(bdb, "sharding") && BoolOf(policy, "default_oss_cluster") {
		delete(bdb, "oss_cluster")
	}
}

func fallback(o Object, key string, value any) {
	if _, there := o[key]; !there {
		o[key] = value
	}
}

func orText(v any, otherwise string) string {
	if s, ok := v.(string); ok && s != "" {
		return s
	}
	return otherwise
}

// linkSyncNames keeps the names of before version 5 working.
func linkSyncNames(o Object) {
	for oldName, newName := range map[string]string{"sync_sources": "replica_sources", "sync": "replica_sync"} {
		if v, there := o[oldName]; there {
			fallback(o, newName, cloneValue(v))
		} else if v, there := o[newName]; there {
			o[oldName] = cloneValue(v)
		}
	}
}

// linkTLS keeps the deprecated switch ssl and tls_mode in step.
func linkTLS(o Object) {
	if v, there := o["ssl"]; there {
		if on, _ := v.(bool); on {
			fallback(o, "tls_mode", "enabled")
		}
	}
	if mode, there := o["tls_mode"]; there {
		o["ssl"] = mode == "enabled"
	}
}

// chooseVersion settles redis_version and version among those the nodes offer.
func chooseVersion(bdb Object, facts Facts) error {
	offered := supportedVersions(facts.Nodes)
	if len(offered) == 0 {
		return nil
	}
	if full := TextOf(bdb, "version"); full != "" && TextOf(bdb, "redis_version") == "" {
		for _, v := range offered {
			if v.full == full {
				bdb["redis_version"] = v.short
			}
		}
	}
	short := orText(bdb["redis_version"], TextOf(facts.Policy, "default_provisioned_redis_version"))
	if short == "" {
		short = offered[len(offered)-1].short
	}
	for _, v := range offered {
		if v.short == short {
			bdb["redis_version"], bdb["version"] = v.short, v.full
			return nil
		}
	}
	return unsupportedVersion(short)
}

// RefuseVersion is the answer to an upgrade to a version that not every node offers. The reference gives the call no code
// for it; it is the one that creation has.
func RefuseVersion(body Object, facts Facts) error {
	short, offered := TextOf(body, "redis_version"), supportedVersions(facts.Nodes)
	if short == "" || len(offered) == 0 || slices.ContainsFunc(offered, func(v offer) bool { return v.short == short }) {
		return nil
	}
	return unsupportedVersion(short)
}

func unsupportedVersion(short string) error {
	return notAcceptable("invalid_version", "Redis version '%s' is not supported", short)
}

// Timestamp is a moment the way the API prints it.
func Timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// LicenseExpired tells whether databases may not be made or changed any more.
func LicenseExpired(license Object, now time.Time) bool {
	if BoolOf(license, "expired") {
		return true
	}
	end, err := time.Parse("2006-01-02T15:04:05Z", TextOf(license, "expiration_date"))
	return err == nil && now.After(end)
}

// RefuseExpired is the answer to changes of databases under an expired licence.
func RefuseExpired(facts Facts) error {
	if LicenseExpired(facts.License, facts.Now) {
		return Errorf(http.StatusForbidden, "invalid_license", "The license of the cluster has expired")
	}
	return nil
}
