// Package rigger is the services rigger: it makes the Services of every database of one cluster, points them at the pods
// that hold the database's endpoints, and follows when endpoints move. It also makes the ways in from outside Kubernetes
// for the databases that have one. It runs in a Deployment of its own, so that clients keep being routed while the
// operator is away.
package rigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Types of Services a database can have; the words of spec.servicesRiggerSpec.databaseServiceType.
const (
	ClusterIP    = "cluster_ip"
	Headless     = "headless"
	LoadBalancer = "load_balancer"
)

// Values of serviceNaming and databaseServicePortPolicy that are not the default.
const (
	namingByPort   = "redis-port"
	defaultPort    = "RedisDefaultPort"
	redisPort      = 6379
	servicePortTag = "db_service_port"
	accessTag      = "oss_cluster_access"
	accessExternal = "external"
)

// Settings say how the Services look. They come from the REC, through the environment of the rigger's pod.
type Settings struct {
	Cluster, ClusterUID, Namespace string
	Types                          []string
	ByPort                         bool // redis-<port> instead of the database's name
	DefaultPort                    bool // 6379 instead of the database's port
	ExtraLabels, Annotations       map[string]string
	Ingress                        ingress.Settings // how databases are reached from outside; the zero value for not at all
}

// ReadSettings reads the settings from an environment.
func ReadSettings(env func(string) string) (Settings, error) {
	s := Settings{
		Cluster:     env(names.EnvCluster),
		ClusterUID:  env(names.EnvClusterUID),
		Namespace:   env(names.EnvPodNamespace),
		ByPort:      env(names.EnvServiceNaming) == namingByPort,
		DefaultPort: env(names.EnvPortPolicy) == defaultPort,
	}
	if s.Cluster == "" || s.Namespace == "" || s.ClusterUID == "" {
		return s, fmt.Errorf("%s, %s and %s must say which cluster to serve", names.EnvCluster, names.EnvClusterUID, names.EnvPodNamespace)
	}
	var err error
	if s.Types, err = ParseTypes(env(names.EnvServiceTypes)); err != nil {
		return s, err
	}
	for key, into := range map[string]any{names.EnvExtraLabels: &s.ExtraLabels, names.EnvServiceAnnotations: &s.Annotations, names.EnvIngress: &s.Ingress} {
		if text := env(key); text != "" {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return s, fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return s, nil
}

// ParseTypes reads a comma-separated list of Service types, lenient about case and blanks (rule RIG-11). Empty means the
// default, cluster_ip and headless.
func ParseTypes(text string) ([]string, error) {
	var types []string
	for word := range strings.SplitSeq(text, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		switch word {
		case "":
		case ClusterIP, Headless, LoadBalancer:
			if !slices.Contains(types, word) {
				types = append(types, word)
			}
		default:
			return nil, fmt.Errorf("%q is not one of %s, %s, %s", word, ClusterIP, Headless, LoadBalancer)
		}
	}
	if len(types) == 0 {
		return []string{ClusterIP, Headless}, nil
	}
	return types, nil
}
