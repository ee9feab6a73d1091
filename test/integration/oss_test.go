package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/test/balancer"
)

// Where clients of this test are: one outside, one in the range that the cluster is told pods are in.
const (
	outsideClient = "127.8.1.1"
	insideClient  = "127.7.1.1"
	insideRange   = "127.7.0.0/16"
)

// cloud gives Services of the type LoadBalancer what a cloud would: an address each, and a way to their pods.
type cloud struct {
	s     *scene
	given map[string]string // address by Service
	made  map[string]*balancer.Balancer
}

func newCloud(s *scene) *cloud {
	c := &cloud{s: s, given: map[string]string{}, made: map[string]*balancer.Balancer{}}
	s.t.Cleanup(func() {
		for _, b := range c.made {
			b.Stop()
		}
	})
	return c
}

// serve waits for a Service and gives it an address.
func (c *cloud) serve(name string) {
	c.s.t.Helper()
	service := &corev1.Service{ObjectMeta: c.s.meta(name)}
	c.s.eventually(limitWord, "service "+name, func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(service), service); err != nil {
			return err.Error()
		}
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
			return string(service.Spec.Type)
		}
		return ""
	})
	for range 50 {
		address := fmt.Sprintf("127.9.%d.%d", rand.IntN(256), 1+rand.IntN(254))
		port := fmt.Sprint(service.Spec.Ports[0].Port)
		b, err := balancer.Start(net.JoinHostPort(address, port), func() string { return c.podOf(name, port) })
		if err != nil {
			continue
		}
		c.made[name], c.given[name] = b, address
		before := service.DeepCopy()
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
		if err := world.Client.Status().Patch(c.s.t.Context(), service, client.MergeFrom(before)); err != nil {
			c.s.t.Fatal(err)
		}
		return
	}
	c.s.t.Fatal("no free address")
}

// podOf is a pod that a Service selects now.
func (c *cloud) podOf(name, port string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	service := &corev1.Service{}
	var pods corev1.PodList
	if world.Client.Get(ctx, c.s.key(name), service) != nil ||
		world.Client.List(ctx, &pods, client.InNamespace(c.s.namespace), client.MatchingLabels(service.Spec.Selector)) != nil {
		return ""
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil && pod.Status.PodIP != "" {
			return net.JoinHostPort(pod.Status.PodIP, port)
		}
	}
	return ""
}

// clusterAware is a cluster-aware client somewhere.
func (s *scene) clusterAware(from, seed, password string) *redis.ClusterClient {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: time.Second}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{seed}, Password: password, MaxRedirects: 8,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		}})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// used writes and reads keys of many slots; it returns what is wrong.
func used(ctx context.Context, c *redis.ClusterClient) string {
	for i := range 64 {
		key := fmt.Sprintf("key-%d", i)
		if err := c.Set(ctx, key, i, 0).Err(); err != nil {
			return err.Error()
		}
		if got, err := c.Get(ctx, key).Int(); err != nil || got != i {
			return fmt.Sprintf("%s is %d: %v", key, got, err)
		}
	}
	return ""
}

// told are the hosts that a client is told of.
func told(ctx context.Context, c *redis.ClusterClient) (hosts []string) {
	slots, err := c.ClusterSlots(ctx).Result()
	if err != nil {
		return []string{err.Error()}
	}
	for _, slot := range slots {
		host, _, _ := net.SplitHostPort(slot.Nodes[0].Addr)
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func TestOSSClusterExternalAccess(t *testing.T) {
	s := newScene(t)
	rec := s.cluster()
	api := s.api()
	db := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("spread"), Spec: appv1alpha1.RedisEnterpriseDatabaseSpec{
		MemorySize: "200MB", ShardCount: ptr.To(2), Replication: ptr.To(true), ShardsPlacement: appv1alpha1.PlacementSparse, OSSCluster: ptr.To(true),
		OSSClusterSettings: &appv1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: true},
	}}
	s.create(db)
	t.Run("NET-15 a cluster that does not allow it refuses, by the path of the field", func(t *testing.T) {
		stalled := s.condition(db, appv1.ConditionStalled, metav1.ConditionTrue, limitWord)
		if !strings.Contains(stalled.Message, "spec.ossClusterSettings.enableExternalAccess") || !strings.Contains(stalled.Message, "externalAccessType") {
			t.Errorf("message: %s", stalled.Message)
		}
	})
	edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
		r.Spec.OSSClusterSettings = &appv1.OSSClusterSettings{ExternalAccessType: appv1.ExternalAccessLoadBalancer,
			LoadBalancer: &appv1.OSSLoadBalancer{ServiceAnnotations: map[string]string{"cloud": "small"}}}
	})
	pods := []string{"rec-0-lb", "rec-1-lb", "rec-2-lb"}
	t.Run("NET-12 load balancers that have no address are waited for, and hold nothing up", func(t *testing.T) {
		s.eventually(limitDatabase, "the wait", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, s.key("rec"), rec); err != nil {
				return err.Error()
			}
			for _, c := range rec.Status.Conditions {
				if c.Type == appv1.ConditionReady && c.Reason == appv1.ReasonAddressPending && strings.Contains(c.Message, "rec-cluster, rec-0-lb, rec-1-lb, rec-2-lb") {
					return ""
				}
			}
			return fmt.Sprintf("%+v", rec.Status.Conditions)
		})
		waits := s.condition(db, appv1.ConditionReady, metav1.ConditionFalse, limitDatabase)
		s.eventually(limitDatabase, "the database waits as well", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, s.key("spread"), db); err != nil {
				return err.Error()
			}
			waits = &db.Status.Conditions[slices.IndexFunc(db.Status.Conditions, func(c metav1.Condition) bool { return c.Type == appv1.ConditionReady })]
			if waits.Reason != appv1.ReasonAddressPending || db.Status.Status != appv1alpha1.DatabaseActive {
				return fmt.Sprintf("%s: %s (%s)", waits.Reason, waits.Message, db.Status.Status)
			}
			return ""
		})
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.SlaveHA = &appv1.SlaveHA{SlaveHAGracePeriod: 1234} })
		s.eventually(limitWord, "another setting of the cluster", func(ctx context.Context) string {
			policy, err := api.GetPolicy(ctx)
			if err != nil || int(rest.Value(policy.SlaveHAGracePeriod)) != 1234 {
				return fmt.Sprint(policy, err)
			}
			return ""
		})
		if err := world.Client.Get(t.Context(), s.key("rec"), rec); err != nil || rec.Status.State != appv1.ClusterRunning {
			t.Errorf("state %s, %v", rec.Status.State, err)
		}
	})
	endpoint := s.spread(api)
	port := int32(endpoint.Port)
	t.Run("NET-12 NET-13 all Services are on the database's port", func(t *testing.T) {
		for _, name := range append(slices.Clone(pods), "rec-cluster", "spread-load-balancer") {
			var service corev1.Service
			if err := world.Client.Get(t.Context(), s.key(name), &service); err != nil {
				t.Error(err)
				continue
			}
			annotated := service.Annotations["cloud"] == "small"
			if ports := service.Spec.Ports; len(ports) != 1 || ports[0].Port != port || annotated != (name != "spread-load-balancer") ||
				service.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyCluster {
				t.Errorf("%s: %+v, annotations %v, %s", name, ports, service.Annotations, service.Spec.ExternalTrafficPolicy)
			}
		}
	})
	c := newCloud(s)
	for _, name := range append(slices.Clone(pods), "rec-cluster", "spread-load-balancer") {
		c.serve(name)
	}
	s.ready(rec, limitDatabase)
	s.ready(db, limitDatabase)
	var outside []string
	for _, name := range pods {
		outside = append(outside, c.given[name])
	}
	var secret corev1.Secret
	if err := world.Client.Get(t.Context(), s.key("redb-spread"), &secret); err != nil {
		t.Fatal(err)
	}
	password := string(secret.Data["password"])
	t.Run("NET-12 nodes announce the addresses, and the Secret names those to begin with", func(t *testing.T) {
		nodes, err := api.ListNodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range nodes {
			if len(node.ExternalAddr) != 1 || !slices.Contains(outside, node.ExternalAddr[0]) {
				t.Errorf("node %s announces %v", node.UID, node.ExternalAddr)
			}
		}
		begin := strings.Split(string(secret.Data[names.StartupNodesKey]), ",")
		if len(begin) != 2 || !slices.Contains(outside, begin[0]) || !slices.Contains(outside, begin[1]) {
			t.Errorf("%s is %v", names.StartupNodesKey, begin)
		}
	})
	seed := net.JoinHostPort(c.given["spread-load-balancer"], fmt.Sprint(port))
	out := s.clusterAware(outsideClient, seed, password)
	t.Run("NET-12 a client outside reaches every key through the load balancers of the nodes", func(t *testing.T) {
		s.eventually(limitWord, "keys of all slots", func(ctx context.Context) string { return used(ctx, out) })
		for _, host := range told(t.Context(), out) {
			if !slices.Contains(outside, host) {
				t.Errorf("the client is told of %s, not of one of %v", host, outside)
			}
		}
		carried := 0
		for _, name := range pods {
			carried += min(1, c.made[name].Taken())
		}
		if carried != 2 {
			t.Errorf("%d load balancers of nodes were used for two masters", carried)
		}
	})
	t.Run("NET-14 clients in the ranges of pods are told of pods", func(t *testing.T) {
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.OSSClusterSettings.PodCIDRs = []string{insideRange} })
		in := s.clusterAware(insideClient, net.JoinHostPort(endpoint.Addr[0], fmt.Sprint(port)), password)
		s.eventually(limitWord, "addresses of pods", func(ctx context.Context) string {
			for _, host := range told(ctx, in) {
				if slices.Contains(outside, host) || !slices.Contains(s.podAddresses(ctx), host) {
					return host
				}
			}
			return used(ctx, in)
		})
		if hosts := told(t.Context(), out); slices.ContainsFunc(hosts, func(h string) bool { return !slices.Contains(outside, h) }) {
			t.Errorf("the client outside is told of %v", hosts)
		}
		s.eventually(limitWord, "NET-13 the client's address is kept", func(ctx context.Context) string {
			var service corev1.Service
			if err := world.Client.Get(ctx, s.key("rec-1-lb"), &service); err != nil || service.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal {
				return fmt.Sprint(service.Spec.ExternalTrafficPolicy, err)
			}
			return ""
		})
	})
	t.Run("NET-12 a client outside finds its way after the loss of a node", func(*testing.T) { s.loseMaster(api, out, outside) })
	s.ready(rec, limitCluster)
	t.Run("NET-12 switched off, nothing is left", func(*testing.T) {
		edit(s, db, func(db *appv1alpha1.RedisEnterpriseDatabase) { db.Spec.OSSClusterSettings = nil })
		s.ready(db, limitDatabase)
		s.eventually(limitDatabase, "no load balancers and no addresses", func(ctx context.Context) string {
			nodes, err := api.ListNodes(ctx)
			if err != nil {
				return err.Error()
			}
			for _, node := range nodes {
				if len(node.ExternalAddr)+len(node.OSSClusterIPMapping) > 0 {
					return fmt.Sprintf("node %s announces %v, %v", node.UID, node.ExternalAddr, node.OSSClusterIPMapping)
				}
			}
			for _, name := range append(slices.Clone(pods), "rec-cluster", "spread-load-balancer") {
				if err := world.Client.Get(ctx, s.key(name), &corev1.Service{}); !apierrors.IsNotFound(err) {
					return fmt.Sprintf("%s: %v", name, err)
				}
			}
			return ""
		})
		s.eventually(limitDatabase, "NET-11 a client inside is told of pods", func(ctx context.Context) string {
			in := s.clusterAware(outsideClient, net.JoinHostPort(s.spread(api).Addr[0], fmt.Sprint(port)), password)
			if hosts := told(ctx, in); slices.ContainsFunc(hosts, func(h string) bool { return !slices.Contains(s.podAddresses(ctx), h) }) {
				return fmt.Sprint(hosts)
			}
			return used(ctx, in)
		})
		s.ready(rec, limitDatabase)
	})
}

// spread is the endpoint of the database of this test.
func (s *scene) spread(api *rest.Client) (found rest.Endpoint) {
	s.t.Helper()
	s.eventually(limitDatabase, "an endpoint", func(ctx context.Context) string {
		db, err := api.FindBDB(ctx, "spread")
		if err != nil || db == nil {
			return fmt.Sprint(db, err)
		}
		endpoint, ready := db.MainEndpoint()
		if !ready || len(endpoint.Addr) == 0 {
			return "none yet"
		}
		found = endpoint
		return ""
	})
	return found
}

// podAddresses are those of the node pods.
func (s *scene) podAddresses(ctx context.Context) (list []string) {
	var pods corev1.PodList
	if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(names.NodeLabels("rec"))); err != nil {
		return nil
	}
	for _, pod := range pods.Items {
		list = append(list, pod.Status.PodIP)
	}
	return list
}

// loseMaster loses a node that a client has keys on, and waits until it is back at another address.
func (s *scene) loseMaster(api *rest.Client, c *redis.ClusterClient, outside []string) {
	s.t.Helper()
	var lost corev1.Pod
	host := s.spread(api).Addr[0]
	s.eventually(limitWord, "the pod at "+host, func(ctx context.Context) string {
		var pods corev1.PodList
		if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(names.NodeLabels("rec"))); err != nil {
			return err.Error()
		}
		for _, pod := range pods.Items {
			if pod.Status.PodIP == host {
				lost = pod
				return ""
			}
		}
		return "none"
	})
	if err := world.Kubelet.KillNode(s.t.Context(), s.key(lost.Name)); err != nil {
		s.t.Fatal(err)
	}
	s.eventually(limitDatabase, "keys of all slots", func(ctx context.Context) string { return used(ctx, c) })
	s.eventually(limitCluster, "the node is back, with its own address and the one outside", func(ctx context.Context) string {
		nodes, err := api.ListNodes(ctx)
		if err != nil {
			return err.Error()
		}
		for _, node := range nodes {
			m := node.OSSClusterIPMapping
			if node.Status != rest.NodeActive || node.Addr == host || len(node.ExternalAddr) != 1 || !slices.Contains(outside, node.ExternalAddr[0]) ||
				len(m) != 1 || m[0].Value["ip"] != node.Addr {
				return fmt.Sprintf("node %s is %s at %s, announces %v and %v", node.UID, node.Status, node.Addr, node.ExternalAddr, m)
			}
		}
		return used(ctx, c)
	})
}
