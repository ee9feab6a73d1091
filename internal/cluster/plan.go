package cluster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Delays after which a wait looks again, beside what wakes it earlier.
const (
	soon  = 2 * time.Second
	later = 5 * time.Second
)

// Plan is what will be done, in order, and what remains afterwards.
type Plan struct {
	Steps   []Step
	Rollout Rollout
	// Remains are the waits and refusals that stay when all steps are done; the first of its kind is shown.
	Remains []error
}

// plan holds the wish against what there is.
func plan(in Inputs, want Desired, o *Observed) Plan {
	p, outside := Plan{Rollout: planRollout(in.REC, want.Set, o)}, planAccess(in, o)
	want.Base, want.Kept = append(slices.Clone(want.Base), outside.Wanted...), outside.Kept
	tls := planTLS(in, o)
	want.Set = notingTLS(want.Set, tls.note)
	p.Steps = append(p.Steps, kubernetesSteps(in, want, o, p.Rollout)...)
	p.Steps = append(p.Steps, masterLabels(o)...)
	upgrading := p.Rollout.Rolling && p.Rollout.Upgrade
	if o.reached() && !upgrading { // rule REC-38
		p.Steps = append(p.Steps, settingSteps(in, want, o)...)
	}
	p.Steps = append(p.Steps, metricsSteps(in, o)...)
	p.Steps = append(p.Steps, entranceSteps(in)...)
	if o.reached() && !upgrading { // last: what a cluster may refuse must not hold up the rest
		p.Steps = append(p.Steps, outside.Steps...)
		if tls.change != nil && !p.Rollout.Hold { // what was before is noted with the StatefulSet, which is not held back then
			p.Steps = append(p.Steps, tls.change)
		}
		p.Steps = append(p.Steps, carrySteps(o)...)
	}
	p.Remains = append(remains(in, o, p.Rollout), outside.Waits...)
	return p
}

// kubernetesSteps make the objects, in the order of rule REC-21.
func kubernetesSteps(in Inputs, want Desired, o *Observed, r Rollout) []Step {
	var steps []Step
	if want.VersionTag != "" && r.TakeOver == "" {
		steps = append(steps, writeVersion{want.VersionTag})
	}
	if want.Secret != nil {
		steps = append(steps, createSecret{want.Secret})
	}
	base := append(slices.Clone(want.Base), boardOf(in, o))
	for _, object := range base {
		if service, ok := object.(*corev1.Service); ok {
			children.WithoutForeign(service, o.Services[service.Name])
		}
	}
	steps = append(steps, applyObjects{base})
	steps = append(steps, takeOverSteps(in, want, o, r)...)
	if !r.Hold {
		steps = append(steps, applyObjects{[]client.Object{setOf(want.Set, o, r)}})
	}
	for _, pod := range append(r.Recreate, hanging(in, o)...) {
		steps = append(steps, recreatePod{pod})
	}
	steps = append(steps, applyObjects{[]client.Object{want.Rigger}})
	return append(steps, pruneObjects{append(base, want.Kept...)})
}

// hanging are pods that have been starting for longer than the policy allows (rule REC-48): deleted, they are scheduled
// anew. A pod that has started is not touched, whatever its state: it may hold data.
func hanging(in Inputs, o *Observed) []string {
	policy := in.REC.Spec.PodStartingPolicy
	if policy == nil || !policy.Enabled || policy.StartingThresholdSeconds <= 0 {
		return nil
	}
	var list []string
	for i := range o.Pods {
		pod := &o.Pods[i]
		age := in.Now.Sub(pod.CreationTimestamp.Time)
		if pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil && age > time.Duration(policy.StartingThresholdSeconds)*time.Second {
			list = append(list, pod.Name)
		}
	}
	return list
}

// boardOf is the operator's part of the bulletin board. Being formed never goes back (rule REC-22).
func boardOf(in Inputs, o *Observed) *corev1.ConfigMap {
	return children.Board(children.Cluster{REC: in.REC}, o.Formed, membersOf(o))
}

// membersOf are addresses that a new node can join through: nodes that the cluster calls active, or, while it cannot be
// asked, what pods have said of their nodes, or what stood there before.
func membersOf(o *Observed) []string {
	if !o.Formed {
		return nil
	}
	var members []string
	for i := range o.Pods {
		pod := &o.Pods[i]
		if pod.Status.PodIP == "" || pod.DeletionTimestamp != nil {
			continue
		}
		if o.reached() {
			if node := o.Snapshot.NodeAt(pod.Status.PodIP); node != nil && node.Status == rest.NodeActive {
				members = append(members, pod.Status.PodIP)
			}
		} else if report, ok := o.Board.Report(pod.Name); ok && report.State == rest.BootstrapCompleted && report.Address == pod.Status.PodIP {
			members = append(members, pod.Status.PodIP)
		}
	}
	if len(members) == 0 {
		return o.Board.Members()
	}
	return members
}

// setOf completes the wished StatefulSet with what the rollout decided.
func setOf(want *appsv1.StatefulSet, o *Observed, r Rollout) *appsv1.StatefulSet {
	set := want.DeepCopy()
	set.Spec.UpdateStrategy.RollingUpdate.Partition = ptr.To(r.Partition)
	kind := ""
	if o.Set != nil {
		kind = o.Set.Annotations[AnnotationRollout]
	}
	if r.Rolling {
		kind = r.reason()
	}
	if kind != "" {
		set.Annotations[AnnotationRollout] = kind
	}
	if takenOver(o.Set) {
		set.Annotations[AnnotationTakenOver] = o.Set.Annotations[AnnotationTakenOver]
	}
	return set
}

// masterLabels mark the pod whose node leads the cluster (rule REC-8).
func masterLabels(o *Observed) []Step {
	if !o.reached() {
		return nil
	}
	master := o.Snapshot.Master()
	if master == nil {
		return nil
	}
	var steps []Step
	for i := range o.Pods {
		pod := &o.Pods[i]
		leads := pod.Status.PodIP != "" && pod.Status.PodIP == master.Addr
		if leads != (pod.Labels[names.LabelMaster] == "1") {
			steps = append(steps, labelMaster{pod.DeepCopy(), leads})
		}
	}
	return steps
}

// settingSteps make the cluster's own settings equal to the spec.
func settingSteps(in Inputs, want Desired, o *Observed) []Step {
	var steps []Step
	current := ""
	if o.Snapshot.License != nil {
		current = o.Snapshot.License.License
	}
	if want.License != "" && !sameLicense(current, want.License) {
		steps = append(steps, putLicense{text: want.License, path: in.LicensePath})
	}
	if o.Snapshot.Policy != nil {
		if update, changes := difference(policySettings, o.Snapshot.Policy, want.Policy); update != nil {
			steps = append(steps, putPolicy{update, changes})
		}
	}
	steps = append(steps, clusterSteps(want.Cluster, o)...)
	if o.Modes != nil {
		if update, changes := modesUpdate(o.Modes, want.Modes); len(changes) > 0 {
			steps = append(steps, putModes{update, changes})
		}
	}
	return append(steps, metricsSettings(want, o)...)
}

// remains says what is still missing, the most important first.
func remains(in Inputs, o *Observed, r Rollout) []error {
	list := slices.Clone(in.Problems)
	if in.FreshPassword != "" && foreign(o.Set) {
		list = append(list, outcome.Missing("spec.clusterCredentialSecretName",
			"secret %s does not exist, and only whoever made the cluster knows its password; make it with the keys %s and %s",
			in.Credentials.Secret, names.UsernameKey, names.PasswordKey))
	}
	if problem := metricsProblem(in, o); problem != nil {
		list = append(list, problem)
	}
	if r.Blocked != nil {
		list = append(list, r.Blocked)
	}
	if r.Rolling {
		list = append(list, outcome.Wait(r.reason(), soon, "%s", or(r.Waits, "the pods are about to be replaced one by one")))
	}
	if reason, sentence := membership(in.REC, o); sentence != "" {
		delay := soon
		if reason == v1.ReasonClusterUnreachable {
			delay = later
		}
		list = append(list, outcome.Wait(reason, delay, "%s", sentence))
	}
	if sentence := maintenance(o); sentence != "" {
		list = append(list, outcome.Wait(v1.ReasonWaiting, soon, "%s", sentence))
	}
	if o.Rigger == nil || o.Rigger.Status.ReadyReplicas == 0 {
		list = append(list, outcome.Wait(v1.ReasonWaiting, later, "the services rigger %s is not ready", names.Rigger(in.REC.Name)))
	}
	return list
}

// maintenance names a node that is active but does no work: the last one of a roll takes its duties back after its pod
// is ready.
func maintenance(o *Observed) string {
	if !o.reached() {
		return ""
	}
	for _, node := range o.Snapshot.Nodes {
		if o.Snapshot.NodeStatus[node.UID].InMaintenance() {
			return fmt.Sprintf("node %s is still in maintenance", node.UID)
		}
	}
	return ""
}

// membership says what keeps the nodes from being complete, and nothing when they are.
func membership(rec *v1.RedisEnterpriseCluster, o *Observed) (reason, sentence string) {
	if o == nil || o.Set == nil {
		return v1.ReasonBootstrapping, "the objects of the cluster are being created"
	}
	if pod, code, message := bootstrapError(rec, o); pod != "" {
		return v1.ReasonBootstrapFailed, fmt.Sprintf("pod %s: %s %s; it is tried again", pod, code, message)
	}
	if !o.Formed && o.Refusal != "" && o.pod(rec.Name, 0) == nil {
		return v1.ReasonPodRefused, fmt.Sprintf("Kubernetes does not create pod %s: %s", names.Pod(rec.Name, 0), o.Refusal)
	}
	if !o.Formed {
		return v1.ReasonBootstrapping, fmt.Sprintf("pod %s is starting and forming the cluster", names.Pod(rec.Name, 0))
	}
	if !o.reached() {
		return v1.ReasonClusterUnreachable, "the cluster does not answer" + why(rec, o)
	}
	for _, node := range o.Snapshot.Nodes {
		if node.Status == rest.NodeDown {
			return v1.ReasonNodesDown, fmt.Sprintf("node %s at %s is down", node.UID, node.Addr)
		}
	}
	return joining(rec, o)
}

// why says in steady words why the cluster does not answer.
func why(rec *v1.RedisEnterpriseCluster, o *Observed) string {
	switch {
	case o.Snapshot == nil && foreign(o.Set) && len(authorities(o.Board)) == 0:
		return fmt.Sprintf(": another operator started its nodes, and their certificate is not known; put it under the key %s of ConfigMap %s",
			names.BoardTrusted, names.Board(rec.Name))
	case o.Snapshot == nil:
		return ": no node can be reached yet"
	case rest.IsUnauthorized(o.Snapshot.Err):
		return ": it refuses the credentials in secret " + rec.CredentialSecretName()
	case rest.IsUnavailable(o.Snapshot.Err):
		return ": it has no majority of nodes, or no leader"
	case errors.Is(o.Snapshot.Err, rest.ErrNoAddress):
		return ": no node runs"
	}
	return ""
}

// joining counts the nodes that are in the cluster and names the first that is not.
func joining(rec *v1.RedisEnterpriseCluster, o *Observed) (reason, sentence string) {
	wanted, joined, first := rec.Spec.NodeCount(), 0, ""
	for n := range wanted {
		name := names.Pod(rec.Name, int(n))
		pod := o.pod(rec.Name, n)
		if pod != nil && pod.DeletionTimestamp == nil && ready(pod) && isActive(o, pod) {
			joined++
		} else if first == "" {
			first = name + " " + progress(o, pod, name)
		}
	}
	if first == "" {
		return "", ""
	}
	if o.Refusal != "" {
		return v1.ReasonPodRefused, fmt.Sprintf("%d of %d nodes are up; Kubernetes does not create the next pod: %s", joined, wanted, o.Refusal)
	}
	return v1.ReasonNodesJoining, fmt.Sprintf("%d of %d nodes are up; pod %s", joined, wanted, first)
}

func isActive(o *Observed, pod *corev1.Pod) bool {
	node := o.Snapshot.NodeAt(pod.Status.PodIP)
	return node != nil && node.Status == rest.NodeActive
}

// progress says how far a pod is on its way into the cluster.
func progress(o *Observed, pod *corev1.Pod, name string) string {
	report, _ := o.Board.Report(name)
	switch {
	case pod == nil:
		return "does not exist yet"
	case pod.DeletionTimestamp != nil:
		return "is ending"
	case pod.Status.PodIP == "":
		return "is starting"
	case report.State == "" || report.Address != pod.Status.PodIP:
		return "waits for its node to answer"
	case report.State == rest.BootstrapCompleted:
		return "is not ready yet"
	}
	return "is joining (" + report.State + ")"
}

// bootstrapError is the first pod whose node could not form or join the cluster (rule REC-23).
func bootstrapError(rec *v1.RedisEnterpriseCluster, o *Observed) (pod, code, message string) {
	for i := range o.Pods {
		name := o.Pods[i].Name
		if report, ok := o.Board.Report(name); ok && report.Error != "" && ordinal(rec.Name, &o.Pods[i]) < rec.Spec.NodeCount() {
			return name, report.Error, report.ErrorMessage
		}
	}
	return "", "", ""
}
