package rigger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Database is what the rigger needs to know of one database.
type Database struct {
	UID         int64
	Name        string
	Port        int32    // of the endpoint
	ServicePort int32    // asked for by the database itself; 0 when it leaves that to the policy
	Addresses   []string // of the nodes that hold an endpoint
}

// Databases reads what matters from the admin API's list. Internal databases and those without an endpoint yet are left
// out. Of several databases with one name only the oldest counts (rules REDB-3, RIG-8): its Services must not move to a
// namesake. The second result names the databases that therefore get none.
func Databases(list []rest.BDB) (serve []Database, left []string) {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b rest.BDB) int { return cmp.Compare(rest.Value(a.UID), rest.Value(b.UID)) })
	seen := map[string]bool{}
	for _, bdb := range sorted {
		db, ok := databaseOf(bdb)
		if !ok {
			continue
		}
		if seen[db.Name] {
			left = append(left, fmt.Sprintf("%s (uid %d): another database has the same name", db.Name, db.UID))
			continue
		}
		seen[db.Name] = true
		if errs := validation.IsDNS1035Label(names.DatabaseLoadBalancer(db.Name)); len(errs) > 0 {
			left = append(left, fmt.Sprintf("%s (uid %d): %s", db.Name, db.UID, errs[0]))
			continue
		}
		serve = append(serve, db)
	}
	return serve, left
}

func databaseOf(bdb rest.BDB) (Database, bool) {
	db := Database{UID: int64(rest.Value(bdb.UID)), Name: rest.Value(bdb.Name)}
	if db.Name == "" || rest.Value(bdb.Internal) || bdb.Endpoints == nil {
		return db, false
	}
	for _, endpoint := range *bdb.Endpoints {
		db.Port = int32(endpoint.Port) //nolint:gosec // a port
		db.Addresses = append(db.Addresses, endpoint.Addr...)
	}
	if bdb.Tags != nil {
		for _, tag := range *bdb.Tags {
			if port, err := strconv.ParseUint(tag.Value, 10, 16); tag.Key == servicePortTag && err == nil {
				db.ServicePort = int32(port)
			}
		}
	}
	return db, db.Port > 0
}

// Services builds the Services of all databases.
func Services(s Settings, dbs []Database) []client.Object {
	var out []client.Object
	for _, db := range dbs {
		for _, kind := range s.Types {
			out = append(out, service(s, db, kind))
		}
	}
	return out
}

func service(s Settings, db Database, kind string) *corev1.Service {
	key, value := names.BDBLabel(db.UID)
	labels := maps.Clone(s.ExtraLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, names.ClusterLabels(s.Cluster))
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Labels: labels, Annotations: maps.Clone(s.Annotations)},
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: map[string]string{names.LabelCluster: s.Cluster, key: value},
			Ports: []corev1.ServicePort{{
				Name:       names.DatabaseName,
				Protocol:   corev1.ProtocolTCP,
				Port:       servicePort(s, db),
				TargetPort: intstr.FromInt32(db.Port),
			}},
		},
	}
	base := db.Name
	if s.ByPort {
		base = fmt.Sprintf("redis-%d", db.Port)
	}
	switch kind {
	case Headless:
		svc.Name, svc.Spec.ClusterIP = names.DatabaseHeadless(base), corev1.ClusterIPNone
		svc.Spec.Ports[0].Port = db.Port // a headless Service forwards nothing: clients connect to the pod itself
	case LoadBalancer:
		svc.Name, svc.Spec.Type = names.DatabaseLoadBalancer(base), corev1.ServiceTypeLoadBalancer
	default:
		svc.Name = base
	}
	return svc
}

func servicePort(s Settings, db Database) int32 {
	switch {
	case db.ServicePort > 0:
		return db.ServicePort
	case s.DefaultPort:
		return redisPort
	}
	return db.Port
}

// LabelChange says which labels a pod must gain and lose so that Services select it for exactly the databases whose
// endpoints it holds.
type LabelChange struct {
	Pod    string
	Add    map[string]string
	Remove []string
}

// Labels compares the labels of the node pods with where the endpoints are (rule RIG-6).
func Labels(pods []corev1.Pod, dbs []Database) []LabelChange {
	var out []LabelChange
	for _, pod := range pods {
		want := map[string]string{}
		for _, db := range dbs {
			if pod.Status.PodIP != "" && slices.Contains(db.Addresses, pod.Status.PodIP) {
				key, value := names.BDBLabel(db.UID)
				want[key] = value
			}
		}
		change := LabelChange{Pod: pod.Name, Add: map[string]string{}}
		for key, value := range want {
			if pod.Labels[key] != value {
				change.Add[key] = value
			}
		}
		for _, key := range slices.Sorted(maps.Keys(pod.Labels)) {
			if isBDBLabel(key) && want[key] == "" {
				change.Remove = append(change.Remove, key)
			}
		}
		if len(change.Add)+len(change.Remove) > 0 {
			out = append(out, change)
		}
	}
	return out
}

func isBDBLabel(key string) bool {
	return len(key) > len(names.LabelBDBPrefix) && key[:len(names.LabelBDBPrefix)] == names.LabelBDBPrefix
}
