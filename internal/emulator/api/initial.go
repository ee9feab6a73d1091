package api

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Stored is an object of the cluster configuration with its place.
type Stored struct {
	Kind   Kind
	ID     string
	Object Object
}

// InitialObjects is the configuration of a fresh cluster as create_cluster asks for it: cluster, policy, licence, the
// administrator, the one role and the three access lists that a new cluster has, and all settings. Nodes, proxies and
// certificates are the engine's. A bad licence is a *Error invalid_license.
func InitialObjects(req BootstrapRequest, now time.Time) ([]Stored, error) {
	license := schema.TrialLicense(req.ClusterName, now)
	if text := schema.TextOf(req.Body, "license"); text != "" {
		var err error
		if license, err = schema.ReadLicense(text, req.ClusterName, now); err != nil {
			return nil, err
		}
	}
	cluster, policy := schema.NewCluster(req.ClusterName, now), schema.Settings("cluster_policy")
	cluster["_token_key"] = randomText(32)
	applyPolicy(req.Body, cluster, policy)
	all := []Stored{
		{KindCluster, Singleton, cluster},
		{KindPolicy, Singleton, policy},
		{KindLicense, Singleton, license},
		{KindUser, "1", newUser(1, req.Username, req.Username, req.Password, now)},
		{KindRole, "1", Object{"uid": int64(1), "account_id": int64(1), "name": "Admin", "management": roleAdmin}},
	}
	for kind, typeName := range settingsTypes {
		all = append(all, Stored{kind, Singleton, schema.Settings(typeName)})
	}
	for i, acl := range predefinedACLs {
		uid := int64(i + 1)
		all = append(all, Stored{KindRedisACL, id(uid), Object{
			"uid": uid, "account_id": int64(1), "name": acl.name, "acl": acl.rule,
		}})
	}
	return append(all, suffixes(req)...), nil
}

// settingsTypes are the singletons with a table of their own.
var settingsTypes = map[Kind]string{
	KindServices: "services_configuration", KindCMSettings: "cm_settings", KindJobScheduler: "job_scheduler",
	KindMetrics: "metrics_config", KindLDAP: "ldap_config", KindSSO: "sso_config", KindOCSP: "ocsp_config",
	KindDiagnostics: "diagnostics_config",
}

var predefinedACLs = []struct{ name, rule string }{
	{"Full Access", "+@all ~*"}, {"Read Only", "+@read ~*"}, {"Not Dangerous", "+@all -@dangerous ~*"},
}

// applyPolicy takes over the deprecated policy section of a bootstrap request.
func applyPolicy(body, cluster, policy Object) {
	for key, value := range object(body["policy"]) {
		policy[key] = value
	}
	cluster["rack_aware"] = schema.BoolOf(policy, "rack_aware")
	copyPolicy(cluster, policy)
	if wait, said := object(body["cluster"])["wait_command"].(bool); said {
		cluster["wait_command"] = wait
	}
	for _, port := range []string{
		"cnm_https_port", "crdb_coordinator_port", "envoy_admin_port", "envoy_mgmt_server_port", "gossip_envoy_admin_port",
	} {
		if v, there := body[port]; there {
			cluster[port] = v
		}
	}
}

// copyPolicy refreshes the read-only copies that the cluster object shows of some policies.
func copyPolicy(cluster, policy Object) {
	for _, key := range []string{
		"default_sharded_proxy_policy", "default_non_sharded_proxy_policy", "slave_ha", "slave_ha_grace_period",
		"slave_ha_cooldown_period", "slave_ha_bdb_cooldown_period",
	} {
		if v, there := policy[key]; there {
			cluster[key] = v
		}
	}
}

func suffixes(req BootstrapRequest) []Stored {
	wanted := list(req.Body["dns_suffixes"])
	if len(wanted) == 0 {
		return []Stored{
			newSuffix(Object{"name": req.ClusterName, "cluster_default": true}),
			newSuffix(Object{"name": "internal." + req.ClusterName, "use_internal_addr": true}),
		}
	}
	var all []Stored
	for _, s := range wanted {
		all = append(all, newSuffix(object(s)))
	}
	return all
}

func newSuffix(o Object) Stored {
	name := schema.TextOf(o, "name")
	slaves := list(o["slaves"])
	if slaves == nil {
		slaves = []any{}
	}
	return Stored{KindSuffix, name, Object{
		"name": name, "default": schema.BoolOf(o, "cluster_default"), "internal": schema.BoolOf(o, "use_internal_addr"),
		"mdns": false, "slaves": slaves, "use_aaaa_ns": schema.BoolOf(o, "use_aaaa_ns"),
	}}
}

func newUser(uid int64, email, name, password string, now time.Time) Object {
	return Object{
		"uid": uid, "email": email, "name": name, "auth_method": "regular", "role": roleAdmin,
		"role_uids": []any{int64(1)}, "email_alerts": true, "bdbs_email_alerts": []any{}, "cluster_email_alerts": false,
		"status": "active", "password_issue_date": schema.Timestamp(now), "_password_sha256": []any{digest(password)},
	}
}

// randomText is n characters of hexadecimal noise.
func randomText(n int) string {
	buf := make([]byte, (n+1)/2)
	_, _ = rand.Read(buf) // never fails, says its documentation
	return hex.EncodeToString(buf)[:n]
}
