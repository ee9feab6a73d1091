package children

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
)

func TestINST25a_ImagesAreCompletedKeyByKey(t *testing.T) {
	standard := platform.Image{Repository: "r/redis", Tag: "8", Digest: "sha256:ab"}
	for _, c := range []struct {
		name string
		spec *v1.ImageSpec
		want string
	}{
		{"nothing keeps the default and its digest", nil, "r/redis:8@sha256:ab"},
		{"only a repository keeps the tag", &v1.ImageSpec{Repository: "m:5000/redis"}, "m:5000/redis:8"},
		{"only a tag keeps the repository", &v1.ImageSpec{VersionTag: "7"}, "r/redis:7"},
		{"the default's own tag keeps its digest", &v1.ImageSpec{VersionTag: "8"}, "r/redis:8@sha256:ab"},
		{"a digest wins", &v1.ImageSpec{VersionTag: "7", DigestHash: "sha256:cd"}, "r/redis:7@sha256:cd"},
	} {
		if got := Image(c.spec, standard).String(); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestREC109_FIPS(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.SecurityContext = &v1.SecurityContext{FIPS: &v1.FIPS{Enabled: true}}
	if got := WantedNodeImage(c.REC, c.Platform); got != "redislabs/redis:8.2.0-46.13.fips" {
		t.Error(got)
	}
	c.REC.Spec.RedisEnterpriseImageSpec = &v1.ImageSpec{DigestHash: "sha256:ab", VersionTag: "8.2.0-46.13"}
	if got := WantedNodeImage(c.REC, c.Platform); got != "redislabs/redis:8.2.0-46.13@sha256:ab" {
		t.Error(got)
	}
}

func TestREC36_KeptImages(t *testing.T) {
	c := fixture(t, "minimal")
	c.NodeImage, c.BootstrapperImage = "kept/node:1", "kept/operator:1"
	containers := StatefulSet(c).Spec.Template.Spec.Containers
	if containers[0].Image != "kept/node:1" || containers[1].Image != "kept/operator:1" {
		t.Errorf("%s, %s", containers[0].Image, containers[1].Image)
	}
}

func TestVolumeSizeIsFiveTimesTheMemory(t *testing.T) {
	spec := &v1.RedisEnterpriseClusterSpec{}
	if got := VolumeSize(spec); got.String() != "20Gi" {
		t.Errorf("default: %s", got.String())
	}
	spec.RedisEnterpriseNodeResources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")}}
	if got := VolumeSize(spec); got.String() != "2560Mi" {
		t.Errorf("limits only: %s", got.String())
	}
	spec.PersistentSpec = &v1.PersistentSpec{VolumeSize: ptr.To(resource.MustParse("1Gi"))}
	if got := VolumeSize(spec); got.String() != "1Gi" {
		t.Errorf("given: %s", got.String())
	}
}

func TestWithoutPersistenceTheDirectoriesAreEmpty(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.PersistentSpec = &v1.PersistentSpec{Enabled: ptr.To(false)}
	set := StatefulSet(c)
	if len(set.Spec.VolumeClaimTemplates) != 0 {
		t.Error("there is still a claim")
	}
	for _, v := range set.Spec.Template.Spec.Volumes {
		if v.Name == names.StorageClaim && v.EmptyDir != nil {
			return
		}
	}
	t.Error("no volume stands in for the claim")
}

func TestREC10_ClaimsStayAsTheyWereMade(t *testing.T) {
	c := fixture(t, "full")
	c.Claim = StatefulSet(fixture(t, "minimal")).Spec.VolumeClaimTemplates[0].DeepCopy()
	got := StatefulSet(c).Spec.VolumeClaimTemplates[0]
	if len(got.Labels) != 2 || !got.Spec.Resources.Requests.Storage().Equal(resource.MustParse("20Gi")) {
		t.Errorf("%v, %v", got.Labels, got.Spec.Resources)
	}
}

func TestREC18_AntiAffinityIsReplaced(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.PodAntiAffinity = &corev1.PodAntiAffinity{}
	anti := StatefulSet(c).Spec.Template.Spec.Affinity.PodAntiAffinity
	if len(anti.RequiredDuringSchedulingIgnoredDuringExecution) != 0 {
		t.Errorf("%+v", anti)
	}
}

func TestNET16_AnnotationsOfServices(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.Services = &v1.Services{ServicesAnnotations: map[string]string{"a": "shared", "b": "shared"}}
	c.REC.Spec.UIAnnotations = map[string]string{"a": "ui", names.AnnotationLastKeys: "stolen"}
	ui := UIService(c)
	if ui.Annotations["a"] != "ui" || ui.Annotations["b"] != "shared" || ui.Annotations[names.AnnotationLastKeys] != "a,b" {
		t.Errorf("ui: %v", ui.Annotations)
	}
	if api := APIService(c); api.Annotations["a"] != "shared" {
		t.Errorf("api: %v", api.Annotations)
	}
	live := ui.DeepCopy()
	live.Annotations = map[string]string{"a": "foreign", "b": "old", names.AnnotationLastKeys: "b"}
	WithoutForeign(ui, live)
	if _, taken := ui.Annotations["a"]; taken || ui.Annotations["b"] != "shared" || ui.Annotations[names.AnnotationLastKeys] != "b" {
		t.Errorf("REC-9 foreign annotations are left alone: %v", ui.Annotations)
	}
}

func TestNET17_UIServiceTypes(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.UIServiceType = corev1.ServiceTypeExternalName
	if s := UIService(c); s.Spec.ExternalName == "" {
		t.Errorf("%+v", s.Spec)
	}
}

func TestSTB2_BudgetKeepsAMajority(t *testing.T) {
	c := fixture(t, "minimal")
	for nodes, want := range map[int32]int32{3: 2, 5: 3, 7: 4} {
		c.REC.Spec.Nodes = ptr.To(nodes)
		if got := PodDisruptionBudget(c).Spec.MinAvailable.IntVal; got != want {
			t.Errorf("%d nodes: %d", nodes, got)
		}
	}
}

func TestFingerprintFollowsTheTemplate(t *testing.T) {
	c := fixture(t, "minimal")
	before := StatefulSet(c).Annotations[AnnotationTemplate]
	if again := StatefulSet(c).Annotations[AnnotationTemplate]; again != before {
		t.Error("the same template has two fingerprints")
	}
	c.Partition = 3
	c.REC.Spec.Nodes = ptr.To[int32](5)
	if other := StatefulSet(c).Annotations[AnnotationTemplate]; other != before {
		t.Error("partition and replicas are not part of the template")
	}
	c.REC.Spec.PodAnnotations = map[string]string{"a": "b"}
	if other := StatefulSet(c).Annotations[AnnotationTemplate]; other == before {
		t.Error("a changed template has the old fingerprint")
	}
}
