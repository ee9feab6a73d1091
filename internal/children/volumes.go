package children

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Names of the volumes beside names.StorageClaim.
const (
	credentialsVolume = "credentials"
	ephemeralVolume   = "ephemeral"
	tmpVolume         = "tmp"
	tokenVolumeName   = "kubernetes-api" //nolint:gosec // the name of a volume
	timezoneVolume    = "localtime"
)

const tokenDir = "/var/run/secrets/kubernetes.io/serviceaccount" //nolint:gosec // where it is mounted

// nodeVolumes are ours and the user's; a name of ours is never taken over.
func nodeVolumes(c Cluster) []corev1.Volume {
	spec := &c.REC.Spec
	volumes := []corev1.Volume{credentialsVolumeOf(c), emptyDir(ephemeralVolume), emptyDir(tmpVolume), tokenVolume()}
	if !spec.IsPersistent() {
		volumes = append(volumes, emptyDir(names.StorageClaim))
	}
	volumes = append(volumes, timezoneVolumes(spec)...)
	for _, v := range spec.Volumes {
		if !slices.ContainsFunc(volumes, func(o corev1.Volume) bool { return o.Name == v.Name }) && v.Name != names.StorageClaim {
			volumes = append(volumes, v)
		}
	}
	return volumes
}

// nodeMounts are the directories of the node (rule REC-13). Those on the claim survive the pod.
func nodeMounts() []corev1.VolumeMount {
	return []corev1.VolumeMount{
		{Name: names.StorageClaim, MountPath: names.PersistDir, SubPath: "persist"},
		{Name: names.StorageClaim, MountPath: names.LogDir, SubPath: "logs"},
		{Name: names.StorageClaim, MountPath: names.ConfigDir, SubPath: "config"},
		{Name: ephemeralVolume, MountPath: names.EphemeralDir},
		{Name: tmpVolume, MountPath: "/tmp"},
		credentialsMount(),
	}
}

func emptyDir(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// credentialsVolumeOf shows username and password, and nothing else that the Secret may hold (rule REC-14).
func credentialsVolumeOf(c Cluster) corev1.Volume {
	return corev1.Volume{Name: credentialsVolume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName:  c.CredentialSecret,
		DefaultMode: ptr.To[int32](0o444),
		Items: []corev1.KeyToPath{
			{Key: names.UsernameKey, Path: names.UsernameKey},
			{Key: names.PasswordKey, Path: names.PasswordKey},
		},
	}}}
}

func credentialsMount() corev1.VolumeMount {
	return corev1.VolumeMount{Name: credentialsVolume, MountPath: names.CredentialsDir, ReadOnly: true}
}

// tokenVolume is what Kubernetes mounts in every container by default. Here only the bootstrapper gets it: a node that is
// broken into must not be able to talk to Kubernetes.
func tokenVolume() corev1.Volume {
	return corev1.Volume{Name: tokenVolumeName, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		DefaultMode: ptr.To[int32](0o444),
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr.To[int64](3607)}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
				Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
				Path:     "namespace",
				FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"},
			}}}},
		},
	}}}
}

func tokenMount() corev1.VolumeMount {
	return corev1.VolumeMount{Name: tokenVolumeName, MountPath: tokenDir, ReadOnly: true}
}

// timezoneVolumes shows the local time of the machine, for which the user must allow host paths (rule REC-106).
func timezoneVolumes(spec *v1.RedisEnterpriseClusterSpec) []corev1.Volume {
	if spec.ContainerTimezone == nil || spec.ContainerTimezone.PropagateHost == nil {
		return nil
	}
	return []corev1.Volume{{Name: timezoneVolume, VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: "/etc/localtime", Type: ptr.To(corev1.HostPathFile)},
	}}}
}

func timezoneMounts(spec *v1.RedisEnterpriseClusterSpec) []corev1.VolumeMount {
	if len(timezoneVolumes(spec)) == 0 {
		return nil
	}
	return []corev1.VolumeMount{{Name: timezoneVolume, MountPath: "/etc/localtime", ReadOnly: true}}
}
