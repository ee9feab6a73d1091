package check

import (
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

func kustomized(t *testing.T, folder string) resmap.ResMap {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), root+"/config/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// typed decodes the objects of a kind.
func typed[T any](t *testing.T, all resmap.ResMap, kind string) []T {
	t.Helper()
	var out []T
	for _, r := range all.Resources() {
		if r.GetKind() != kind {
			continue
		}
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		var object T
		if err := yaml.UnmarshalStrict(text, &object); err != nil {
			t.Fatal(err)
		}
		out = append(out, object)
	}
	return out
}

// TestASecondOperatorMeetsNothingOfTheFirst: neither may apply, change or delete what the other has.
func TestASecondOperatorMeetsNothingOfTheFirst(t *testing.T) {
	const namespace = "my-namespace"
	first, second := kustomized(t, "default"), kustomized(t, "overlays/namespaced")
	taken := map[string]bool{}
	for _, r := range first.Resources() {
		taken[r.CurId().String()] = true
	}
	for _, r := range second.Resources() {
		if id := r.CurId(); taken[id.String()] {
			t.Errorf("%s is the first operator's", id)
		}
		if r.GetNamespace() == "" && !strings.HasSuffix(r.GetName(), "-"+namespace) {
			t.Errorf("%s belongs to the whole cluster and does not carry the namespace in its name", r.CurId())
		}
	}
	webhooks := typed[admissionregistrationv1.ValidatingWebhookConfiguration](t, second, "ValidatingWebhookConfiguration")
	if len(webhooks) != 1 || len(webhooks[0].Webhooks) != 1 {
		t.Fatalf("%d webhook configurations", len(webhooks))
	}
	webhook := webhooks[0].Webhooks[0]
	if webhook.ClientConfig.Service.Namespace != namespace {
		t.Errorf("the webhook is in %s", webhook.ClientConfig.Service.Namespace)
	}
	if webhook.NamespaceSelector == nil || webhook.NamespaceSelector.MatchLabels[corev1.LabelMetadataName] != namespace {
		t.Errorf("the webhook is asked about %v", webhook.NamespaceSelector)
	}
	mayInject(t, second, webhooks[0].Name, namespace)
}

// mayInject: what the operator may do in the whole cluster is given to the account in its namespace, and it may put its certificate into its own
// webhook configuration.
func mayInject(t *testing.T, all resmap.ResMap, configuration, namespace string) {
	t.Helper()
	roles := map[string]rbacv1.ClusterRole{}
	for _, role := range typed[rbacv1.ClusterRole](t, all, "ClusterRole") {
		roles[role.Name] = role
	}
	injects := false
	for _, binding := range typed[rbacv1.ClusterRoleBinding](t, all, "ClusterRoleBinding") {
		role, known := roles[binding.RoleRef.Name]
		if !known {
			t.Errorf("%s gives %s, which is not there", binding.Name, binding.RoleRef.Name)
		}
		if subjects := binding.Subjects; len(subjects) != 1 || subjects[0].Namespace != namespace {
			t.Errorf("%s is for %v", binding.Name, subjects)
		}
		for _, rule := range role.Rules {
			injects = injects || slices.Equal(rule.ResourceNames, []string{configuration})
		}
	}
	if !injects {
		t.Errorf("nothing lets the operator change %s", configuration)
	}
}
