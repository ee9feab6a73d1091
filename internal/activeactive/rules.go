package activeactive

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// pathClusters is the list of participants; pathGlobal the settings they share.
const (
	pathClusters = "spec.participatingClusters"
	pathGlobal   = "spec.globalConfigurations"
)

// fewest is how many clusters make a database Active-Active.
const fewest = 2

var name = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate lists what is wrong with a resource, judged by itself alone.
func Validate(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	var errs []error
	if !name.MatchString(db.Name) {
		errs = append(errs, outcome.Reject("metadata.name", // AA-2
			"must have at most 63 lower-case letters, digits and hyphens, begin with a letter and end with a letter or digit"))
	}
	errs = append(errs, participants(db)...)
	errs = append(errs, settings(db)...)
	return append(errs, overridesAreSound(db)...)
}

func participants(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	var errs []error
	list := db.Spec.ParticipatingClusters
	if len(list) < fewest {
		errs = append(errs, outcome.Reject(pathClusters, "must name at least %d clusters, the local one included; the list is always given as a whole", fewest))
	}
	seen := map[string]bool{}
	for _, p := range list {
		if seen[p.Name] {
			errs = append(errs, outcome.Reject(pathClusters, "%s is listed twice", p.Name))
		}
		seen[p.Name] = true
		if port := p.ExternalReplicationPort; port != nil && len(validation.IsValidPortNum(*port)) > 0 {
			errs = append(errs, outcome.Reject(pathClusters, "externalReplicationPort of %s must be from 1 to 65535, not %d", p.Name, *port))
		}
	}
	return errs
}

// settings follow the rules of an ordinary database, less what Active-Active cannot do (AA-6), plus what only it can.
func settings(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	if db.Spec.GlobalConfigurations == nil {
		return nil
	}
	spec := db.Spec.GlobalConfigurations.DatabaseSpec().DeepCopy()
	never := spec.ShardingEnabled != nil && !*spec.ShardingEnabled
	spec.ShardingEnabled = nil
	var errs []error
	for _, found := range bdb.Validate(db.Name, spec) {
		if found.Path != "metadata.name" {
			errs = append(errs, outcome.Reject(globalPath(found.Path), "%s", found.Message))
		}
	}
	for _, cannot := range []struct {
		set  bool
		path string
		why  string
	}{
		{spec.IsRoF != nil && *spec.IsRoF, "isRof", "Active-Active databases cannot use flash storage"},
		{spec.Type == v1alpha1.DatabaseMemcached, "type", "Active-Active databases cannot be memcached"},
		{never && spec.ShardCount != nil && *spec.ShardCount > 1, "shardCount", "a database without shardingEnabled has one shard"},
		{len(spec.ReplicaSources) > 0, "replicaSources", "Active-Active databases cannot copy from another database"},
		{spec.OSSClusterSettings != nil && spec.OSSClusterSettings.EnableExternalAccess, "ossClusterSettings.enableExternalAccess",
			"external access for OSS cluster clients is not for Active-Active databases"},
	} {
		if cannot.set {
			errs = append(errs, outcome.Reject(pathGlobal+"."+cannot.path, "%s", cannot.why))
		}
	}
	return errs
}

func globalPath(path string) string { return pathGlobal + strings.TrimPrefix(path, "spec") }

// ValidateChange lists what an edit changes and must not.
func ValidateChange(old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	was, is := old.Spec.GlobalConfigurations.DatabaseSpec(), db.Spec.GlobalConfigurations.DatabaseSpec()
	var errs []error
	for _, found := range bdb.ValidateChange(db.Name, was, is) {
		errs = append(errs, outcome.Reject(globalPath(found.Path), "%s", found.Message))
	}
	if ptr.Deref(was.ShardingEnabled, true) != ptr.Deref(is.ShardingEnabled, true) { // AA-7
		errs = append(errs, outcome.Reject(pathGlobal+".shardingEnabled", "cannot change after the database was created"))
	}
	return errs
}

// Stays tells whether the local cluster is not, or no longer, among the participants (AA-1): a participant is taken out on
// another one, because a cluster cannot ask for a change in which it takes no part.
func Stays(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, local map[string]bool) error {
	known := ""
	for _, name := range slices.Sorted(maps.Keys(local)) {
		if !local[name] {
			continue
		}
		if known = name; lists(db, name) {
			return nil
		}
	}
	if known == "" {
		return nil // nobody knows yet which one is the local cluster
	}
	return outcome.Reject(pathClusters, "the local cluster %s is not among them; to take it out, edit the resource on another participating cluster", known)
}

// Swapped tells whether an edit takes the local cluster away and brings another in (AA-15): a merge patch that was meant
// to add a cluster replaces the whole list and looks just like that.
func Swapped(old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, local map[string]bool) error {
	was, is := map[string]bool{}, map[string]bool{}
	for _, p := range old.Spec.ParticipatingClusters {
		was[p.Name] = true
	}
	added := false
	for _, p := range db.Spec.ParticipatingClusters {
		is[p.Name] = true
		added = added || !was[p.Name]
	}
	for _, p := range old.Spec.ParticipatingClusters {
		if local[p.Name] && !is[p.Name] && added {
			return outcome.Reject(pathClusters, "the edit removes the local cluster %s and adds another: a patch replaces the list, so give it as a whole", p.Name)
		}
	}
	return nil
}
