package api

import (
	"net/http"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

const (
	get    = http.MethodGet
	put    = http.MethodPut
	post   = http.MethodPost
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

// routes is the whole surface. What is not here answers 404, and so does a method that is not here.
func routes() []route {
	return slices.Concat(bootstrapRoutes(), clusterRoutes(), nodeRoutes(), accessRoutes(), databaseRoutes(),
		databaseActionRoutes(), alertRoutes(), shardRoutes(), crdbRoutes(), instanceRoutes(), otherRoutes(), notEmulated())
}

func bootstrapRoutes() []route {
	return []route{
		{method: get, pattern: "/v1/bootstrap", reach: byAnyone, open: true, serve: getBootstrap},
		{method: post, pattern: "/v1/bootstrap/{action}", reach: byAnyone, open: true, serve: startBootstrap},
		{method: post, pattern: "/v1/bootstrap/validate/{action}", reach: byAnyone, open: true, serve: validateBootstrap},
	}
}

func clusterRoutes() []route {
	return slices.Concat(
		clusterSettings.routes("/v1/cluster", "view_cluster_info", "update_cluster"),
		policySettings.routes("/v1/cluster/policy", "view_cluster_info", "update_cluster"),
		servicesSettings.routes("/v1/cluster/services_configuration", "view_cluster_info", "update_cluster"),
		ldapSettings.routes("/v1/cluster/ldap", "view_ldap_config", "config_ldap"),
		ssoSettings.routes("/v1/cluster/sso", "view_sso", "config_sso"),
		auditSettings.routes("/v1/cluster/auditing/db_conns", "view_cluster_info", "update_cluster"),
		cmSettings.routes("/v1/cm_settings", "view_cluster_info", "update_cluster"),
		jobSettings.routes("/v1/job_scheduler", "view_cluster_info", "update_cluster"),
		metricsSettings.routes("/v1/metrics_config", "view_cluster_info", "update_cluster"),
		diagnosticsSettings.routes("/v1/diagnostics", "view_cluster_info", "update_cluster"),
		ocspSettings.routes("/v1/ocsp", "view_ocsp_config", "config_ocsp"),
		[]route{
			{method: put, pattern: "/v1/cluster/policy/restore_default", permission: "update_cluster", serve: restorePolicy},
			{method: remove, pattern: "/v1/cluster/ldap", permission: "config_ldap", serve: ldapSettings.reset},
			{method: remove, pattern: "/v1/cluster/sso", permission: "config_sso", serve: ssoSettings.reset},
			{method: remove, pattern: "/v1/cluster/auditing/db_conns", permission: "update_cluster", serve: deleteAudit},
			{method: get, pattern: "/v1/ocsp/status", permission: "view_ocsp_status", serve: ocspStatus},
			{method: post, pattern: "/v1/ocsp/test", permission: "test_ocsp_status", serve: ocspStatus},
			{method: get, pattern: "/v1/cluster/certificates", permission: "view_cluster_info", serve: getCertificates},
			{method: put, pattern: "/v1/cluster/certificates", permission: "update_cluster", serve: putCertificates},
			{method: put, pattern: "/v1/cluster/update_cert", permission: "update_cluster", serve: updateCertificate},
			{method: post, pattern: "/v1/cluster/certificates/rotate", permission: "update_cluster", serve: rotateCertificates},
			{method: remove, pattern: "/v1/cluster/certificates/{certificate_name}", permission: "update_cluster", serve: deleteCertificate},
			{method: patch, pattern: "/v1/cluster/change_password_hashing_algorithm", permission: "update_cluster", serve: changeHashing},
			{method: get, pattern: "/v1/cluster/check", permission: "view_all_nodes_checks", serve: clusterCheck},
			{method: get, pattern: "/v1/cluster/module-capabilities", permission: "view_cluster_modules", serve: moduleCapabilities},
			{method: get, pattern: "/v1/cluster/witness_disk", serve: witnessDisk},
			{method: get, pattern: "/v1/cluster/actions", permission: "view_status_of_cluster_action", serve: listClusterActions},
			{method: get, pattern: "/v1/cluster/actions/{action}", permission: "view_status_of_cluster_action", serve: getClusterAction},
			{method: post, pattern: "/v1/cluster/actions/{action}", permission: "start_cluster_action", serve: startClusterAction},
			{method: remove, pattern: "/v1/cluster/actions/{action}", permission: "cancel_cluster_action", serve: cancelClusterAction},
			{method: get, pattern: "/v1/cluster/stats", permission: "view_cluster_stats", serve: clusterStats},
			{method: get, pattern: "/v1/cluster/stats/last", permission: "view_cluster_stats", serve: clusterStatsLast},
			{method: get, pattern: "/v1/license", permission: "view_license", serve: getLicense},
			{method: put, pattern: "/v1/license", permission: "install_new_license", serve: putLicense},
			{method: get, pattern: "/v1/suffixes", permission: "view_cluster_info", serve: listSuffixes},
			{method: get, pattern: "/v1/suffix/{name}", permission: "view_cluster_info", serve: getSuffix},
			{method: patch, pattern: "/v1/suffix/{name}", permission: "update_cluster", serve: patchSuffix},
			{method: remove, pattern: "/v1/suffix/{name}", permission: "update_cluster", serve: deleteSuffix},
		})
}

func nodeRoutes() []route {
	return slices.Concat(nodeStats.routes("/v1/nodes/stats", "view_all_nodes_stats", "view_node_stats"), []route{
		{method: get, pattern: "/v1/nodes", permission: "view_all_nodes_info", serve: listNodes},
		{method: get, pattern: "/v1/nodes/status", permission: "view_node_info", serve: nodesStatus},
		{method: get, pattern: "/v1/nodes/{uid}", permission: "view_node_info", serve: getNode},
		{method: put, pattern: "/v1/nodes/{uid}", permission: "update_node", serve: updateNode},
		{method: get, pattern: "/v1/nodes/{uid}/status", permission: "view_node_info", serve: nodeStatus},
		{method: get, pattern: "/v1/nodes/wd_status", serve: watchdogs},
		{method: get, pattern: "/v1/nodes/{uid}/wd_status", serve: watchdogs},
		{method: get, pattern: "/v1/nodes/check/{uid}", permission: "view_node_check", serve: checkNode},
		{method: get, pattern: "/v1/nodes/actions", permission: "view_status_of_all_node_actions", serve: listNodeActions},
		{method: get, pattern: "/v1/nodes/{node_uid}/actions", permission: "view_status_of_node_action", serve: listNodeActions},
		{method: get, pattern: "/v1/nodes/{node_uid}/actions/{action}", permission: "view_status_of_node_action", serve: getNodeAction},
		{method: post, pattern: "/v1/nodes/{node_uid}/actions/{action}", permission: "start_node_action", serve: startNodeAction},
		{method: remove, pattern: "/v1/nodes/{node_uid}/actions/{action}", permission: "cancel_node_action", serve: cancelNodeAction},
		{method: get, pattern: "/v1/nodes/{uid}/snapshots", permission: "view_node_info", serve: listSnapshots},
		{method: post, pattern: "/v1/nodes/{uid}/snapshots/{snapshot_name}", permission: "update_node", serve: createSnapshot},
		{method: remove, pattern: "/v1/nodes/{uid}/snapshots/{snapshot_name}", permission: "update_node", serve: deleteSnapshot},
		{method: get, pattern: "/v1/proxies", permission: "view_all_proxies_info", serve: listProxies},
		{method: put, pattern: "/v1/proxies", permission: "update_proxy", serve: updateProxies},
		{method: get, pattern: "/v1/proxies/{uid}", permission: "view_proxy_info", serve: getProxy},
		{method: put, pattern: "/v1/proxies/{uid}", permission: "update_proxy", serve: updateProxies},
		{method: get, pattern: "/v1/local/node/master_healthcheck", permission: "view_cluster_info", reach: byNode, serve: masterHealth},
		{method: get, pattern: "/v1/local/bdbs/{uid}/endpoint/availability", permission: "view_bdb_info", reach: byNode, serve: localAvailability},
		{method: get, pattern: "/v1/local/services", permission: "view_cluster_info", reach: byNode, serve: localServices},
		{method: post, pattern: "/v1/local/services", permission: "update_cluster", reach: byNode, serve: operateServices},
		{method: post, pattern: "/v1/services", permission: "update_cluster", serve: operateServices},
	})
}

func accessRoutes() []route {
	return slices.Concat(
		roles.routes("/v1/roles", "view_all_roles_info", "view_role_info", "create_role", "update_role", "delete_role"),
		redisACLs.routes("/v1/redis_acls", "view_all_redis_acls_info", "view_redis_acl_info", "create_redis_acl",
			"update_redis_acl", "delete_redis_acl"),
		ldapMappings.routes("/v1/ldap_mappings", "view_all_ldap_mappings_info", "view_ldap_mapping_info",
			"create_ldap_mapping", "update_ldap_mapping", "delete_ldap_mapping"),
		[]route{
			{method: post, pattern: "/v1/redis_acls/validate", permission: "create_redis_acl", serve: validateACL},
			{method: get, pattern: "/v1/users", permission: "view_all_users_info", serve: listUsers},
			{method: post, pattern: "/v1/users", permission: "create_new_user", serve: createUser},
			{method: get, pattern: "/v1/users/{uid}", permission: "view_user_info", serve: getUser},
			{method: put, pattern: "/v1/users/{uid}", permission: "update_user", serve: updateUser},
			{method: remove, pattern: "/v1/users/{uid}", permission: "delete_user", serve: deleteUser},
			{method: post, pattern: "/v1/users/authorize", open: true, serve: authorize},
			{method: post, pattern: "/v1/users/refresh_jwt", serve: refreshToken},
			{method: put, pattern: "/v1/users/password", serve: replacePassword},
			{method: post, pattern: "/v1/users/password", serve: addPassword},
			{method: remove, pattern: "/v1/users/password", serve: deletePassword},
			{method: get, pattern: "/v1/users/permissions", serve: userPermissions},
			{method: get, pattern: "/v1/users/permissions/{role}", serve: userPermissions},
			{method: get, pattern: "/v1/users/role", serve: currentRole},
		})
}

func databaseRoutes() []route {
	return slices.Concat(
		bdbStats.routes("/v1/bdbs/stats", "view_all_bdb_stats", "view_bdb_stats"),
		bdbGroups.routes("/v1/bdb_groups", "view_all_bdbs_info", "view_bdb_info", "create_bdb", "update_bdb", "delete_bdb"),
		[]route{
			{method: get, pattern: "/v1/bdbs", permission: "view_all_bdbs_info", serve: listBDBs},
			{method: post, pattern: "/v1/bdbs", permission: "create_bdb", serve: createBDB},
			{method: post, pattern: "/v2/bdbs", permission: "create_bdb", serve: createBDB2},
			{method: get, pattern: "/v1/bdbs/{uid}", permission: "view_bdb_info", serve: getBDB},
			{method: put, pattern: "/v1/bdbs/{uid}", permission: "update_bdb", serve: updateBDB},
			{method: put, pattern: "/v1/bdbs/{uid}/{action}", permission: "update_bdb_with_action", serve: updateBDB},
			{method: remove, pattern: "/v1/bdbs/{uid}", permission: "delete_bdb", serve: deleteBDB},
			{method: put, pattern: "/v1/bdbs/{uid}/passwords", permission: "update_bdb", serve: bdbPasswords},
			{method: post, pattern: "/v1/bdbs/{uid}/passwords", permission: "update_bdb", serve: bdbPasswords},
			{method: remove, pattern: "/v1/bdbs/{uid}/passwords", permission: "update_bdb", serve: bdbPasswords},
			{method: get, pattern: "/v1/bdbs/{uid}/availability", permission: "view_bdb_info", serve: bdbAvailability},
			{method: get, pattern: "/v1/bdbs/{bdb_uid}/shards", permission: "view_bdb_info", serve: bdbShards},
			{method: get, pattern: "/v1/bdbs/{bdb_uid}/peer_stats", permission: "view_bdb_stats", serve: peerStats},
			{method: get, pattern: "/v1/bdbs/{bdb_uid}/peer_stats/{uid}", permission: "view_bdb_stats", serve: peerStats},
			{method: get, pattern: "/v1/bdbs/{bdb_uid}/sync_source_stats", permission: "view_bdb_stats", serve: sourceStats},
			{method: get, pattern: "/v1/bdbs/{bdb_uid}/sync_source_stats/{uid}", permission: "view_bdb_stats", serve: sourceStats},
			{method: get, pattern: "/v1/bdbs/{uid}/syncer_state", permission: "view_bdb_info", serve: crdtSyncer},
			{method: get, pattern: "/v1/bdbs/{uid}/syncer_state/crdt", permission: "view_bdb_info", serve: crdtSyncer},
			{method: get, pattern: "/v1/bdbs/{uid}/syncer_state/replica", permission: "view_bdb_info", serve: noSyncer},
			{method: get, pattern: "/v1/bdbs/certificates", permission: "view_all_bdbs_info", serve: listBDBCertificates},
			{method: get, pattern: "/v1/bdbs/{uid}/certificates", permission: "view_bdb_info", serve: getBDBCertificate},
			{method: post, pattern: "/v1/bdbs/{uid}/certificates", permission: "update_bdb", serve: setBDBCertificate},
			{method: remove, pattern: "/v1/bdbs/{uid}/certificates", permission: "update_bdb", serve: deleteBDBCertificate},
			{method: get, pattern: "/v1/migrations/{uid}", permission: "view_bdb_info", serve: migration},
			{method: get, pattern: "/v1/endpoints/stats", permission: "view_endpoint_stats", serve: endpointStats},
		})
}

func databaseActionRoutes() []route {
	const base = "/v1/bdbs/{uid}/actions/"
	return []route{
		{method: post, pattern: base + "export", permission: "start_bdb_export",
			serve: bdbAction{name: "export", typeName: "export_request", quiet: true}.serve},
		{method: post, pattern: base + "import", permission: "start_bdb_import",
			serve: bdbAction{name: "import", typeName: "import_request", quiet: true}.serve},
		{method: put, pattern: base + "export_reset_status", permission: "reset_bdb_current_export_status", serve: resetStatus("export")},
		{method: put, pattern: base + "import_reset_status", permission: "reset_bdb_current_import_status", serve: resetStatus("import")},
		{method: put, pattern: base + "backup_reset_status", permission: "reset_bdb_current_backup_status", serve: resetStatus("backup")},
		{method: get, pattern: base + "optimize_shards_placement", permission: "view_bdb_info", serve: optimizePlacement},
		// The page names a permission to look for a call that changes; the emulator wants the right to change.
		{method: put, pattern: base + "rebalance", permission: "update_bdb_with_action", serve: bdbAction{name: "rebalance"}.serve},
		{method: put, pattern: base + "revamp", permission: "update_bdb_with_action",
			serve: bdbAction{name: "revamp", typeName: "revamp_request", mode: schema.Change}.serve},
		{method: get, pattern: base + "recover", permission: "view_bdb_recovery_plan", serve: recoveryPlan},
		{method: post, pattern: base + "recover", permission: "start_bdb_recovery",
			serve: bdbAction{name: "recover", typeName: "recover_request", mode: schema.Change}.serve},
		{method: post, pattern: base + "stop_traffic", permission: "update_bdb_with_action", serve: bdbAction{name: "stop_traffic"}.serve},
		{method: post, pattern: base + "resume_traffic", permission: "update_bdb_with_action", serve: bdbAction{name: "resume_traffic"}.serve},
		{method: post, pattern: "/v1/bdbs/{uid}/upgrade", permission: "update_bdb_with_action", serve: upgradeBDB},
		{method: post, pattern: "/v1/bdbs/{uid}/modules/config", permission: "edit_bdb_module", serve: configModules},
		{method: post, pattern: "/v1/modules/config/bdb/{uid}", permission: "edit_bdb_module", serve: configModules},
		{method: post, pattern: "/v1/bdbs/{uid}/modules/upgrade", permission: "edit_bdb_module", serve: upgradeModules},
	}
}

func alertRoutes() []route {
	all := []route{
		{method: get, pattern: "/v1/bdbs/alerts", permission: "view_all_bdbs_alerts", serve: listBDBAlerts},
		{method: get, pattern: "/v1/bdbs/alerts/{uid}", permission: "view_bdb_alerts", serve: getBDBAlerts},
		{method: post, pattern: "/v1/bdbs/alerts/{uid}", permission: "update_bdb_alerts", serve: setBDBAlerts},
		{method: get, pattern: "/v1/bdbs/alerts/{uid}/{alert}", permission: "view_bdb_alerts", serve: getBDBAlerts},
		{method: get, pattern: "/v1/cluster/alerts", permission: "view_cluster_alerts", serve: getClusterAlerts},
		{method: get, pattern: "/v1/cluster/alerts/{alert}", permission: "view_cluster_alerts", serve: getClusterAlerts},
		{method: get, pattern: "/v1/nodes/alerts", permission: "view_all_nodes_alerts", serve: listNodeAlerts},
		{method: get, pattern: "/v1/nodes/alerts/{uid}", permission: "view_node_alerts", serve: getNodeAlerts},
		{method: get, pattern: "/v1/nodes/alerts/{uid}/{alert}", permission: "view_node_alerts", serve: getNodeAlerts},
	}
	for _, source := range []string{"crdt_sources", "replica_sources"} {
		path := "/v1/bdbs/" + source + "/alerts"
		all = append(all,
			route{method: get, pattern: path, permission: "view_all_bdbs_alerts", serve: sourceAlerts},
			route{method: get, pattern: path + "/{uid}", permission: "view_bdb_alerts", serve: sourceAlerts},
			route{method: get, pattern: path + "/{uid}/{source}", permission: "view_bdb_alerts", serve: sourceAlerts},
			route{method: get, pattern: path + "/{uid}/{source}/{alert}", permission: "view_bdb_alerts", serve: sourceAlerts})
	}
	return all
}

func shardRoutes() []route {
	return slices.Concat(shardStats.routes("/v1/shards/stats", "view_all_shard_stats", "view_shard_stats"), []route{
		{method: get, pattern: "/v1/shards", permission: "view_all_bdbs_info", serve: listShards},
		{method: get, pattern: "/v1/shards/{uid}", permission: "view_bdb_info", serve: getShard},
		{method: post, pattern: "/v1/shards/actions/failover", permission: "failover_shard", serve: failoverShards},
		{method: post, pattern: "/v1/shards/{uid}/actions/failover", permission: "failover_shard", serve: failoverShard},
		{method: post, pattern: "/v1/shards/actions/migrate", permission: "migrate_shard", serve: migrateShards},
		{method: post, pattern: "/v1/shards/{uid}/actions/migrate", permission: "migrate_shard", serve: migrateShard},
	})
}

func otherRoutes() []route {
	all := []route{
		{method: get, pattern: "/v1/actions", permission: "view_status_of_cluster_action", serve: listActions},
		{method: get, pattern: "/v1/actions/{uid}", permission: "view_status_of_cluster_action", serve: getAction},
		{method: get, pattern: "/v1/actions/bdb/{bdb_uid}", permission: "view_status_of_cluster_action", serve: bdbActions},
		{method: get, pattern: "/v2/actions", permission: "view_status_of_cluster_action", serve: listActions2},
		{method: get, pattern: "/v2/actions/{uid}", permission: "view_status_of_cluster_action", serve: getAction2},
		{method: get, pattern: "/v1/modules", permission: "view_cluster_modules", serve: listModules},
		{method: get, pattern: "/v1/modules/{uid}", permission: "view_cluster_modules", serve: getModule},
		{method: remove, pattern: "/v1/modules/{uid}", permission: "delete_cluster_module", serve: deleteModule},
		{method: remove, pattern: "/v2/modules/{uid}", permission: "delete_cluster_module", serve: deleteModule},
		{method: post, pattern: "/v2/modules/user-defined", permission: "manage_cluster_modules", serve: uploadModule},
		{method: remove, pattern: "/v2/modules/user-defined/{uid}", permission: "manage_cluster_modules", serve: missingArtifact},
		{method: get, pattern: "/v2/local/modules/user-defined/artifacts", permission: "view_cluster_modules", reach: byNode, serve: listArtifacts},
		{method: post, pattern: "/v2/local/modules/user-defined/artifacts", permission: "manage_cluster_modules", reach: byNode, serve: uploadModule},
		{method: remove, pattern: "/v2/local/modules/user-defined/artifacts/{module_name}/{version}", permission: "manage_cluster_modules",
			reach: byNode, serve: missingArtifact},
		{method: get, pattern: "/v1/jsonschema", serve: jsonSchema},
		{method: get, pattern: "/v1/logs", permission: "view_logged_events", serve: getLogs},
		{method: get, pattern: "/v1/usage_report", permission: "view_cluster_info", serve: usageReport},
		{method: get, pattern: "/v4/cluster/health", permission: "view_cluster_info", serve: clusterHealth},
		{method: get, pattern: "/v4/db/{uid}/health", permission: "view_bdb_info", serve: databaseHealth},
	}
	for _, path := range []string{
		"/v1/cluster/debuginfo", "/v1/nodes/debuginfo", "/v1/nodes/{node_uid}/debuginfo", "/v1/bdbs/debuginfo",
		"/v1/bdbs/{bdb_uid}/debuginfo", "/v1/debuginfo/all", "/v1/debuginfo/all/bdb/{bdb_uid}", "/v1/debuginfo/node",
		"/v1/debuginfo/node/bdb/{bdb_uid}",
	} {
		all = append(all, route{method: get, pattern: path, permission: "view_debugging_info", serve: debugInfo})
	}
	return all
}

// notEmulated are routes of the product that exist here without what is behind them: reading shows that there is
// nothing, changing is refused with a sentence.
func notEmulated() []route {
	return []route{
		{method: post, pattern: "/v1/modules", permission: "add_cluster_module", serve: uploadModule},
		{method: post, pattern: "/v2/modules", permission: "update_cluster", serve: uploadModule},
		{method: post, pattern: "/v1/cluster/sso/saml/metadata/idp", permission: "config_sso", serve: unsupported},
		{method: get, pattern: "/v1/cluster/sso/saml/metadata/sp", permission: "view_sso", serve: noServiceProvider},
	}
}
