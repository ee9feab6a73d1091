package v1

// CredentialSecretType says where secrets are read.
type CredentialSecretType string

const (
	// CredentialsInKubernetes reads Kubernetes secrets.
	CredentialsInKubernetes CredentialSecretType = "kubernetes"
	// CredentialsInVault reads HashiCorp Vault.
	CredentialsInVault CredentialSecretType = "vault"
)

// Certificates names the secrets that hold the certificates of the cluster. Each holds a certificate under `cert`,
// `certificate` or `tls.crt`, its private key under `key` or `tls.key`, and optionally a chain under `ca.crt`. A
// changed secret is applied without restarting anything. Clearing a name leaves the last certificate in place.
type Certificates struct {
	// Certificate of the admin API.
	// +optional
	APICertificateSecretName string `json:"apiCertificateSecretName,omitempty"`
	// Certificate of the admin console.
	// +optional
	CMCertificateSecretName string `json:"cmCertificateSecretName,omitempty"`
	// Certificate of the metrics endpoint.
	// +optional
	MetricsExporterCertificateSecretName string `json:"metricsExporterCertificateSecretName,omitempty"`
	// Certificate that databases with TLS show to their clients.
	// +optional
	ProxyCertificateSecretName string `json:"proxyCertificateSecretName,omitempty"`
	// Certificate with which replication between clusters identifies itself.
	// +optional
	SyncerCertificateSecretName string `json:"syncerCertificateSecretName,omitempty"`
	// Certificate that the cluster shows to the LDAP directory. Default: none.
	// +optional
	LDAPClientCertificateSecretName string `json:"ldapClientCertificateSecretName,omitempty"`
	// Certificate of encrypted traffic between the shards of different nodes.
	// +optional
	DPInternodeEncryptionCertificateSecretName string `json:"dpInternodeEncryptionCertificateSecretName,omitempty"`
	// Certificate of encrypted control traffic between the nodes.
	// +optional
	CPInternodeEncryptionCertificateSecretName string `json:"cpInternodeEncryptionCertificateSecretName,omitempty"`
	// Certificate with which the cluster signs what it sends to the SAML identity provider. Needed before single
	// sign-on can be enabled.
	// +optional
	SSOServiceCertificateSecretName string `json:"ssoServiceCertificateSecretName,omitempty"`
	// Certificate of the SAML identity provider, without a private key. Needed before single sign-on can be enabled.
	// +optional
	SSOIssuerCertificateSecretName string `json:"ssoIssuerCertificateSecretName,omitempty"`
}

// AuditProtocol is the way audit records leave the cluster.
type AuditProtocol string

const (
	// AuditTCP sends records to a listener.
	AuditTCP AuditProtocol = "TCP"
	// AuditLocal writes records to a socket on the node; meant for development.
	AuditLocal AuditProtocol = "local"
)

// Auditing describes the auditing of database connections.
type Auditing struct {
	// Where records go. Removing it switches the listener off.
	// +optional
	Config *AuditingConfig `json:"config,omitempty"`
	// Whether connections to databases created from now on are audited. Existing databases keep their setting.
	// +optional
	DBConnsAuditing *bool `json:"dbConnsAuditing,omitempty"`
}

// AuditingConfig says where audit records go.
type AuditingConfig struct {
	// Host name or address of the listener, or the path of a socket with protocol local.
	AuditAddress string `json:"auditAddress"`
	// Port of the listener. Only with protocol TCP.
	// +optional
	AuditPort *int `json:"auditPort,omitempty"`
	// TCP or local; local is meant for development.
	// +kubebuilder:validation:Enum=TCP;local
	AuditProtocol AuditProtocol `json:"auditProtocol"`
	// Seconds between attempts to reach the listener again. Default: 1.
	// +optional
	AuditReconnectInterval *int `json:"auditReconnectInterval,omitempty"`
	// How many times to try again; 0, the default, never stops.
	// +optional
	AuditReconnectMaxAttempts *int `json:"auditReconnectMaxAttempts,omitempty"`
}

// AccessControl holds rules about access control.
type AccessControl struct {
	// Which ways of granting access are allowed.
	// +optional
	Policy *AccessControlPolicy `json:"policy,omitempty"`
}

// AccessControlPolicy says which ways of granting access are allowed.
type AccessControlPolicy struct {
	// Whether rolesPermissions of databases count. Default: true. False takes back permissions that came only from
	// there, and databases that still use the field get a warning.
	// +optional
	AllowREDBRolesPermissions *bool `json:"allowREDBRolesPermissions,omitempty"`
}

// OCSPConfiguration says how the proxy certificate is checked.
type OCSPConfiguration struct {
	// Whether the certificate is checked at all.
	// +optional
	OCSPFunctionality *bool `json:"ocspFunctionality,omitempty"`
	// Seconds between checks, from 60 to 86400.
	// +optional
	QueryFrequency *int `json:"queryFrequency,omitempty"`
	// Seconds between checks after a failed one, from 60 to 86400.
	// +optional
	RecoveryFrequency *int `json:"recoveryFrequency,omitempty"`
	// Failed checks after which the certificate counts as invalid, from 1 to 100.
	// +optional
	RecoveryMaxTries *int `json:"recoveryMaxTries,omitempty"`
	// Seconds to wait for the responder, from 1 to 60.
	// +optional
	ResponseTimeout *int `json:"responseTimeout,omitempty"`
}

// SecurityContext holds security settings of the node containers. Changing them rolls the node pods.
type SecurityContext struct {
	// A root file system that cannot be written.
	// +optional
	ReadOnlyRootFilesystemPolicy *ReadOnlyRootFilesystemPolicy `json:"readOnlyRootFilesystemPolicy,omitempty"`
	// Process limits inside the node container.
	// +optional
	ResourceLimits *ResourceLimitsSettings `json:"resourceLimits,omitempty"`
	// FIPS 140 mode.
	// +optional
	FIPS *FIPS `json:"fips,omitempty"`
}

// ReadOnlyRootFilesystemPolicy controls the root file system of the node container.
type ReadOnlyRootFilesystemPolicy struct {
	// Whether the root file system is read-only, with writable volumes only where the node needs them. Default:
	// false.
	Enabled bool `json:"enabled"`
}

// ResourceLimitsSettings controls process limits inside the node container.
type ResourceLimitsSettings struct {
	// Whether the node may raise its own limits. Default: false. True grants the capability SYS_RESOURCE and
	// privilege escalation, which restricted namespaces forbid.
	// +optional
	AllowAutoAdjustment bool `json:"allowAutoAdjustment,omitempty"`
}

// FIPS selects images built for FIPS 140.
type FIPS struct {
	// Whether `.fips` is appended to the tag of the node image. Nothing is appended to a digest. Default: false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
}
