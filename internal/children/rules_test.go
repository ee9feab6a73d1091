package children

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// nodeOf is the container of the node in the pods of a cluster.
func nodeOf(t *testing.T, pod corev1.PodSpec) corev1.Container {
	t.Helper()
	for _, c := range pod.Containers {
		if c.Name == "redis-enterprise-node" {
			return c
		}
	}
	t.Fatal("no container is called redis-enterprise-node")
	return corev1.Container{}
}

// mountsOf are the volumes of a container by directory, with the part of the volume that is shown.
func mountsOf(c corev1.Container) map[string]string {
	mounts := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounts[m.MountPath] = m.Name + "/" + m.SubPath
	}
	return mounts
}

func TestREC13_PortsUserAndDirectoriesOfTheNode(t *testing.T) {
	pod := StatefulSet(fixture(t, "minimal")).Spec.Template.Spec
	node := nodeOf(t, pod)
	ports := map[int32]bool{}
	for _, p := range node.Ports {
		ports[p.ContainerPort] = true
	}
	if !ports[8001] || !ports[8443] || !ports[9443] {
		t.Errorf("ports %v", ports)
	}
	if s := pod.SecurityContext; *s.RunAsUser != 1001 || *s.RunAsGroup != 1001 || *s.FSGroup != 1001 {
		t.Errorf("%+v", s)
	}
	mounts := mountsOf(node)
	for dir, want := range map[string]string{
		"/var/opt/redislabs/log": "redis-enterprise-storage/logs", "/var/opt/redislabs/persist": "redis-enterprise-storage/persist",
		"/etc/opt/redislabs": "redis-enterprise-storage/config", "/var/opt/redislabs/tmp": "ephemeral/",
	} {
		if mounts[dir] != want {
			t.Errorf("%s is %q", dir, mounts[dir])
		}
	}
}

func TestREC14_CredentialsAreFilesAndNothingElse(t *testing.T) {
	for _, name := range []string{"minimal", "full"} {
		pod := StatefulSet(fixture(t, name)).Spec.Template.Spec
		if got := mountsOf(nodeOf(t, pod))["/opt/redislabs/credentials"]; got != "credentials/" {
			t.Errorf("%s: mounted %q", name, got)
		}
		var secrets []string
		for _, volume := range pod.Volumes {
			if volume.Secret == nil {
				continue
			}
			for _, item := range volume.Secret.Items {
				secrets = append(secrets, volume.Secret.SecretName+"/"+item.Key+"="+item.Path)
			}
		}
		secret := map[string]string{"minimal": "rec", "full": "shop-admin"}[name]
		if want := []string{secret + "/username=username", secret + "/password=password"}; !slices.Equal(secrets, want) {
			t.Errorf("%s: from Secrets %v", name, secrets)
		}
		for _, container := range append(pod.Containers, Rigger(fixture(t, name)).Spec.Template.Spec.Containers...) {
			for _, variable := range container.Env {
				if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil || strings.Contains(strings.ToLower(variable.Name), "password") {
					t.Errorf("%s: %s of %s", name, variable.Name, container.Name)
				}
			}
			if len(container.EnvFrom) > 0 {
				t.Errorf("%s: the environment of %s is taken from somewhere", name, container.Name)
			}
		}
	}
}

func TestREC16_REC17_STB3_TheBootstrapperAnswersForTheNode(t *testing.T) {
	node := nodeOf(t, StatefulSet(fixture(t, "minimal")).Spec.Template.Spec)
	for path, handler := range map[string]corev1.ProbeHandler{
		names.PathStartup: node.StartupProbe.ProbeHandler, names.PathLive: node.LivenessProbe.ProbeHandler, names.PathReady: node.ReadinessProbe.ProbeHandler,
		names.PathPreStop: {HTTPGet: node.Lifecycle.PreStop.HTTPGet, Exec: node.Lifecycle.PreStop.Exec},
	} {
		if handler.Exec != nil || handler.HTTPGet == nil || handler.HTTPGet.Path != path || handler.HTTPGet.Port.IntVal != names.ProbePort {
			t.Errorf("%s: %+v", path, handler)
		}
	}
	for name, want := range map[string]int64{"minimal": 31536000, "full": 600} {
		if got := *StatefulSet(fixture(t, name)).Spec.Template.Spec.TerminationGracePeriodSeconds; got != want {
			t.Errorf("%s: a drain may take %d seconds", name, got)
		}
	}
}

func TestREC19_PlaceAndPullSecretsHoldForNodesAndRigger(t *testing.T) {
	c := fixture(t, "full")
	c.REC.Spec.RedisEnterpriseAdditionalPodSpecAttributes, c.REC.Spec.ServicesRiggerSpec.ServicesRiggerAdditionalPodSpecAttributes = nil, nil
	for name, pod := range map[string]corev1.PodSpec{"nodes": StatefulSet(c).Spec.Template.Spec, "rigger": Rigger(c).Spec.Template.Spec} {
		if !maps.Equal(pod.NodeSelector, map[string]string{"disk": "fast"}) || len(pod.Tolerations) != 1 || pod.Tolerations[0].Key != "redis" {
			t.Errorf("%s: %v, %v", name, pod.NodeSelector, pod.Tolerations)
		}
		if pod.PriorityClassName != "high" || len(pod.ImagePullSecrets) != 1 || pod.ImagePullSecrets[0].Name != "registry" {
			t.Errorf("%s: %q, %v", name, pod.PriorityClassName, pod.ImagePullSecrets)
		}
	}
}

func TestREC34_MoreMemoryChangesThePodsAndNotTheirVolumes(t *testing.T) {
	c := fixture(t, "minimal")
	before := StatefulSet(c)
	c.Claim = before.Spec.VolumeClaimTemplates[0].DeepCopy()
	c.REC.Spec.RedisEnterpriseNodeResources = ptr.To(guaranteed(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16Gi")}))
	after := StatefulSet(c)
	if after.Annotations[AnnotationTemplate] == before.Annotations[AnnotationTemplate] {
		t.Error("the pods are not replaced")
	}
	if got := after.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage(); !got.Equal(resource.MustParse("20Gi")) {
		t.Errorf("the volumes became %s", got)
	}
}

func TestREC99_ThingsOfTheUserInThePodsOfTheNodes(t *testing.T) {
	c := fixture(t, "minimal")
	spec := &c.REC.Spec
	spec.Volumes = []corev1.Volume{{Name: "plugins", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	spec.RedisEnterpriseVolumeMounts = []corev1.VolumeMount{{Name: "plugins", MountPath: "/plugins"}}
	spec.RedisEnterpriseAdditionalPodSpecAttributes = &v1.PodSpecAttributes{InitContainers: []corev1.Container{{
		Name: "copy", Image: "example.org/copy:1", VolumeMounts: []corev1.VolumeMount{{Name: "plugins", MountPath: "/to"}}}}}
	pod := StatefulSet(c).Spec.Template.Spec
	if len(pod.InitContainers) != 1 || pod.InitContainers[0].Name != "copy" || mountsOf(pod.InitContainers[0])["/to"] != "plugins/" {
		t.Errorf("%+v", pod.InitContainers)
	}
	if got := mountsOf(nodeOf(t, pod))["/plugins"]; got != "plugins/" {
		t.Errorf("the node sees %q", got)
	}
	if !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == "plugins" }) {
		t.Errorf("%v", pod.Volumes)
	}
	if len(pod.Containers) != 2 {
		t.Errorf("%d containers", len(pod.Containers))
	}
}

func TestREC105_EnforcingIPv4IsAVariableOfTheNode(t *testing.T) {
	c := fixture(t, "minimal")
	for _, enforced := range []*bool{nil, ptr.To(false), ptr.To(true)} {
		c.REC.Spec.EnforceIPv4 = enforced
		node := nodeOf(t, StatefulSet(c).Spec.Template.Spec)
		if got := slices.Contains(node.Env, corev1.EnvVar{Name: "ENFORCE_IPV4", Value: "true"}); got != ptr.Deref(enforced, false) {
			t.Errorf("enforced %v: %v", enforced, node.Env)
		}
	}
}

func TestREC110_SideContainersReadTheLogs(t *testing.T) {
	pod := StatefulSet(fixture(t, "full")).Spec.Template.Spec
	last := pod.Containers[len(pod.Containers)-1]
	if last.Name != "logs" || mountsOf(last)["/logs"] != mountsOf(nodeOf(t, pod))["/var/opt/redislabs/log"] {
		t.Errorf("%s: %v", last.Name, last.VolumeMounts)
	}
}

func TestREC111_WhatTheUserAddsToThePods(t *testing.T) {
	c := fixture(t, "full")
	pod := StatefulSet(c).Spec.Template.Spec
	for _, container := range pod.Containers[:2] {
		if !slices.Contains(container.Env, corev1.EnvVar{Name: "EXTRA", Value: "1"}) {
			t.Errorf("%s: %v", container.Name, container.Env)
		}
		for _, variable := range container.Env {
			if variable.Name == "POD_NAME" && variable.Value == "stolen" {
				t.Errorf("%s: a variable of ours is replaced", container.Name)
			}
		}
	}
	if got := mountsOf(nodeOf(t, pod))["/extra"]; got != "extra/" {
		t.Errorf("mounted %q", got)
	}
	if len(pod.HostAliases) != 1 || pod.HostAliases[0].Hostnames[0] != "ldap.example.org" {
		t.Errorf("%v", pod.HostAliases)
	}
	if pod.SchedulerName != "mine" || pod.NodeSelector["zone"] != "a" || len(pod.Tolerations) != 2 {
		t.Errorf("what only the user says is lost: %s, %v, %v", pod.SchedulerName, pod.NodeSelector, pod.Tolerations)
	}
	if pod.ServiceAccountName != "shop-account" || pod.NodeSelector["disk"] != "fast" {
		t.Errorf("ours gives way: %s, %v", pod.ServiceAccountName, pod.NodeSelector)
	}
	for _, volume := range pod.Volumes {
		if volume.Name == "credentials" && volume.Secret == nil {
			t.Errorf("%+v", volume)
		}
	}
}

func TestSTB1_NodesAreTheLastToBeEvicted(t *testing.T) {
	pod := StatefulSet(fixture(t, "minimal")).Spec.Template.Spec
	for _, container := range pod.Containers {
		r := container.Resources
		if len(r.Limits) < 2 || !r.Limits.Cpu().Equal(*r.Requests.Cpu()) || !r.Limits.Memory().Equal(*r.Requests.Memory()) {
			t.Errorf("%s is not of guaranteed quality: %+v", container.Name, r)
		}
	}
	if got := StatefulSet(fixture(t, "full")).Spec.Template.Spec.PriorityClassName; got != "high" {
		t.Errorf("priority %q", got)
	}
}

func TestSTB8_ABudgetForManyNodes(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.Nodes = ptr.To[int32](11)
	budget, set := PodDisruptionBudget(c), StatefulSet(c)
	if got := budget.Spec.MinAvailable.IntVal; got != 6 {
		t.Errorf("%d of 11 nodes stay", got)
	}
	for key, value := range budget.Spec.Selector.MatchLabels {
		if set.Spec.Template.Labels[key] != value {
			t.Errorf("the budget is for pods with %s=%s", key, value)
		}
	}
}

func TestLOG2_LOG3_WhatToolsFindAClusterBy(t *testing.T) {
	for _, name := range []string{"minimal", "full"} {
		c := fixture(t, name)
		for file, object := range objects(c) {
			if object.GetLabels()["app"] != "redis-enterprise" {
				t.Errorf("%s/%s: %v", name, file, object.GetLabels())
			}
		}
		for what, labels := range map[string]map[string]string{"node pods": StatefulSet(c).Spec.Template.Labels, "rigger pods": Rigger(c).Spec.Template.Labels} {
			if labels["app"] != "redis-enterprise" {
				t.Errorf("%s of %s: %v", what, name, labels)
			}
		}
		node := nodeOf(t, StatefulSet(c).Spec.Template.Spec)
		if _, ok := mountsOf(node)["/var/opt/redislabs/log"]; !ok {
			t.Errorf("%s: no logs in %v", name, node.VolumeMounts)
		}
	}
}

func TestRIG1_ADeploymentOfItsOwn(t *testing.T) {
	c := fixture(t, "minimal")
	rigger := Rigger(c)
	pod := rigger.Spec.Template.Spec
	container := pod.Containers[0]
	if rigger.Name != "rec-services-rigger" || *rigger.Spec.Replicas != 1 || len(pod.Containers) != 1 || pod.ServiceAccountName != "rec" {
		t.Errorf("%s, %d containers as %s", rigger.Name, len(pod.Containers), pod.ServiceAccountName)
	}
	if container.LivenessProbe == nil || container.ReadinessProbe == nil {
		t.Error("nobody asks whether it is well")
	}
	c.REC.Spec.ServicesRiggerSpec = &v1.ServicesRiggerSpec{DatabaseServiceType: "load_balancer"}
	c.REC.Spec.RedisEnterpriseServicesRiggerImageSpec = &v1.ImageSpec{Repository: "mirror:5000/rigger"}
	container = Rigger(c).Spec.Template.Spec.Containers[0]
	if container.Image != "mirror:5000/rigger:1.0.0" || !slices.Contains(container.Env, corev1.EnvVar{Name: names.EnvServiceTypes, Value: "load_balancer"}) {
		t.Errorf("%s, %v", container.Image, container.Env)
	}
}

func TestRIG10_ThePodOfTheRiggerIsCustomised(t *testing.T) {
	template := Rigger(fixture(t, "full")).Spec.Template
	if !slices.Contains(template.Spec.Containers[0].Env, corev1.EnvVar{Name: "EXTRA", Value: "2"}) {
		t.Errorf("%v", template.Spec.Containers[0].Env)
	}
	if template.Annotations["rigger-only"] != "yes" || template.Annotations["nodes-only"] != "" {
		t.Errorf("%v", template.Annotations)
	}
	if !slices.ContainsFunc(template.Spec.Tolerations, func(x corev1.Toleration) bool { return x.Key == "gpu" }) {
		t.Errorf("%v", template.Spec.Tolerations)
	}
}
