package activeactive

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// pathOverrides is the annotation with the settings of one location.
const pathOverrides = "metadata.annotations[" + names.AnnotationLocalOverrides + "]"

// Overridable are the settings that may differ between the participants of a database. Others are the same everywhere for
// the sake of the data: memory, shards, eviction, version, TLS. The port is chosen once, by whoever creates the database.
var Overridable = []string{"databasePort", "databaseServicePort", "persistence", "proxyPolicy", "rackAware", "replication", "shardsPlacement"}

// overrides are the settings of this location; empty for none.
func overrides(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) (tree, error) {
	text := strings.TrimSpace(db.Annotations[names.AnnotationLocalOverrides])
	out := tree{}
	if text == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil || out == nil {
		return tree{}, outcome.Reject(pathOverrides, "must be a JSON object with fields of globalConfigurations")
	}
	for _, key := range slices.Sorted(maps.Keys(out)) {
		if !slices.Contains(Overridable, key) {
			return tree{}, outcome.Reject(pathOverrides, "%s cannot differ between participating clusters; these can: %s", key, strings.Join(Overridable, ", "))
		}
	}
	return out, nil
}

// localSpec are the settings of the database on this cluster.
func localSpec(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) (*v1alpha1.GlobalConfigurations, error) {
	over, err := overrides(db)
	if err != nil {
		return nil, err
	}
	all := globalTree(db.Spec.GlobalConfigurations)
	maps.Copy(all, over)
	return globalOf(all, pathOverrides)
}

// globalOf reads settings back from their JSON.
func globalOf(settings tree, path string) (*v1alpha1.GlobalConfigurations, error) {
	if len(settings) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	out := &v1alpha1.GlobalConfigurations{}
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, outcome.Reject(path, "%v", err)
	}
	return out, nil
}

// overridesAreSound judges the settings of this location like the common ones.
func overridesAreSound(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	over, err := overrides(db)
	if err != nil {
		return []error{err}
	}
	if len(over) == 0 {
		return nil
	}
	all, err := localSpec(db)
	if err != nil {
		return []error{err}
	}
	spec := all.DatabaseSpec().DeepCopy()
	spec.ShardingEnabled = nil
	var errs []error
	for _, found := range bdb.Validate(db.Name, spec) {
		if key := strings.TrimPrefix(found.Path, "spec."); over[key] != nil {
			errs = append(errs, outcome.Reject(pathOverrides, "%s: %s", key, found.Message))
		}
	}
	return errs
}
