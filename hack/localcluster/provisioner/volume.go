package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	annotationProvisioner    = "volume.kubernetes.io/storage-provisioner"
	annotationSelectedNode   = "volume.kubernetes.io/selected-node"
	annotationProvisionedBy  = "pv.kubernetes.io/provisioned-by"
	openToEveryUser          = 0o777
	reasonProvisioned        = "ProvisioningSucceeded"
	reasonProvisioningFailed = "ProvisioningFailed"
	reasonResized            = "FileSystemResizeSuccessful"
)

// Volumes knows how the volumes of one provisioner look and where they lie.
type Volumes struct {
	Provisioner string
	Folder      string
	Node        string
}

// Wanted says whether a claim waits for a volume of ours.
func (v Volumes) Wanted(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) bool {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return false
	}
	if claim.Annotations[annotationProvisioner] != v.Provisioner {
		return false
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	return !waits || claim.Annotations[annotationSelectedNode] != ""
}

// Name is the volume's name for a claim; the claim's UID makes it unique for ever.
func (v Volumes) Name(claim *corev1.PersistentVolumeClaim) string { return "pvc-" + string(claim.UID) }

// Build returns the volume for a claim; MakeFolder makes what it points to.
func (v Volumes) Build(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) *corev1.PersistentVolume {
	folderType := corev1.HostPathDirectory
	policy := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	name := v.Name(claim)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{annotationProvisionedBy: v.Provisioner},
		},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: policy,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: v.path(claim), Type: &folderType},
			},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{v.Node},
					}},
				}},
			}},
		},
	}
}

func (v Volumes) path(claim *corev1.PersistentVolumeClaim) string {
	return filepath.Join(v.Folder, v.Name(claim)+"_"+claim.Namespace+"_"+claim.Name)
}

// MakeFolder makes the folder of a volume. Kubelet does not change the owner of
// a hostPath, so any user has to be able to write.
func (v Volumes) MakeFolder(volume *corev1.PersistentVolume) error {
	path := volume.Spec.HostPath.Path
	if err := os.MkdirAll(path, openToEveryUser); err != nil {
		return err
	}
	return os.Chmod(path, openToEveryUser) // past the umask
}

// Ours says whether this provisioner made the volume.
func (v Volumes) Ours(volume *corev1.PersistentVolume) bool {
	return volume.Annotations[annotationProvisionedBy] == v.Provisioner && volume.Spec.HostPath != nil
}

// Disposable says whether the volume's claim is gone and its data with it.
func (v Volumes) Disposable(volume *corev1.PersistentVolume) bool {
	return v.Ours(volume) &&
		volume.Status.Phase == corev1.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
}

// RemoveFolder removes the data of a volume, and nothing outside of our folder.
func (v Volumes) RemoveFolder(volume *corev1.PersistentVolume) error {
	inside, err := filepath.Rel(v.Folder, filepath.Clean(volume.Spec.HostPath.Path))
	if err != nil || inside == "." || strings.HasPrefix(inside, "..") {
		return fmt.Errorf("volume %s: %s is not inside %s", volume.Name, volume.Spec.HostPath.Path, v.Folder)
	}
	return os.RemoveAll(filepath.Join(v.Folder, inside))
}

// Grown says whether a bound claim asks for more than it has.
func (v Volumes) Grown(claim *corev1.PersistentVolumeClaim) bool {
	asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	has := claim.Status.Capacity[corev1.ResourceStorage]
	return claim.Status.Phase == corev1.ClaimBound && asked.Cmp(has) > 0
}
