package schema

import (
	"strconv"
	"time"
)

// Machine is what a node knows about the place it runs on.
type Machine struct {
	Addr           string // the node's own IP
	Hostname       string
	Cores          int
	TotalMemory    int64
	PersistentPath string
	PersistentSize int64
	EphemeralPath  string
	EphemeralSize  int64
	Version        string // software_version; SoftwareVersion when empty
	Started        time.Time
}

func (m Machine) facts(now time.Time) Object {
	return Object{
		"architecture":            "x86_64",
		"bigredis_storage_path":   m.PersistentPath,
		"cores":                   int64(m.Cores),
		"ephemeral_storage_path":  m.EphemeralPath,
		"ephemeral_storage_size":  float64(m.EphemeralSize),
		"persistent_storage_path": m.PersistentPath,
		"persistent_storage_size": float64(m.PersistentSize),
		"fips_enabled":            false,
		"os_family":               "rhel",
		"os_name":                 "rhel",
		"os_semantic_version":     "9.6",
		"os_version":              "Red Hat Enterprise Linux 9.6",
		"software_version":        orText(m.Version, SoftwareVersion),
		"total_memory":            m.TotalMemory,
		"uptime":                  int64(now.Sub(m.Started) / time.Second),

		"supported_database_versions": SupportedDatabaseVersions(),
	}
}

// NewNode is a fresh member of a cluster; identity and limits come from its bootstrap request and may be nil.
func NewNode(uid int64, m Machine, identity, limits Object, now time.Time) Object {
	o := Fill("node", m.facts(now))
	for k, v := range (Object{
		"uid": uid, "addr": orText(identity["addr"], m.Addr), "accept_servers": true, "status": "active",
		"external_addr": []any{}, "oss_cluster_ip_mapping": []any{}, "rack_id": TextOf(identity, "rack_id"),
		"second_rack_id":   TextOf(identity, "second_rack_id"),
		"bigstore_enabled": false, "bigstore_driver": "speedb", "bigstore_size": int64(0), "public_addr": "",
		"recovery_path": "", "max_listeners": int64(100), "max_redis_servers": int64(100), "shard_count": int64(0),
		"ram_shard_count": int64(0), "flash_shard_count": int64(0), "shard_list": []any{},
		"use_internal_ipv6": false, "system_time": Timestamp(now),
	}) {
		o[k] = v
	}
	for _, key := range []string{"external_addr", "accept_servers"} {
		if v, there := identity[key]; there {
			o[key] = v
		}
	}
	for _, key := range []string{"max_listeners", "max_redis_servers"} {
		if v, there := limits[key]; there {
			o[key] = v
		}
	}
	return o
}

// NewLocalNode is local_node_info of GET /v1/bootstrap; uid 0 means not in a cluster. Its uid is text, unlike that of
// the node object.
func NewLocalNode(uid int64, m Machine, now time.Time) Object {
	o := m.facts(now)
	text := ""
	if uid > 0 {
		text = strconv.FormatInt(uid, 10)
	}
	for k, v := range (Object{
		"uid": text, "short_hostname": m.Hostname, "bridge_interfaces": []any{}, "cnm_version_sha": "",
		"supported_bigstore_drivers": []any{"speedb", "rocksdb"},
		"available_addresses": []any{Object{
			"address": m.Addr, "format": "ipv4", "if_name": "eth0", "private": true,
		}},
	}) {
		o[k] = v
	}
	return o
}

// NewProxy is the proxy of a node with its default settings.
func NewProxy(nodeUID int64) Object {
	return Fill("proxy", Object{"uid": nodeUID})
}

// ShardPlace says what a new shard is.
type ShardPlace struct {
	UID, BDB, Node int64
	Role           string // master or slave
	Slots          string // such as 0-8191
}

// NewShard is a shard in order. Its uid and node_uid are text, its bdb_uid is a number.
func NewShard(p ShardPlace, now time.Time) Object {
	return Object{
		"uid": strconv.FormatInt(p.UID, 10), "bdb_uid": p.BDB, "node_uid": strconv.FormatInt(p.Node, 10),
		"role": p.Role, "assigned_slots": p.Slots, "status": "active", "detailed_status": "ok",
		"bigstore_ram_weight": float64(0), "redis_info": Object{}, "report_timestamp": Timestamp(now),
		"actual_role": p.Role, "marked_for_removal": false,
		"backup":  Object{"progress": float64(0), "status": ""},
		"loading": Object{"progress": float64(0), "status": "idle"},
		"sync":    Object{"progress": int64(0), "status": "idle"},
	}
}

// NewCluster is a cluster object of this name.
func NewCluster(name string, now time.Time) Object {
	o := defaultsWithNested("cluster")
	o["name"], o["created_time"] = name, Timestamp(now)
	o["alert_settings"] = alertSettings()
	for _, key := range []string{
		"crdt_supported_featureset_version_map", "crdt_supported_module_featureset_version_map",
		"crdt_supported_protocol_versions_map",
	} {
		o[key] = Object{}
	}
	return o
}

// alertSettings differ from the plain defaults where the product switches an alert on from the start.
func alertSettings() Object {
	o := defaultsWithNested("cluster_alert_settings")
	for name, threshold := range map[string]string{
		"cluster_certs_about_to_expire": "45", "cluster_license_about_to_expire": "7",
		"cluster_users_count_approaches_limit": "90", "node_ephemeral_storage": "70", "node_free_flash": "70",
		"node_persistent_storage": "70", "node_internal_certs_about_to_expire": "45",
		"cluster_ca_cert_about_to_expire": "90",
	} {
		o[name] = Object{"enabled": true, "threshold": threshold}
	}
	for name, threshold := range map[string]string{
		"node_cpu_utilization": "80", "node_memory": "80", "node_net_throughput": "1",
	} {
		o[name] = Object{"enabled": false, "threshold": threshold}
	}
	return o
}

// Settings is a settings object in its initial state, nested sections included.
func Settings(typeName string) Object {
	if types()[typeName] == nil {
		return Object{}
	}
	return defaultsWithNested(typeName)
}

// TrialLicense is the licence every cluster starts with: 30 days and four shards, replicas counted.
func TrialLicense(clusterName string, now time.Time) Object {
	return Object{
		"license": "", "cluster_name": nil, "owner": nil, "key": "", "expired": false,
		"activation_date": Timestamp(now), "expiration_date": Timestamp(now.Add(30 * 24 * time.Hour)),
		"features": []any{"trial"}, "shards_limit": int64(4), "ram_shards_limit": nil, "flash_shards_limit": nil,
		"_cluster": clusterName,
	}
}
