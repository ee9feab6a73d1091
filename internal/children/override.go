package children

import (
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// override is the one place where pod attributes of the user and of ours meet (rule REC-111). Lists and maps are joined
// by their keys, tolerations are added up, and where both say something of the same thing ours is taken.
func override(ours corev1.PodSpec, attributes *v1.PodSpecAttributes) corev1.PodSpec {
	if attributes == nil {
		return ours
	}
	theirs := attributes.PodSpec().DeepCopy()
	// Two sources merged into one volume would be refused.
	theirs.Volumes = slices.DeleteFunc(theirs.Volumes, func(v corev1.Volume) bool {
		return slices.ContainsFunc(ours.Volumes, func(o corev1.Volume) bool { return o.Name == v.Name })
	})
	for _, t := range theirs.Tolerations {
		if !slices.ContainsFunc(ours.Tolerations, func(o corev1.Toleration) bool { return o.MatchToleration(&t) }) {
			ours.Tolerations = append(ours.Tolerations, t)
		}
	}
	joined, err := join(*theirs, ours)
	if err != nil {
		panic("children: two pod specs always merge: " + err.Error())
	}
	return joined
}

func join(below, above corev1.PodSpec) (corev1.PodSpec, error) {
	var out corev1.PodSpec
	base, err := json.Marshal(below)
	if err != nil {
		return out, err
	}
	patch, err := dropEmpty(above)
	if err != nil {
		return out, err
	}
	result, err := strategicpatch.StrategicMergePatch(base, patch, corev1.PodSpec{})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(result, &out)
}

// dropEmpty prints a pod spec without the nulls that mean "delete" in a patch.
func dropEmpty(pod corev1.PodSpec) ([]byte, error) {
	raw, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	var content map[string]any
	if err := json.Unmarshal(raw, &content); err != nil {
		return nil, err
	}
	for key, value := range content {
		if value == nil {
			delete(content, key)
		}
	}
	return json.Marshal(content)
}
