package main

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const ours = "test.example/hostpath"

func claimOf(annotations map[string]string, asked, has string) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "space", UID: "u1", Annotations: annotations},
	}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(asked)}
	if has != "" {
		claim.Status.Phase = corev1.ClaimBound
		claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(has)}
	}
	return claim
}

func TestWanted(t *testing.T) {
	volumes := Volumes{Provisioner: ours}
	late := storagev1.VolumeBindingWaitForFirstConsumer
	for name, test := range map[string]struct {
		annotations map[string]string
		mode        *storagev1.VolumeBindingMode
		want        bool
	}{
		"a claim of another provisioner":        {map[string]string{annotationProvisioner: "other"}, nil, false},
		"a claim bound at once":                 {map[string]string{annotationProvisioner: ours}, nil, true},
		"a claim that waits for its first pod":  {map[string]string{annotationProvisioner: ours}, &late, false},
		"a claim whose first pod has its place": {map[string]string{annotationProvisioner: ours, annotationSelectedNode: "local"}, &late, true},
	} {
		t.Run(name, func(t *testing.T) {
			class := &storagev1.StorageClass{VolumeBindingMode: test.mode}
			if got := volumes.Wanted(claimOf(test.annotations, "1Gi", ""), class); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestGrown(t *testing.T) {
	for name, test := range map[string]struct {
		asked, has string
		want       bool
	}{
		"more than it has":                {"2Gi", "1Gi", true},
		"the same in other words":         {"1024Mi", "1Gi", false},
		"not bound yet, so not grown yet": {"1Gi", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (Volumes{}).Grown(claimOf(nil, test.asked, test.has)); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestFolderOfAVolume(t *testing.T) {
	volumes := Volumes{Provisioner: ours, Folder: t.TempDir(), Node: "local"}
	volume := volumes.Build(claimOf(nil, "1Gi", ""), &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "standard"}})
	if err := volumes.MakeFolder(volume); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(volume.Spec.HostPath.Path)
	if err != nil || info.Mode().Perm() != openToEveryUser {
		t.Fatalf("got %v, %v, want a folder that everybody may write to", info, err)
	}
	if err := volumes.RemoveFolder(volume); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(volume.Spec.HostPath.Path); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestNothingOutsideIsRemoved(t *testing.T) {
	parent := t.TempDir()
	volumes := Volumes{Provisioner: ours, Folder: filepath.Join(parent, "volumes")}
	for _, path := range []string{parent, volumes.Folder, filepath.Join(volumes.Folder, "..", "other"), "/"} {
		volume := &corev1.PersistentVolume{}
		volume.Spec.HostPath = &corev1.HostPathVolumeSource{Path: path}
		if err := volumes.RemoveFolder(volume); err == nil {
			t.Errorf("%s would have been removed", path)
		}
	}
	if _, err := os.Stat(parent); err != nil {
		t.Error(err)
	}
}

func TestDisposable(t *testing.T) {
	volumes := Volumes{Provisioner: ours}
	for name, test := range map[string]struct {
		by     string
		phase  corev1.PersistentVolumePhase
		policy corev1.PersistentVolumeReclaimPolicy
		want   bool
	}{
		"released":             {ours, corev1.VolumeReleased, corev1.PersistentVolumeReclaimDelete, true},
		"still bound":          {ours, corev1.VolumeBound, corev1.PersistentVolumeReclaimDelete, false},
		"meant to be retained": {ours, corev1.VolumeReleased, corev1.PersistentVolumeReclaimRetain, false},
		"somebody else's":      {"other", corev1.VolumeReleased, corev1.PersistentVolumeReclaimDelete, false},
	} {
		t.Run(name, func(t *testing.T) {
			volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotationProvisionedBy: test.by}}}
			volume.Spec.HostPath = &corev1.HostPathVolumeSource{Path: "/x"}
			volume.Spec.PersistentVolumeReclaimPolicy = test.policy
			volume.Status.Phase = test.phase
			if got := volumes.Disposable(volume); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
