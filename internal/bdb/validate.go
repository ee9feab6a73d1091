package bdb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

// subject is what the rules look at.
type subject struct {
	name string
	spec *v1alpha1.RedisEnterpriseDatabaseSpec
}

// rules is the one list that webhook and loop share. Each rule says everything it has against a spec.
var rules = []func(subject) []*Invalid{
	ruleName, ruleMemory, ruleShards, rulePorts, ruleWords, ruleProxyPolicy, ruleExternalAccess, ruleConnections, ruleFlash,
	ruleVersion, ruleMemcached, ruleModules, ruleTags, ruleCertificates, ruleReplicaSources, ruleBackup, ruleAlerts, ruleAuditing,
}

// Validate lists what is wrong with a spec by itself, without knowing the cluster.
func Validate(name string, spec *v1alpha1.RedisEnterpriseDatabaseSpec) []*Invalid {
	var out []*Invalid
	for _, r := range rules {
		out = append(out, r(subject{name, spec})...)
	}
	return out
}

func no(path, format string, args ...any) []*Invalid {
	return []*Invalid{invalid(path, format, args...)}
}

var (
	databaseName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	redisVersion = regexp.MustCompile(`^(major|latest|[0-9]+\.[0-9]+)$`)
)

const maxNameLen = 63

func ruleName(s subject) []*Invalid {
	if len(s.name) > maxNameLen || !databaseName.MatchString(s.name) {
		return []*Invalid{{Path: "metadata.name",
			Message: "must have at most 63 letters, digits and hyphens, and begin and end with a letter or digit"}}
	}
	return nil
}

const (
	minMemory      = 100 << 20
	minFlashMemory = 1 << 30
)

func flash(s subject) bool { return s.spec.IsRoF != nil && *s.spec.IsRoF }

func ruleMemory(s subject) []*Invalid {
	bytes, err := ParseSize(*text(s.spec.MemorySize, "100MB"))
	if err != nil {
		return no("memorySize", "%v", err)
	}
	if flash(s) && bytes < minFlashMemory {
		return no("memorySize", "must be at least 1GB with isRof, not %s", *text(s.spec.MemorySize, "100MB"))
	}
	if bytes < minMemory {
		return no("memorySize", "must be at least 100MB, not %s", s.spec.MemorySize)
	}
	return nil
}

const maxShards = 512

func ruleShards(s subject) []*Invalid {
	if n := *or(s.spec.ShardCount, 1); n < 1 || n > maxShards {
		return no("shardCount", "must be from 1 to %d, not %d", maxShards, n)
	}
	if s.spec.ShardingEnabled != nil {
		return no("shardingEnabled", "is only for Active-Active databases; use shardCount")
	}
	return nil
}

const maxPort = 65535

// rulePorts leaves to the cluster which ports it gives to databases: published manifests ask for ports outside of the
// documented range, and the cluster's answer names the field anyway.
func rulePorts(s subject) (out []*Invalid) {
	for _, p := range []struct {
		path  string
		value *int
	}{{"databasePort", s.spec.DatabasePort}, {"databaseServicePort", s.spec.DatabaseServicePort}} {
		if p.value != nil && (*p.value < 1 || *p.value > maxPort) {
			out = append(out, invalid(p.path, "must be from 1 to %d, not %d", maxPort, *p.value))
		}
	}
	return out
}

var (
	evictionPolicies = []string{"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu",
		"allkeys-random", "noeviction", "allkeys-lrm", "volatile-lrm"}
	proxyPolicies = []string{"single", "all-master-shards", "all-nodes"}
)

// ruleWords checks the fields with a fixed choice of words, also those that the schema checks: it may be older.
func ruleWords(s subject) (out []*Invalid) {
	conn := s.spec.ConnectionSettings
	if conn == nil {
		conn = &v1alpha1.ConnectionSettings{}
	}
	for _, c := range []struct {
		path, value string
		words       []string
	}{
		{"evictionPolicy", s.spec.EvictionPolicy, evictionPolicies},
		{"persistence", string(s.spec.Persistence), persistenceWords},
		{"proxyPolicy", s.spec.ProxyPolicy, proxyPolicies},
		{"shardsPlacement", string(s.spec.ShardsPlacement), []string{"dense", "sparse"}},
		{"tlsMode", string(s.spec.TLSMode), []string{"disabled", "enabled", "replica_ssl"}},
		{"type", string(s.spec.Type), []string{"redis", "memcached"}},
		{"connectionSettings.connectionSchedulingPolicy", string(conn.ConnectionSchedulingPolicy), []string{"cmp", "mru", "spread", "mnp"}},
		{"connectionSettings.connectionLimitType", string(conn.ConnectionLimitType), []string{"per-thread", "per-shard"}},
	} {
		if c.value != "" && !slices.Contains(c.words, c.value) {
			out = append(out, invalid(c.path, "must be one of %s, not %q", strings.Join(c.words, ", "), c.value))
		}
	}
	return out
}

func ruleProxyPolicy(s subject) []*Invalid {
	if *or(s.spec.OSSCluster, false) && s.spec.ProxyPolicy == "single" {
		return no("proxyPolicy", "must be all-master-shards or all-nodes with ossCluster")
	}
	return nil
}

// ruleExternalAccess is the part of rule NET-15 that a spec tells by itself.
func ruleExternalAccess(s subject) []*Invalid {
	if ExternalAccess(s.spec) && !*or(s.spec.OSSCluster, false) {
		return no("ossClusterSettings.enableExternalAccess", "is for cluster-aware clients and needs ossCluster: true")
	}
	return nil
}

func ruleConnections(s subject) (out []*Invalid) {
	c := s.spec.ConnectionSettings
	if c == nil {
		return nil
	}
	for _, n := range []struct {
		path  string
		value *int
		min   int
	}{
		{"internalConnections", c.InternalConnections, 1},
		{"globalMaxDedicatedConnections", c.GlobalMaxDedicatedConnections, 0},
		{"minDedicatedConnections", c.MinDedicatedConnections, 0},
	} {
		if n.value != nil && *n.value < n.min {
			out = append(out, invalid("connectionSettings."+n.path, "must be at least %d, not %d", n.min, *n.value))
		}
	}
	return out
}

func ruleFlash(s subject) (out []*Invalid) {
	if !flash(s) {
		if s.spec.RoFRAMSize != "" {
			out = append(out, invalid("rofRamSize", "is only for databases with isRof"))
		}
		if s.spec.RoFRAMRatio != nil {
			out = append(out, invalid("rofRamRatio", "is only for databases with isRof"))
		}
		if *or(s.spec.SearchOnBigstore, false) {
			out = append(out, invalid("searchOnBigstore", "is only for databases with isRof"))
		}
		return out
	}
	if s.spec.RoFRAMSize == "" {
		return nil
	}
	ram, err := ParseSize(s.spec.RoFRAMSize)
	if err != nil {
		return no("rofRamSize", "%v", err)
	}
	all, err := ParseSize(*text(s.spec.MemorySize, "100MB"))
	if err == nil && (ram*10 < all || ram > all) {
		return no("rofRamSize", "must be from a tenth of memorySize to all of it (%s), not %s", FormatSize(all), s.spec.RoFRAMSize)
	}
	return nil
}

func ruleVersion(s subject) []*Invalid {
	v := s.spec.RedisVersion
	switch {
	case v == "":
		return nil
	case !redisVersion.MatchString(v):
		return no("redisVersion", "must be major, latest or a version of two parts such as 7.4, not %q", v)
	case s.spec.Type == v1alpha1.DatabaseMemcached:
		return no("redisVersion", "is not for memcached databases")
	}
	return nil
}

func ruleMemcached(s subject) (out []*Invalid) {
	if s.spec.Type != v1alpha1.DatabaseMemcached {
		if s.spec.MemcachedSASLSecretName != "" {
			out = append(out, invalid("memcachedSaslSecretName", "is only for databases of type memcached"))
		}
		return out
	}
	if len(s.spec.ModulesList) > 0 {
		out = append(out, invalid("modulesList", "memcached databases have no modules"))
	}
	if *or(s.spec.OSSCluster, false) {
		out = append(out, invalid("ossCluster", "memcached databases do not speak the OSS cluster protocol"))
	}
	return out
}

func ruleModules(s subject) (out []*Invalid) {
	seen := map[string]bool{}
	for i, m := range s.spec.ModulesList {
		path := fmt.Sprintf("modulesList[%d].name", i)
		if m.Name == "" {
			out = append(out, invalid(path, "is missing"))
		}
		if seen[m.Name] {
			out = append(out, invalid(path, "the module %s is listed twice", m.Name))
		}
		seen[m.Name] = true
	}
	return out
}

func ruleTags(s subject) (out []*Invalid) {
	for _, k := range ManagedTags(s.spec) {
		if slices.Contains(reservedTags, k) {
			out = append(out, invalid("tags", "the key %s is used by the operator itself", k))
		}
		if k == "" {
			out = append(out, invalid("tags", "a key is empty"))
		}
	}
	return out
}

func ruleCertificates(s subject) (out []*Invalid) {
	seen := map[string]bool{}
	for _, name := range s.spec.ClientAuthenticationCertificates {
		if name == "" {
			out = append(out, invalid("clientAuthenticationCertificates", "a secret has no name"))
		}
		if seen[name] {
			out = append(out, invalid("clientAuthenticationCertificates", "the secret %s is listed twice", name))
		}
		seen[name] = true
	}
	return out
}

const maxCompression = 6

func ruleReplicaSources(s subject) (out []*Invalid) {
	for _, r := range s.spec.ReplicaSources {
		if r.ReplicaSourceType != v1alpha1.ReplicaSourceSecret && r.ReplicaSourceType != v1alpha1.ReplicaSourceREDB {
			out = append(out, invalid("replicaSources", "replicaSourceType of %s must be SECRET or REDB, not %q", r.ReplicaSourceName, r.ReplicaSourceType))
		}
		if c := r.Compression; c != nil && (*c < 0 || *c > maxCompression) {
			out = append(out, invalid("replicaSources", "compression of %s must be from 0 to %d, not %d", r.ReplicaSourceName, maxCompression, *c))
		}
	}
	return out
}

const day = 86400

func ruleBackup(s subject) (out []*Invalid) {
	b := s.spec.Backup
	if b == nil {
		return nil
	}
	places := 0
	for _, set := range []bool{b.ABS != nil, b.FTP != nil, b.GCS != nil, b.Mount != nil, b.S3 != nil, b.SFTP != nil, b.Swift != nil} {
		if set {
			places++
		}
	}
	if places != 1 {
		out = append(out, invalid("backup", "must name exactly one place to store backups, not %d", places))
	}
	interval := *or(b.Interval, day)
	if interval <= 0 {
		out = append(out, invalid("backup.interval", "must be positive, not %d", interval))
	}
	if o := b.IntervalOffset; o != nil {
		if interval != day && interval != day/2 {
			out = append(out, invalid("backup.intervalOffset", "needs an interval of %d or %d", day, day/2))
		}
		if *o < 0 || *o >= interval {
			out = append(out, invalid("backup.intervalOffset", "must be from 0 to less than the interval, not %d", *o))
		}
	}
	return out
}

func ruleAlerts(s subject) (out []*Invalid) {
	alerts, err := wantAlerts(s.spec)
	if err != nil {
		return no("alertSettings", "%v", err)
	}
	for name, a := range alerts {
		if a.Threshold != nil && !isNumber(string(*a.Threshold)) {
			out = append(out, invalid("alertSettings."+name+".threshold", "must be a number, not %q", *a.Threshold))
		}
	}
	slices.SortFunc(out, func(a, b *Invalid) int { return strings.Compare(a.Path, b.Path) })
	return out
}
