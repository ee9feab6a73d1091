package children

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// AnnotationTemplate on the StatefulSet is the fingerprint of the pod template that the operator last wrote.
const AnnotationTemplate = names.AnnotationPrefix + "template"

// volumeFactor is how many times the memory of a node its volume holds (rule REC-35).
const volumeFactor = 5

// StatefulSet builds the StatefulSet of the nodes.
//
// Pods start in parallel, so that one that cannot start does not keep the others of a lost cluster down; the order of
// bootstrap is the bootstrappers' business. Replacing is still one pod at a time, from the highest number down to the
// partition, which the operator lowers step by step.
func StatefulSet(c Cluster) *appsv1.StatefulSet {
	template := nodePod(c)
	set := &appsv1.StatefulSet{
		ObjectMeta: c.meta(c.REC.Name),
		Spec: appsv1.StatefulSetSpec{
			Replicas:             ptr.To(c.REC.Spec.NodeCount()),
			Selector:             &metav1.LabelSelector{MatchLabels: names.NodeLabels(c.REC.Name)},
			ServiceName:          names.Metrics(c.REC.Name), // the headless one
			PodManagementPolicy:  appsv1.ParallelPodManagement,
			RevisionHistoryLimit: ptr.To[int32](5),
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
				Type:          appsv1.RollingUpdateStatefulSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To(c.Partition)},
			},
			Template: template,
		},
	}
	set.Annotations = map[string]string{AnnotationTemplate: Fingerprint(template)}
	if c.REC.Spec.IsPersistent() {
		set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{claim(c)}
	}
	return set
}

// Fingerprint tells templates apart.
func Fingerprint(template corev1.PodTemplateSpec) string {
	raw, err := json.Marshal(template)
	if err != nil {
		panic("children: a pod template always marshals: " + err.Error())
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// claim is the template of the nodes' volume claims. The API server lets nothing of it change later.
func claim(c Cluster) corev1.PersistentVolumeClaim {
	labels, size := c.labels(names.ClusterLabels(c.REC.Name)), VolumeSize(&c.REC.Spec)
	if c.Claim != nil {
		labels, size = c.Claim.Labels, c.Claim.Spec.Resources.Requests[corev1.ResourceStorage]
	}
	pvc := corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{Name: names.StorageClaim, Labels: labels},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			VolumeMode:  ptr.To(corev1.PersistentVolumeFilesystem),
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: size},
			},
		},
	}
	if p := c.REC.Spec.PersistentSpec; p != nil && p.StorageClassName != "" {
		pvc.Spec.StorageClassName = ptr.To(p.StorageClassName)
	}
	return pvc
}

// VolumeSize is the wanted size of each node's volume: as given, or five times the node's memory.
func VolumeSize(spec *v1.RedisEnterpriseClusterSpec) resource.Quantity {
	if p := spec.PersistentSpec; p != nil && p.VolumeSize != nil {
		return *p.VolumeSize
	}
	resources := nodeResources(spec)
	memory, ok := resources.Requests[corev1.ResourceMemory]
	if !ok {
		memory = resources.Limits[corev1.ResourceMemory]
	}
	if memory.IsZero() {
		memory = defaultNodeResources()[corev1.ResourceMemory]
	}
	return *resource.NewQuantity(memory.Value()*volumeFactor, resource.BinarySI)
}
