package cluster

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
)

func newREC(change ...func(*v1.RedisEnterpriseCluster)) *v1.RedisEnterpriseCluster {
	rec := &v1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Name: "rec", Namespace: "ns", UID: "u-rec", Generation: 1}}
	for _, f := range change {
		f(rec)
	}
	return rec
}

type edit = func(*v1.RedisEnterpriseCluster)

func nodes(n int32) edit { return func(r *v1.RedisEnterpriseCluster) { r.Spec.Nodes = ptr.To(n) } }

func size(text string) edit {
	return func(r *v1.RedisEnterpriseCluster) {
		r.Spec.PersistentSpec = &v1.PersistentSpec{VolumeSize: ptr.To(resource.MustParse(text))}
	}
}

func TestREC5_AnEmptySpecIsFine(t *testing.T) {
	if got := Validate(nil, newREC()); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestValidate(t *testing.T) {
	spec := func(f func(*v1.RedisEnterpriseClusterSpec)) edit {
		return func(r *v1.RedisEnterpriseCluster) { f(&r.Spec) }
	}
	digest := func(s *v1.RedisEnterpriseClusterSpec) {
		s.BootstrapperImageSpec = &v1.ImageSpec{DigestHash: "sha256:ab", VersionTag: "1"}
	}
	auto := func(s *v1.RedisEnterpriseClusterSpec) {
		s.UpgradeSpec = &v1.ClusterUpgradeSpec{AutoUpgradeRedisEnterprise: true}
	}
	for _, c := range []struct {
		name     string
		old, rec edit
		path     string
		words    string
	}{
		{"INST-17 a name that is too long", nil, func(r *v1.RedisEnterpriseCluster) { r.Name = strings.Repeat("n", 44) }, "metadata.name", "46 characters"},
		{"INST-17 a name that is too long for routes", nil, func(r *v1.RedisEnterpriseCluster) {
			r.Name = strings.Repeat("n", 21)
			r.Spec.IngressOrRouteSpec = &v1.IngressOrRouteSpec{Method: v1.ExposureOpenShiftRoute, APIFQDNURL: "api.example.com", DBFQDNSuffix: "-db.example.com"}
		}, "metadata.name", "OpenShift"},
		{"two nodes are no majority", nil, nodes(2), "spec.nodes", "odd number"},
		{"one node", nil, nodes(1), "spec.nodes", "odd number"},
		{"four nodes", nil, nodes(4), "spec.nodes", "odd number"},
		{"REC-33 fewer nodes", nodes(5), nodes(3), "spec.nodes", "cannot shrink to 3"},
		{"persistence switched off", spec(func(*v1.RedisEnterpriseClusterSpec) {}), spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.PersistentSpec = &v1.PersistentSpec{Enabled: ptr.To(false)}
		}), "spec.persistentSpec.enabled", "cannot change"},
		{"REC-49 another storage class", size("1Gi"), spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.PersistentSpec = &v1.PersistentSpec{StorageClassName: "other"}
		}), "spec.persistentSpec.storageClassName", `"other"`},
		{"REC-49 a size that is no number of bytes", nil, size("0.5"), "spec.persistentSpec.volumeSize", "whole number"},
		{"REC-52 smaller volumes", size("2Gi"), size("1Gi"), "spec.persistentSpec.volumeSize", "cannot shrink"},
		{"REC-52 larger volumes", size("1Gi"), size("2Gi"), "spec.persistentSpec.volumeSize", "does not expand"},
		{"REC-71 two licences", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { s.License, s.LicenseSecretName = "a", "b" }), "spec.license", "exclude"},
		{"NET-3 two ways in", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.ActiveActive, s.IngressOrRouteSpec = &v1.ActiveActive{}, &v1.IngressOrRouteSpec{}
		}), "spec.activeActive", "exclude"},
		{"REC-106 no time zone in the time zone", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { s.ContainerTimezone = &v1.ContainerTimezone{} }), "spec.containerTimezone", "exactly one"},
		{"REC-40 a digest without a version", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.RedisEnterpriseImageSpec = &v1.ImageSpec{DigestHash: "sha256:ab"}
		}), "spec.redisEnterpriseImageSpec.versionTag", "tag"},
		{"REC-40 a digest with automatic upgrades", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { digest(s); auto(s) }), "spec.bootstrapperImageSpec.digestHash", "automatically"},
		{"REC-41 modules with automatic upgrades", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) {
			auto(s)
			s.UserDefinedModules = []v1.UserDefinedModule{{}}
		}), "spec.userDefinedModules", "autoUpgrade"},
		{"RIG-11 an unknown type of Service", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.ServicesRiggerSpec = &v1.ServicesRiggerSpec{DatabaseServiceType: "cluster_ip, LoadBalancer"}
		}), "spec.servicesRiggerSpec.databaseServiceType", `"LoadBalancer"`},
		{"REC-9 the reserved annotation", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.UIAnnotations = map[string]string{names.AnnotationLastKeys: "x"}
		}), "spec.uiAnnotations", "reserved"},
		{"a negative period", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { s.SlaveHA = &v1.SlaveHA{SlaveHAGracePeriod: -1} }), "spec.slaveHA.slaveHAGracePeriod", "-1"},
		{"recovery without volumes", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) {
			s.ClusterRecovery, s.PersistentSpec = true, &v1.PersistentSpec{Enabled: ptr.To(false)}
		}), "spec.clusterRecovery", "persistent"},
		{"Vault", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { s.ClusterCredentialSecretType = v1.CredentialsInVault }), "spec.clusterCredentialSecretType", "Vault"},
		{"a credential Secret that cannot be", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { s.ClusterCredentialSecretName = "a/b" }), "spec.clusterCredentialSecretName", "a/b"},
		{"REC-71 a licence Secret that cannot be", nil, spec(func(s *v1.RedisEnterpriseClusterSpec) { s.LicenseSecretName = "UPPER" }), "spec.licenseSecretName", "UPPER"},
		{"another account", nil, nil, "", ""},
		{"another account for the pods", spec(func(*v1.RedisEnterpriseClusterSpec) {}), spec(func(s *v1.RedisEnterpriseClusterSpec) { s.ServiceAccountName = "other" }), "spec.serviceAccountName", "cannot change"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := newREC()
			if c.rec != nil {
				c.rec(rec)
			}
			var old *v1.RedisEnterpriseCluster
			if c.old != nil {
				old = newREC(c.old)
			}
			got := Validate(old, rec)
			if c.path == "" {
				if len(got) != 0 {
					t.Errorf("%v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Path != c.path || !strings.Contains(got[0].Message, c.words) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// The loop must refuse what the webhook refuses, with nothing but the StatefulSet to compare with.
func TestREC28_TheStatefulSetRemembersWhatWasBuilt(t *testing.T) {
	built := newREC(nodes(5), size("2Gi"))
	set := children.StatefulSet(children.Cluster{REC: built, Platform: platform.Platform{}})
	for _, c := range []struct {
		change edit
		path   string
	}{
		{func(*v1.RedisEnterpriseCluster) {}, ""},
		{nodes(7), ""},
		{func(r *v1.RedisEnterpriseCluster) { r.Spec.PersistentSpec.VolumeSize = nil }, ""},
		{nodes(3), "spec.nodes"},
		{size("1Gi"), "spec.persistentSpec.volumeSize"},
		{func(r *v1.RedisEnterpriseCluster) { r.Spec.PersistentSpec.StorageClassName = "x" }, "spec.persistentSpec.storageClassName"},
		{func(r *v1.RedisEnterpriseCluster) { r.Spec.PersistentSpec.Enabled = ptr.To(false) }, "spec.persistentSpec.enabled"},
		{func(r *v1.RedisEnterpriseCluster) { r.Spec.ServiceAccountName = "x" }, "spec.serviceAccountName"},
	} {
		rec := built.DeepCopy()
		c.change(rec)
		got := Validate(asBuilt(rec, set), rec)
		if c.path == "" && len(got) != 0 || c.path != "" && (len(got) != 1 || got[0].Path != c.path) {
			t.Errorf("want %q, got %v", c.path, got)
		}
	}
}
