package cluster

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

var testPlatform = platform.Platform{
	Node:         platform.Image{Repository: "r/redis", Tag: "8.2.0"},
	Bootstrapper: platform.Image{Repository: "r/operator", Tag: "1"},
	Rigger:       platform.Image{Repository: "r/operator", Tag: "1"},
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// inputs of a cluster whose references are all fine.
func inputs(rec *v1.RedisEnterpriseCluster) Inputs {
	return Inputs{REC: rec, Platform: testPlatform, Credentials: Credentials{Secret: "rec", Username: "u", Password: "p"}}
}

func address(n int) string { return fmt.Sprintf("10.0.0.%d", n+1) }

// healthy is a cluster of three nodes with nothing to do: one database with a master on node 1 and a replica on node 2.
func healthy(rec *v1.RedisEnterpriseCluster) *Observed {
	in := inputs(rec)
	want := desired(in, nil)
	live := setOf(want.Set, &Observed{}, Rollout{Partition: replicas(want.Set)})
	live.Status = appsv1.StatefulSetStatus{CurrentRevision: "a", UpdateRevision: "a"}
	o := &Observed{
		Set: live, Rigger: &appsv1.Deployment{Status: appsv1.DeploymentStatus{ReadyReplicas: 1}}, Formed: true,
		Board: board.Data{names.BoardFormed: "true"},
		Snapshot: &link.Snapshot{
			Time: epoch, Tried: epoch, Cluster: &rest.Cluster{},
			Policy:     &rest.ClusterPolicy{SlaveHAGracePeriod: rest.Ptr(rest.Int(defaultSlaveHAGrace))},
			License:    &rest.License{ShardsLimit: rest.Ptr(rest.Int(4)), ExpirationDate: "2030-01-01"},
			NodeStatus: map[rest.UID]rest.NodeStatus{},
		},
	}
	for n := range int(replicas(want.Set)) {
		addNode(o, n, "a")
	}
	o.Snapshot.NodeStatus[1] = rest.NodeStatus{Role: rest.RoleMaster}
	o.Pods[0].Labels[names.LabelMaster] = "1"
	o.Snapshot.BDBs = []rest.BDB{{UID: rest.Ptr(rest.UID(1)), Name: rest.Ptr("orders"), Status: rest.Ptr(rest.BDBActive),
		Endpoints: &[]rest.Endpoint{{Addr: rest.Strings{address(0)}}}}}
	o.Snapshot.Shards = []rest.Shard{
		{UID: 1, BDBUID: 1, NodeUID: 1, Role: "master", Status: "active", DetailedStatus: "ok"},
		{UID: 2, BDBUID: 1, NodeUID: 2, Role: "slave", Status: "active", DetailedStatus: "ok", Sync: &rest.ShardSync{Status: "idle"}},
	}
	return o
}

func addNode(o *Observed, n int, revision string) {
	uid := rest.UID(n + 1)
	o.Pods = append(o.Pods, corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: names.Pod("rec", n), Labels: map[string]string{podRevision: revision}},
		Spec:       corev1.PodSpec{Containers: o.Set.Spec.Template.Spec.Containers},
		Status:     corev1.PodStatus{PodIP: address(n), Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	})
	o.Board[board.Key(names.Pod("rec", n))] = board.Report{State: rest.BootstrapCompleted, UID: uid.String(), Address: address(n), Certificate: "pem"}.String()
	o.Snapshot.Nodes = append(o.Snapshot.Nodes, rest.Node{UID: uid, Addr: address(n), Status: rest.NodeActive, SoftwareVersion: "8.2.0"})
	o.Snapshot.NodeStatus[uid] = rest.NodeStatus{Role: rest.RoleSlave}
}

// unready takes a pod down together with its node.
func unready(o *Observed, n int) {
	o.Pods[n].Status.Conditions[0].Status = corev1.ConditionFalse
	o.Snapshot.Nodes[n].Status = rest.NodeDown
}

// changed is a cluster whose template has just been changed: the update revision is there, no pod has it.
func changed(rec *v1.RedisEnterpriseCluster) *Observed {
	o := healthy(rec)
	o.Set.Status.UpdateRevision = "b"
	o.Set.Annotations[AnnotationRollout] = v1.ReasonRollingUpdate
	return o
}

// replaced gives pods the newest revision.
func replaced(o *Observed, pods ...int) {
	for _, n := range pods {
		o.Pods[n].Labels[podRevision] = "b"
	}
}

func release0(rec *v1.RedisEnterpriseCluster, o *Observed, target int) release {
	return release{rec: rec, target: &o.Pods[target], nodes: 3, seen: o}
}

func wantedSet(rec *v1.RedisEnterpriseCluster, o *Observed) *appsv1.StatefulSet {
	return children.StatefulSet(childrenOf(inputs(rec), o.Set))
}

func setPartition(o *Observed, n int32) {
	o.Set.Spec.UpdateStrategy.RollingUpdate.Partition = ptr.To(n)
}
