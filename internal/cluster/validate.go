package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Rule looks at one aspect of a spec and refuses it with a sentence, or returns nil. old is what the cluster was
// before, nil for a new one.
type Rule func(old, rec *v1.RedisEnterpriseCluster) *outcome.Rejected

// rules are asked in this order, by the webhook and by the loop alike.
var rules = []Rule{
	nameFits, nameFitsRoutes,
	nodesMakeAMajority, noScaleIn,
	persistenceStays, storageClassStays, volumeSizeIsWhole, volumeSizeStays,
	secretNamesFit, oneLicense, entrancePossible, oneTimezone,
	digestHasVersion, autoUpgradeWithoutDigest, autoUpgradeWithoutModules,
	riggerTypesAreKnown, reservedAnnotation, numbersAreNotNegative, recoveryNeedsPersistence,
	noVaultYet, podRangesAreNetworks, balancerAnnotationsAreFree,
	metricsTagKeysFit, metricsNumbersFit, metricsAnnotationsFit,
	immutable,
}

// Validate returns everything that is wrong with a spec.
func Validate(old, rec *v1.RedisEnterpriseCluster) []*outcome.Rejected {
	var found []*outcome.Rejected
	for _, rule := range rules {
		if r := rule(old, rec); r != nil {
			found = append(found, r)
		}
	}
	return found
}

// asBuilt is what the StatefulSet still tells of the spec it was made from, so that the loop can hold a changed spec
// against it when the webhook was off; nil when there is no StatefulSet.
func asBuilt(rec *v1.RedisEnterpriseCluster, set *appsv1.StatefulSet) *v1.RedisEnterpriseCluster {
	if set == nil {
		return nil
	}
	old := rec.DeepCopy()
	old.Spec.Nodes = ptr.To(ptr.Deref(set.Spec.Replicas, rec.Spec.NodeCount()))
	if account := set.Spec.Template.Spec.ServiceAccountName; account != "" {
		old.Spec.ServiceAccountName = account
	}
	persistence := &v1.PersistentSpec{Enabled: ptr.To(len(set.Spec.VolumeClaimTemplates) > 0)}
	if *persistence.Enabled {
		claim := set.Spec.VolumeClaimTemplates[0]
		persistence.StorageClassName = ptr.Deref(claim.Spec.StorageClassName, "")
		persistence.VolumeSize = ptr.To(claim.Spec.Resources.Requests["storage"])
	}
	old.Spec.PersistentSpec = persistence
	return old
}

// routeNameLen is the longest name whose hosts fit in a DNS label on OpenShift (rule INST-17).
const routeNameLen = 20

func nameFits(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if n := len(rec.Name) + len(rec.Namespace); n > names.MaxClusterNameLen {
		return outcome.Reject("metadata.name", "name %s and namespace %s have %d characters together; at most %d are possible",
			rec.Name, rec.Namespace, n, names.MaxClusterNameLen)
	}
	return nil
}

func nameFitsRoutes(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	routes := rec.Spec.IngressOrRouteSpec != nil && rec.Spec.IngressOrRouteSpec.Method == v1.ExposureOpenShiftRoute ||
		rec.Spec.ActiveActive != nil && rec.Spec.ActiveActive.Method == v1.ExposureOpenShiftRoute
	if routes && len(rec.Name) > routeNameLen {
		return outcome.Reject("metadata.name", "name %s has %d characters; with OpenShift routes at most %d are possible", rec.Name, len(rec.Name), routeNameLen)
	}
	return nil
}

func nodesMakeAMajority(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if n := rec.Spec.NodeCount(); n < 3 || n%2 == 0 {
		return outcome.Reject("spec.nodes", "%d nodes are not possible; use an odd number of at least 3, so that a majority survives the loss of a node", n)
	}
	return nil
}

func noScaleIn(old, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if old != nil && rec.Spec.NodeCount() < old.Spec.NodeCount() {
		return outcome.Reject("spec.nodes", "the cluster has %d nodes and cannot shrink to %d; keep %d or more", old.Spec.NodeCount(), rec.Spec.NodeCount(), old.Spec.NodeCount())
	}
	return nil
}

func persistenceStays(old, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if old != nil && old.Spec.IsPersistent() != rec.Spec.IsPersistent() {
		return outcome.Reject("spec.persistentSpec.enabled", "it is %t since the cluster was created and cannot change", old.Spec.IsPersistent())
	}
	return nil
}

// persistence is the persistent part of a spec, nil-safe; ok is false for nothing to compare.
func persistence(old, rec *v1.RedisEnterpriseCluster) (was, is v1.PersistentSpec, ok bool) {
	if old == nil || !old.Spec.IsPersistent() || !rec.Spec.IsPersistent() {
		return was, is, false
	}
	return ptr.Deref(old.Spec.PersistentSpec, v1.PersistentSpec{}), ptr.Deref(rec.Spec.PersistentSpec, v1.PersistentSpec{}), true
}

func storageClassStays(old, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	was, is, ok := persistence(old, rec)
	if ok && was.StorageClassName != is.StorageClassName {
		return outcome.Reject("spec.persistentSpec.storageClassName", "it is %q since the cluster was created and cannot change to %q", was.StorageClassName, is.StorageClassName)
	}
	return nil
}

func volumeSizeIsWhole(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	p := rec.Spec.PersistentSpec
	if p == nil || p.VolumeSize == nil {
		return nil
	}
	// 1.5Gi is fine: it is a whole number of bytes.
	if p.VolumeSize.MilliValue()%1000 != 0 || p.VolumeSize.Sign() <= 0 {
		return outcome.Reject("spec.persistentSpec.volumeSize", "%s is not possible; give a whole number with a unit, such as 20Gi", p.VolumeSize)
	}
	return nil
}

func volumeSizeStays(old, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	was, is, ok := persistence(old, rec)
	if !ok || is.VolumeSize == nil {
		return nil // the default follows the memory of the nodes, the volumes do not (rule REC-34)
	}
	before, after := children.VolumeSize(&old.Spec), *is.VolumeSize
	if was.VolumeSize != nil {
		before = *was.VolumeSize
	}
	switch after.Cmp(before) {
	case -1:
		return outcome.Reject("spec.persistentSpec.volumeSize", "volumes of %s cannot shrink to %s", before.String(), after.String())
	case 1:
		return outcome.Reject("spec.persistentSpec.volumeSize", "volumes of %s cannot grow to %s: this version of the operator does not expand volumes yet",
			before.String(), after.String())
	}
	return nil
}

func oneLicense(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if rec.Spec.License != "" && rec.Spec.LicenseSecretName != "" {
		return outcome.Reject("spec.license", "spec.license and spec.licenseSecretName exclude each other; keep one of them")
	}
	return nil
}

// entrancePossible asks package ingress, which knows what each method needs (rules NET-3 to NET-10).
func entrancePossible(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	_, err := ingress.SettingsOf(rec)
	var rejected *outcome.Rejected
	if errors.As(err, &rejected) {
		return rejected
	}
	return nil
}

func oneTimezone(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	z := rec.Spec.ContainerTimezone
	if z != nil && (z.TimezoneName == "") == (z.PropagateHost == nil) {
		return outcome.Reject("spec.containerTimezone", "give exactly one of timezoneName and propagateHost")
	}
	return nil
}

type imageAt struct {
	path string
	spec *v1.ImageSpec
}

// images are the image specs of a cluster, in the order of their paths.
func images(rec *v1.RedisEnterpriseCluster) []imageAt {
	list := []imageAt{
		{"spec.redisEnterpriseImageSpec", rec.Spec.RedisEnterpriseImageSpec},
		{"spec.bootstrapperImageSpec", rec.Spec.BootstrapperImageSpec},
		{"spec.redisEnterpriseServicesRiggerImageSpec", rec.Spec.RedisEnterpriseServicesRiggerImageSpec},
	}
	if m := rec.Spec.UsageMeter; m != nil && m.CallHomeClient != nil {
		list = append(list, imageAt{"spec.usageMeter.callHomeClient.imageSpec", m.CallHomeClient.ImageSpec})
	}
	return slices.DeleteFunc(list, func(i imageAt) bool { return i.spec == nil })
}

func digestHasVersion(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	for _, i := range images(rec) {
		if i.spec.DigestHash != "" && i.spec.VersionTag == "" {
			return outcome.Reject(i.path+".versionTag", "a digest needs the tag that it stands for")
		}
	}
	return nil
}

func autoUpgrade(rec *v1.RedisEnterpriseCluster) bool {
	return rec.Spec.UpgradeSpec != nil && rec.Spec.UpgradeSpec.AutoUpgradeRedisEnterprise
}

// autoUpgradeWithoutDigest is rule REC-40; its reason gives the state InvalidUpgrade.
func autoUpgradeWithoutDigest(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if !autoUpgrade(rec) {
		return nil
	}
	for _, i := range images(rec) {
		if i.spec.DigestHash != "" {
			return &outcome.Rejected{Reason: v1.ReasonUpgradeBlocked, Path: i.path + ".digestHash",
				Message: "an image given by digest cannot be upgraded automatically; remove the digest or set spec.upgradeSpec.autoUpgradeRedisEnterprise to false"}
		}
	}
	return nil
}

func autoUpgradeWithoutModules(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if autoUpgrade(rec) && len(rec.Spec.UserDefinedModules) > 0 {
		return outcome.Reject("spec.userDefinedModules", "user-defined modules need spec.upgradeSpec.autoUpgradeRedisEnterprise to be false")
	}
	return nil
}

func riggerTypesAreKnown(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if rec.Spec.ServicesRiggerSpec == nil {
		return nil
	}
	for word := range strings.SplitSeq(rec.Spec.ServicesRiggerSpec.DatabaseServiceType, ",") {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "", "cluster_ip", "headless", "load_balancer":
		default:
			return outcome.Reject("spec.servicesRiggerSpec.databaseServiceType", "%q is not one of cluster_ip, headless, load_balancer", strings.TrimSpace(word))
		}
	}
	return nil
}

func reservedAnnotation(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if _, ok := rec.Spec.UIAnnotations[names.AnnotationLastKeys]; ok {
		return outcome.Reject("spec.uiAnnotations", "%s is reserved for the operator", names.AnnotationLastKeys)
	}
	if s := rec.Spec.Services; s != nil {
		if _, ok := s.ServicesAnnotations[names.AnnotationLastKeys]; ok {
			return outcome.Reject("spec.services.servicesAnnotations", "%s is reserved for the operator", names.AnnotationLastKeys)
		}
	}
	return nil
}

func numbersAreNotNegative(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if s := rec.Spec.SlaveHA; s != nil && s.SlaveHAGracePeriod < 0 {
		return outcome.Reject("spec.slaveHA.slaveHAGracePeriod", "%d seconds are not possible", s.SlaveHAGracePeriod)
	}
	if p := rec.Spec.PodStartingPolicy; p != nil && p.StartingThresholdSeconds < 0 {
		return outcome.Reject("spec.podStartingPolicy.startingThresholdSeconds", "%d seconds are not possible", p.StartingThresholdSeconds)
	}
	if g := rec.Spec.RedisEnterpriseTerminationGracePeriodSeconds; g != nil && *g < 0 {
		return outcome.Reject("spec.redisEnterpriseTerminationGracePeriodSeconds", "%d seconds are not possible", *g)
	}
	return nil
}

func recoveryNeedsPersistence(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if rec.Spec.ClusterRecovery && !rec.Spec.IsPersistent() {
		return outcome.Reject("spec.clusterRecovery", "a cluster without persistent volumes has nothing to be recovered from")
	}
	return nil
}

// secretNamesFit refuses names that no Secret can have. Under Vault the name is a path, and another rule answers.
func secretNamesFit(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if rec.Spec.ClusterCredentialSecretType == v1.CredentialsInVault {
		return nil
	}
	for _, field := range []struct{ path, name string }{
		{"spec.clusterCredentialSecretName", rec.Spec.ClusterCredentialSecretName},
		{"spec.licenseSecretName", rec.Spec.LicenseSecretName},
	} {
		if wrong := validation.IsDNS1123Subdomain(field.name); field.name != "" && len(wrong) > 0 {
			return outcome.Reject(field.path, "no Secret can have the name %q: %s", field.name, wrong[0])
		}
	}
	return nil
}

// noVaultYet refuses what would otherwise put a password in Kubernetes that the user meant to keep out of it.
func noVaultYet(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if rec.Spec.ClusterCredentialSecretType == v1.CredentialsInVault {
		return outcome.Reject("spec.clusterCredentialSecretType", "this version of the operator does not read Vault yet; use kubernetes")
	}
	return nil
}

// immutable refuses changes of what the pods or their rights are built on.
func immutable(old, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if old == nil {
		return nil
	}
	secretType := func(c *v1.RedisEnterpriseCluster) string {
		return string(cmp.Or(c.Spec.ClusterCredentialSecretType, v1.CredentialsInKubernetes))
	}
	for _, field := range []struct{ path, was, is string }{
		{"spec.serviceAccountName", old.ServiceAccountName(), rec.ServiceAccountName()},
		{"spec.clusterCredentialSecretType", secretType(old), secretType(rec)},
		{"spec.clusterCredentialSecretRole", old.Spec.ClusterCredentialSecretRole, rec.Spec.ClusterCredentialSecretRole},
		{"spec.redisEnterpriseIPFamily", string(old.Spec.RedisEnterpriseIPFamily), string(rec.Spec.RedisEnterpriseIPFamily)},
	} {
		if field.was != field.is {
			return outcome.Reject(field.path, "it is %s since the cluster was created and cannot change to %s", quoted(field.was), quoted(field.is))
		}
	}
	return nil
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }
