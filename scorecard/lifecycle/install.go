package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// webhookLimit is how long OLM may take for the webhooks of a release that is installed.
const webhookLimit = 2 * time.Minute

// Labels that OLM puts on what it makes for a release.
const (
	ownerLabel          = "olm.owner"
	ownerNamespaceLabel = "olm.owner.namespace"
)

// install brings the older release in through a Subscription that waits for approvals.
func install(ctx context.Context, s *stage) {
	s.step("nobody else serves the kinds", func(t report.T) { s.aloneInCluster(ctx, t) })
	s.step("the release waits for an approval", func(t report.T) {
		s.subscribe(ctx, t, s.From, s.Options.Namespace)
		s.waits(ctx, t)
	})
	s.check("the package is offered", func(t report.T) { s.isOffered(ctx, t) })
	var csv *v1alpha1.ClusterServiceVersion
	s.step("the approved release is installed", func(t report.T) {
		s.approve(ctx, t, s.From)
		csv = s.installed(ctx, t, s.From)
	})
	s.check("OLM gave it all that it asked for", func(t report.T) { satisfied(t, csv) })
	s.check("the kinds are served", func(t report.T) { s.established(ctx, t, csv) })
	s.check("its webhooks ask about its namespace alone", func(t report.T) { s.webhooksAsk(ctx, t, csv, false) })
	s.check("it has the rights of the bundle", func(t report.T) { s.hasRights(ctx, t, csv) })
	s.check("it has an OperatorCondition", func(t report.T) {
		if _, err := s.upgradeable(ctx, s.From); err != nil {
			t.Error(err)
		}
	})
}

func isOurs(csv, pkg string) bool { return strings.HasPrefix(csv, pkg+".v") }

// aloneInCluster: OLM lets one release own a kind in a namespace, and this suite takes the kinds away in the end.
func (s *stage) aloneInCluster(ctx context.Context, t report.T) {
	t.Helper()
	var all v1alpha1.ClusterServiceVersionList
	must(t, s.List(ctx, &all))
	for _, csv := range all.Items {
		for _, owned := range csv.Spec.CustomResourceDefinitions.Owned {
			if strings.HasSuffix(owned.Name, "."+group) && !s.isMine(csv.Namespace) {
				t.Fatalf("%s in %s owns %s; run this suite where nobody does", csv.Name, csv.Namespace, owned.Name)
			}
		}
	}
}

// isMine tells whether the suite made a namespace.
func (s *stage) isMine(namespace string) bool {
	return namespace == s.Options.Namespace || strings.HasPrefix(namespace, s.Options.Namespace+"-")
}

// waits: nothing is installed before the approval.
func (s *stage) waits(ctx context.Context, t report.T) {
	t.Helper()
	s.planned(ctx, t, s.From)
	var all v1alpha1.ClusterServiceVersionList
	must(t, s.List(ctx, &all, client.InNamespace(s.Cluster.Namespace)))
	for _, csv := range all.Items {
		if isOurs(csv.Name, s.Package) {
			t.Errorf("%s is there before the approval", csv.Name)
		}
	}
}

// isOffered looks for the package as a console does, where OLM's package server runs.
func (s *stage) isOffered(ctx context.Context, t report.T) {
	t.Helper()
	kind := schema.GroupVersionKind{Group: "packages.operators.coreos.com", Version: "v1", Kind: "PackageManifest"}
	if !s.serves(kind) {
		t.Logf("this cluster has no package server")
		return
	}
	manifest := &unstructured.Unstructured{}
	manifest.SetGroupVersionKind(kind)
	must(t, s.Await(ctx, "packagemanifest/"+s.Package, catalogLimit, func() (bool, string, error) {
		if err := s.Get(ctx, s.Key(s.Package), manifest); err != nil {
			return notYet(err)
		}
		return true, "offered", nil
	}))
	if got, _, _ := unstructured.NestedString(manifest.Object, "status", "defaultChannel"); got != s.Channel {
		t.Errorf("its default channel is %q, not %s", got, s.Channel)
	}
}

// serves tells whether the cluster has a kind.
func (s *stage) serves(kind schema.GroupVersionKind) bool {
	_, err := s.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
	return err == nil
}

func satisfied(t report.T, csv *v1alpha1.ClusterServiceVersion) {
	t.Helper()
	if len(csv.Status.RequirementStatus) == 0 {
		t.Error("OLM tells of no requirement")
	}
	for _, lack := range unmet(csv) {
		t.Error(lack)
	}
}

func (s *stage) established(ctx context.Context, t report.T, csv *v1alpha1.ClusterServiceVersion) {
	t.Helper()
	for _, owned := range csv.Spec.CustomResourceDefinitions.Owned {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := s.Get(ctx, client.ObjectKey{Name: owned.Name}, &crd); err != nil {
			t.Error(err)
			continue
		}
		isEstablished := slices.ContainsFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
			return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
		})
		served := slices.ContainsFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
			return v.Name == owned.Version && v.Served
		})
		if !isEstablished || !served {
			t.Errorf("%s: established %v, version %s served %v", owned.Name, isEstablished, owned.Version, served)
		}
	}
}

// webhooksAsk: there is one webhook for each of the bundle and no other, OLM has put its authority there, and it asks about the
// namespaces of the OperatorGroup: about some of them, or about everything.
func (s *stage) webhooksAsk(ctx context.Context, t report.T, csv *v1alpha1.ClusterServiceVersion, everything bool) {
	t.Helper()
	want := map[string]bool{}
	for _, w := range csv.Spec.WebhookDefinitions {
		want[w.GenerateName] = true
	}
	var hooks []admissionv1.ValidatingWebhook
	must(t, s.Await(ctx, "webhooks", webhookLimit, func() (bool, string, error) {
		var err error
		if hooks, err = s.webhooks(ctx); err != nil {
			return notYet(err)
		}
		there := map[string]bool{}
		for _, hook := range hooks {
			there[hook.Name] = true
			if len(hook.ClientConfig.CABundle) == 0 {
				return false, hook.Name + " has no authority", nil
			}
		}
		return len(want) > 0 && len(hooks) == len(want) && maps.Equal(there, want), fmt.Sprintf("%d of %d", len(hooks), len(want)), nil
	}))
	for _, hook := range hooks {
		some := hook.NamespaceSelector != nil && len(hook.NamespaceSelector.MatchLabels)+len(hook.NamespaceSelector.MatchExpressions) > 0
		if some == everything {
			t.Errorf("%s asks about the namespaces %+v", hook.Name, hook.NamespaceSelector)
		}
	}
}

// webhooks are those that OLM made for releases in this namespace.
func (s *stage) webhooks(ctx context.Context) ([]admissionv1.ValidatingWebhook, error) {
	var all admissionv1.ValidatingWebhookConfigurationList
	err := s.List(ctx, &all, client.MatchingLabels{ownerNamespaceLabel: s.Cluster.Namespace})
	var hooks []admissionv1.ValidatingWebhook
	for _, configuration := range all.Items {
		hooks = append(hooks, configuration.Webhooks...)
	}
	return hooks, err
}

// hasRights compares the rules in the namespace, and in the cluster, with those of the bundle.
func (s *stage) hasRights(ctx context.Context, t report.T, csv *v1alpha1.ClusterServiceVersion) {
	t.Helper()
	owned := client.MatchingLabels{ownerLabel: csv.Name, ownerNamespaceLabel: s.Cluster.Namespace}
	var roles rbacv1.RoleList
	must(t, s.List(ctx, &roles, client.InNamespace(s.Cluster.Namespace), owned))
	var here, everywhere []rbacv1.PolicyRule
	for _, role := range roles.Items {
		here = append(here, role.Rules...)
	}
	var clusterRoles rbacv1.ClusterRoleList
	must(t, s.List(ctx, &clusterRoles, owned))
	for _, role := range clusterRoles.Items {
		everywhere = append(everywhere, role.Rules...)
	}
	strategy := csv.Spec.InstallStrategy.StrategySpec
	want := rulesOf(strategy.Permissions)
	areGiven(t, "the namespace", want, here)
	areGiven(t, "the cluster", rulesOf(strategy.ClusterPermissions), everywhere)
	for _, rule := range here {
		if !has(want, rule) {
			t.Errorf("in the namespace the rule %v was given, and nobody has asked for it", rule)
		}
	}
}

func rulesOf(permissions []v1alpha1.StrategyDeploymentPermissions) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, p := range permissions {
		out = append(out, p.Rules...)
	}
	return out
}

func areGiven(t report.T, where string, want, given []rbacv1.PolicyRule) {
	t.Helper()
	for _, rule := range want {
		if !has(given, rule) {
			t.Errorf("in %s the rule %v was not given", where, rule)
		}
	}
}

func has(rules []rbacv1.PolicyRule, one rbacv1.PolicyRule) bool {
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return fmt.Sprint(r) == fmt.Sprint(one) })
}
