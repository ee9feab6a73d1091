package bdb

import (
	"slices"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

// exempt is a field of the spec that has no line in the table, and why.
type exempt struct{ path, reason string }

// notSent are fields that mean nothing to the admin API.
var notSent = []exempt{
	{"redisEnterpriseCluster", "chooses the cluster that is talked to"},
	{"databaseServicePort", "port of the Kubernetes Services; the database carries it as the tag db_service_port"},
	{"shardingEnabled", "refused: only for Active-Active databases"},
	{"activeActive", "accepted and ignored, as documented"},
	{"alertSettings", "sent by a call of its own, POST /v1/bdbs/alerts/{uid}, under the same names"},
}

// notYet are fields that the resource knows and the operator does not act on yet. Each is named in a warning event.
var notYet = []struct {
	exempt
	set func(*v1alpha1.RedisEnterpriseDatabaseSpec) bool
}{
	{exempt{"backup", "periodic backups"},
		func(s *v1alpha1.RedisEnterpriseDatabaseSpec) bool { return s.Backup != nil }},
	{exempt{"replicaSources", "copying from other databases"},
		func(s *v1alpha1.RedisEnterpriseDatabaseSpec) bool { return len(s.ReplicaSources) > 0 }},
	{exempt{"rolesPermissions", "roles and ACLs"},
		func(s *v1alpha1.RedisEnterpriseDatabaseSpec) bool { return len(s.RolesPermissions) > 0 }},
	{exempt{"rofRamRatio", "share of memory with flash storage"},
		func(s *v1alpha1.RedisEnterpriseDatabaseSpec) bool { return s.RoFRAMRatio != nil }},
	{exempt{"upgradeSpec", "options of the deprecated module upgrade"},
		func(s *v1alpha1.RedisEnterpriseDatabaseSpec) bool { return s.UpgradeSpec != nil }}, //nolint:staticcheck // deprecated for users, still to be noticed
}

// Unsupported lists the fields that the spec sets and the operator does not act on yet.
func Unsupported(spec *v1alpha1.RedisEnterpriseDatabaseSpec) []string {
	var paths []string
	for _, f := range notYet {
		if f.set(spec) {
			paths = append(paths, "spec."+f.path)
		}
	}
	slices.Sort(paths)
	return paths
}
