package cluster

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Rollout is what to do with the pods of the StatefulSet. Everything in it follows from the StatefulSet, the pods and
// the cluster, so that an operator that was killed goes on where it was.
//
// At rest the partition equals the number of nodes: nothing that happens to the template replaces a pod. A change is
// written together with that partition, and then the partition is lowered by one pod at a time.
type Rollout struct {
	// Rolling is true from the change of the template until every pod has it.
	Rolling bool
	// Upgrade tells that the node image changes.
	Upgrade bool
	// Hold leaves the StatefulSet as it is, for the reason in Blocked.
	Hold    bool
	Blocked error
	// Partition to write.
	Partition int32
	// Recreate names pods to be deleted at once: outdated pods of a cluster that was never formed.
	Recreate []string
	// Waits says what the next pod is waiting for.
	Waits string
	// TakeOver says for what the pods of another operator's StatefulSet wait; see takeover.go.
	TakeOver string
}

// reason of the waits and conditions.
func (r Rollout) reason() string {
	if r.Upgrade {
		return v1.ReasonUpgrade
	}
	return v1.ReasonRollingUpdate
}

const podRevision = appsv1.ControllerRevisionHashLabelKey

// settled tells whether all pods have the form that the StatefulSet describes.
func settled(o *Observed) bool {
	s := o.Set.Status
	if s.ObservedGeneration < o.Set.Generation {
		return false
	}
	return s.CurrentRevision == s.UpdateRevision && len(outdated(o)) == 0
}

// outdated are the pods that do not have the newest template, the highest number last.
func outdated(o *Observed) []*corev1.Pod {
	var list []*corev1.Pod
	for i := range o.Pods {
		if revision := o.Pods[i].Labels[podRevision]; revision != "" && o.Set.Status.UpdateRevision != "" && revision != o.Set.Status.UpdateRevision {
			list = append(list, &o.Pods[i])
		}
	}
	return list
}

// planRollout decides about the pods.
func planRollout(rec *v1.RedisEnterpriseCluster, want *appsv1.StatefulSet, o *Observed) Rollout {
	if o.Set == nil {
		return Rollout{Partition: replicas(want)}
	}
	if held, ok := takeOver(rec, want, o); ok {
		return held
	}
	upgrade := changesImage(want, o)
	switch {
	case o.Set.Annotations[children.AnnotationTemplate] != want.Annotations[children.AnnotationTemplate]:
		return begin(rec, want, o, upgrade)
	case settled(o):
		return Rollout{Partition: replicas(want)}
	}
	r := Rollout{Rolling: true, Upgrade: upgrade || o.Set.Annotations[AnnotationRollout] == v1.ReasonUpgrade, Partition: partition(o.Set)}
	return advance(rec, r, want, o)
}

// changesImage tells whether any pod runs, or is told to run, another node image than the wanted one.
func changesImage(want *appsv1.StatefulSet, o *Observed) bool {
	image := imageOf(want, names.NodeContainer)
	if imageOf(o.Set, names.NodeContainer) != image {
		return true
	}
	for i := range o.Pods {
		for _, c := range o.Pods[i].Spec.Containers {
			if c.Name == names.NodeContainer && c.Image != image {
				return true
			}
		}
	}
	return false
}

// begin starts a change, or refuses an upgrade that cannot be done now (rule REC-39).
func begin(rec *v1.RedisEnterpriseCluster, want *appsv1.StatefulSet, o *Observed, upgrade bool) Rollout {
	r := Rollout{Rolling: true, Upgrade: upgrade, Partition: max(replicas(want), replicas(o.Set))}
	if !upgrade || !o.Formed {
		return r
	}
	for _, check := range upgradeChecks {
		if sentence := check(rec, want, o); sentence != "" {
			return Rollout{Hold: true, Partition: partition(o.Set), Blocked: &outcome.Rejected{
				Reason: v1.ReasonUpgradeBlocked, Path: "spec.redisEnterpriseImageSpec.versionTag", Message: sentence}}
		}
	}
	return r
}

// advance releases the next pod when nothing speaks against it.
func advance(rec *v1.RedisEnterpriseCluster, r Rollout, want *appsv1.StatefulSet, o *Observed) Rollout {
	old := outdated(o)
	if !o.Formed {
		// No node holds anything yet, and none becomes ready before the first one has formed the cluster: waiting for
		// one after the other would never end.
		r.Partition = 0
		for _, pod := range old {
			if pod.DeletionTimestamp == nil {
				r.Recreate = append(r.Recreate, pod.Name)
			}
		}
		r.Waits = "the pods are replaced; the cluster does not exist yet"
		return r
	}
	if o.Set.Status.ObservedGeneration < o.Set.Generation || len(old) == 0 {
		r.Waits = "Kubernetes has yet to take note of the change"
		return r
	}
	target := old[len(old)-1]
	n := ordinal(rec.Name, target)
	if r.Partition <= n {
		r.Waits = fmt.Sprintf("pod %s is being replaced", target.Name)
		return r
	}
	if sentence := mayReplace(release{rec: rec, target: target, nodes: replicas(want), seen: o}); sentence != "" {
		r.Waits = fmt.Sprintf("pod %s is replaced as soon as this is over: %s", target.Name, sentence)
		return r
	}
	r.Partition = n
	r.Waits = fmt.Sprintf("pod %s is being replaced", target.Name)
	return r
}

// upgradeCheck looks at one thing that forbids an upgrade, and says it in a sentence.
type upgradeCheck func(rec *v1.RedisEnterpriseCluster, want *appsv1.StatefulSet, o *Observed) string

// upgradeChecks are asked in this order before the first pod is touched.
var upgradeChecks = []upgradeCheck{licenseCounts, pathIsSupported}

// licenseCounts is rule REC-74: with an expired licence an upgrade could not be finished.
func licenseCounts(_ *v1.RedisEnterpriseCluster, _ *appsv1.StatefulSet, o *Observed) string {
	if o.Snapshot != nil && o.Snapshot.License != nil && o.Snapshot.License.Expired {
		return "the licence has expired; install a valid one before the upgrade"
	}
	return ""
}

// refusedPaths are jumps that the release notes rule out (rule REC-46).
var refusedPaths = []struct{ from, to string }{{"7.22.2-43", "8.0.20-26"}}

func pathIsSupported(_ *v1.RedisEnterpriseCluster, want *appsv1.StatefulSet, o *Observed) string {
	from, to := imageOf(o.Set, names.NodeContainer), imageOf(want, names.NodeContainer)
	for _, path := range refusedPaths {
		if strings.Contains(from, ":"+path.from) && strings.Contains(to, ":"+path.to) {
			return fmt.Sprintf("the step from %s to %s is not supported; choose a version in between", path.from, path.to)
		}
	}
	return ""
}
