package bdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// fields is the table. The order is that of messages and documentation.
var fields = []field{
	at("type", "type", fixed,
		func(b *rest.BDB) **string { return &b.Type },
		func(in Inputs) (*string, error) { return text(string(in.Spec.Type), "redis"), nil }),
	at("memorySize", "memory_size", mutable,
		func(b *rest.BDB) **rest.Int { return &b.MemorySize },
		func(in Inputs) (*rest.Int, error) { return size("memorySize", in.Spec.MemorySize, "100MB") },
		showing(showSize), codes[rest.Int]("missing_memory_size", "replication_size_violation")),
	at("shardCount", "sharding", mutable,
		func(b *rest.BDB) **bool { return &b.Sharding },
		func(in Inputs) (*bool, error) { return rest.Ptr(sharded(in)), nil },
		oneWay(func(v bool) bool { return !v }), codes[bool]("crdt_sharding_violation"),
		note[bool]("true with more than one shard or ossCluster; the cluster cannot switch it off again")),
	at("shardCount", "shards_count", mutable,
		func(b *rest.BDB) **rest.Int { return &b.ShardsCount },
		func(in Inputs) (*rest.Int, error) { return number(in.Spec.ShardCount, 1), nil },
		codes[rest.Int]("invalid_sharding")),
	list("shardCount", "shard_key_regex", mutable,
		func(b *rest.BDB) **[]rest.ShardKeyRule { return &b.ShardKeyRegex }, wantShardKeys,
		func(r []rest.ShardKeyRule) []rest.ShardKeyRule { return r },
		oneWayOnceSharded(), note[[]rest.ShardKeyRule]("the default pair of rules, sent when sharding is switched on")),
	at("replication", "replication", mutable,
		func(b *rest.BDB) **bool { return &b.Replication },
		func(in Inputs) (*bool, error) { return or(in.Spec.Replication, false), nil },
		codes[bool]("invalid_replication", "replication_violation", "replication_node_violation")),
	at("persistence", "data_persistence", mutable,
		func(b *rest.BDB) **string { return &b.DataPersistence }, wantPersistence,
		codes[string]("invalid_data_persistence")),
	at("persistence", "aof_policy", mutable,
		func(b *rest.BDB) **string { return &b.AOFPolicy }, wantAOFPolicy),
	list("persistence", "snapshot_policy", mutable,
		func(b *rest.BDB) **[]rest.SnapshotRule { return &b.SnapshotPolicy }, wantSnapshots,
		func(r []rest.SnapshotRule) []rest.SnapshotRule { return r }, showing(showSnapshots)),
	at("evictionPolicy", "eviction_policy", mutable,
		func(b *rest.BDB) **string { return &b.EvictionPolicy }, wantEviction, codes[string]("eviction_policy_violation")),
	at("databasePort", "port", fixed,
		func(b *rest.BDB) **rest.Int { return &b.Port },
		func(in Inputs) (*rest.Int, error) { return optional(in.Spec.DatabasePort), nil },
		reading(readPort), codes[rest.Int]("port_unavailable")),
	at("defaultUser", "default_user", mutable,
		func(b *rest.BDB) **bool { return &b.DefaultUser },
		func(in Inputs) (*bool, error) { return redisOnly(in, or(in.Spec.DefaultUser, true)), nil }, unset(true)),
	at("databaseSecretName", "authentication_redis_pass", mutable,
		func(b *rest.BDB) **string { return &b.RedisPassword },
		func(in Inputs) (*string, error) { return in.Password, nil },
		secret[string](), skipNew(func(v string) bool { return v == "" }), note[string]("value of the key `password`")),
	at("memcachedSaslSecretName", "authentication_sasl_uname", mutable,
		func(b *rest.BDB) **string { return &b.SASLUsername }, wantSASL(func(s SASL) string { return s.Username }),
		codes[string]("invalid_sasl_credentials"), note[string]("value of the key `username`")),
	at("memcachedSaslSecretName", "authentication_sasl_pass", mutable,
		func(b *rest.BDB) **string { return &b.SASLPassword }, wantSASL(func(s SASL) string { return s.Password }),
		secret[string](), note[string]("value of the key `password`")),
	at("tlsMode", "tls_mode", mutable,
		func(b *rest.BDB) **string { return &b.TLSMode },
		func(in Inputs) (*string, error) { return text(string(in.Spec.TLSMode), "disabled"), nil }, unset("disabled")),
	at("clientAuthenticationCertificates", "enforce_client_authentication", mutable,
		func(b *rest.BDB) **string { return &b.EnforceClientAuth }, wantEnforcement, unset("enabled"),
		note[string]("enabled with certificates, disabled without; only while TLS is on")),
	list("clientAuthenticationCertificates", "authentication_ssl_client_certs", mutable,
		func(b *rest.BDB) **[]rest.ClientCert { return &b.ClientCerts }, wantClientCerts, normalCerts,
		codes[[]rest.ClientCert]("invalid_certificate", "certificate_expired", "duplicated_certs"),
		note[[]rest.ClientCert]("value of the key `cert` of each secret")),
	at("ossCluster", "oss_cluster", mutable,
		func(b *rest.BDB) **bool { return &b.OSSCluster },
		func(in Inputs) (*bool, error) { return or(in.Spec.OSSCluster, false), nil },
		unset(false), codes[bool]("invalid_oss_cluster_configuration")),
	at("ossClusterSettings.enableExternalAccess", "oss_cluster_api_preferred_ip_type", mutable,
		func(b *rest.BDB) **string { return &b.OSSPreferredIP }, wantPreferredIP, unset(internalIP), remembering(internalIP),
		alongside[string](nameEndpoint), note[string]("external when true, internal when false; an update names the endpoint beside it")),
	at("proxyPolicy", "proxy_policy", mutable,
		func(b *rest.BDB) **string { return &b.ProxyPolicy }, wantProxyPolicy, reading(readProxyPolicy),
		alongside[string](nameEndpoint), codes[string]("invalid_proxy_policy"),
		note[string]("an update names the endpoint beside it")),
	at("shardsPlacement", "shards_placement", mutable,
		func(b *rest.BDB) **string { return &b.ShardsPlacement },
		func(in Inputs) (*string, error) { return text(string(in.Spec.ShardsPlacement), "dense"), nil }),
	at("rackAware", "rack_aware", mutable,
		func(b *rest.BDB) **bool { return &b.RackAware },
		func(in Inputs) (*bool, error) { return in.Spec.RackAware, nil },
		unset(false), remembering(false), codes[bool]("not_rack_aware", "rack_awareness_violation")),
	at("isRof", "bigstore", fixed,
		func(b *rest.BDB) **bool { return &b.Bigstore },
		func(in Inputs) (*bool, error) { return or(in.Spec.IsRoF, false), nil },
		unset(false), skipNew(func(v bool) bool { return !v })),
	at("rofRamSize", "bigstore_ram_size", mutable,
		func(b *rest.BDB) **rest.Int { return &b.BigstoreRAMSize },
		func(in Inputs) (*rest.Int, error) { return optionalSize("rofRamSize", in.Spec.RoFRAMSize) }, showing(showSize)),
	at("searchOnBigstore", "search_on_bigstore", mutable,
		func(b *rest.BDB) **bool { return &b.SearchOnBigstore },
		func(in Inputs) (*bool, error) { return in.Spec.SearchOnBigstore, nil }, unset(false), remembering(false)),
	at("connectionSettings.internalConnections", "conns", mutable,
		func(b *rest.BDB) **rest.Int { return &b.Conns },
		connections(func(c *v1alpha1.ConnectionSettings) *rest.Int { return optional(c.InternalConnections) }), remembering(rest.Int(5))),
	at("connectionSettings.connectionSchedulingPolicy", "sched_policy", mutable,
		func(b *rest.BDB) **string { return &b.SchedPolicy },
		connections(func(c *v1alpha1.ConnectionSettings) *string { return word(string(c.ConnectionSchedulingPolicy)) }), remembering("cmp")),
	at("connectionSettings.globalMaxDedicatedConnections", "conns_global_maximum_dedicated", mutable,
		func(b *rest.BDB) **rest.Int { return &b.ConnsMaxDedicated },
		connections(func(c *v1alpha1.ConnectionSettings) *rest.Int { return optional(c.GlobalMaxDedicatedConnections) }),
		unset(rest.Int(0)), remembering(rest.Int(0))),
	at("connectionSettings.minDedicatedConnections", "conns_minimum_dedicated", mutable,
		func(b *rest.BDB) **rest.Int { return &b.ConnsMinDedicated },
		connections(func(c *v1alpha1.ConnectionSettings) *rest.Int { return optional(c.MinDedicatedConnections) }),
		unset(rest.Int(2)), remembering(rest.Int(2))),
	at("connectionSettings.connectionLimitType", "conns_type", mutable,
		func(b *rest.BDB) **string { return &b.ConnsType },
		connections(func(c *v1alpha1.ConnectionSettings) *string { return word(string(c.ConnectionLimitType)) }),
		unset("per-thread"), remembering("per-thread")),
	at("dataInternodeEncryption", "data_internode_encryption", sticky,
		func(b *rest.BDB) **bool { return &b.DataInternodeEncryption },
		func(in Inputs) (*bool, error) { return in.Spec.DataInternodeEncryption, nil }, unset(false)),
	at("resp3", "resp3", sticky,
		func(b *rest.BDB) **bool { return &b.RESP3 },
		func(in Inputs) (*bool, error) { return in.Spec.RESP3, nil }, unset(true)),
	at("auditing.dbConnsAuditing", "db_conns_auditing", mutable,
		func(b *rest.BDB) **bool { return &b.DBConnsAuditing }, wantConnectionAuditing, unset(false), remembering(false),
		note[bool]("not with auditMode, which wins")),
	at("auditing", "audit_settings", mutable,
		func(b *rest.BDB) **rest.AuditSettings { return &b.AuditSettings }, wantAudit,
		sameWhen(sameAudit), showing(showAudit), unset(noAudit), remembering(noAudit),
		note[rest.AuditSettings]("auditMode and the filters; clusters before 8.2 refuse it")),
	list("modulesList", "module_list", fixed,
		func(b *rest.BDB) **[]rest.BDBModule { return &b.ModuleList }, wantModules,
		func(m []rest.BDBModule) []rest.BDBModule { return m },
		sameWhen(hasModules), showing(showModules), notTold[[]rest.BDBModule](),
		codes[[]rest.BDBModule]("missing_module", "unsupported_module_capabilities", "memcached_cannot_use_modules"),
		note[[]rest.BDBModule]("bundled modules come by themselves; versions and arguments count at creation only")),
	at("redisVersion", "redis_version", initial,
		func(b *rest.BDB) **string { return &b.RedisVer },
		func(in Inputs) (*string, error) { return exactVersion(in.Spec.RedisVersion), nil },
		via[string]("POST /v1/bdbs/{uid}/upgrade"), codes[string]("invalid_version"),
		note[string]("`major` and `latest` leave the choice to the cluster's redisUpgradePolicy")),
	tags,
}

func text(v, fallback string) *string {
	if v == "" {
		v = fallback
	}
	return &v
}

// word is text without a default.
func word(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}

func or[T any](v *T, fallback T) *T {
	if v == nil {
		return &fallback
	}
	return rest.Ptr(*v)
}

func number(v *int, fallback int) *rest.Int { return rest.Ptr(rest.Int(*or(v, fallback))) }

func optional(v *int) *rest.Int {
	if v == nil {
		return nil
	}
	return number(v, 0)
}

func size(path, v, fallback string) (*rest.Int, error) {
	n, err := ParseSize(*text(v, fallback))
	if err != nil {
		return nil, invalid(path, "%v", err)
	}
	return rest.Ptr(rest.Int(n)), nil
}

func optionalSize(path, v string) (*rest.Int, error) {
	if v == "" {
		return nil, nil
	}
	return size(path, v, v)
}

func showSize(v rest.Int) string { return FormatSize(int64(v)) }

func memcached(in Inputs) bool { return in.Spec.Type == v1alpha1.DatabaseMemcached }

func redisOnly[T any](in Inputs, v *T) *T {
	if memcached(in) {
		return nil
	}
	return v
}

// sharded: the OSS cluster protocol needs hash slots even with one shard, and shardingEnabled keeps the way open (AA-7).
func sharded(in Inputs) bool {
	return *or(in.Spec.ShardCount, 1) > 1 || *or(in.Spec.OSSCluster, false) || *or(in.Spec.ShardingEnabled, false)
}

// defaultShardKeys: the part of a key in braces decides the shard, or the whole key without braces.
var defaultShardKeys = []rest.ShardKeyRule{{Regex: `.*\{(?<tag>.*)\}.*`}, {Regex: `(?<tag>.*)`}}

func wantShardKeys(in Inputs) (*[]rest.ShardKeyRule, error) {
	if !sharded(in) {
		return nil, nil
	}
	return rest.Ptr(slices.Clone(defaultShardKeys)), nil
}

// oneWayOnceSharded leaves rules of a database that is sharded already: they may have been chosen with care.
func oneWayOnceSharded() option[[]rest.ShardKeyRule] {
	return reading(func(b *rest.BDB) *[]rest.ShardKeyRule {
		if rest.Value(b.Sharding) {
			return &defaultShardKeys
		}
		return nil
	})
}

func wantPersistence(in Inputs) (*string, error) {
	switch p := in.Spec.Persistence; {
	case p == "" || p == v1alpha1.PersistenceDisabled:
		return rest.Ptr("disabled"), nil
	case aofPolicies[p] != "":
		return rest.Ptr("aof"), nil
	case snapshotSeconds[p] != 0:
		return rest.Ptr("snapshot"), nil
	default:
		return nil, invalid("persistence", "%q is none of %s", p, strings.Join(persistenceWords, ", "))
	}
}

var aofPolicies = map[v1alpha1.Persistence]string{
	v1alpha1.PersistenceAOFEverySecond: "appendfsync-every-sec",
	v1alpha1.PersistenceAOFAlways:      "appendfsync-always",
}

var snapshotSeconds = map[v1alpha1.Persistence]rest.Int{
	v1alpha1.PersistenceSnapshot1Hour:  3600,
	v1alpha1.PersistenceSnapshot6Hour:  6 * 3600,
	v1alpha1.PersistenceSnapshot12Hour: 12 * 3600,
}

var persistenceWords = []string{"disabled", "aofEverySecond", "aofAlways", "snapshotEvery1Hour", "snapshotEvery6Hour", "snapshotEvery12Hour"}

func wantAOFPolicy(in Inputs) (*string, error) { return word(aofPolicies[in.Spec.Persistence]), nil }

func wantSnapshots(in Inputs) (*[]rest.SnapshotRule, error) {
	secs := snapshotSeconds[in.Spec.Persistence]
	if secs == 0 {
		return nil, nil
	}
	return &[]rest.SnapshotRule{{Secs: secs, Writes: 1}}, nil
}

func showSnapshots(rules []rest.SnapshotRule) string {
	var b strings.Builder
	for i, r := range rules {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "every %ds after %d writes", r.Secs, r.Writes)
	}
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}

func wantEviction(in Inputs) (*string, error) {
	if memcached(in) {
		return text(in.Spec.EvictionPolicy, "allkeys-lru"), nil
	}
	return text(in.Spec.EvictionPolicy, "volatile-lru"), nil
}

// readPort finds the real port: a database that let the cluster choose keeps reporting 0 in the setting itself.
func readPort(b *rest.BDB) *rest.Int {
	if rest.Value(b.Port) != 0 {
		return b.Port
	}
	if e, ok := b.MainEndpoint(); ok && e.Port != 0 {
		return &e.Port
	}
	return nil
}

func wantSASL(part func(SASL) string) func(Inputs) (*string, error) {
	return func(in Inputs) (*string, error) {
		if in.SASL == nil {
			return nil, nil
		}
		return rest.Ptr(part(*in.SASL)), nil
	}
}

// wantEnforcement: the server's own default is to ask clients for certificates, which nobody could pass without a list.
func wantEnforcement(in Inputs) (*string, error) {
	switch tls := in.Spec.TLSMode; {
	case len(in.ClientCertificates) > 0:
		return rest.Ptr("enabled"), nil
	case tls == v1alpha1.TLSEnabled || tls == v1alpha1.TLSReplica:
		return rest.Ptr("disabled"), nil
	}
	return nil, nil
}

func wantClientCerts(in Inputs) (*[]rest.ClientCert, error) {
	certs := make([]rest.ClientCert, 0, len(in.ClientCertificates))
	for _, c := range in.ClientCertificates {
		certs = append(certs, rest.ClientCert{Cert: c})
	}
	return &certs, nil
}

// normalCerts: order and line ends mean nothing.
func normalCerts(certs []rest.ClientCert) []rest.ClientCert {
	for i := range certs {
		certs[i].Cert = strings.TrimSpace(strings.ReplaceAll(certs[i].Cert, "\r\n", "\n"))
	}
	slices.SortFunc(certs, func(a, b rest.ClientCert) int { return strings.Compare(a.Cert, b.Cert) })
	return certs
}

func wantProxyPolicy(in Inputs) (*string, error) {
	if *or(in.Spec.OSSCluster, false) {
		return text(in.Spec.ProxyPolicy, "all-master-shards"), nil
	}
	return text(in.Spec.ProxyPolicy, "single"), nil
}

// Addresses of the nodes that clients of the OSS cluster protocol are told.
const (
	internalIP = "internal"
	externalIP = "external"
)

// ExternalAccess tells whether cluster-aware clients outside Kubernetes are to reach the database.
func ExternalAccess(spec *v1alpha1.RedisEnterpriseDatabaseSpec) bool {
	return spec.OSSClusterSettings != nil && spec.OSSClusterSettings.EnableExternalAccess
}

func wantPreferredIP(in Inputs) (*string, error) {
	switch {
	case in.Spec.OSSClusterSettings == nil:
		return nil, nil
	case ExternalAccess(in.Spec):
		return rest.Ptr(externalIP), nil
	}
	return rest.Ptr(internalIP), nil
}

func readProxyPolicy(b *rest.BDB) *string {
	if b.ProxyPolicy != nil {
		return b.ProxyPolicy
	}
	if e, ok := b.MainEndpoint(); ok {
		return word(e.ProxyPolicy)
	}
	return nil
}

func nameEndpoint(have, update *rest.BDB) {
	if e, ok := have.MainEndpoint(); ok && e.UID != "" {
		update.EndpointUID = rest.Ptr(e.UID)
	}
}

func connections[T any](part func(*v1alpha1.ConnectionSettings) *T) func(Inputs) (*T, error) {
	return func(in Inputs) (*T, error) {
		if in.Spec.ConnectionSettings == nil {
			return nil, nil
		}
		return part(in.Spec.ConnectionSettings), nil
	}
}

func wantModules(in Inputs) (*[]rest.BDBModule, error) {
	if len(in.Spec.ModulesList) == 0 {
		return nil, nil
	}
	modules := make([]rest.BDBModule, 0, len(in.Spec.ModulesList))
	for _, m := range in.Spec.ModulesList {
		version := m.Version //nolint:staticcheck // deprecated for users, and still counts before Redis 8
		modules = append(modules, rest.BDBModule{Name: m.Name, Version: version, Args: rest.JoinText(m.Config)})
	}
	return &modules, nil
}

// hasModules: a database that has every module asked for is as it should be. Versions follow the database's own version
// and arguments are rewritten by the cluster, so neither can be compared.
func hasModules(have, want []rest.BDBModule) bool {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h rest.BDBModule) bool { return h.Name == w.Name }) {
			return false
		}
	}
	return true
}

func showModules(modules []rest.BDBModule) string {
	if len(modules) == 0 {
		return "no modules"
	}
	names := make([]string, 0, len(modules))
	for _, m := range modules {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// exactVersion returns a version such as 7.4, and nil for the channel words.
func exactVersion(v string) *string {
	if v == "major" || v == "latest" {
		return nil
	}
	return word(v)
}
