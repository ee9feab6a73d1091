package rest

import "encoding/json"

// States of a database.
const (
	BDBPending             = "pending"
	BDBActive              = "active"
	BDBActiveChangePending = "active-change-pending"
	BDBDeletePending       = "delete-pending"
	BDBImportPending       = "import-pending"
	BDBCreationFailed      = "creation-failed"
	BDBRecovery            = "recovery"
)

// BDB is a database on the wire. Fields are pointers: nil is not sent and means "not told" in an answer, while false,
// zero and an empty list can be sent.
//
// An update is partial: only what is set changes, and lists are replaced as a whole.
type BDB struct {
	UID         *UID    `json:"uid,omitempty"`
	Name        *string `json:"name,omitempty"`
	Type        *string `json:"type,omitempty"`
	RedisVer    *string `json:"redis_version,omitempty"`
	Version     *string `json:"version,omitempty"`
	Status      *string `json:"status,omitempty"`
	ActionUID   *string `json:"action_uid,omitempty"`
	CreatedTime *string `json:"created_time,omitempty"`
	LastChanged *string `json:"last_changed_time,omitempty"`
	Internal    *bool   `json:"internal,omitempty"`

	MemorySize        *Int            `json:"memory_size,omitempty"`
	Sharding          *bool           `json:"sharding,omitempty"`
	ShardsCount       *Int            `json:"shards_count,omitempty"`
	ShardKeyRegex     *[]ShardKeyRule `json:"shard_key_regex,omitempty"`
	HashSlotsPolicy   *string         `json:"hash_slots_policy,omitempty"`
	ImplicitShardKey  *bool           `json:"implicit_shard_key,omitempty"`
	ShardsPlacement   *string         `json:"shards_placement,omitempty"`
	ShardList         *[]UID          `json:"shard_list,omitempty"`
	Replication       *bool           `json:"replication,omitempty"`
	RackAware         *bool           `json:"rack_aware,omitempty"`
	SlaveHA           *bool           `json:"slave_ha,omitempty"`
	EvictionPolicy    *string         `json:"eviction_policy,omitempty"`
	DataPersistence   *string         `json:"data_persistence,omitempty"`
	AOFPolicy         *string         `json:"aof_policy,omitempty"`
	SnapshotPolicy    *[]SnapshotRule `json:"snapshot_policy,omitempty"`
	Bigstore          *bool           `json:"bigstore,omitempty"`
	BigstoreRAMSize   *Int            `json:"bigstore_ram_size,omitempty"`
	BigstoreVersion   *Int            `json:"bigstore_version,omitempty"`
	SearchOnBigstore  *bool           `json:"search_on_bigstore,omitempty"`
	ModuleList        *[]BDBModule    `json:"module_list,omitempty"`
	Tags              *[]Tag          `json:"tags,omitempty"`
	BackupEnabled     *bool           `json:"backup,omitempty"`
	BackupInterval    *Int            `json:"backup_interval,omitempty"`
	BackupOffset      *Int            `json:"backup_interval_offset,omitempty"`
	BackupLocation    *BackupLocation `json:"backup_location,omitempty"`
	BackupHistory     *Int            `json:"backup_history,omitempty"`
	BackupProgress    *Float          `json:"backup_progress,omitempty"`
	BackupStatus      *string         `json:"backup_status,omitempty"`
	BackupFailure     *string         `json:"backup_failure_reason,omitempty"`
	LastBackupTime    *string         `json:"last_backup_time,omitempty"`
	ReplicaSources    *[]SyncSource   `json:"replica_sources,omitempty"`
	ReplicaSync       *string         `json:"replica_sync,omitempty"`
	CRDT              *bool           `json:"crdt,omitempty"`
	CRDTGUID          *string         `json:"crdt_guid,omitempty"`
	AuditSettings     *AuditSettings  `json:"audit_settings,omitempty"`
	DBConnsAuditing   *bool           `json:"db_conns_auditing,omitempty"`
	RolesPermissions  *[]RoleACL      `json:"roles_permissions,omitempty"`
	TrafficDisabled   *bool           `json:"traffic_manually_disabled,omitempty"`
	OSSCluster        *bool           `json:"oss_cluster,omitempty"`
	OSSPreferredIP    *string         `json:"oss_cluster_api_preferred_ip_type,omitempty"`
	Port              *Int            `json:"port,omitempty"`
	ProxyPolicy       *string         `json:"proxy_policy,omitempty"`
	Endpoints         *[]Endpoint     `json:"endpoints,omitempty"`
	EndpointUID       *string         `json:"endpoint,omitempty"`
	Conns             *Int            `json:"conns,omitempty"`
	ConnsType         *string         `json:"conns_type,omitempty"`
	ConnsMaxDedicated *Int            `json:"conns_global_maximum_dedicated,omitempty"`
	ConnsMinDedicated *Int            `json:"conns_minimum_dedicated,omitempty"`
	SchedPolicy       *string         `json:"sched_policy,omitempty"`
	RESP3             *bool           `json:"resp3,omitempty"`

	DefaultUser             *bool         `json:"default_user,omitempty"`
	RedisPassword           *string       `json:"authentication_redis_pass,omitempty"`
	AdminPassword           *string       `json:"authentication_admin_pass,omitempty"`
	SASLUsername            *string       `json:"authentication_sasl_uname,omitempty"`
	SASLPassword            *string       `json:"authentication_sasl_pass,omitempty"`
	TLSMode                 *string       `json:"tls_mode,omitempty"`
	EnforceClientAuth       *string       `json:"enforce_client_authentication,omitempty"`
	ClientCerts             *[]ClientCert `json:"authentication_ssl_client_certs,omitempty"`
	DataInternodeEncryption *bool         `json:"data_internode_encryption,omitempty"`
}

// String shows uid, name and status; the fields hold passwords and keys.
func (b BDB) String() string {
	return "bdb " + Value(b.UID).String() + " " + Value(b.Name) + " " + Value(b.Status)
}

// GoString hides the secrets from %#v as well.
func (b BDB) GoString() string { return "rest.BDB{" + b.String() + "}" }

// MainEndpoint returns the endpoint that clients inside the cluster use; false while there is none.
func (b BDB) MainEndpoint() (Endpoint, bool) {
	for _, e := range Value(b.Endpoints) {
		if e.AddrType != "external" {
			return e, true
		}
	}
	for _, e := range Value(b.Endpoints) {
		return e, true
	}
	return Endpoint{}, false
}

// Settled tells whether the database is in a state that it stays in by itself.
func (b BDB) Settled() bool {
	switch Value(b.Status) {
	case BDBActive, BDBCreationFailed, BDBRecovery:
		return true
	}
	return false
}

// ShardKeyRule says which part of a key decides its shard.
type ShardKeyRule struct {
	Regex string `json:"regex"`
}

// SnapshotRule asks for a snapshot after Secs seconds if Writes keys changed.
type SnapshotRule struct {
	Secs   Int `json:"secs"`
	Writes Int `json:"writes"`
}

// BDBModule is a module of a database.
type BDBModule struct {
	Name    string   `json:"module_name"`
	Version string   `json:"semantic_version,omitempty"`
	Args    JoinText `json:"module_args,omitempty"`
	ID      string   `json:"module_id,omitempty"`
}

// JoinText is a text that some versions send as a list; the members are joined by blanks.
type JoinText string

// UnmarshalJSON accepts a text or a list.
func (t *JoinText) UnmarshalJSON(data []byte) error {
	var list Strings
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for i, s := range list {
		if i > 0 {
			*t += " "
		}
		*t += JoinText(s)
	}
	return nil
}

// Tag is a key with a value on a database.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ClientCert is a certificate that clients may present.
type ClientCert struct {
	Cert string `json:"client_cert"`
}

// RoleACL gives a role its ACL in a database.
type RoleACL struct {
	RoleUID UID `json:"role_uid"`
	ACLUID  UID `json:"redis_acl_uid"`
}

// Endpoint is where clients reach a database.
type Endpoint struct {
	UID         string  `json:"uid"`
	DNSName     string  `json:"dns_name"`
	Port        Int     `json:"port"`
	Addr        Strings `json:"addr"`
	AddrType    string  `json:"addr_type"`
	ProxyPolicy string  `json:"proxy_policy"`
}

// SyncSource is a database that this one copies.
type SyncSource struct {
	UID               UID    `json:"uid,omitempty"`
	URI               string `json:"uri"`
	ClientCert        string `json:"client_cert,omitempty"`
	ClientKey         string `json:"client_key,omitempty"`
	ServerCert        string `json:"server_cert,omitempty"`
	Compression       Int    `json:"compression,omitempty"`
	Encryption        bool   `json:"encryption,omitempty"`
	ReplicationTLSSNI string `json:"replication_tls_sni,omitempty"`

	Status         string `json:"status,omitempty"`
	Lag            Int    `json:"lag,omitempty"`
	LastError      string `json:"last_error,omitempty"`
	LastUpdate     string `json:"last_update,omitempty"`
	RDBSize        Int    `json:"rdb_size,omitempty"`
	RDBTransferred Int    `json:"rdb_transferred,omitempty"`
}

// String shows state and lag; the URI holds a password.
func (s SyncSource) String() string { return "source " + s.UID.String() + " " + s.Status }

// GoString hides the secrets from %#v as well.
func (s SyncSource) GoString() string { return "rest.SyncSource{" + s.String() + "}" }

// BackupLocation is a place for backups; which keys belong to a type is the caller's knowledge.
type BackupLocation map[string]string

// String shows the type only; the other keys may be credentials.
func (l BackupLocation) String() string { return "backup location of type " + l["type"] }

// GoString hides the secrets from %#v as well.
func (l BackupLocation) GoString() string { return "rest.BackupLocation{" + l.String() + "}" }

// UnmarshalJSON reads values of any simple kind as text and drops the rest.
func (l *BackupLocation) UnmarshalJSON(data []byte) error {
	var raw map[string]Text
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	out := make(BackupLocation, len(raw))
	for k, v := range raw {
		out[k] = string(v)
	}
	*l = out
	return nil
}

// AuditSettings says what a database writes to the audit stream.
type AuditSettings struct {
	Mode           *string         `json:"audit_mode,omitempty"`
	UsernameFilter *UsernameFilter `json:"username_filter,omitempty"`
	SourceIPFilter *SourceIPFilter `json:"source_ip_filter,omitempty"`
}

// UsernameFilter limits auditing by user.
type UsernameFilter struct {
	Enabled    bool     `json:"enabled"`
	FilterType string   `json:"filter_type,omitempty"`
	Usernames  []string `json:"usernames"`
}

// SourceIPFilter limits auditing by client address.
type SourceIPFilter struct {
	Enabled     bool     `json:"enabled"`
	FilterType  string   `json:"filter_type,omitempty"`
	IPAddresses []string `json:"ip_addresses"`
	CIDRRanges  []string `json:"cidr_ranges"`
}

// Alert is the setting and state of one alert of a database.
type Alert struct {
	Enabled    bool   `json:"enabled"`
	Threshold  Text   `json:"threshold"`
	State      bool   `json:"state"`
	Severity   string `json:"severity"`
	ChangeTime Text   `json:"change_time"`
}

// AlertSetting switches an alert and sets its threshold.
type AlertSetting struct {
	Enabled   bool    `json:"enabled"`
	Threshold *string `json:"threshold,omitempty"`
}

// UpgradeRequest holds the options of a database upgrade; nil fields are left to the server.
type UpgradeRequest struct {
	RedisVersion      string `json:"redis_version,omitempty"`
	ForceRestart      *bool  `json:"force_restart,omitempty"`
	PreserveRoles     *bool  `json:"preserve_roles,omitempty"`
	MayDiscardData    *bool  `json:"may_discard_data,omitempty"`
	LatestWithModules *bool  `json:"latest_with_modules,omitempty"`
	ParallelShards    *Int   `json:"parallel_shards_upgrade,omitempty"`
	KeepRedisVersion  *bool  `json:"keep_redis_version,omitempty"`
	KeepCRDTProtocol  *bool  `json:"keep_crdt_protocol_version,omitempty"`
	ForceDiscard      *bool  `json:"force_discard,omitempty"`
}
