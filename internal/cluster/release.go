package cluster

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// release is the question whether a pod may be replaced now.
type release struct {
	rec    *v1.RedisEnterpriseCluster
	target *corev1.Pod
	nodes  int32 // how many there should be
	seen   *Observed
}

// safetyRule looks at one thing that speaks against the release, and says it in a sentence; empty means none.
type safetyRule struct {
	name  string
	check func(release) string
}

// safetyRules are asked in this order; the first refusal is what the user reads (rule REC-42). What concerns the target
// alone does not hold it back: a pod that is broken already is lost by waiting, not by replacing it.
var safetyRules = []safetyRule{
	{"all pods exist", allPodsExist},
	{"no pod is ending", noPodIsEnding},
	{"the other pods are ready", otherPodsAreReady},
	{"the cluster answers", clusterAnswers},
	{"every pod has its node", everyPodHasItsNode},
	{"the other nodes are active", otherNodesAreActive},
	{"a majority remains", majorityRemains},
	{"replaced nodes agree on their version", replacedNodesAgree},
	{"no node is in maintenance", noNodeInMaintenance},
	{"no action runs", noActionRuns},
	{"databases are settled", databasesAreSettled},
	{"shards are up", shardsAreUp},
	{"replicas are in sync", replicasAreInSync},
	{"endpoints are up", endpointsAreUp},
}

// mayReplace returns the first refusal, or nothing.
func mayReplace(r release) string {
	for _, rule := range safetyRules {
		if sentence := rule.check(r); sentence != "" {
			return sentence
		}
	}
	return ""
}

// targetNode is the uid of the node in the target, 0 if it is in no cluster.
func (r release) targetNode() rest.UID { return nodeOf(r.seen, r.target) }

// nodeOf is the uid of the node that runs in a pod: by its address, or by what the pod last wrote on the board.
func nodeOf(o *Observed, pod *corev1.Pod) rest.UID {
	if o.Snapshot != nil && pod.Status.PodIP != "" {
		if node := o.Snapshot.NodeAt(pod.Status.PodIP); node != nil {
			return node.UID
		}
	}
	report, _ := o.Board.Report(pod.Name)
	uid, _ := rest.ParseUID(report.UID)
	return uid
}

// targetIsDown tells whether the target does nothing for anybody any more.
func (r release) targetIsDown() bool {
	if ready(r.target) {
		return false
	}
	node := r.seen.Snapshot.Node(r.targetNode())
	return node == nil || node.Status != rest.NodeActive
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func allPodsExist(r release) string {
	for n := range r.nodes {
		if r.seen.pod(r.rec.Name, n) == nil {
			return fmt.Sprintf("pod %s does not exist", names.Pod(r.rec.Name, int(n)))
		}
	}
	return ""
}

func noPodIsEnding(r release) string {
	for i := range r.seen.Pods {
		if r.seen.Pods[i].DeletionTimestamp != nil {
			return fmt.Sprintf("pod %s is still ending", r.seen.Pods[i].Name)
		}
	}
	return ""
}

func otherPodsAreReady(r release) string {
	for i := range r.seen.Pods {
		if pod := &r.seen.Pods[i]; pod.Name != r.target.Name && !ready(pod) {
			return fmt.Sprintf("pod %s is not ready", pod.Name)
		}
	}
	return ""
}

func clusterAnswers(r release) string {
	if !r.seen.reached() {
		return "the cluster does not answer"
	}
	return ""
}

// everyPodHasItsNode also catches a node that has come back with a new address which the cluster has not taken in yet.
func everyPodHasItsNode(r release) string {
	for i := range r.seen.Pods {
		pod := &r.seen.Pods[i]
		if pod.Name == r.target.Name && r.targetIsDown() {
			continue
		}
		if r.seen.Snapshot.NodeAt(pod.Status.PodIP) == nil {
			return fmt.Sprintf("the cluster does not know a node at the address of pod %s", pod.Name)
		}
	}
	return ""
}

func otherNodesAreActive(r release) string {
	for _, node := range r.seen.Snapshot.Nodes {
		if node.Status != rest.NodeActive && (node.UID != r.targetNode() || !r.targetIsDown()) {
			return fmt.Sprintf("node %s is %s", node.UID, node.Status)
		}
	}
	return ""
}

func majorityRemains(r release) string {
	left := 0
	for _, node := range r.seen.Snapshot.Nodes {
		if node.Status == rest.NodeActive && node.UID != r.targetNode() {
			left++
		}
	}
	if total := len(r.seen.Snapshot.Nodes); left*2 <= total {
		return fmt.Sprintf("only %d of %d nodes would remain, which is no majority", left, total)
	}
	return ""
}

// replacedNodesAgree is true when every pod that was replaced already came up with the same software.
func replacedNodesAgree(r release) string {
	version, from := "", ""
	for i := range r.seen.Pods {
		pod := &r.seen.Pods[i]
		if pod.Labels[podRevision] != r.seen.Set.Status.UpdateRevision {
			continue
		}
		node := r.seen.Snapshot.NodeAt(pod.Status.PodIP)
		switch {
		case node == nil:
		case version == "":
			version, from = node.SoftwareVersion, pod.Name
		case node.SoftwareVersion != version:
			return fmt.Sprintf("the node in pod %s reports version %s, that in %s version %s", pod.Name, node.SoftwareVersion, from, version)
		}
	}
	return ""
}

func noNodeInMaintenance(r release) string {
	for _, node := range r.seen.Snapshot.Nodes {
		if node.UID != r.targetNode() && r.seen.Snapshot.NodeStatus[node.UID].InMaintenance() {
			return fmt.Sprintf("node %s is still in maintenance", node.UID)
		}
	}
	return ""
}

func noActionRuns(r release) string {
	for _, action := range r.seen.Snapshot.Actions {
		if action.Phase() == rest.Running {
			return fmt.Sprintf("action %s is running", action.Name)
		}
	}
	return ""
}

func databasesAreSettled(r release) string {
	for i := range r.seen.Snapshot.BDBs {
		if bdb := &r.seen.Snapshot.BDBs[i]; !bdb.Settled() {
			return fmt.Sprintf("database %s is %s", rest.Value(bdb.Name), rest.Value(bdb.Status))
		}
	}
	return ""
}

func shardsAreUp(r release) string {
	for _, shard := range r.seen.Snapshot.Shards {
		if !shard.Healthy() && (shard.NodeUID != r.targetNode() || !r.targetIsDown()) {
			return fmt.Sprintf("shard %s of database %s is %s", shard.UID, shard.BDBUID, or(shard.DetailedStatus, shard.Status))
		}
	}
	return ""
}

func replicasAreInSync(r release) string {
	for _, shard := range r.seen.Snapshot.Shards {
		if !shard.InSync() && (shard.NodeUID != r.targetNode() || !r.targetIsDown()) {
			return fmt.Sprintf("replica %s of database %s is still copying", shard.UID, shard.BDBUID)
		}
	}
	return ""
}

// endpointsAreUp looks at databases that serve: each needs an endpoint at the address of a living node.
func endpointsAreUp(r release) string {
	for i := range r.seen.Snapshot.BDBs {
		bdb := &r.seen.Snapshot.BDBs[i]
		if rest.Value(bdb.Status) == rest.BDBActive && !served(r.seen, bdb) {
			return fmt.Sprintf("no living node holds an endpoint of database %s", rest.Value(bdb.Name))
		}
	}
	return ""
}

func served(o *Observed, bdb *rest.BDB) bool {
	for _, endpoint := range rest.Value(bdb.Endpoints) {
		for _, address := range endpoint.Addr {
			if node := o.Snapshot.NodeAt(address); node != nil && node.Status == rest.NodeActive {
				return true
			}
		}
	}
	return false
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
