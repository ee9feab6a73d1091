package schema

import (
	"strings"
	"testing"

	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// knows tells whether a schema has a field, given by its path.
func knows(schema *apiextv1.JSONSchemaProps, path string) bool {
	at := *schema
	for part := range strings.SplitSeq(path, ".") {
		if at.Items != nil && at.Items.Schema != nil {
			at = *at.Items.Schema
		}
		next, ok := at.Properties[part]
		if !ok {
			return false
		}
		at = next
	}
	return true
}

// Pages of the documentation use words that no schema ever had. The schema counts.
func TestREC102_REDB23_REDB32_WordsThatOnlyPagesUse(t *testing.T) {
	crds := loadCRDs(t)
	for _, c := range []struct {
		kind, path string
		exists     bool
	}{
		{"RedisEnterpriseCluster", "spec.redisOnFlashSpec.storageClassName", true},
		{"RedisEnterpriseCluster", "spec.redisOnFlashSpec.flashStorageClassName", false},
		{"RedisEnterpriseCluster", "spec.redisOnFlashSpec.bigStoreDriver", true},
		{"RedisEnterpriseCluster", "spec.redisOnFlashSpec.storageEngine", false},
		{"RedisEnterpriseDatabase", "spec.modulesList", true},
		{"RedisEnterpriseDatabase", "spec.modulesList.name", true},
		{"RedisEnterpriseDatabase", "spec.moduleList", false},
		{"RedisEnterpriseDatabase", "spec.upgradeSpec.upgradeModulesToLatest", true},
		{"RedisEnterpriseDatabase", "status.isRof", false},
		{"RedisEnterpriseDatabase", "status.publicService", false},
		{"RedisEnterpriseDatabase", "status.internalService", false},
		{"RedisEnterpriseDatabase", "status.internalEndpoints", true},
	} {
		for _, version := range crds[c.kind].Spec.Versions {
			if got := knows(version.Schema.OpenAPIV3Schema, c.path); got != c.exists {
				t.Errorf("%s %s: %s exists: %t", c.kind, version.Name, c.path, got)
			}
		}
	}
}
