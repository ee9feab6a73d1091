package rest

import (
	"context"
	"encoding/json"
	"net/http"
)

// Cluster holds the settings of GET and PUT /v1/cluster that the operator reads or writes.
type Cluster struct {
	Name                     *string  `json:"name,omitempty"`
	CreatedTime              *string  `json:"created_time,omitempty"`
	RackAware                *bool    `json:"rack_aware,omitempty"`
	EmailAlerts              *bool    `json:"email_alerts,omitempty"`
	HandleRedirects          *bool    `json:"handle_redirects,omitempty"`
	HandleMetricsRedirects   *bool    `json:"handle_metrics_redirects,omitempty"`
	HTTPSupport              *bool    `json:"http_support,omitempty"`
	MaskBDBCredentials       *bool    `json:"mask_bdb_credentials,omitempty"`
	CMPort                   *Int     `json:"cm_port,omitempty"`
	CMSessionTimeoutMinutes  *Int     `json:"cm_session_timeout_minutes,omitempty"`
	ControlCipherSuites      *string  `json:"control_cipher_suites,omitempty"`
	ControlCipherSuitesTLS13 *string  `json:"control_cipher_suites_tls_1_3,omitempty"`
	DataCipherList           *string  `json:"data_cipher_list,omitempty"`
	DataCipherSuitesTLS13    *Strings `json:"data_cipher_suites_tls_1_3,omitempty"`
	MinControlTLSVersion     *string  `json:"min_control_TLS_version,omitempty"`
	MinDataTLSVersion        *string  `json:"min_data_TLS_version,omitempty"`
	MinSentinelTLSVersion    *string  `json:"min_sentinel_TLS_version,omitempty"`
	SentinelCipherSuites     *Strings `json:"sentinel_cipher_suites,omitempty"`
	SentinelTLSMode          *string  `json:"sentinel_tls_mode,omitempty"`
	PasswordComplexity       *bool    `json:"password_complexity,omitempty"`
	PasswordMinLength        *Int     `json:"password_min_length,omitempty"`
	ReservedPorts            *[]Text  `json:"reserved_ports,omitempty"`
	SystemReservedPorts      *[]Text  `json:"system_reserved_ports,omitempty"`
	SlaveHA                  *bool    `json:"slave_ha,omitempty"`
	UpgradeInProgress        *bool    `json:"upgrade_in_progress,omitempty"`
	UpgradeMode              *bool    `json:"upgrade_mode,omitempty"`
	MetricsAuth              *bool    `json:"metrics_auth,omitempty"`
	EncryptPkeys             *bool    `json:"encrypt_pkeys,omitempty"`
	S3URL                    *string  `json:"s3_url,omitempty"`

	DMCExternalCBAAuthentication *bool `json:"dmc_external_cba_authentication,omitempty"`

	AlertSettings *json.RawMessage `json:"alert_settings,omitempty"`
}

// ClusterPolicy holds the settings of GET and PUT /v1/cluster/policy.
type ClusterPolicy struct {
	RackAware                    *bool   `json:"rack_aware,omitempty"`
	SlaveHA                      *bool   `json:"slave_ha,omitempty"`
	SlaveHAGracePeriod           *Int    `json:"slave_ha_grace_period,omitempty"`
	SlaveHACooldownPeriod        *Int    `json:"slave_ha_cooldown_period,omitempty"`
	SlaveHABDBCooldownPeriod     *Int    `json:"slave_ha_bdb_cooldown_period,omitempty"`
	RedisUpgradePolicy           *string `json:"redis_upgrade_policy,omitempty"`
	DefaultProvisionedRedis      *string `json:"default_provisioned_redis_version,omitempty"`
	DefaultShardsPlacement       *string `json:"default_shards_placement,omitempty"`
	DefaultNonShardedProxyPolicy *string `json:"default_non_sharded_proxy_policy,omitempty"`
	DefaultShardedProxyPolicy    *string `json:"default_sharded_proxy_policy,omitempty"`
	DefaultOSSCluster            *bool   `json:"default_oss_cluster,omitempty"`
	DataInternodeEncryption      *bool   `json:"data_internode_encryption,omitempty"`
	DBConnsAuditing              *bool   `json:"db_conns_auditing,omitempty"`
	ACLPubSubDefault             *string `json:"acl_pubsub_default,omitempty"`
	RESP3Default                 *bool   `json:"resp3_default,omitempty"`
	AutoRecovery                 *bool   `json:"auto_recovery,omitempty"`
	PersistentNodeRemoval        *bool   `json:"persistent_node_removal,omitempty"`
	ShardsOverbooking            *bool   `json:"shards_overbooking,omitempty"`
	LoginLockoutThreshold        *Int    `json:"login_lockout_threshold,omitempty"`
	LoginLockoutCounterReset     *Int    `json:"login_lockout_counter_reset_after,omitempty"`
	LoginLockoutDuration         *Int    `json:"login_lockout_duration,omitempty"`
	MasterHealthcheckAPIAuth     *bool   `json:"master_healthcheck_api_auth,omitempty"`
	MetricsExporterExposeBDBName *bool   `json:"metrics_exporter_expose_bdb_name,omitempty"`
}

// OperatingMode switches one optional service.
type OperatingMode struct {
	OperatingMode string `json:"operating_mode"`
}

// ServicesConfiguration maps a service (cm_server, mdns_server, ...) to its mode.
type ServicesConfiguration map[string]OperatingMode

// ClusterCheck is the answer of GET /v1/cluster/check. Result is true when all nodes passed.
type ClusterCheck struct {
	Result bool        `json:"cluster_test_result"`
	Nodes  []NodeCheck `json:"nodes"`
}

// NodeCheck is the part of one node.
type NodeCheck struct {
	NodeUID UID  `json:"node_uid"`
	Result  bool `json:"result"`
	Error   Text `json:"error"`
}

// Certificate is a certificate of the cluster, by its name: api, proxy, cm, syncer, ...
type Certificate struct {
	Name        string `json:"name"`
	Certificate string `json:"certificate"`
	Key         string `json:"key,omitempty"`
}

// String shows the name only.
func (c Certificate) String() string { return "certificate " + c.Name }

// GoString hides the key from %#v as well.
func (c Certificate) GoString() string { return "rest.Certificate{" + c.Name + "}" }

// GetCluster reads the cluster's settings.
func (c *Client) GetCluster(ctx context.Context) (*Cluster, error) {
	out := new(Cluster)
	if err := c.get(ctx, "/v1/cluster", "/v1/cluster", out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateCluster changes the settings that are set in body.
func (c *Client) UpdateCluster(ctx context.Context, body *Cluster) error {
	return c.put(ctx, "/v1/cluster", "/v1/cluster", body, nil)
}

// GetPolicy reads the cluster's policy.
func (c *Client) GetPolicy(ctx context.Context) (*ClusterPolicy, error) {
	out := new(ClusterPolicy)
	if err := c.get(ctx, "/v1/cluster/policy", "/v1/cluster/policy", out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdatePolicy changes the settings that are set in body.
func (c *Client) UpdatePolicy(ctx context.Context, body *ClusterPolicy) error {
	return c.put(ctx, "/v1/cluster/policy", "/v1/cluster/policy", body, nil)
}

// GetServices reads which optional services run.
func (c *Client) GetServices(ctx context.Context) (ServicesConfiguration, error) {
	var out ServicesConfiguration
	err := c.get(ctx, "/v1/cluster/services_configuration", "/v1/cluster/services_configuration", &out)
	return out, err
}

// UpdateServices switches the services that body names.
func (c *Client) UpdateServices(ctx context.Context, body ServicesConfiguration) error {
	return c.put(ctx, "/v1/cluster/services_configuration", "/v1/cluster/services_configuration", body, nil)
}

// CheckCluster runs the cluster's own checks on all nodes.
func (c *Client) CheckCluster(ctx context.Context) (*ClusterCheck, error) {
	out := new(ClusterCheck)
	err := c.do(ctx, call{method: http.MethodGet, route: "/v1/cluster/check", path: "/v1/cluster/check", out: out, slow: allNodes})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ChangeMaster moves the leader to a node. It is asynchronous: NodeStatuses tells the roles.
func (c *Client) ChangeMaster(ctx context.Context, node UID) error {
	body := struct {
		NodeUID string `json:"node_uid"`
	}{node.String()}
	const path = "/v1/cluster/actions/change_master"
	return c.post(ctx, path, path, body, nil)
}

// GetCertificates reads the flat map of certificates and private keys: <name>_cert and <name>_key.
func (c *Client) GetCertificates(ctx context.Context) (map[string]string, error) {
	var raw map[string]Text
	if err := c.get(ctx, "/v1/cluster/certificates", "/v1/cluster/certificates", &raw); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(raw))
	for k, v := range raw {
		out[k] = string(v)
	}
	return out, nil
}

// UpdateCertificates installs certificates on all nodes.
func (c *Client) UpdateCertificates(ctx context.Context, certs []Certificate) error {
	body := struct {
		Certificates []Certificate `json:"certificates"`
	}{certs}
	const path = "/v1/cluster/certificates"
	return c.do(ctx, call{method: http.MethodPut, route: path, path: path, body: body, slow: allNodes})
}

// DeleteCertificate removes one of the optional certificates.
func (c *Client) DeleteCertificate(ctx context.Context, name string) error {
	return c.delete(ctx, "/v1/cluster/certificates/{name}", "/v1/cluster/certificates/"+name, nil)
}

// RotateCertificates renews the certificates that the cluster made itself.
func (c *Client) RotateCertificates(ctx context.Context) error {
	const path = "/v1/cluster/certificates/rotate"
	return c.do(ctx, call{method: http.MethodPost, route: path, path: path, body: struct{}{}, slow: allNodes})
}
