package database

import (
	"errors"
	"fmt"
	"slices"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// pathCluster is the field that names the cluster.
const pathCluster = "spec.redisEnterpriseCluster.name"

// Validate lists what is wrong with a resource, judged by itself alone. Webhook and loop both call it, because a webhook
// can be off.
func Validate(db *v1alpha1.RedisEnterpriseDatabase) []error {
	return append(rejections(bdb.Validate(db.Name, &db.Spec)), exposeIsPossible(db)...)
}

// ValidateChange lists what an edit changes and must not. The loop finds the same by comparing with the database.
func ValidateChange(old, db *v1alpha1.RedisEnterpriseDatabase) []error {
	if old.Status.DatabaseUID == "" {
		return nil // nothing was made from the old spec yet
	}
	errs := rejections(bdb.ValidateChange(db.Name, &old.Spec, &db.Spec))
	if old.Spec.DatabasePort == nil && db.Spec.DatabasePort != nil && len(old.Status.InternalEndpoints) > 0 {
		if port := old.Status.InternalEndpoints[0].Port; port != *db.Spec.DatabasePort {
			errs = append(errs, outcome.Reject("spec.databasePort", "cannot change after the database was created: it is %d, not %d", port, *db.Spec.DatabasePort))
		}
	}
	return errs
}

// AgainstCluster lists what the cluster would refuse, judged by its last reading; nothing when there is none. old is
// nil for a database that is to be created.
func AgainstCluster(old, db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) []error {
	if snapshot == nil || !snapshot.Up() {
		return nil
	}
	var errs []error
	for _, rule := range []func(old, db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) error{portIsFree, shardsAreLicensed, modulesAreKnown, versionFitsPolicy} {
		if err := rule(old, db, snapshot); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// portIsFree: a port belongs to one database of the cluster.
func portIsFree(_, db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) error {
	if db.Spec.DatabasePort == nil {
		return nil
	}
	for i := range snapshot.BDBs {
		have := &snapshot.BDBs[i]
		if portOf(have) == *db.Spec.DatabasePort && !ours(db, have) {
			return outcome.Reject("spec.databasePort", "port %d is in use by database %s", *db.Spec.DatabasePort, rest.Value(have.Name))
		}
	}
	return nil
}

func portOf(have *rest.BDB) int {
	if port := rest.Value(have.Port); port != 0 {
		return int(port)
	}
	endpoint, _ := have.MainEndpoint()
	return int(endpoint.Port)
}

// shardsAreLicensed: the licence counts masters and replicas of all databases together. A limit per kind of memory
// takes precedence over the total.
func shardsAreLicensed(old, db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) error {
	if snapshot.License == nil || snapshot.License.ShardsLimit == nil {
		return nil
	}
	limit, more := int(*snapshot.License.ShardsLimit), shards(db)
	if old != nil {
		more -= shards(old)
	}
	if used := len(snapshot.Shards); more > 0 && limit > 0 && used+more > limit {
		return outcome.Reject("spec.shardCount", "%d more shards (replicas included) do not fit the licence of the cluster: %d of %d are in use",
			more, used, limit)
	}
	return nil
}

// modulesAreKnown: only modules that the cluster has can be loaded (ADM-6, REDB-35), under the names it knows them by.
func modulesAreKnown(_, db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) error {
	if len(snapshot.Modules) == 0 {
		return nil
	}
	for i, wanted := range db.Spec.ModulesList {
		if !slices.ContainsFunc(snapshot.Modules, func(m rest.Module) bool { return m.ModuleName == wanted.Name }) {
			return outcome.Reject(fmt.Sprintf("spec.modulesList[%d].name", i), "the cluster has no module %s", wanted.Name)
		}
	}
	return nil
}

// versionFitsPolicy: a cluster with the policy major runs major versions only, and the word latest asks for the other
// policy (REDB-36). A version that a database has already, or that no node speaks of, is left to the cluster.
func versionFitsPolicy(old, db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) error {
	wanted := db.Spec.RedisVersion
	if wanted == "" || old != nil && old.Spec.RedisVersion == wanted ||
		snapshot.Policy == nil || rest.Value(snapshot.Policy.RedisUpgradePolicy) != string(appv1.RedisUpgradeMajor) {
		return nil
	}
	if wanted == string(appv1.RedisUpgradeLatest) {
		return outcome.Reject("spec.redisVersion", "latest needs a cluster whose spec.redisUpgradePolicy is latest; here it is major")
	}
	offered := false
	for _, node := range snapshot.Nodes {
		for _, v := range node.SupportedDatabaseVersions {
			if v.RedisVersion != wanted {
				continue
			}
			if v.Major {
				return nil
			}
			offered = true
		}
	}
	if offered {
		return outcome.Reject("spec.redisVersion", "%s is no major version, and the cluster's spec.redisUpgradePolicy is major", wanted)
	}
	return nil
}

// shards is how many shards a spec asks for, replicas included.
func shards(db *v1alpha1.RedisEnterpriseDatabase) int {
	n := 1
	if db.Spec.ShardCount != nil {
		n = *db.Spec.ShardCount
	}
	if rest.Value(db.Spec.Replication) {
		n *= 2
	}
	return n
}

// rejected gives an error of the mapping its meaning.
func rejected(err error) error {
	var invalid *bdb.Invalid
	if errors.As(err, &invalid) {
		return &outcome.Rejected{Reason: invalid.ConditionReason(), Path: invalid.Path, Message: invalid.Message}
	}
	return err
}

func rejections(list []*bdb.Invalid) []error {
	var errs []error
	for _, invalid := range list {
		errs = append(errs, rejected(invalid))
	}
	return errs
}

// reject makes one rejection of several refusals.
func reject(list []*bdb.Invalid) error { return all(rejections(list)) }

// all joins rejections into one that names them all; reason and path are those of the first.
func all(errs []error) error {
	var joined *outcome.Rejected
	for _, err := range errs {
		var next *outcome.Rejected
		switch {
		case !errors.As(err, &next):
			return err
		case joined == nil:
			joined = &outcome.Rejected{Reason: next.Reason, Path: next.Path, Message: next.Message}
		default:
			joined.Message += "; " + next.Error()
		}
	}
	if joined == nil {
		return nil
	}
	return joined
}
