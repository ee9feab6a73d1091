package v1

// LDAPProtocol is the way the cluster talks to the directory.
type LDAPProtocol string

const (
	// LDAPPlain is LDAP without encryption.
	LDAPPlain LDAPProtocol = "LDAP"
	// LDAPOverTLS is LDAP inside TLS from the first byte.
	LDAPOverTLS LDAPProtocol = "LDAPS"
	// LDAPStartTLS is LDAP that switches to TLS after connecting.
	LDAPStartTLS LDAPProtocol = "STARTTLS"
)

// LDAPQueryScope says how far below the base a directory search goes.
type LDAPQueryScope string

const (
	// LDAPScopeBase looks at the base entry only.
	LDAPScopeBase LDAPQueryScope = "BaseObject"
	// LDAPScopeOne looks at the direct children of the base.
	LDAPScopeOne LDAPQueryScope = "SingleLevel"
	// LDAPScopeSubtree looks at everything below the base.
	LDAPScopeSubtree LDAPQueryScope = "WholeSubtree"
)

// LDAPIdentitySource is the part of a client certificate that names the user.
type LDAPIdentitySource string

const (
	// LDAPIdentityCN takes the common name of the subject.
	LDAPIdentityCN LDAPIdentitySource = "SubjectCN"
	// LDAPIdentityOID takes the subject attribute whose OID is given beside it.
	LDAPIdentityOID LDAPIdentitySource = "SubjectOID"
)

// LDAPSpec describes the directory that logins are checked against. Which group gets which role is configured in the
// cluster, not here.
type LDAPSpec struct {
	// How to find the entry of a user: exactly one of query and template.
	AuthenticationQuery LDAPAuthenticationQuery `json:"authenticationQuery"`
	// How to find the groups of a user: exactly one of query and attribute.
	AuthorizationQuery LDAPAuthorizationQuery `json:"authorizationQuery"`
	// Secret with the keys `dn` and `password` with which the cluster binds. Default: anonymous.
	// +optional
	BindCredentialsSecretName string `json:"bindCredentialsSecretName,omitempty"`
	// Secret whose key `cert` holds the certificate of the directory's CA. Only with LDAPS and STARTTLS.
	// +optional
	CACertificateSecretName string `json:"caCertificateSecretName,omitempty"`
	// Seconds for which answers of the directory are remembered.
	// +optional
	CacheTTLSeconds *int `json:"cacheTTLSeconds,omitempty"`
	// Whether clients may log in with a certificate. Default: false.
	// +optional
	CBA *bool `json:"cba,omitempty"`
	// OID of the subject attribute that names the user. Only with cbaIdentitySource SubjectOID.
	// +optional
	CBAIdentityOID string `json:"cbaIdentityOid,omitempty"`
	// Part of the client certificate that names the user: SubjectCN or SubjectOID.
	// +kubebuilder:validation:Enum=SubjectCN;SubjectOID
	// +optional
	CBAIdentitySource LDAPIdentitySource `json:"cbaIdentitySource,omitempty"`
	// Seconds to wait for an answer of the directory, from 5 to 60.
	// +optional
	DirectoryTimeoutSeconds *int `json:"directoryTimeoutSeconds,omitempty"`
	// Whether logins to the admin console and API are checked against the directory. Default: false.
	// +optional
	EnabledForControlPlane bool `json:"enabledForControlPlane,omitempty"`
	// Whether logins to databases are checked against the directory. Default: false.
	// +optional
	EnabledForDataPlane bool `json:"enabledForDataPlane,omitempty"`
	// LDAP, LDAPS or STARTTLS.
	// +kubebuilder:validation:Enum=LDAP;LDAPS;STARTTLS
	Protocol LDAPProtocol `json:"protocol"`
	// Servers of the directory, tried in order.
	Servers []LDAPServer `json:"servers"`
}

// LDAPAuthenticationQuery finds the entry of a user.
type LDAPAuthenticationQuery struct {
	// Searches the directory. The filter must contain %u, which stands for the login name.
	// +optional
	Query *LDAPQuery `json:"query,omitempty"`
	// Forms the distinguished name without a search; %u stands for the login name.
	// +optional
	Template string `json:"template,omitempty"`
}

// LDAPAuthorizationQuery finds the groups of a user.
type LDAPAuthorizationQuery struct {
	// Attribute of the user's entry that lists the groups, often memberOf.
	// +optional
	Attribute string `json:"attribute,omitempty"`
	// Searches the directory. The filter must contain %D, which stands for the distinguished name of the user.
	// +optional
	Query *LDAPQuery `json:"query,omitempty"`
}

// LDAPQuery is a search in the directory.
type LDAPQuery struct {
	// Entry below which to search.
	Base string `json:"base"`
	// Filter in LDAP syntax.
	Filter string `json:"filter"`
	// BaseObject, SingleLevel or WholeSubtree.
	// +kubebuilder:validation:Enum=BaseObject;SingleLevel;WholeSubtree
	Scope LDAPQueryScope `json:"scope"`
}

// LDAPServer is one server of the directory.
type LDAPServer struct {
	// Host name or address. The nodes cannot resolve names that end in .local.
	Host string `json:"host"`
	// Port. Default: 636 with LDAPS, otherwise 389.
	// +optional
	Port *int32 `json:"port,omitempty"`
}

// SSOSpec describes single sign-on to the admin console.
type SSOSpec struct {
	// Whether single sign-on is on. Leave it false while certificates and provider metadata are being prepared.
	// True needs the ssoService and ssoIssuer certificates and either idpMetadataSecretName or issuer.
	Enabled bool `json:"enabled"`
	// Whether single sign-on is the only way to log in. Default: false.
	// +optional
	EnforceSSO bool `json:"enforceSSO,omitempty"`
	// Settings of the SAML protocol.
	SAML SAMLSpec `json:"saml"`
}

// SAMLSpec holds what the cluster and the identity provider must know of each other.
type SAMLSpec struct {
	// Secret whose key `idp_metadata` holds the metadata of the identity provider, XML or base64 of it. Wins over
	// issuer.
	// +optional
	IDPMetadataSecretName string `json:"idpMetadataSecretName,omitempty"`
	// The identity provider, when there is no metadata document.
	// +optional
	Issuer *SAMLIssuer `json:"issuer,omitempty"`
	// Secret that the operator writes: its key `sp_metadata` holds the metadata of this cluster for the identity
	// provider. Not written when empty, and not with Vault.
	// +optional
	SPMetadataSecretName string `json:"spMetadataSecretName,omitempty"`
	// How the identity provider sees this cluster.
	// +optional
	ServiceProvider *SAMLServiceProvider `json:"serviceProvider,omitempty"`
}

// SAMLIssuer describes an identity provider.
type SAMLIssuer struct {
	// Entity id of the provider.
	EntityID string `json:"entityID"`
	// Where users are sent to log in.
	LoginURL string `json:"loginURL"`
	// Where users are sent to log out.
	// +optional
	LogoutURL string `json:"logoutURL,omitempty"`
}

// SAMLServiceProvider says how the identity provider sees this cluster.
type SAMLServiceProvider struct {
	// Address of the admin console as browsers reach it, [scheme://]host[:port]. Without a scheme https is meant.
	// Default: the load balancer address of the admin console Service if there is one, otherwise its name inside
	// Kubernetes, with port 8443.
	// +optional
	BaseAddress string `json:"baseAddress,omitempty"`
}
