package bdb

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Inputs is what a database should be: the spec, and what it refers to already looked up.
type Inputs struct {
	// Name of the database in the cluster.
	Name string
	// Spec as the user wrote it.
	Spec *v1alpha1.RedisEnterpriseDatabaseSpec
	// Password of the default user; nil if there is none to set (defaultUser is false, or memcached).
	Password *string
	// SASL of a memcached database; nil without.
	SASL *SASL
	// ClientCertificates are the PEM texts that clientAuthenticationCertificates refers to, in its order.
	ClientCertificates []string
	// Tags are those that the operator itself puts on the database; they win over all others. See OwnTags.
	Tags map[string]string
	// ManagedTags are the keys of tags that came from the spec so far (status.managedTags).
	ManagedTags []string
	// ManagedFields are the optional fields that were set so far (status.managedFields): removed from the spec, they
	// go back to their default.
	ManagedFields []string
	// Recorded holds fingerprints of the secrets last sent, by wire name; only used when the cluster masks secrets.
	Recorded map[string]string
	// Salt goes into fingerprints; use the UID of the resource.
	Salt string
}

// SASL is the account of a memcached database.
type SASL struct{ Username, Password string }

// String hides the password.
func (s SASL) String() string { return s.Username + ":***" }

// GoString hides the password from %#v as well.
func (s SASL) GoString() string { return "bdb.SASL{" + s.String() + "}" }

// Keys of the tags that the operator uses itself; specs may not set them.
const (
	TagManagedBy   = "managed_by"
	TagName        = "redb_name"
	TagNamespace   = "redb_namespace"
	TagServicePort = "db_service_port"
	TagOSSAccess   = "oss_cluster_access"
)

// ManagedBy is the value of TagManagedBy on databases made by this operator.
const ManagedBy = "redis-enterprise-operator"

// Keys of the tags of an Active-Active database: the resource that made it, what its participants have agreed on, how each
// of them is known and reached, and fingerprints of the secrets.
const (
	TagResource        = "redb_resource"
	TagResourceName    = "redb_resource_name"
	TagGlobalSpec      = "global_configurations_spec"
	TagReplicationPort = "replication_endpoint_port"
	TagRemoteCluster   = "rerc_name"
	TagSecretName      = "redis.io/db-sec-name"   //nolint:gosec // the key of a tag
	TagSecretLatest    = "redis.io/db-sec-latest" //nolint:gosec // the key of a tag
	TagCertsLatest     = "redis.io/certs-latest"
	TagBackupName      = "redis.io/bu-sec-name"
	TagBackupLatest    = "redis.io/bu-sec-latest"
)

var reservedTags = []string{TagManagedBy, TagName, TagNamespace, TagServicePort, TagOSSAccess, names.TagExpose,
	TagResource, TagResourceName, TagGlobalSpec, TagReplicationPort, TagRemoteCluster,
	TagSecretName, TagSecretLatest, TagCertsLatest, TagBackupName, TagBackupLatest}

// AccessExternal is the value of TagOSSAccess on databases that cluster-aware clients reach from outside Kubernetes.
const AccessExternal = "external"

// OwnTags are the tags that tie a database to its resource.
func OwnTags(namespace, name string, spec *v1alpha1.RedisEnterpriseDatabaseSpec) map[string]string {
	tags := map[string]string{TagManagedBy: ManagedBy, TagName: name, TagNamespace: namespace}
	if spec.DatabaseServicePort != nil {
		tags[TagServicePort] = strconv.Itoa(*spec.DatabaseServicePort)
	}
	if ExternalAccess(spec) {
		tags[TagOSSAccess] = AccessExternal
	}
	return tags
}

// ManagedTags are the keys to record as status.managedTags.
func ManagedTags(spec *v1alpha1.RedisEnterpriseDatabaseSpec) []string {
	var keys []string
	for k := range spec.Tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// ManagedFields are the paths to record as status.managedFields: the optional fields that the spec sets.
func ManagedFields(in Inputs) ([]string, error) {
	var paths []string
	in.ManagedFields = nil
	for _, f := range fields {
		if !f.remembered {
			continue
		}
		wanted, err := f.wanted(in)
		if err != nil {
			return nil, err
		}
		if wanted && !slices.Contains(paths, f.path) {
			paths = append(paths, f.path)
		}
	}
	return paths, nil
}

// Fingerprints are what to keep as Inputs.Recorded after the secrets have been sent.
func Fingerprints(in Inputs) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range fields {
		if f.fingerprint == nil {
			continue
		}
		fp, wanted, err := f.fingerprint(in)
		if err != nil {
			return nil, err
		}
		if wanted {
			out[f.wire] = fp
		}
	}
	return out, nil
}

func fingerprint(salt, wire, value string) string {
	mac := hmac.New(sha256.New, []byte(salt+"\x00"+wire))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}
