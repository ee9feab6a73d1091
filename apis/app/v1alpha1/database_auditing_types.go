package v1alpha1

// AuditMode says what is audited.
type AuditMode string

const (
	// AuditDisabled audits nothing.
	AuditDisabled AuditMode = "disabled"
	// AuditConnections audits connections and logins.
	AuditConnections AuditMode = "connection"
	// AuditConnectionsAndCommands audits connections, logins and data commands.
	AuditConnectionsAndCommands AuditMode = "connection_and_crud"
)

// AuditFilterType says whether a filter names what is audited or what is not.
type AuditFilterType string

const (
	// AuditFilterInclusive audits only what the filter names.
	AuditFilterInclusive AuditFilterType = "inclusive"
	// AuditFilterExclusive audits everything but what the filter names.
	AuditFilterExclusive AuditFilterType = "exclusive"
)

// DatabaseAuditing says what is audited in a database.
type DatabaseAuditing struct {
	// disabled (default), connection or connection_and_crud. Wins over dbConnsAuditing.
	// +kubebuilder:validation:Enum=disabled;connection;connection_and_crud
	// +optional
	AuditMode AuditMode `json:"auditMode,omitempty"`
	// Deprecated: true means auditMode connection.
	// +optional
	DBConnsAuditing *bool `json:"dbConnsAuditing,omitempty"`
	// Limits auditing by the address of the client.
	// +optional
	SourceIPFilter *AuditSourceIPFilter `json:"sourceIpFilter,omitempty"`
	// Limits auditing by the name of the user.
	// +optional
	UsernameFilter *AuditUsernameFilter `json:"usernameFilter,omitempty"`
}

// AuditSourceIPFilter limits auditing by the address of the client, with at most 512 entries in all.
type AuditSourceIPFilter struct {
	// Address ranges in CIDR notation.
	// +optional
	CIDRRanges []string `json:"cidrRanges,omitempty"`
	// Whether the filter is used.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// inclusive or exclusive.
	// +kubebuilder:validation:Enum=inclusive;exclusive
	// +optional
	FilterType AuditFilterType `json:"filterType,omitempty"`
	// Single addresses.
	// +optional
	IPAddresses []string `json:"ipAddresses,omitempty"`
}

// AuditUsernameFilter limits auditing by the name of the user.
type AuditUsernameFilter struct {
	// Whether the filter is used.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// inclusive or exclusive.
	// +kubebuilder:validation:Enum=inclusive;exclusive
	// +optional
	FilterType AuditFilterType `json:"filterType,omitempty"`
	// Names of users, at most 512 of 1 to 255 printable characters.
	// +optional
	Usernames []string `json:"usernames,omitempty"`
}
