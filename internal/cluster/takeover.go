package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// A cluster whose StatefulSet another operator made is taken over in two steps (decision 0015): everything but the pods at
// once, the pods when a person agrees. For a StatefulSet of our own nothing in this file does anything.

// AnnotationTakenOver on the StatefulSet says since which generation of the resource it is ours, and what that generation
// asked of the pods. It stays.
const AnnotationTakenOver = names.AnnotationPrefix + "taken-over"

// foreign tells whether another operator made the StatefulSet and its pods are still as that one wanted them.
func foreign(set *appsv1.StatefulSet) bool {
	if set == nil {
		return false
	}
	for _, ours := range []string{children.AnnotationTemplate, names.AnnotationApplied, names.AnnotationManager} {
		if set.Annotations[ours] != "" {
			return false
		}
	}
	return true
}

// takenOver tells whether the StatefulSet began as another operator's.
func takenOver(set *appsv1.StatefulSet) bool {
	return set != nil && set.Annotations[AnnotationTakenOver] != ""
}

// formedByAnother tells whether a foreign StatefulSet holds a cluster. Unless it is certain that there never was one, there
// is: its pods hold data, and must neither be deleted all at once nor form another cluster.
func formedByAnother(rec *v1.RedisEnterpriseCluster, o *Observed) bool {
	if !foreign(o.Set) {
		return false
	}
	switch rec.Status.State {
	case "", v1.ClusterPendingCreation, v1.ClusterBootstrappingFirstPod:
		return slices.ContainsFunc(o.Pods, func(p corev1.Pod) bool { return ready(&p) })
	}
	return true
}

// noteOf is what AnnotationTakenOver says now.
func noteOf(rec *v1.RedisEnterpriseCluster, want *appsv1.StatefulSet) string {
	return fmt.Sprintf("%d %s", rec.Generation, wishOf(want))
}

// wishOf is what the spec asks of the StatefulSet, in one word.
func wishOf(want *appsv1.StatefulSet) string {
	return want.Annotations[children.AnnotationTemplate] + "x" + strconv.Itoa(int(replicas(want)))
}

// agreed tells whether a person lets the pods be replaced: by the annotation, or by a change of the spec that asks for other
// pods or more of them. A new release of the operator that would make pods differently is no such change.
func agreed(rec *v1.RedisEnterpriseCluster, want, live *appsv1.StatefulSet) bool {
	if rec.Annotations[names.AnnotationReplacePods] == "true" {
		return true
	}
	generation, wish, noted := strings.Cut(live.Annotations[AnnotationTakenOver], " ")
	return noted && generation != strconv.FormatInt(rec.Generation, 10) && wish != wishOf(want)
}

// takeOver decides about the pods of a foreign StatefulSet: held, with the sentence that says for what, or none of its
// business.
func takeOver(rec *v1.RedisEnterpriseCluster, want *appsv1.StatefulSet, o *Observed) (Rollout, bool) {
	if !foreign(o.Set) || !o.Formed {
		return Rollout{}, false
	}
	held := Rollout{Hold: true, Partition: partition(o.Set), TakeOver: "the pods are still those of another operator; they keep running until the annotation " +
		names.AnnotationReplacePods + `: "true" on the cluster, or a change of the spec that asks for other pods, lets them be replaced one by one`}
	switch {
	case !agreed(rec, want, o.Set):
		return held, true
	case !o.reached():
		held.TakeOver = "the pods are still those of another operator; they are replaced one by one as soon as the cluster answers"
		return held, true
	}
	return Rollout{}, false
}

// keepBuilt makes a wished StatefulSet agree with what Kubernetes lets nobody change of the live one, and with where the
// data of a cluster is that was taken over.
func keepBuilt(want, live *appsv1.StatefulSet) {
	if live == nil {
		return
	}
	want.Spec.ServiceName, want.Spec.PodManagementPolicy = live.Spec.ServiceName, live.Spec.PodManagementPolicy
	if live.Spec.Selector != nil && !equality.Semantic.DeepEqual(want.Spec.Selector, live.Spec.Selector) {
		want.Spec.Selector = live.Spec.Selector.DeepCopy()
		for key, value := range live.Spec.Selector.MatchLabels {
			metav1.SetMetaDataLabel(&want.Spec.Template.ObjectMeta, key, value)
		}
	}
	if !equality.Semantic.DeepEqual(bare(want.Spec.VolumeClaimTemplates), bare(live.Spec.VolumeClaimTemplates)) {
		want.Spec.VolumeClaimTemplates = live.DeepCopy().Spec.VolumeClaimTemplates
	}
	if foreign(live) || takenOver(live) {
		keepMounts(&want.Spec.Template.Spec, &live.Spec.Template.Spec)
	}
	want.Annotations[children.AnnotationTemplate] = children.Fingerprint(want.Spec.Template)
}

// bare are claim templates without what the server adds.
func bare(claims []corev1.PersistentVolumeClaim) []corev1.PersistentVolumeClaim {
	var out []corev1.PersistentVolumeClaim
	for i := range claims {
		c := claims[i].DeepCopy()
		c.TypeMeta, c.Status, c.CreationTimestamp = metav1.TypeMeta{}, corev1.PersistentVolumeClaimStatus{}, metav1.Time{}
		out = append(out, *c)
	}
	return out
}

// keepMounts leaves the directories of the volume where they are in the node: another operator may have laid them out in
// another way, and a node that looks elsewhere starts empty.
func keepMounts(want, live *corev1.PodSpec) {
	wanted, there := containerOf(want, names.NodeContainer), containerOf(live, names.NodeContainer)
	if wanted == nil || there == nil {
		return
	}
	var kept []corev1.VolumeMount
	for _, m := range there.VolumeMounts {
		if m.Name == names.StorageClaim {
			kept = append(kept, m)
		}
	}
	if len(kept) == 0 {
		return
	}
	others := slices.DeleteFunc(slices.Clone(wanted.VolumeMounts), func(m corev1.VolumeMount) bool {
		return slices.ContainsFunc(kept, func(k corev1.VolumeMount) bool { return k.MountPath == m.MountPath })
	})
	// In one order, whatever the server made of ours: the template must stay the same from now on.
	wanted.VolumeMounts = slices.SortedFunc(slices.Values(append(kept, others...)), func(a, b corev1.VolumeMount) int { return strings.Compare(a.MountPath, b.MountPath) })
}

func containerOf(pod *corev1.PodSpec, name string) *corev1.Container {
	for i := range pod.Containers {
		if pod.Containers[i].Name == name {
			return &pod.Containers[i]
		}
	}
	return nil
}

// takeOverSteps prepare the StatefulSet: a note while the pods are held, the ownership of its fields before it is changed.
func takeOverSteps(in Inputs, want Desired, o *Observed, r Rollout) []Step {
	switch {
	case !foreign(o.Set) || !o.Formed:
		return nil
	case r.TakeOver == "" && r.Hold: // an upgrade that a check forbids
		return nil
	case r.TakeOver == "":
		return []Step{ownFields{o.Set.Name}}
	case o.Set.Annotations[AnnotationTakenOver] != noteOf(in.REC, want.Set) && !agreed(in.REC, want.Set, o.Set):
		return []Step{noteTakeOver{o.Set.DeepCopy(), noteOf(in.REC, want.Set)}}
	}
	return nil
}
