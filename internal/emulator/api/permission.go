package api

import (
	"sort"
	"strings"
)

// Management roles, in the order of power over the cluster.
const (
	roleAdmin         = "admin"
	roleClusterMember = "cluster_member"
	roleClusterViewer = "cluster_viewer"
	roleDBMember      = "db_member"
	roleDBViewer      = "db_viewer"
	roleUserManager   = "user_manager"
	roleNone          = "none"
)

// grants say which roles hold which permissions; a role holds what any line gives it.
var grants = []struct{ roles, permissions string }{
	{"admin", `add_cluster_module cancel_cluster_action cancel_node_action config_ocsp config_sso delete_cluster_module
		manage_cluster_modules start_cluster_action start_node_action test_ocsp_status update_cluster update_node
		view_ocsp_config view_ocsp_status`},
	{"admin cluster_member cluster_viewer", `view_all_metrics`},
	{"admin cluster_member cluster_viewer db_member db_viewer user_manager", `view_all_bdb_stats view_all_bdbs_alerts
		view_all_bdbs_info view_all_nodes_alerts view_all_nodes_checks view_all_nodes_info view_all_nodes_stats
		view_all_proxies_info view_all_redis_acls_info view_all_roles_info view_all_shard_stats view_bdb_alerts
		view_bdb_info view_bdb_recovery_plan view_bdb_stats view_cluster_alerts view_cluster_info
		view_cluster_modules view_cluster_stats view_crdb view_crdb_list view_crdb_task view_crdb_task_list
		view_endpoint_stats view_license view_node_alerts view_node_check view_node_info view_node_stats
		view_proxy_info view_redis_acl_info view_role_info view_shard_stats view_sso view_status_of_all_node_actions
		view_status_of_cluster_action view_status_of_node_action`},
	{"admin cluster_member cluster_viewer db_member user_manager", `view_logged_events`},
	{"admin cluster_member db_member", `create_bdb create_crdb delete_bdb delete_crdb edit_bdb_module failover_shard
		flush_crdb migrate_shard purge_instance reset_bdb_current_backup_status reset_bdb_current_export_status
		reset_bdb_current_import_status start_bdb_export start_bdb_import start_bdb_recovery update_bdb
		update_bdb_alerts update_bdb_with_action update_crdb upgrade_crdb`},
	{"admin cluster_member db_member user_manager", `view_debugging_info view_redis_pass`},
	{"admin cluster_member user_manager", `view_cluster_keys`},
	{"admin user_manager", `config_ldap create_ldap_mapping create_new_user create_redis_acl create_role
		delete_ldap_mapping delete_redis_acl delete_role delete_user install_new_license update_ldap_mapping
		update_proxy update_redis_acl update_role update_user view_all_ldap_mappings_info view_all_users_info
		view_ldap_config view_ldap_mapping_info view_user_info`},
}

var managementRoles = []string{
	roleAdmin, roleClusterMember, roleClusterViewer, roleDBMember, roleDBViewer, roleUserManager, roleNone,
}

var permissionsByRole = func() map[string]map[string]bool {
	table := map[string]map[string]bool{}
	for _, r := range managementRoles {
		table[r] = map[string]bool{}
	}
	for _, g := range grants {
		for _, r := range strings.Fields(g.roles) {
			for _, p := range strings.Fields(g.permissions) {
				table[r][p] = true
			}
		}
	}
	return table
}()

func may(role, permission string) bool { return permissionsByRole[role][permission] }

// permissionsOf are the permissions of a management role, sorted.
func permissionsOf(role string) []string {
	out := make([]string, 0, len(permissionsByRole[role]))
	for p := range permissionsByRole[role] {
		out = append(out, p)
	}
	sort.Strings(out)
	return out
}
