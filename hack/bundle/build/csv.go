// Package build makes a bundle from what is in config and apis: the same objects that a plain installation gets, with what
// only OLM knows added and nothing invented in between.
package build

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/blang/semver/v4"
	"github.com/operator-framework/api/pkg/lib/version"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// CSV puts the ClusterServiceVersion together.
func (s *Source) CSV() (*v1alpha1.ClusterServiceVersion, error) {
	number, err := semver.Parse(s.Release.Version)
	if err != nil {
		return nil, err
	}
	deployment, err := s.deployment()
	if err != nil {
		return nil, err
	}
	owned, err := s.owned()
	if err != nil {
		return nil, err
	}
	csv := s.Base.DeepCopy()
	csv.Name = s.Release.Name()
	csv.Spec.Version = version.OperatorVersion{Version: number}
	csv.Spec.Replaces = s.Release.Previous()
	csv.Spec.MinKubeVersion = s.Release.MinKubeVersion
	csv.Spec.Description = s.Text
	csv.Spec.Icon = []v1alpha1.Icon{{Data: base64.StdEncoding.EncodeToString(s.Icon), MediaType: "image/svg+xml"}}
	csv.Spec.CustomResourceDefinitions.Owned = owned
	csv.Spec.WebhookDefinitions = s.webhooks(deployment)
	csv.Spec.RelatedImages = relatedImages(deployment)
	csv.Spec.InstallStrategy = v1alpha1.NamedInstallStrategy{
		StrategyName: v1alpha1.InstallStrategyNameDeployment,
		StrategySpec: v1alpha1.StrategyDetailsDeployment{
			DeploymentSpecs:    []v1alpha1.StrategyDeploymentSpec{deployment},
			Permissions:        permissions(s.account(), roleRules(s.Roles)),
			ClusterPermissions: permissions(s.account(), clusterRules(s.ClusterRoles)),
		},
	}
	return csv, s.annotate(csv)
}

func (s *Source) account() string { return s.Deployment.Spec.Template.Spec.ServiceAccountName }

func permissions(account string, rules []rbacv1.PolicyRule) []v1alpha1.StrategyDeploymentPermissions {
	if len(rules) == 0 {
		return nil
	}
	return []v1alpha1.StrategyDeploymentPermissions{{ServiceAccountName: account, Rules: rules}}
}

func roleRules(roles []rbacv1.Role) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, role := range roles {
		rules = append(rules, role.Rules...)
	}
	return rules
}

func clusterRules(roles []rbacv1.ClusterRole) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, role := range roles {
		rules = append(rules, role.Rules...)
	}
	return rules
}

// annotate adds what catalogs and consoles read from annotations.
func (s *Source) annotate(csv *v1alpha1.ClusterServiceVersion) error {
	examples, descriptions := []map[string]any{}, map[string]any{}
	for _, sample := range s.Samples {
		examples = append(examples, sample.Object)
		descriptions[sample.Name()] = map[string]string{"description": sample.Description()}
	}
	for key, value := range map[string]any{
		"alm-examples": examples, "alm-examples-metadata": descriptions,
		"operatorframework.io/initialization-resource": s.firstCluster(),
	} {
		text, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return err
		}
		csv.Annotations[key] = string(text)
	}
	csv.Annotations["containerImage"] = s.Release.Images[operatorImage]
	csv.Annotations["createdAt"] = s.Release.CreatedAt
	csv.Annotations["open-redis-enterprise.io/operand-version"] = s.Release.Operand
	if s.Release.SkipRange != "" {
		csv.Annotations["olm.skipRange"] = s.Release.SkipRange
	}
	return nil
}

// firstCluster is what the console offers to create once the operator is installed.
func (s *Source) firstCluster() map[string]any {
	for _, sample := range s.Samples {
		if sample.Kind() == "RedisEnterpriseCluster" {
			return sample.Object
		}
	}
	return nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
