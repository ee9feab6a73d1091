package static

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// LeastRights checks that there is no wildcard, nothing that leads to more rights, and in the whole
// cluster nothing but reading, and no Secret.
func LeastRights(t report.T, v Bundle) {
	t.Helper()
	rules := v.Rules()
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	for _, object := range v.Objects {
		if object.GetKind() == "ServiceAccount" {
			t.Error("OLM makes the accounts; one in the bundle is an error")
		}
	}
	for _, rule := range rules {
		checkRule(t, rule)
	}
	for _, p := range v.CSV.Spec.InstallStrategy.StrategySpec.ClusterPermissions {
		for _, rule := range p.Rules {
			if slices.Contains(rule.Resources, "secrets") {
				t.Errorf("%v of secrets in the whole cluster", rule.Verbs)
			}
			for _, verb := range rule.Verbs {
				if !slices.Contains([]string{"get", "list", "watch"}, verb) {
					t.Errorf("%v of %v in the whole cluster", verb, rule.Resources)
				}
			}
		}
	}
}

func checkRule(t report.T, rule rbacv1.PolicyRule) {
	t.Helper()
	for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.ResourceNames} {
		if slices.Contains(list, "*") {
			t.Errorf("wildcard in %+v", rule)
		}
	}
	for _, verb := range []string{"escalate", "bind", "impersonate"} {
		if slices.Contains(rule.Verbs, verb) {
			t.Errorf("%s in %+v", verb, rule)
		}
	}
	switch {
	case slices.Contains(rule.APIGroups, "apiextensions.k8s.io"):
		t.Errorf("CRDs are OLM's: %+v", rule)
	case slices.Contains(rule.APIGroups, "security.openshift.io") && (len(rule.ResourceNames) == 0 || !slices.Equal(rule.Verbs, []string{"use"})):
		t.Errorf("an SCC may only be used, by name: %+v", rule)
	case slices.Contains(rule.Resources, "pods/exec"), slices.Contains(rule.Resources, "nodes/proxy"):
		t.Errorf("%+v", rule)
	}
}

// OperatorConditionRights checks that the right to the one OperatorCondition is left to OLM.
func OperatorConditionRights(t report.T, v Bundle) {
	t.Helper()
	for _, rule := range v.Rules() {
		if slices.Contains(rule.APIGroups, "operators.coreos.com") {
			t.Errorf("OLM grants the one object by name; the bundle asks for %v %v", rule.Verbs, rule.Resources)
		}
	}
}

// RulesOfOlderValidators checks that an owned kind names a resource, with the version in use, whose group once served another: a
// rule names no version, so released validators take it for one of the version that is gone.
func RulesOfOlderValidators(t report.T, v Bundle) {
	t.Helper()
	once := map[string][]string{"batch": {"cronjobs"}, "discovery.k8s.io": {"endpointslices"}, "events.k8s.io": {"events"},
		"autoscaling": {"horizontalpodautoscalers"}, "policy": {"poddisruptionbudgets"}, "node.k8s.io": {"runtimeclasses"}}
	named := map[string]bool{}
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		for _, r := range owned.Resources {
			named[strings.ToLower(r.Kind)+"s"] = true
		}
	}
	for _, rule := range v.Rules() {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				if slices.Contains(once[group], resource) && !named[resource] {
					t.Errorf("%s of %s is named by no owned kind", resource, group)
				}
			}
		}
	}
}
