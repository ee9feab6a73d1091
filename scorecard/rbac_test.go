package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// TestRights: the rights are spelt out, lead to no further ones, and are given to the account beside them.
func TestRights(t *testing.T) {
	objects := objectsOf(t, "rbac.yaml")
	var role rbacv1.ClusterRole
	var binding rbacv1.ClusterRoleBinding
	convert(t, objects["ClusterRole"], &role)
	convert(t, objects["ClusterRoleBinding"], &binding)
	account := objects["ServiceAccount"]
	if binding.RoleRef.Name != role.Name || len(binding.Subjects) != 1 || account == nil ||
		binding.Subjects[0].Name != account.GetName() || binding.Subjects[0].Namespace != account.GetNamespace() {
		t.Errorf("%+v binds %+v", binding.Subjects, binding.RoleRef)
	}
	granted := map[string]bool{}
	for _, rule := range role.Rules {
		if slices.Contains(slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs), "*") {
			t.Errorf("wildcard in %+v", rule)
		}
		for _, verb := range rule.Verbs {
			if slices.Contains([]string{"escalate", "bind", "impersonate"}, verb) {
				t.Errorf("%s in %+v", verb, rule)
			}
			for _, resource := range rule.Resources {
				if granted[resource+" "+verb] {
					t.Errorf("%s of %s is granted twice", verb, resource)
				}
				granted[resource+" "+verb] = true
			}
		}
	}
	// Server-side apply of what is not there yet needs both.
	for _, applied := range []string{"catalogsources", "operatorgroups", "subscriptions", "configmaps", "redisenterpriseclusters", "redisenterprisedatabases",
		"redisenterpriseremoteclusters", "redisenterpriseactiveactivedatabases"} {
		if !granted[applied+" create"] || !granted[applied+" patch"] {
			t.Errorf("%s cannot be applied", applied)
		}
	}
	// What an operator or a cluster could leave behind is looked for.
	for _, left := range []string{"pods", "services", "secrets", "configmaps", "serviceaccounts", "persistentvolumeclaims", "statefulsets", "deployments",
		"poddisruptionbudgets", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "routes", "servicemonitors",
		"validatingwebhookconfigurations", "customresourcedefinitions", "operatorconditions"} {
		if !granted[left+" list"] {
			t.Errorf("%s cannot be listed", left)
		}
	}
}

func objectsOf(t *testing.T, file string) map[string]*unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*unstructured.Unstructured{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out[object.GetKind()] = object
	}
}

func convert(t *testing.T, from *unstructured.Unstructured, into any) {
	t.Helper()
	if from == nil {
		t.Fatalf("there is no %T", into)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(from.Object, into, true); err != nil {
		t.Fatal(err)
	}
}
