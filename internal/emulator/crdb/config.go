package crdb

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Object is one JSON object of the API.
type Object = schema.Object

// Limits and constants of the documentation.
const (
	maxInstances      = 10
	protocolVersion   = int64(1)
	featuresetVersion = int64(8)
)

func refused(format string, args ...any) error {
	return schema.Errorf(http.StatusNotAcceptable, "invalid_param", format, args...)
}

func malformed(format string, args ...any) error {
	return schema.Errorf(http.StatusBadRequest, "invalid_schema", format, args...)
}

// globalOnly are the settings that no instance has for itself.
var globalOnly = []string{"module_list", "oss_sharding", "redis_version", "sharding", "shard_key_regex", "tls_mode"}

// New completes a request for a database. Instances are numbered from one; secret makes the password of each for its
// peers.
func New(asked Object, guid string, secret func() string) (Object, error) {
	o := schema.Clone(asked)
	for _, key := range []string{"name", "default_db_config", "instances"} {
		if o[key] == nil {
			return nil, malformed("'%s' is a required property", key)
		}
	}
	if schema.IntOf(section(o, "default_db_config"), "memory_size") <= 0 {
		return nil, malformed("'memory_size' of default_db_config is needed")
	}
	o["guid"], o["_version"], o["_next"], o["_ghosts"] = guid, int64(1), int64(1), []any{}
	o["protocol_version"] = protocolVersion
	if o["featureset_version"] == nil {
		o["featureset_version"] = featuresetVersion
	}
	for key, value := range map[string]any{"encryption": false, "causal_consistency": false, "managed_by": ""} {
		if o[key] == nil {
			o[key] = value
		}
	}
	config := section(o, "default_db_config")
	// Documented defaults of the common settings, where they differ from those of a database.
	for key, value := range map[string]any{"replication": true, "data_persistence": "aof", "eviction_policy": "noeviction"} {
		if config[key] == nil {
			config[key] = value
		}
	}
	added := Instances(o)
	o["instances"] = []any{}
	for _, inst := range added {
		add(o, inst, secret)
	}
	return o, check(o)
}

// Next is the configuration that a modify request makes of another, with the numbers of instances that are new and that
// are gone.
func Next(now, asked Object, secret func() string) (next Object, added, removed []int64, err error) {
	next = schema.Clone(now)
	next["_version"] = schema.IntOf(now, "_version") + 1
	if err := merge(next, section(asked, "crdb")); err != nil {
		return nil, nil, nil, err
	}
	for _, v := range items(asked, "remove_instances") {
		id, _ := schema.Int(v)
		list := Instances(next)
		at := slices.IndexFunc(list, func(o Object) bool { return schema.IntOf(o, "id") == id })
		if at < 0 {
			return nil, nil, nil, schema.Errorf(http.StatusNotFound, "not_found", "Instance %d does not exist", id)
		}
		setInstances(next, slices.Delete(list, at, at+1))
		next["_ghosts"] = append(items(next, "_ghosts"), id)
		removed = append(removed, id)
	}
	for _, v := range items(asked, "add_instances") {
		o, _ := v.(map[string]any)
		added = append(added, add(next, schema.Clone(o), secret))
	}
	return next, added, removed, check(next)
}

// merge changes what a partial object names. Settings are merged one by one, others are replaced.
func merge(next, asked Object) error {
	for key, value := range asked {
		switch key {
		case "guid", "protocol_version", "local_databases", "modules":
		case "default_db_config":
			overlay(section(next, key), section(asked, key))
		case "instances":
			for _, v := range items(asked, key) {
				o, _ := v.(map[string]any)
				if err := mergeInstance(next, o); err != nil {
					return err
				}
			}
		default:
			next[key] = value
		}
	}
	return nil
}

func mergeInstance(next, asked Object) error {
	inst := find(next, asked)
	if inst == nil {
		return schema.Errorf(http.StatusNotFound, "not_found", "The database has no such instance; see updates to add one")
	}
	for key, value := range asked {
		switch key {
		case "id", "db_uid":
		case "db_config", "cluster":
			if inst[key] == nil {
				inst[key] = Object{}
			}
			overlay(section(inst, key), section(asked, key))
		default:
			inst[key] = value
		}
	}
	return nil
}

func find(crdb, asked Object) Object {
	id, name := schema.IntOf(asked, "id"), schema.TextOf(section(asked, "cluster"), "name")
	for _, inst := range Instances(crdb) {
		if id != 0 && schema.IntOf(inst, "id") == id || id == 0 && name != "" && ClusterName(inst) == name {
			return inst
		}
	}
	return nil
}

func overlay(onto, from Object) {
	for key, value := range from {
		onto[key] = value
	}
}

func add(crdb, inst Object, secret func() string) int64 {
	id := schema.IntOf(crdb, "_next")
	crdb["_next"] = id + 1
	inst["id"], inst["db_uid"] = id, nil
	if inst["db_config"] == nil {
		inst["db_config"] = Object{}
	}
	if inst["compression"] == nil {
		inst["compression"] = int64(3)
	}
	inst["_secret"] = schema.TextOf(section(inst, "db_config"), "authentication_admin_pass")
	if inst["_secret"] == "" {
		inst["_secret"] = secret()
	}
	crdb["instances"] = append(items(crdb, "instances"), inst)
	return id
}

func check(o Object) error {
	list := Instances(o)
	if len(list) == 0 || len(list) > maxInstances {
		return refused("An Active-Active database has from 1 to %d instances, not %d", maxInstances, len(list))
	}
	seen := map[string]bool{}
	for _, inst := range list {
		cluster := section(inst, "cluster")
		name, url := schema.TextOf(cluster, "name"), schema.TextOf(cluster, "url")
		switch {
		case name == "" || url == "":
			return malformed("An instance needs name and url of its cluster")
		case !strings.HasPrefix(url, "https://"):
			return malformed("'%s' is not an https address", url)
		case cluster["credentials"] == nil && cluster["certificate_auth"] == nil:
			return malformed("Cluster %s needs credentials", name)
		case cluster["credentials"] != nil && cluster["certificate_auth"] != nil:
			return malformed("Cluster %s has both credentials and certificate_auth", name)
		case seen[name]:
			return refused("Cluster %s has more than one instance", name)
		}
		seen[name] = true
		if endpoint := schema.TextOf(cluster, "replication_endpoint"); endpoint != "" && !isHostPort(endpoint) {
			return malformed("replication_endpoint '%s' is not host:port", endpoint)
		}
		for _, key := range globalOnly {
			if v, there := section(inst, "db_config")[key]; there && fmt.Sprint(v) != fmt.Sprint(section(o, "default_db_config")[key]) {
				return refused("'%s' can not differ between instances", key)
			}
		}
	}
	return nil
}

func isHostPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return false
	}
	port, err := strconv.Atoi(s[i+1:])
	return err == nil && port > 0 && port < 1<<16
}

// Instances are the instances of a configuration; they belong to it.
func Instances(crdb Object) []Object {
	var out []Object
	for _, v := range items(crdb, "instances") {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func setInstances(crdb Object, list []Object) {
	out := make([]any, 0, len(list))
	for _, o := range list {
		out = append(out, o)
	}
	crdb["instances"] = out
}

// Instance is the instance with a number, or nil.
func Instance(crdb Object, id int64) Object {
	if id == 0 {
		return nil
	}
	return find(crdb, Object{"id": id})
}

// InstanceOn is the instance on a cluster, or nil.
func InstanceOn(crdb Object, cluster string) Object {
	return find(crdb, Object{"cluster": Object{"name": cluster}})
}

// ClusterName is the cluster of an instance.
func ClusterName(inst Object) string { return schema.TextOf(section(inst, "cluster"), "name") }

// Settings is the database that an instance asks of its cluster, as the body of a create.
func Settings(crdb Object, id int64) Object {
	out := schema.Clone(section(crdb, "default_db_config"))
	inst := Instance(crdb, id)
	overlay(out, schema.Clone(section(inst, "db_config")))
	if out["name"] == nil {
		out["name"] = crdb["name"]
	}
	out["authentication_admin_pass"] = inst["_secret"]
	return out
}

// Replication is what the database of an instance carries about being one.
func Replication(crdb Object, id int64) Object {
	var replicas []string
	sources, certificates := []any{}, []any{}
	for _, inst := range Instances(crdb) {
		n := schema.IntOf(inst, "id")
		replicas = append(replicas, strconv.FormatInt(n, 10))
		if n == id {
			continue
		}
		sources = append(sources, source(crdb, inst))
		if cert := schema.TextOf(inst, "_syncer_cert"); cert != "" {
			certificates = append(certificates, Object{"client_cert": cert})
		}
	}
	var ghosts []string
	for _, v := range items(crdb, "_ghosts") {
		n, _ := schema.Int(v)
		ghosts = append(ghosts, strconv.FormatInt(n, 10))
	}
	return Object{
		"crdt": true, "crdt_guid": crdb["guid"], "crdt_replica_id": id, "crdt_replicas": strings.Join(replicas, ","),
		"crdt_ghost_replica_ids": strings.Join(ghosts, ","), "crdt_sources": sources,
		"crdt_config_version": crdb["_version"], "crdt_protocol_version": crdb["protocol_version"],
		"crdt_featureset_version": crdb["featureset_version"], "crdt_causal_consistency": crdb["causal_consistency"],
		"authentication_ssl_crdt_certs": certificates, "_crdt_encryption": schema.BoolOf(crdb, "encryption"),
	}
}

func source(crdb, inst Object) Object {
	cluster := section(inst, "cluster")
	return Object{
		"uid": inst["id"], "uri": "redis://admin:" + schema.TextOf(inst, "_secret") + "@" + address(inst),
		"compression": inst["compression"], "encryption": schema.BoolOf(crdb, "encryption"),
		"replication_tls_sni": schema.TextOf(cluster, "replication_tls_sni"), "server_cert": schema.TextOf(inst, "_proxy_cert"),
		"status": "out-of-sync", "_cluster": schema.TextOf(cluster, "name"),
	}
}

// address is where the peers of an instance reach it.
func address(inst Object) string {
	if endpoint := schema.TextOf(section(inst, "cluster"), "replication_endpoint"); endpoint != "" {
		return endpoint
	}
	return schema.TextOf(inst, "_address")
}

func section(o Object, key string) Object {
	s, _ := o[key].(map[string]any)
	return s
}

func items(o Object, key string) []any {
	list, _ := o[key].([]any)
	return list
}
