package v1

import corev1 "k8s.io/api/core/v1"

// ImageSpec names a container image.
type ImageSpec struct {
	// Digest to pull, such as sha256:.... versionTag must still tell the version it stands for. Not possible
	// together with automatic upgrades.
	// +optional
	DigestHash string `json:"digestHash,omitempty"`
	// Always, Never or IfNotPresent.
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// Image without tag or digest.
	// +optional
	Repository string `json:"repository,omitempty"`
	// Tag of the image.
	// +optional
	VersionTag string `json:"versionTag,omitempty"`
}

// ClusterUpgradeSpec controls upgrades of the cluster software.
type ClusterUpgradeSpec struct {
	// Whether the operator upgrades the cluster to the version it was released for as soon as it can. Refused
	// together with an image digest or user-defined modules.
	AutoUpgradeRedisEnterprise bool `json:"autoUpgradeRedisEnterprise"`
}

// RedisUpgradePolicy says which Redis versions databases may be upgraded to.
type RedisUpgradePolicy string

const (
	// RedisUpgradeMajor allows major releases only.
	RedisUpgradeMajor RedisUpgradePolicy = "major"
	// RedisUpgradeLatest allows every release.
	RedisUpgradeLatest RedisUpgradePolicy = "latest"
)

// OperatingMode switches an optional service on or off.
type OperatingMode string

const (
	// ModeEnabled runs the service.
	ModeEnabled OperatingMode = "enabled"
	// ModeDisabled stops the service.
	ModeDisabled OperatingMode = "disabled"
)

// ServicesConfiguration switches optional services of the cluster. Services that are not named are left as they are.
type ServicesConfiguration struct {
	// Admin console. Disabling it also removes its Kubernetes Service.
	// +optional
	CMServer *ServiceMode `json:"cmServer,omitempty"`
	// Coordinator of Active-Active databases.
	// +optional
	CRDBCoordinator *ServiceMode `json:"crdbCoordinator,omitempty"`
	// Worker of Active-Active databases.
	// +optional
	CRDBWorker *ServiceMode `json:"crdbWorker,omitempty"`
	// Multicast DNS.
	// +optional
	MDNSServer *ServiceMode `json:"mdnsServer,omitempty"`
	// DNS server of the nodes. Accepted and ignored: Kubernetes resolves names, so it always stays off.
	// +optional
	PDNSServer *ServiceMode `json:"pdnsServer,omitempty"`
	// Accepted and ignored; current clusters have no such service.
	// +optional
	Saslauthd *ServiceMode `json:"saslauthd,omitempty"`
	// Archive of statistics.
	// +optional
	StatsArchiver *ServiceMode `json:"statsArchiver,omitempty"`
}

// ServiceMode switches one optional service.
type ServiceMode struct {
	// enabled or disabled.
	// +kubebuilder:validation:Enum=enabled;disabled
	OperatingMode OperatingMode `json:"operatingMode"`
}

// PodStartingPolicy deals with node pods that hang while they start.
type PodStartingPolicy struct {
	// Whether hanging pods are deleted so that they are scheduled again. Default: false.
	Enabled bool `json:"enabled"`
	// Seconds after which a pod counts as hanging; 0 switches the policy off. Default: 540.
	StartingThresholdSeconds int32 `json:"startingThresholdSeconds"`
}

// SlaveHA controls the rebuilding of lost replicas.
type SlaveHA struct {
	// Seconds after which replicas of a lost node are rebuilt on other nodes; 0 leaves the cluster's value. Default:
	// 1800.
	SlaveHAGracePeriod int32 `json:"slaveHAGracePeriod"`
}

// MetricsConfig says what the metrics endpoint of the nodes exposes. When the block is present, absent fields have
// the defaults given here.
type MetricsConfig struct {
	// Whether tags of databases become labels of their metrics. Default: false.
	// +optional
	ExposeDatabaseTags *bool `json:"exposeDatabaseTags,omitempty"`
	// Tag keys that become labels, at most 50 of 1 to 64 characters, compared without regard to case. Default:
	// none.
	// +optional
	MetricsTagKeysExposed []string `json:"metricsTagKeysExposed,omitempty"`
	// Scrapes that a node answers at the same time. Default: 2.
	// +optional
	MaxRequestsInFlight *int `json:"maxRequestsInFlight,omitempty"`
	// Whether the distribution of key sizes is measured. Default: false.
	// +optional
	KeyDistributionEnabled *bool `json:"keyDistributionEnabled,omitempty"`
	// Bounds of the key size buckets, comma-separated. Default: those of the cluster.
	// +optional
	KeySizeBuckets *string `json:"keySizeBuckets,omitempty"`
	// Bounds of the buckets of items per key, comma-separated. Default: those of the cluster.
	// +optional
	KeyItemsBuckets *string `json:"keyItemsBuckets,omitempty"`
	// Megabytes of metrics that a node keeps. Default: 1024.
	// +optional
	LocalStorageMaxSizeMb *int `json:"localStorageMaxSizeMb,omitempty"`
	// Days for which a node keeps metrics. Default: 8.
	// +optional
	LocalStorageRetentionDays *int `json:"localStorageRetentionDays,omitempty"`
}

// UserDefinedModule is a module package that the nodes download when they start.
type UserDefinedModule struct {
	// Name of the module: module_name or display_name of its package.
	Name string `json:"name"`
	// Where the package is.
	Source ModuleSource `json:"source"`
}

// ModuleSource says where a module package is: exactly one of http and https.
type ModuleSource struct {
	// Plain HTTP.
	// +optional
	HTTP *ModuleDownload `json:"http,omitempty"`
	// HTTP over TLS.
	// +optional
	HTTPS *ModuleDownload `json:"https,omitempty"`
}

// ModuleDownload is a web address of a module package.
type ModuleDownload struct {
	// Secret with the keys `username` and `password`, if the server asks for them.
	// +optional
	CredentialsSecret string `json:"credentialsSecret,omitempty"`
	// Address of the package.
	URL string `json:"url"`
}

// UsageReportFields says which fields a usage report holds.
type UsageReportFields string

const (
	// UsageReportAll sends all fields.
	UsageReportAll UsageReportFields = "all"
	// UsageReportRestricted leaves out fields that could identify the installation.
	UsageReportRestricted UsageReportFields = "restricted"
)

// UsageMeter controls usage reports.
type UsageMeter struct {
	// The job that sends the reports.
	// +optional
	CallHomeClient *CallHomeClient `json:"callHomeClient,omitempty"`
}

// CallHomeClient is the job that sends usage reports.
type CallHomeClient struct {
	// When the job runs, in cron format. Default: the environment variable CALL_HOME_CLIENT_CRON_SCHEDULE of the
	// operator, or 0 23 * * *.
	// +optional
	CronExpression string `json:"cronExpression,omitempty"`
	// Time that one report covers, such as 24h. Default: the environment variable CALL_HOME_CLIENT_INTERVAL of the
	// operator, or 24h.
	// +optional
	Interval string `json:"interval,omitempty"`
	// Resources of the job. Default: 250m CPU and 256Mi memory.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// True sends no reports.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
	// Image of the job.
	// +optional
	ImageSpec *ImageSpec `json:"imageSpec,omitempty"`
	// Secret with the keys `proxy-url`, `proxy-username` and `proxy-password` of an HTTP proxy.
	// +optional
	ProxySecretName string `json:"proxySecretName,omitempty"`
	// Bucket that gets the reports instead of the default target.
	// +optional
	S3Target *S3Target `json:"s3Target,omitempty"`
}

// S3Target is a bucket that gets usage reports.
type S3Target struct {
	// Name of the bucket.
	// +optional
	Bucket string `json:"bucket,omitempty"`
	// Secret with the keys `access-key`, `secret-key` and optionally `session-token` and `ca-cert`.
	// +optional
	CredentialsSecretName string `json:"credentialsSecretName,omitempty"`
	// Whether reports go to the bucket and nowhere else.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// Address of the object store. Default: the public one of the region.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
	// Prefix of the object names.
	// +optional
	Prefix string `json:"prefix,omitempty"`
	// Region of the bucket.
	// +optional
	Region string `json:"region,omitempty"`
	// Full address of the bucket, instead of endpoint and bucket.
	// +optional
	URL string `json:"url,omitempty"`
}
