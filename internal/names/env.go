package names

// Environment variables through which the operator configures the pods it makes. None of them is secret.
const (
	EnvCluster      = "REC_NAME"
	EnvClusterUID   = "REC_UID"
	EnvPodName      = "POD_NAME"
	EnvPodNamespace = "POD_NAMESPACE"
	EnvPodIP        = "POD_IP"
	// EnvServiceTypes, EnvServiceNaming, EnvPortPolicy, EnvExtraLabels and EnvServiceAnnotations configure the services
	// rigger (rules RIG-3, RIG-4, RIG-5, RIG-7); the last two are JSON objects.
	EnvServiceTypes       = "DATABASE_SERVICE_TYPE"
	EnvServiceNaming      = "SERVICE_NAMING"
	EnvPortPolicy         = "DATABASE_SERVICE_PORT_POLICY"
	EnvExtraLabels        = "EXTRA_LABELS"
	EnvServiceAnnotations = "SERVICES_ANNOTATIONS"
	// EnvIngress says how databases are reached from outside Kubernetes, as a JSON object; absent for not at all.
	EnvIngress = "INGRESS_SETTINGS"
)

// Documented settings that say which further namespaces have databases: their names with commas, or a label of theirs.
const (
	EnvDatabaseNamespaces = "REDB_NAMESPACES"
	EnvDatabaseLabel      = "REDB_NAMESPACES_LABEL"
)

// EnvMetricsSecure protects the operator's metrics like the flag --metrics-secure: a Subscription can set variables and no flags.
const EnvMetricsSecure = "METRICS_SECURE"

// EnvOperatorCondition is how the Operator Lifecycle Manager tells the operator the name of its OperatorCondition.
const EnvOperatorCondition = "OPERATOR_CONDITION_NAME"
