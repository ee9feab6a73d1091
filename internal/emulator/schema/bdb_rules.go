package schema

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
)

// wish is a database as it shall be, next to how it is and what was said.
type wish struct {
	old   Object // nil on create
	now   Object
	asked Object
	facts Facts
}

// rule refuses one combination; the lists below are their order, which decides the code a client sees.
type rule func(wish) error

var createRules = []rule{ruleUID, ruleLicenseExpiry, ruleMemcached, ruleRackOnCreate}

var changeRules = []rule{ruleLicenseExpiry, ruleActiveActive, ruleShardingGrows, ruleRackOnChange}

var sharedRules = []rule{
	ruleName, rulePort, ruleProxyPolicy, ruleSharding, ruleReplication, ruleLicenseShards, ruleMemory,
	rulePersistence, ruleBackup, ruleOSSCluster, ruleCertificates, ruleTags, ruleModules, ruleRoles, ruleSources,
	ruleNodes, ruleBlueprint,
}

func (w wish) check(rules []rule) error {
	for _, r := range rules {
		if err := r(w); err != nil {
			return err
		}
	}
	return nil
}

func (w wish) creating() bool { return w.old == nil }

func (w wish) says(key string) bool {
	_, there := w.asked[key]
	return there
}

func ruleUID(w wish) error {
	uid := IntOf(w.asked, "uid")
	if uid == 0 {
		return nil
	}
	for _, other := range w.facts.BDBs {
		if IntOf(other, "uid") == uid {
			return Errorf(http.StatusConflict, "uid_exists", "Database with uid %d already exists", uid)
		}
	}
	return nil
}

func ruleLicenseExpiry(w wish) error { return RefuseExpired(w.facts) }

func ruleName(w wish) error {
	if w.says("name") && !bdbName.MatchString(TextOf(w.now, "name")) {
		return invalidSchema("'%s' does not match '%s' (bdb.name)", TextOf(w.now, "name"), bdbName)
	}
	return nil
}

func ruleMemcached(w wish) error {
	if TextOf(w.now, "type") != "memcached" {
		return nil
	}
	if len(listOf(w.asked["module_list"])) > 0 {
		return notAcceptable("memcached_cannot_use_modules", "Memcached databases can not use modules")
	}
	name, pass := TextOf(w.now, "authentication_sasl_uname"), TextOf(w.now, "authentication_sasl_pass")
	if (name == "") != (pass == "") {
		return notAcceptable("invalid_sasl_credentials", "SASL user name and password must be given together")
	}
	return nil
}

func rulePort(w wish) error {
	port := IntOf(w.asked, "port") // never part of an update: it is fixed then
	if port == 0 {
		return nil
	}
	if port < 10000 || port > 19999 || port == 10050 || Reserved(w.facts.Cluster, port) {
		return notAcceptable("port_unavailable", "Unavailable or invalid port: %d", port)
	}
	for _, other := range w.facts.BDBs {
		if usesPort(other, port) {
			return notAcceptable("port_unavailable", "Port %d is already in use by another database", port)
		}
	}
	return nil
}

func usesPort(bdb Object, port int64) bool {
	if IntOf(bdb, "port") == port {
		return true
	}
	for _, e := range listOf(bdb["endpoints"]) {
		if endpoint, ok := e.(map[string]any); ok && IntOf(endpoint, "port") == port {
			return true
		}
	}
	return false
}

// Reserved tells whether the cluster keeps a port from databases.
func Reserved(cluster Object, port int64) bool {
	for _, r := range listOf(cluster["system_reserved_ports"]) {
		if n, _ := Int(r); n == port {
			return true
		}
	}
	for _, r := range listOf(cluster["reserved_ports"]) {
		text, _ := r.(string)
		from, to, isRange := strings.Cut(text, "-")
		low, okLow := Int(strings.TrimSpace(from))
		high := low
		if isRange {
			high, _ = Int(strings.TrimSpace(to))
		}
		if okLow && port >= low && port <= high {
			return true
		}
	}
	return false
}

func ruleProxyPolicy(w wish) error {
	switch p := TextOf(w.now, "proxy_policy"); p {
	case "single", "all-master-shards", "all-nodes":
		return nil
	default:
		return notAcceptable("invalid_proxy_policy", "Unknown proxy policy '%s'", p)
	}
}

func ruleSharding(w wish) error {
	sharding, rules := BoolOf(w.now, "sharding"), listOf(w.now["shard_key_regex"])
	if !sharding && IntOf(w.now, "shards_count") > 1 {
		return notAcceptable("invalid_sharding", "More than one shard needs sharding to be enabled")
	}
	if sharding && len(rules) == 0 && !BoolOf(w.now, "oss_sharding") {
		return notAcceptable("invalid_sharding", "Sharding needs shard_key_regex")
	}
	if len(rules) > 32 {
		return notAcceptable("invalid_sharding", "At most 32 hashing rules are possible")
	}
	for _, r := range rules {
		if o, _ := r.(map[string]any); len(TextOf(o, "regex")) > 256 {
			return notAcceptable("invalid_sharding", "A hashing rule has at most 256 characters")
		}
	}
	return nil
}

func ruleShardingGrows(w wish) error {
	if BoolOf(w.old, "sharding") && !BoolOf(w.now, "sharding") {
		return notAcceptable("invalid_sharding", "Sharding can not be switched off")
	}
	before, after := IntOf(w.old, "shards_count"), IntOf(w.now, "shards_count")
	if before > 0 && (after < before || after%before != 0) {
		return notAcceptable("invalid_sharding", "shards_count can only grow to a multiple of %d", before)
	}
	return nil
}

func ruleReplication(w wish) error {
	if !BoolOf(w.now, "replication") || (!w.creating() && BoolOf(w.old, "replication")) {
		return nil
	}
	if len(hosts(w.facts.Nodes)) >= 2 {
		return nil
	}
	code := "invalid_replication"
	if !w.creating() {
		code = "replication_node_violation"
	}
	return notAcceptable(code, "Replication needs at least two nodes that accept shards")
}

// ShardTotal is the number of real shards of a database, replicas included.
func ShardTotal(bdb Object) int64 {
	n := max(IntOf(bdb, "shards_count"), 1)
	if BoolOf(bdb, "replication") {
		n *= 2
	}
	return n
}

func ruleLicenseShards(w wish) error {
	total := ShardTotal(w.now)
	if !w.creating() && total <= ShardTotal(w.old) {
		return nil
	}
	for _, other := range w.facts.BDBs {
		if w.creating() || IntOf(other, "uid") != IntOf(w.old, "uid") {
			total += ShardTotal(other)
		}
	}
	limit, limited := Int(w.facts.License["shards_limit"])
	if ram, hasRAM := Int(w.facts.License["ram_shards_limit"]); hasRAM {
		limit, limited = ram, true
	}
	if limited && total > limit {
		return Errorf(http.StatusBadRequest, "invalid_param",
			"Total shards count exceeds amount of total shards permitted by license")
	}
	return nil
}

func ruleMemory(w wish) error {
	if !w.says("memory_size") {
		return nil
	}
	var have, used int64
	for _, n := range hosts(w.facts.Nodes) {
		have += IntOf(n, "total_memory")
	}
	for _, other := range w.facts.BDBs {
		if w.creating() || IntOf(other, "uid") != IntOf(w.old, "uid") {
			used += IntOf(other, "memory_size")
		}
	}
	if have > 0 && used+IntOf(w.now, "memory_size") > have {
		return notAcceptable("insufficient_resources", "There is not enough memory in the cluster")
	}
	return nil
}

func rulePersistence(w wish) error {
	if TextOf(w.now, "data_persistence") == "snapshot" && len(listOf(w.now["snapshot_policy"])) == 0 {
		return notAcceptable("invalid_data_persistence", "Snapshot persistence needs snapshot_policy")
	}
	return nil
}

func ruleBackup(w wish) error {
	if !BoolOf(w.asked, "backup") {
		return nil
	}
	given := w.asked
	if !w.creating() {
		given = w.now
	}
	if IntOf(given, "backup_interval") <= 0 {
		return notAcceptable("missing_backup_interval", "Periodic backup needs backup_interval")
	}
	return nil
}

func ruleOSSCluster(w wish) error {
	if !BoolOf(w.now, "oss_cluster") {
		return nil
	}
	switch {
	case !BoolOf(w.now, "sharding"):
		return notAcceptable("invalid_oss_cluster_configuration", "The OSS cluster API needs sharding")
	case TextOf(w.now, "proxy_policy") == "single":
		return notAcceptable("invalid_oss_cluster_configuration", "The OSS cluster API does not work with a single proxy")
	case TextOf(w.now, "hash_slots_policy") == "legacy":
		return notAcceptable("invalid_oss_cluster_configuration", "The OSS cluster API does not work with legacy hash slots")
	case !BoolOf(w.now, "oss_sharding") && !standardHashing(listOf(w.now["shard_key_regex"])):
		return notAcceptable("invalid_oss_cluster_configuration", "The OSS cluster API needs the standard hashing policy")
	}
	return nil
}

// standardHashing tells whether rules are the documented pair: what is between braces, else the whole key.
func standardHashing(rules []any) bool {
	standard := []string{`.*\{(?<tag>.*)\}.*`, `(?<tag>.*)`}
	if len(rules) != len(standard) {
		return false
	}
	for i, r := range rules {
		if o, _ := r.(map[string]any); TextOf(o, "regex") != standard[i] {
			return false
		}
	}
	return true
}

func ruleCertificates(w wish) error {
	seen := map[string]bool{}
	certs := listOf(w.now["authentication_ssl_client_certs"])
	if w.says("authentication_ssl_client_certs") {
		for _, c := range certs {
			o, _ := c.(map[string]any)
			text := strings.TrimSpace(TextOf(o, "client_cert"))
			if seen[text] {
				return notAcceptable("duplicated_certs", "A client certificate is listed twice")
			}
			seen[text] = true
			if err := w.checkCertificate(text); err != nil {
				return err
			}
		}
	}
	asksTLS := w.says("tls_mode") || w.says("enforce_client_authentication") || w.says("authentication_ssl_client_certs")
	subjects := TextOf(w.now, "client_cert_subject_validation_type")
	validated := (subjects == "san_cn" || subjects == "full_subject") && len(listOf(w.now["authorized_subjects"])) > 0
	if asksTLS && TextOf(w.now, "tls_mode") == "enabled" && TextOf(w.now, "enforce_client_authentication") == "enabled" &&
		len(certs) == 0 && !validated {
		return notAcceptable("invalid_certificate", "Client authentication is enforced but there is no client certificate")
	}
	return nil
}

func (w wish) checkCertificate(text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return notAcceptable("invalid_certificate", "A client certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return notAcceptable("invalid_certificate", "A client certificate can not be read")
	}
	if w.facts.Now.After(cert.NotAfter) {
		return notAcceptable("certificate_expired", "A client certificate has expired")
	}
	return nil
}

func ruleTags(w wish) error {
	seen := map[string]bool{}
	for _, t := range listOf(w.asked["tags"]) {
		o, _ := t.(map[string]any)
		key := TextOf(o, "key")
		if seen[key] {
			return notAcceptable("invalid_bdb_tags", "Tag '%s' is there twice", key)
		}
		seen[key] = true
	}
	return nil
}

func ruleRoles(w wish) error {
	for _, p := range listOf(w.asked["roles_permissions"]) {
		o, _ := p.(map[string]any)
		if !w.facts.Roles[IntOf(o, "role_uid")] {
			return Errorf(http.StatusBadRequest, "invalid_param", "Role %d does not exist", IntOf(o, "role_uid"))
		}
		if !w.facts.ACLs[IntOf(o, "redis_acl_uid")] {
			return Errorf(http.StatusBadRequest, "invalid_param", "Redis ACL %d does not exist", IntOf(o, "redis_acl_uid"))
		}
	}
	return nil
}

func ruleSources(w wish) error {
	for _, s := range listOf(w.asked["replica_sources"]) {
		o, _ := s.(map[string]any)
		u, err := url.Parse(TextOf(o, "uri"))
		if err != nil || u.Scheme != "redis" || u.Port() == "" {
			return invalidSchema("A source needs the form redis://[user]:[password]@host:port (bdb.replica_sources)")
		}
	}
	return nil
}

func ruleActiveActive(w wish) error {
	if !BoolOf(w.old, "crdt") {
		return nil
	}
	switch {
	case w.says("name") && TextOf(w.old, "name") != TextOf(w.now, "name"):
		return notAcceptable("name_violation", "An Active-Active instance can not be renamed")
	case !BoolOf(w.now, "replication") && BoolOf(w.old, "replication"):
		return notAcceptable("replication_violation", "Active-Active databases need replication")
	case BoolOf(w.now, "sharding") && !BoolOf(w.old, "sharding"):
		return notAcceptable("crdt_sharding_violation", "An Active-Active database made without sharding stays so")
	}
	return nil
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}
