package descriptor

// Kinds with a table of their own. The settings that Active-Active databases share are those of a database, so their
// fields follow the database's wherever nothing else is said.
const (
	clusterKind  = "RedisEnterpriseCluster"
	databaseKind = "RedisEnterpriseDatabase"
	remoteKind   = "RedisEnterpriseRemoteCluster"
	activeKind   = "RedisEnterpriseActiveActiveDatabase"
	globalPrefix = "globalConfigurations."
)

// embedded are fields whose type Kubernetes defines; what is in them is not described here again.
var embedded = map[string]bool{
	"bootstrapperResources": true, "redisEnterpriseNodeResources": true, "redisEnterpriseServicesRiggerResources": true,
	"resources": true, "conditions": true, "extraEnvVars": true, "podAntiAffinity": true, "podTolerations": true, "volumes": true,
	"redisEnterpriseVolumeMounts": true, "sideContainersSpec": true, "redisEnterpriseAdditionalPodSpecAttributes": true,
	"servicesRiggerAdditionalPodSpecAttributes": true,
}

// first are the fields that a form begins with.
var first = map[string][]string{
	clusterKind: {"nodes", "redisEnterpriseNodeResources", "persistentSpec", "redisEnterpriseImageSpec", "licenseSecretName",
		"ingressOrRouteSpec", "state", "specStatus", "conditions", "licenseStatus"},
	databaseKind: {"redisEnterpriseCluster", "memorySize", "shardCount", "replication", "persistence", "tlsMode", "databaseSecretName",
		"status", "specStatus", "conditions", "internalEndpoints"},
	remoteKind: {"recName", "recNamespace", "apiFqdnUrl", "dbFqdnSuffix", "apiPort", "secretName", "status", "specStatus", "conditions"},
	activeKind: {"participatingClusters", "redisEnterpriseCluster", "globalConfigurations.databaseSecretName", "globalConfigurations.memorySize",
		"globalConfigurations.shardCount", "globalConfigurations", "status", "specStatus", "conditions", "replicationStatus", "secretsStatus"},
}

// exceptions are fields whose widget the schema does not tell.
var exceptions = map[string]map[string][]string{
	clusterKind: {
		"nodes":               {ui + "podCount"},
		"podAntiAffinity":     {ui + "podAntiAffinity"},
		"nodeSelector":        {ui + "selector:core:v1:Node"},
		"pullSecrets[0].name": {object + "Secret"},
	},
	remoteKind: {"recNamespace": {object + "Namespace"}},
	activeKind: {"participatingClusters[0].namespace": {object + "Namespace"}},
}

// secretNames are names of Secrets that do not end in SecretName.
var secretNames = []string{"vaultCASecret", "credentialsSecret", "clientKeySecret", "serverCertSecret", "secretName"}

// hiddenTrees are fields that forms must not offer: replaced, refused, or carrying a secret in clear.
var hiddenTrees = map[string][]string{
	clusterKind:  {"license", "activeActive", "redisOnFlashSpec.flashStorageEngine"},
	databaseKind: {"activeActive", "shardingEnabled", "upgradeSpec"},
	activeKind: {"globalConfigurations.activeActive", "globalConfigurations.isRof", "globalConfigurations.rofRamSize",
		"globalConfigurations.rofRamRatio", "globalConfigurations.searchOnBigstore", "globalConfigurations.replicaSources",
		"globalConfigurations.ossClusterSettings", "globalConfigurations.redisEnterpriseCluster",
		"globalConfigurations.memcachedSaslSecretName", "globalConfigurations.upgradeSpec"},
}

// advancedTrees are top-level fields that are folded away with all they hold.
var advancedTrees = []string{
	"accessControl", "alertSettings", "antiAffinityAdditionalTopologyKeys", "auditing", "backup", "bootstrapperImageSpec",
	"bootstrapperResources", "certificates", "connectionSettings", "containerTimezone", "dmcExternalCBAAuthentication", "enforceIPv4",
	"hostAliases", "ldap", "metricsConfig", "ocspConfiguration", "ossClusterSettings", "podStartingPolicy",
	"redisEnterpriseIPFamily", "redisEnterpriseServicesConfiguration", "redisEnterpriseServicesRiggerImageSpec",
	"redisEnterpriseServicesRiggerResources", "redisEnterpriseTerminationGracePeriodSeconds", "securityContext", "servicesRiggerSpec",
	"slaveHA", "sso", "usageMeter", "usageReportFields", "userDefinedModules", "vaultCASecret",
}

// dependencies are fields that mean nothing until a switch is on.
var dependencies = map[string]map[string]string{
	clusterKind: {
		"persistentSpec.storageClassName":             "persistentSpec.enabled:true",
		"persistentSpec.volumeSize":                   "persistentSpec.enabled:true",
		"persistentSpec.enablePersistentVolumeResize": "persistentSpec.enabled:true",
		"redisOnFlashSpec.bigStoreDriver":             "redisOnFlashSpec.enabled:true",
		"redisOnFlashSpec.storageClassName":           "redisOnFlashSpec.enabled:true",
		"redisOnFlashSpec.flashDiskSize":              "redisOnFlashSpec.enabled:true",
		"podStartingPolicy.startingThresholdSeconds":  "podStartingPolicy.enabled:true",
		"clusterCredentialSecretRole":                 "clusterCredentialSecretType:vault",
		"vaultCASecret":                               "clusterCredentialSecretType:vault",
		"sso.enforceSSO":                              "sso.enabled:true",
		"ldap.cbaIdentitySource":                      "ldap.cba:true",
		"ldap.cbaIdentityOid":                         "ldap.cbaIdentitySource:SubjectOID",
	},
	databaseKind: { //nolint:gosec // names of fields
		"rofRamSize":              "isRof:true",
		"rofRamRatio":             "isRof:true",
		"searchOnBigstore":        "isRof:true",
		"memcachedSaslSecretName": "type:memcached",
		"ossClusterSettings.enableExternalAccess": "ossCluster:true",
		"rackAware": "replication:true",
	},
}
