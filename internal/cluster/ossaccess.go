package cluster

import (
	"context"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// access is what cluster-aware clients outside Kubernetes need of a cluster (rules NET-12 to NET-14). The Services come
// first: their load balancers get addresses, which the nodes are then told to announce.
type access struct {
	// Wanted are the Services as they should be.
	Wanted []client.Object
	// Kept are Services that are left as they are: the reading that would decide about them is missing, or a node still
	// announces their addresses.
	Kept []client.Object
	// Steps change what nodes announce.
	Steps []Step
	// Waits say which load balancers have no address yet.
	Waits []error
}

// ofCluster stands for the number of a pod where the load balancer of the whole cluster is meant.
const ofCluster = -1

// addressPatience is how long to wait for a load balancer before looking again; its Service tells earlier.
const addressPatience = 30 * time.Second

// planAccess decides about access from outside for cluster-aware clients.
func planAccess(in Inputs, o *Observed) access {
	databases, known := exposedDatabases(o)
	switch {
	case wantsAccess(in.REC) && !known:
		return access{Kept: live(o)}
	case !wantsAccess(in.REC) || len(databases) == 0:
		return closing(in.REC, o)
	}
	c := children.Cluster{REC: in.REC, Platform: in.Platform}
	a := access{Wanted: []client.Object{children.ClusterLoadBalancer(c, databases)}}
	var pending []string
	for n := ofCluster; n < int(in.REC.Spec.NodeCount()); n++ {
		service, outside := balancerName(in.REC.Name, n), addressesOf(o.Balancers[n])
		if len(outside) == 0 {
			pending = append(pending, service)
		}
		if n == ofCluster {
			continue
		}
		a.Wanted = append(a.Wanted, children.PodLoadBalancer(c, n, databases))
		if node := memberIn(in.REC, o, n); node != nil {
			a.Steps = append(a.Steps, announce(node, service, outside, in.REC.Spec.OSSClusterSettings.PodCIDRs)...)
		}
	}
	if len(pending) > 0 {
		a.Waits = []error{outcome.Wait(v1.ReasonAddressPending, addressPatience,
			"the load balancer has given no address yet to service %s", strings.Join(pending, ", "))}
	}
	a.Steps = addressesFirst(a.Steps)
	return a
}

// addressesFirst puts what every client outside needs before what makes the way of some shorter: a cluster that refuses the
// latter must have been told the former.
func addressesFirst(steps []Step) []Step {
	slices.SortStableFunc(steps, func(a, b Step) int { return rank(a) - rank(b) })
	return steps
}

func rank(s Step) int {
	if _, mapping := s.(setMapping); mapping {
		return 1
	}
	return 0
}

func balancerName(rec string, ordinal int) string {
	if ordinal == ofCluster {
		return names.ClusterLoadBalancer(rec)
	}
	return names.PodLoadBalancer(rec, ordinal)
}

func wantsAccess(rec *v1.RedisEnterpriseCluster) bool {
	s := rec.Spec.OSSClusterSettings
	return s != nil && s.ExternalAccessType == v1.ExternalAccessLoadBalancer
}

// exposedDatabases are those that a resource asked to expose; made in any other way they are not (rule NET-15). Nothing
// is known before the first reading of the cluster.
func exposedDatabases(o *Observed) (list []children.Exposed, known bool) {
	if o.Snapshot == nil || !o.Snapshot.Known() {
		return nil, false
	}
	for i := range o.Snapshot.BDBs {
		db := &o.Snapshot.BDBs[i]
		endpoint, ready := db.MainEndpoint()
		port := rest.Value(db.Port)
		if ready && endpoint.Port != 0 {
			port = endpoint.Port
		}
		if port > 0 && rest.Value(db.OSSCluster) && !rest.Value(db.CRDT) && tagOn(db, bdb.TagOSSAccess) == bdb.AccessExternal && tagOn(db, bdb.TagManagedBy) == bdb.ManagedBy {
			list = append(list, children.Exposed{UID: int64(rest.Value(db.UID)), Port: int32(port)}) //nolint:gosec // a port
		}
	}
	return list, true
}

func tagOn(db *rest.BDB, key string) string {
	for _, tag := range rest.Value(db.Tags) {
		if tag.Key == key {
			return tag.Value
		}
	}
	return ""
}

// closing takes back what nodes announce before their load balancers go. That there is one tells that the addresses came
// from here: those of a cluster that never had any are somebody else's.
func closing(rec *v1.RedisEnterpriseCluster, o *Observed) access {
	a := access{}
	if !o.reached() && o.Formed { // nobody knows what the nodes announce
		a.Kept = live(o)
		return a
	}
	for _, n := range slices.Sorted(maps.Keys(o.Balancers)) {
		if n == ofCluster {
			continue // no node announces its addresses
		}
		node := memberIn(rec, o, n)
		if node == nil {
			continue
		}
		if steps := withdraw(node, o.Balancers[n].Name); len(steps) > 0 {
			a.Steps = append(a.Steps, steps...)
			a.Kept = append(a.Kept, o.Balancers[n])
		}
	}
	return a
}

// live are the load balancers that exist.
func live(o *Observed) []client.Object {
	var list []client.Object
	for _, n := range slices.Sorted(maps.Keys(o.Balancers)) {
		list = append(list, o.Balancers[n])
	}
	return list
}

// observeBalancers finds the load balancers that were made for a cluster: the one of the cluster and those of its pods.
func (k *Kind) observeBalancers(ctx context.Context, rec *v1.RedisEnterpriseCluster, o *Observed) error {
	o.Balancers = map[int]*corev1.Service{}
	for n := ofCluster; n < max(int(rec.Spec.NodeCount()), len(o.Pods)); n++ {
		name := balancerName(rec.Name, n)
		service, err := get(ctx, k.Client, rec.Namespace, name, &corev1.Service{})
		if err != nil {
			return err
		}
		if service == nil {
			continue
		}
		o.Services[name] = service
		if metav1.IsControlledBy(service, rec) {
			o.Balancers[n] = service
		}
	}
	return nil
}

// memberIn is the node of a pod, as far as the cluster was read, also while the pod is being replaced.
func memberIn(rec *v1.RedisEnterpriseCluster, o *Observed, ordinal int) *rest.Node {
	if !o.reached() {
		return nil
	}
	pod := o.pod(rec.Name, int32(ordinal)) //nolint:gosec // a pod's number
	if pod == nil {
		pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: names.Pod(rec.Name, ordinal)}}
	}
	return o.Snapshot.Node(nodeOf(o, pod))
}

// addressesOf are where a load balancer is reached, IP addresses before names, each in order.
func addressesOf(service *corev1.Service) []string {
	if service == nil {
		return nil
	}
	var ips, hosts []string
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if ingress.IP != "" {
			ips = append(ips, ingress.IP)
		} else if ingress.Hostname != "" {
			hosts = append(hosts, ingress.Hostname)
		}
	}
	slices.Sort(ips)
	slices.Sort(hosts)
	return slices.Compact(append(ips, hosts...))
}

// announce are the steps that make a node announce addresses to clients outside, and its own address to those in the
// ranges of pods. While a load balancer has no address, the node keeps the one it has.
func announce(node *rest.Node, service string, outside, podCIDRs []string) []Step {
	var steps []Step
	if len(outside) > 0 && !slices.Equal(node.ExternalAddr, outside) {
		steps = append(steps, setExternal{node: node.UID, service: service, have: node.ExternalAddr, want: outside})
	}
	if want := mappingFor(node, podCIDRs); !sameMapping(node.OSSClusterIPMapping, want) {
		steps = append(steps, setMapping{node: node.UID, have: node.OSSClusterIPMapping, want: want})
	}
	return steps
}

// withdraw are the steps after which a node announces nothing any more that came from here.
func withdraw(node *rest.Node, service string) []Step {
	var steps []Step
	if len(node.ExternalAddr) > 0 {
		steps = append(steps, setExternal{node: node.UID, service: service, have: node.ExternalAddr})
	}
	if want := mappingFor(node, nil); !sameMapping(node.OSSClusterIPMapping, want) {
		steps = append(steps, setMapping{node: node.UID, have: node.OSSClusterIPMapping, want: want})
	}
	return steps
}

func sameMapping(a, b []rest.IPMapping) bool {
	return len(a)+len(b) == 0 || reflect.DeepEqual(a, b)
}

// mappingFor tells clients in the ranges of pods the node's own address (rule NET-14). Entries for networks are ours;
// those for host names, and the one for everybody, are not.
func mappingFor(node *rest.Node, podCIDRs []string) []rest.IPMapping {
	var out []rest.IPMapping
	for _, entry := range node.OSSClusterIPMapping {
		if _, err := netip.ParsePrefix(entry.Key); err != nil {
			out = append(out, entry)
		}
	}
	for _, network := range slices.Compact(slices.Sorted(slices.Values(podCIDRs))) {
		out = append(out, rest.IPMapping{Key: network, Value: map[string]any{"ip": node.Addr}})
	}
	return out
}
