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
	UID          int64
	Name         string
	Port         int32    // of the endpoint
	ServicePort  int32    // asked for by the database itself; 0 when it leaves that to the policy
	Addresses    []string // of the nodes that hold an endpoint
	ActiveActive bool
	Expose       string // host name under which it wants to be reached from outside, if any
	ClusterAware bool   // cluster-aware clients outside want to reach it
}

// Databases reads what matters from the admin API's list. Internal databases and those without a port yet are left
// out. Of several databases with one name, or with Services of one name, only the oldest counts (rules REDB-3, RIG-8): its
// Services must not move to another. Nor may they take the place of a Service that the operator made for the cluster
// itself; taken has those names. The second result names the databases that therefore get none.
func Databases(s Settings, list []rest.BDB, taken map[string]bool) (serve []Database, left []string) {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b rest.BDB) int { return cmp.Compare(rest.Value(a.UID), rest.Value(b.UID)) })
	seen, had := map[string]bool{}, map[string]string{}
	for _, bdb := range sorted {
		db, ok := databaseOf(bdb)
		if !ok {
			continue
		}
		if seen[db.Name] {
			left = append(left, db.leave("another database has the same name"))
			continue
		}
		seen[db.Name] = true
		if why := unnamed(s, db); why != "" {
			left = append(left, db.leave(why))
			continue
		}
		if name := clash(s, db, taken); name != "" {
			left = append(left, db.leave("the cluster itself has a Service "+name))
			continue
		}
		if name := another(s, db, had); name != "" {
			left = append(left, db.leave("database "+had[name]+" has a Service "+name))
			continue
		}
		for _, kind := range typesOf(s, db) {
			had[serviceName(s, db, kind)] = db.Name
		}
		serve = append(serve, db)
	}
	return serve, left
}

func (db Database) leave(why string) string {
	return fmt.Sprintf("%s (uid %d): %s", db.Name, db.UID, why)
}

// unnamed tells why a Service of a database cannot have its name; empty when all can.
func unnamed(s Settings, db Database) string {
	for _, kind := range typesOf(s, db) {
		if errs := validation.IsDNS1035Label(serviceName(s, db, kind)); len(errs) > 0 {
			return errs[0]
		}
	}
	return ""
}

func clash(s Settings, db Database, taken map[string]bool) string {
	for _, kind := range typesOf(s, db) {
		if name := serviceName(s, db, kind); taken[name] {
			return name
		}
	}
	return ""
}

// another returns the name of a Service that an older database has; had tells whose they are.
func another(s Settings, db Database, had map[string]string) string {
	for _, kind := range typesOf(s, db) {
		if name := serviceName(s, db, kind); had[name] != "" {
			return name
		}
	}
	return ""
}

// databaseOf takes the port from the endpoint, and from the database while its endpoint is away: what leads to a
// database must outlast a failover.
func databaseOf(bdb rest.BDB) (Database, bool) {
	db := Database{UID: int64(rest.Value(bdb.UID)), Name: rest.Value(bdb.Name), Port: int32(rest.Value(bdb.Port)), //nolint:gosec // a port
		ActiveActive: rest.Value(bdb.CRDT)}
	if db.Name == "" || rest.Value(bdb.Internal) {
		return db, false
	}
	for _, endpoint := range rest.Value(bdb.Endpoints) {
		if endpoint.Port > 0 {
			db.Port = int32(endpoint.Port) //nolint:gosec // a port
		}
		db.Addresses = append(db.Addresses, endpoint.Addr...)
	}
	for _, tag := range rest.Value(bdb.Tags) {
		switch tag.Key {
		case servicePortTag:
			if port, err := strconv.ParseUint(tag.Value, 10, 16); err == nil {
				db.ServicePort = int32(port)
			}
		case names.TagExpose:
			db.Expose = tag.Value
		case accessTag:
			db.ClusterAware = tag.Value == accessExternal
		}
	}
	return db, db.Port > 0
}

// Services builds the Services of all databases.
func Services(s Settings, dbs []Database) []client.Object {
	var out []client.Object
	for _, db := range dbs {
		for _, kind := range typesOf(s, db) {
			out = append(out, service(s, db, kind))
		}
	}
	return out
}

// typesOf are the types of Services a database gets. Cluster-aware clients outside begin at a load balancer, whatever the
// others use (rule NET-12).
func typesOf(s Settings, db Database) []string {
	if db.ClusterAware && !slices.Contains(s.Types, LoadBalancer) {
		return append(slices.Clone(s.Types), LoadBalancer)
	}
	return s.Types
}

func service(s Settings, db Database, kind string) *corev1.Service {
	key, value := names.BDBLabel(db.UID)
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: serviceName(s, db, kind), Labels: labels(s), Annotations: maps.Clone(s.Annotations)},
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: map[string]string{names.LabelCluster: s.Cluster, key: value},
			Ports: []corev1.ServicePort{{
				Name:       names.DatabaseName,
				Protocol:   corev1.ProtocolTCP,
				Port:       servicePort(s, db, kind),
				TargetPort: intstr.FromInt32(db.Port),
			}},
		},
	}
	switch kind {
	case Headless:
		svc.Spec.ClusterIP = corev1.ClusterIPNone
	case LoadBalancer:
		svc.Spec.Type = corev1.ServiceTypeLoadBalancer
	}
	return svc
}

func labels(s Settings) map[string]string {
	all := maps.Clone(s.ExtraLabels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, names.ClusterLabels(s.Cluster))
	return all
}

func serviceName(s Settings, db Database, kind string) string {
	base := db.Name
	if s.ByPort {
		base = fmt.Sprintf("redis-%d", db.Port)
	}
	switch kind {
	case Headless:
		return names.DatabaseHeadless(base)
	case LoadBalancer:
		return names.DatabaseLoadBalancer(base)
	}
	return base
}

func servicePort(s Settings, db Database, kind string) int32 {
	switch {
	case kind == Headless: // it forwards nothing: clients connect to the pod itself
		return db.Port
	case kind == LoadBalancer && db.ClusterAware: // clients go on at the port that the topology names
		return db.Port
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
