//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

const (
	// failover is how long a database may be away when a node is lost: to notice, to promote, to connect again.
	failover = 15 * time.Second
	// planned is the same for a node that is drained first.
	planned = 5 * time.Second
	heal    = 4 * time.Minute
)

// lossOfANode ends the node that a client writes to, without any warning.
func lossOfANode(t *testing.T, s *suite) {
	ctx := t.Context()
	w := s.writer(t, "e2e-loss", shardedDB)
	pod := s.pod(t, s.endpointPod(t, shardedDB))
	must(t, s.LosePod(ctx, pod.Name))
	t.Run("RIG-6 the Service follows within five seconds", func(t *testing.T) { s.serviceFollows(t, pod) })
	must(t, s.Replaced(ctx, rec, pod, heal))
	must(t, s.AwaitDatabase(ctx, shardedDB, heal))
	t.Run("no acknowledged write is lost", func(t *testing.T) { nothingLost(t, w, failover) })
	t.Run("REC-47 the node is back in the cluster", func(t *testing.T) { s.nodesAre(t, 3, "") })
}

// serviceFollows measures from the moment the cluster names another endpoint until the Service's slices hold it.
func (s *suite) serviceFollows(t *testing.T, lost *corev1.Pod) {
	var moved, followed time.Time
	err := s.Await(t.Context(), "endpoint of "+shardedDB, time.Minute, func() (bool, string, error) {
		// No answer is no news: the master of the cluster may have been on that node.
		addresses, _ := s.endpoints(t.Context(), shardedDB)
		if moved.IsZero() && len(addresses) > 0 && !slices.Contains(addresses, lost.Status.PodIP) {
			moved = time.Now()
		}
		serves, err := s.serves(t.Context(), shardedDB)
		if err != nil {
			return false, "", err
		}
		if !moved.IsZero() && len(addresses) > 0 && slices.Equal(serves, addresses) {
			followed = time.Now()
		}
		return !followed.IsZero(), fmt.Sprintf("at %v, the service leads to %v", addresses, serves), nil
	})
	must(t, err)
	if took := followed.Sub(moved); took > 5*time.Second {
		t.Errorf("the service followed after %s", took)
	}
}

// endpoints are the addresses at which the cluster serves a database.
func (s *suite) endpoints(ctx context.Context, database string) ([]string, error) {
	var db appv1alpha1.RedisEnterpriseDatabase
	if err := s.Get(ctx, s.Key(database), &db); err != nil {
		return nil, err
	}
	uid, ok := rest.ParseUID(db.Status.DatabaseUID)
	if !ok {
		return nil, fmt.Errorf("redb/%s has no uid yet", database)
	}
	api, err := s.API(ctx, rec)
	if err != nil {
		return nil, err
	}
	defer api.Close()
	bdb, err := api.GetBDB(ctx, uid)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, endpoint := range rest.Value(bdb.Endpoints) {
		addresses = append(addresses, endpoint.Addr...)
	}
	slices.Sort(addresses)
	return slices.Compact(addresses), nil
}

// serves are the ready addresses behind a Service.
func (s *suite) serves(ctx context.Context, service string) ([]string, error) {
	slicesOf, err := s.Core.DiscoveryV1().EndpointSlices(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, slice := range slicesOf.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				addresses = append(addresses, endpoint.Addresses...)
			}
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses), nil
}

// endpointPod is the pod that serves the database.
func (s *suite) endpointPod(t *testing.T, database string) string {
	t.Helper()
	addresses, err := s.endpoints(t.Context(), database)
	must(t, err)
	pods, err := s.NodePods(t.Context(), rec)
	must(t, err)
	for _, pod := range pods {
		if slices.Contains(addresses, pod.Status.PodIP) {
			return pod.Name
		}
	}
	t.Fatalf("no pod has one of the addresses %v", addresses)
	return ""
}

func (s *suite) pod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	var pod corev1.Pod
	must(t, s.Get(t.Context(), s.Key(name), &pod))
	return &pod
}

// nodesAre checks what the cluster itself says of its nodes.
func (s *suite) nodesAre(t *testing.T, count int, version string) {
	t.Helper()
	api, err := s.API(t.Context(), rec)
	must(t, err)
	defer api.Close()
	nodes, err := api.ListNodes(t.Context())
	must(t, err)
	if len(nodes) != count {
		t.Errorf("the cluster has %d nodes instead of %d", len(nodes), count)
	}
	for _, node := range nodes {
		if node.Status != rest.NodeActive {
			t.Errorf("node %s is %s", node.UID, node.Status)
		}
		if version != "" && node.SoftwareVersion != version {
			t.Errorf("node %s runs %s instead of %s", node.UID, node.SoftwareVersion, version)
		}
	}
}

// deletedPod deletes the pod of the database that has neither replica nor file: only a drain saves its data.
func deletedPod(t *testing.T, s *suite) {
	ctx := t.Context()
	w := s.writer(t, "e2e-drain", singleDB)
	pods := s.watchPods(t, 3)
	pod := s.pod(t, s.endpointPod(t, singleDB))
	must(t, s.Delete(ctx, pod))
	must(t, s.Replaced(ctx, rec, pod, heal))
	must(t, s.AwaitDatabase(ctx, singleDB, heal))
	t.Run("REC-17 the node was drained: no acknowledged write is lost", func(t *testing.T) { nothingLost(t, w, planned) })
	pods.check(t)
}

// operatorKilled ends all replicas at once; what they look after goes on as it was.
func operatorKilled(t *testing.T, s *suite) {
	ctx := t.Context()
	before := s.generations(t)
	s.killOperator(t)
	must(t, s.AwaitDeployment(ctx, operator, heal))
	must(t, s.awaitLeader(ctx))
	must(t, s.AwaitCluster(ctx, rec, heal))
	if after := s.generations(t); !maps.Equal(before, after) {
		t.Errorf("objects changed: before %v, after %v", before, after)
	}
}

// killOperator deletes the operator's pods without grace.
func (s *suite) killOperator(t *testing.T) {
	t.Helper()
	must(t, s.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(s.Namespace), client.MatchingLabels{"name": operator}, client.GracePeriodSeconds(0)))
}

// awaitLeader waits until one of the running replicas holds the lease.
func (s *suite) awaitLeader(ctx context.Context) error {
	return s.Await(ctx, "leader", time.Minute, func() (bool, string, error) {
		leases, err := s.Core.CoordinationV1().Leases(s.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, "", err
		}
		for _, lease := range leases.Items {
			if lease.Spec.HolderIdentity == nil || lease.Spec.RenewTime == nil || time.Since(lease.Spec.RenewTime.Time) > 5*time.Second {
				continue
			}
			pods, err := s.Core.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "name=" + operator})
			if err != nil {
				return false, "", err
			}
			for _, pod := range pods.Items {
				if len(*lease.Spec.HolderIdentity) > len(pod.Name) && (*lease.Spec.HolderIdentity)[:len(pod.Name)] == pod.Name {
					return true, pod.Name, nil
				}
			}
		}
		return false, "nobody leads", nil
	})
}

// generations tell whether anything was asked of the children: they grow with each change of a spec, and a pod that is
// replaced has another uid.
func (s *suite) generations(t *testing.T) map[string]string {
	t.Helper()
	ctx := t.Context()
	all := map[string]string{}
	pods, err := s.NodePods(ctx, rec)
	must(t, err)
	for _, pod := range pods {
		all["pod/"+pod.Name] = string(pod.UID)
	}
	var set appsv1.StatefulSet
	must(t, s.Get(ctx, s.Key(rec), &set))
	all["statefulset"] = fmt.Sprint(set.Generation)
	var rigger appsv1.Deployment
	must(t, s.Get(ctx, s.Key(rec+"-services-rigger"), &rigger))
	all["rigger"] = fmt.Sprint(rigger.Generation)
	var services corev1.ServiceList
	must(t, s.List(ctx, &services, client.InNamespace(s.Namespace)))
	for _, service := range services.Items {
		all["service/"+service.Name] = service.ResourceVersion
	}
	return all
}
