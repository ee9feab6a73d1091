// Package names holds every name, label, annotation, port and event reason that the operator and its helpers agree on.
// It is pure: nothing here reads a cluster, a clock or the environment.
package names

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Owner is the field manager of every server-side apply, the value of the managed-by label, and the documented name
// of the operator's Deployment, ServiceAccount and Role.
const Owner = "redis-enterprise-operator"

// Rigger's field manager; see AnnotationManager.
const (
	ManagerOperator = Owner
	ManagerRigger   = "redis-enterprise-services-rigger"
)

// Labels that the documented operator puts on objects; users, tools and the log collector select on them.
const (
	// LabelApp marks every object of ours; its value is always AppValue.
	LabelApp = "app"
	// AppValue is the value of LabelApp.
	AppValue = "redis-enterprise"
	// LabelCluster names the RedisEnterpriseCluster an object belongs to.
	LabelCluster = "redis.io/cluster"
	// LabelRole tells node pods (RoleNode) from the others.
	LabelRole = "redis.io/role"
	// RoleNode is the value of LabelRole on pods that run a Redis Enterprise node.
	RoleNode = "node"
	// RoleRigger is the value of LabelRole on the services rigger's pod.
	RoleRigger = "services-rigger"
	// LabelMaster is "1" on the pod whose node is the cluster's master; absent on the others.
	LabelMaster = "redis.io/role-master"
	// LabelBDBPrefix starts the label that marks pods holding an endpoint of a database; see BDBLabel.
	LabelBDBPrefix = "redis.io/bdb-"
	// LabelService tells the Services of a cluster apart.
	LabelService = "redis.io/service"
	// MetricsService is the value of LabelService on the metrics Service.
	MetricsService = "prom-metrics"
	// MetricsLeaderService is its value on the Service that leads to the leader's metrics alone.
	MetricsLeaderService = "prom-leader"
	// LabelPart marks objects that belong to one concern; PartMetrics to metrics.
	LabelPart   = "open-redis-enterprise.io/part"
	PartMetrics = "metrics"
	// LabelPodName is set by the StatefulSet controller on each pod.
	LabelPodName = "statefulset.kubernetes.io/pod-name"
)

// Annotations. LastKeys is documented and reserved; the others are additions of ours.
const (
	// AnnotationLastKeys lists the annotation keys that came from the operator, so that a key removed from the
	// spec can be removed from the object without touching foreign ones.
	AnnotationLastKeys = "redis.io/last-keys"
	// AnnotationPrefix starts every annotation that is an addition of this project.
	AnnotationPrefix = "open-redis-enterprise.io/"
	// AnnotationApplied is the hash of what the operator last applied to an object.
	AnnotationApplied = AnnotationPrefix + "applied"
	// AnnotationManager names which of our programs owns an object: ManagerOperator or ManagerRigger.
	AnnotationManager = AnnotationPrefix + "manager"
	// AnnotationRestart on a pod template rolls the pods when its value changes.
	AnnotationRestart = AnnotationPrefix + "restart"
	// AnnotationReplacePods with the value "true" on a cluster lets the pods that another operator made be replaced.
	AnnotationReplacePods = AnnotationPrefix + "replace-pods"
	// AnnotationGateway on a cluster names a Gateway, as namespace/name or namespace/name/listener: the cluster is then
	// reached from outside through TLSRoutes of the Gateway API.
	AnnotationGateway = AnnotationPrefix + "gateway"
	// AnnotationIstioSelector on a cluster selects the pods of Istio's ingress gateway, as key=value pairs.
	AnnotationIstioSelector = AnnotationPrefix + "istio-selector"
	// AnnotationExpose on a database asks for a way in from outside: "true", or a host name of its own.
	AnnotationExpose = AnnotationPrefix + "expose"
	// AnnotationCertificate on a remote cluster is the fingerprint of the certificate that its API must show, where nothing
	// else says whom to trust: sha256: and the digest in hexadecimal. The operator writes it at the first contact.
	AnnotationCertificate = AnnotationPrefix + "api-certificate"
	// AnnotationProxy with the value "true" on a cluster hands the proxy that the operator was given on to its nodes.
	AnnotationProxy = AnnotationPrefix + "proxy"
	// AnnotationTLSProfile with the value "ignore" on a cluster leaves its TLS alone where an OpenShift has a TLS profile.
	AnnotationTLSProfile = AnnotationPrefix + "tls-profile"
	// AnnotationHoldUpgrade with the value "true", on a cluster or database, lets it hold back an upgrade of the operator
	// for as long as it is not safe, also when nothing has moved for long.
	AnnotationHoldUpgrade = AnnotationPrefix + "hold-operator-upgrade"
)

// Annotations of Active-Active databases and of what is made for them.
const (
	// AnnotationAgreed holds what all participating clusters were last seen to have agreed on, as JSON: what is written
	// here and in their common configuration tells which side has changed since.
	AnnotationAgreed = AnnotationPrefix + "agreed"
	// AnnotationTask holds the task that is being worked on, as JSON, written before it is asked for.
	AnnotationTask = AnnotationPrefix + "task"
	// AnnotationDiscovered is on resources that the operator made because another cluster has them; its value is the guid
	// of the database.
	AnnotationDiscovered = AnnotationPrefix + "discovered"
	// AnnotationLocalOverrides holds settings that count on this cluster only, as a JSON object in the form of
	// globalConfigurations.
	AnnotationLocalOverrides = AnnotationPrefix + "local-overrides"
)

// Annotations on a cluster that say how its metrics are read.
const (
	// AnnotationServiceMonitor and AnnotationPrometheusRule with the value "false" keep the operator from making one.
	AnnotationServiceMonitor = AnnotationPrefix + "service-monitor"
	AnnotationPrometheusRule = AnnotationPrefix + "prometheus-rule"
	// AnnotationMetricsFrom closes the metrics port to all but the namespaces that a label selector finds.
	AnnotationMetricsFrom = AnnotationPrefix + "metrics-from"
	// AnnotationMetricsSecret names a Secret with the credentials to scrape with, where the cluster asks for some.
	AnnotationMetricsSecret = AnnotationPrefix + "metrics-secret"
	// AnnotationDashboards with the value "true" asks for a ConfigMap with Grafana dashboards about the cluster.
	AnnotationDashboards = AnnotationPrefix + "grafana-dashboards"
)

// TagExpose is the tag of a database in the cluster that asks the services rigger for a way in from outside; its value
// is the host name. The operator sets it for AnnotationExpose.
const TagExpose = "open_redis_enterprise_expose"

// Finalizers. The first two are the documented ones.
const (
	ClusterFinalizer  = "redbfinalizer.redisenterpriseclusters.app.redislabs.com"
	DatabaseFinalizer = "finalizer.redisenterprisedatabases.app.redislabs.com"
	// RemoteClusterFinalizer has no documented name; this one follows the pattern of the documented ones.
	RemoteClusterFinalizer = "finalizer.redisenterpriseremoteclusters.app.redislabs.com"
	// ActiveActiveFinalizer has none either, and the pattern would make it longer than Kubernetes allows (AA-26).
	ActiveActiveFinalizer = "finalizer.reaadbs.app.redislabs.com"
)

// Containers and volumes of the node pod.
const (
	NodeContainer         = "redis-enterprise-node"
	BootstrapperContainer = "bootstrapper"
	StorageClaim          = "redis-enterprise-storage"
)

// Ports, by their documented numbers and Service port names.
const (
	APIPort      = 9443
	APIPortName  = "api"
	SentinelPort = 8001
	SentinelName = "sentinel"
	UIPort       = 8443
	UIPortName   = "ui"
	MetricsPort  = 8070
	MetricsName  = "prometheus"
	// MetricsLeaderPortName differs from MetricsName so that a scrape can tell the two Services apart.
	MetricsLeaderPortName = "leader"
	DatabaseName          = "redis"
	ProbePort             = 8787
	ProbePortName         = "probe"
	WebhookPort           = 8443
	HealthPort            = 8080
	OperatorMetric        = 8383
)

// Paths served by the bootstrapper on ProbePort for the kubelet.
const (
	PathStartup = "/startup"
	PathLive    = "/live"
	PathReady   = "/ready"
	PathPreStop = "/prestop"
)

// Directories of the node pod.
const (
	CredentialsDir = "/opt/redislabs/credentials" //nolint:gosec // a directory, not a credential
	PersistDir     = "/var/opt/redislabs/persist"
	LogDir         = "/var/opt/redislabs/log"
	ConfigDir      = "/etc/opt/redislabs"
	EphemeralDir   = "/var/opt/redislabs/tmp"
)

// SettingsConfigMap is the documented ConfigMap with the operator's own settings.
const SettingsConfigMap = "operator-environment-config"

// AdmissionSecret holds the serving pair of the admission server under the keys CertKey and PrivateKeyKey.
const (
	AdmissionSecret    = "admission-tls"
	AdmissionService   = "admission"
	AdmissionWebhook   = "redis-enterprise-admission"
	AdmissionName      = "redisenterprise.admission.redislabs"
	AdmissionPath      = "/admission"
	CertKey            = "cert"
	PrivateKeyKey      = "privateKey"
	UsernameKey        = "username"
	PasswordKey        = "password"
	PortKey            = "port"
	CAKey              = "ca.crt"
	ServiceNamesKey    = "service_names"
	LicenseKey         = "license"
	DefaultUsername    = "demo@redis.com"
	MaxClusterNameLen  = 45 // REC name and namespace together
	MaxDatabaseNameLen = 63
)

// Keys of the bulletin board ConfigMap.
const (
	BoardName    = "cluster.name"
	BoardFormed  = "cluster.formed"
	BoardMembers = "cluster.members"
	BoardRecover = "cluster.recover"
	BoardPod     = "pod." // followed by the pod's name
	// BoardTrusted is a certificate that a person vouches for: that of the admin API of nodes which another operator started.
	BoardTrusted = "trusted-certificate"
)

// FQDN is the name of the Redis Enterprise cluster; licences and certificates are issued for it.
func FQDN(rec, namespace string) string { return rec + "." + namespace + ".svc.cluster.local" }

// UI is the Service of the web console.
func UI(rec string) string { return rec + "-ui" }

// Metrics is the headless Service that Prometheus scrapes.
func Metrics(rec string) string { return rec + "-prom" }

// MetricsLeader is the headless Service that leads to the metrics of the leader alone.
func MetricsLeader(rec string) string { return rec + "-prom-leader" }

// MetricsCA is the ConfigMap with the certificate that the metrics are served with.
func MetricsCA(rec string) string { return rec + "-metrics-ca" }

// LabelDashboard marks a ConfigMap for the sidecar of Grafana.
const LabelDashboard = "grafana_dashboard"

// Dashboards is the ConfigMap with the Grafana dashboards about a cluster.
func Dashboards(rec string) string { return rec + "-dashboards" }

// Rigger is the services rigger's Deployment.
func Rigger(rec string) string { return rec + "-services-rigger" }

// DatabasesGateway is Istio's Gateway for the databases of a cluster; the one named like the cluster is for its API.
func DatabasesGateway(rec string) string { return rec + "-databases" }

// Board is the ConfigMap through which operator and bootstrappers talk.
func Board(rec string) string { return rec + "-bulletin-board" }

// Pod is the name of node pod number ordinal.
func Pod(rec string, ordinal int) string { return fmt.Sprintf("%s-%d", rec, ordinal) }

// Claim is the PersistentVolumeClaim of node pod number ordinal.
func Claim(rec string, ordinal int) string { return StorageClaim + "-" + Pod(rec, ordinal) }

// Ordinal reads the number at the end of a node pod's name; ok is false for any other name.
func Ordinal(rec, pod string) (n int, ok bool) {
	rest, found := strings.CutPrefix(pod, rec+"-")
	if !found {
		return 0, false
	}
	n, err := strconv.Atoi(rest)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == rest
}

// DatabaseSecret is the Secret the operator makes for a database whose spec names none.
func DatabaseSecret(db string) string { return "redb-" + db }

// RemoteSecretPrefix starts the name of the Secret with a remote cluster's credentials; the remote cluster's name follows (RERC-2).
const RemoteSecretPrefix = "redis-enterprise-"

// DatabaseHeadless is the headless Service of a database.
func DatabaseHeadless(db string) string { return db + "-headless" }

// DatabaseLoadBalancer is the LoadBalancer Service of a database.
func DatabaseLoadBalancer(db string) string { return db + "-load-balancer" }

// DatabaseServices are the Services of a database by the types in spec.servicesRiggerSpec.databaseServiceType; words that
// are none of them count as nothing (RIG-3, RIG-11).
func DatabaseServices(db, types string) []string {
	of := map[string]string{"cluster_ip": db, "headless": DatabaseHeadless(db), "load_balancer": DatabaseLoadBalancer(db)}
	var out []string
	for word := range strings.SplitSeq(types, ",") {
		service := of[strings.ToLower(strings.TrimSpace(word))]
		if service != "" && !slices.Contains(out, service) {
			out = append(out, service)
		}
	}
	if len(out) == 0 {
		return []string{of["cluster_ip"], of["headless"]}
	}
	return out
}

// BDBLabel is the label key and value of pods that hold an endpoint of database uid.
func BDBLabel(uid int64) (key, value string) {
	value = strconv.FormatInt(uid, 10)
	return LabelBDBPrefix + value, value
}

// ClusterLabels are on every object that belongs to an REC.
func ClusterLabels(rec string) map[string]string {
	return map[string]string{LabelApp: AppValue, LabelCluster: rec}
}

// NodeLabels select the node pods of an REC.
func NodeLabels(rec string) map[string]string {
	return map[string]string{LabelApp: AppValue, LabelCluster: rec, LabelRole: RoleNode}
}
