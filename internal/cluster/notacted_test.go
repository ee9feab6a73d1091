package cluster

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// acted are the fields of the spec that the operator acts on, at least in part.
var acted = []string{
	"activeActive", "antiAffinityAdditionalTopologyKeys", "auditing", "backup", "bootstrapperImageSpec", "bootstrapperResources",
	"clusterCredentialSecretName", "clusterCredentialSecretType", "containerTimezone", "createServiceAccount",
	"dataInternodeEncryption", "dmcExternalCBAAuthentication", "encryptPkeys", "enforceIPv4", "extraEnvVars", "extraLabels", "hostAliases", "ingressOrRouteSpec", "services", "license",
	"licenseSecretName", "metricsConfig", "nodeSelector", "nodes", "ossClusterSettings", "persistentSpec", "podAnnotations", "redisEnterprisePodAnnotations",
	"podAntiAffinity", "podStartingPolicy", "podTolerations", "priorityClassName", "pullSecrets", "redisEnterpriseAdditionalPodSpecAttributes",
	"redisEnterpriseImageSpec", "redisEnterpriseNodeResources", "redisEnterpriseServicesConfiguration",
	"redisEnterpriseServicesRiggerImageSpec", "redisEnterpriseServicesRiggerResources",
	"redisEnterpriseTerminationGracePeriodSeconds", "redisEnterpriseVolumeMounts", "redisUpgradePolicy", "resp3Default",
	"securityContext", "serviceAccountName", "servicesRiggerSpec", "sideContainersSpec", "slaveHA", "uiAnnotations",
	"uiServiceType", "upgradeSpec", "username", "volumes",
}

func TestEveryFieldIsActedOnOrSaidNotToBe(t *testing.T) {
	spec := reflect.TypeFor[v1.RedisEnterpriseClusterSpec]()
	for i := range spec.NumField() {
		name, _, _ := strings.Cut(spec.Field(i).Tag.Get("json"), ",")
		whole := slices.Contains(unactedPaths, name)
		part := slices.ContainsFunc(unactedPaths, func(p string) bool { return strings.HasPrefix(p, name+".") })
		if known := slices.Contains(acted, name); known == whole && !part {
			t.Errorf("spec.%s: acted on %t, listed as not acted on %t", name, known, whole)
		}
	}
}

func TestEveryUnactedPathExists(t *testing.T) {
	for _, path := range unactedPaths {
		at := reflect.TypeFor[v1.RedisEnterpriseClusterSpec]()
		for part := range strings.SplitSeq(path, ".") {
			for at.Kind() == reflect.Pointer {
				at = at.Elem()
			}
			field, ok := fieldNamed(at, part)
			if !ok {
				t.Fatalf("spec.%s does not exist", path)
			}
			at = field.Type
		}
	}
}

func TestNotActedOn(t *testing.T) {
	spec := &v1.RedisEnterpriseClusterSpec{
		PersistentSpec:   &v1.PersistentSpec{VolumeSize: ptr.To(resource.MustParse("1Gi"))},
		LDAP:             &v1.LDAPSpec{Protocol: v1.LDAPPlain},
		RedisOnFlashSpec: &v1.RedisOnFlashSpec{StorageClassName: "x"},
	}
	if got := notActedOn(spec); !slices.Equal(got, []string{"spec.ldap"}) {
		t.Errorf("%v", got)
	}
	spec.PersistentSpec.EnablePersistentVolumeResize = true
	spec.RedisOnFlashSpec.Enabled = true
	if got := notActedOn(spec); !slices.Equal(got, []string{"spec.ldap", "spec.persistentSpec.enablePersistentVolumeResize", "spec.redisOnFlashSpec.enabled"}) {
		t.Errorf("%v", got)
	}
	if got := notActedOn(&v1.RedisEnterpriseClusterSpec{}); got != nil {
		t.Errorf("an empty spec: %v", got)
	}
}

func TestREC104_WhoAsksForNoReportsIsNotWarned(t *testing.T) {
	for disabled, want := range map[bool][]string{true: nil, false: {"spec.usageMeter"}} {
		spec := &v1.RedisEnterpriseClusterSpec{UsageMeter: &v1.UsageMeter{CallHomeClient: &v1.CallHomeClient{Disabled: disabled}}}
		if got := notActedOn(spec); !slices.Equal(got, want) {
			t.Errorf("disabled %t: %v", disabled, got)
		}
	}
}

func TestTheDocsListWhatIsNotActedOn(t *testing.T) {
	page, err := os.ReadFile("../../docs/rec-fields.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range unactedPaths {
		if !strings.Contains(string(page), "`spec."+path+"`") {
			t.Errorf("docs/rec-fields.md does not list spec.%s", path)
		}
	}
}
