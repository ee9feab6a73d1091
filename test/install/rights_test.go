package install

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// granted are the verbs that the documented Role of the operator gives on each kind of resource, by group/resource.
var granted = map[string]string{
	"rbac.authorization.k8s.io/roles": "create get list watch update patch delete", "rbac.authorization.k8s.io/rolebindings": "create get list watch update patch delete",
	"/serviceaccounts": "create get update patch delete", "/secrets": "update get create patch delete list watch", "/events": "create patch",
	"/configmaps": "create delete get update watch list", "/persistentvolumeclaims": "create delete get update list watch",
	"/pods": "get list update patch delete watch", "/services": "get list update patch create delete watch",
	"app.redislabs.com/*": "delete get list patch create update watch", "discovery.k8s.io/endpointslices": "get list watch",
	"apps/deployments": "create delete get patch update list watch", "apps/statefulsets": "create delete get patch update list watch",
	"policy/poddisruptionbudgets": "create delete get list watch update", "networking.k8s.io/ingresses": "create patch delete list update get watch",
	"networking.istio.io/gateways": "get list update patch create delete watch", "networking.istio.io/virtualservices": "get list update patch create delete watch",
	"route.openshift.io/routes": "create delete get list patch update watch", "route.openshift.io/routes/custom-host": "create update",
}

// beyond is what ours has more, and what for. Whoever adds a right says so here.
var beyond = map[string]string{
	"/configmaps patch": "server-side apply", "policy/poddisruptionbudgets patch": "server-side apply",
	"/serviceaccounts list": "the cache", "/serviceaccounts watch": "the cache",
	"/events list":                 "why Kubernetes does not create a pod",
	"/namespaces get":              "a namespace that is being deleted is let go",
	"coordination.k8s.io/leases *": "two replicas, one of which leads",
	"monitoring.coreos.com/*":      "what reads the metrics",
	"networking.k8s.io/network*":   "who may read the metrics",
	"gateway.networking.k8s.io/*":  "ways in by the Gateway API",
	"security.openshift.io/*":      "what the pods of nodes may run under",
}

func known(right string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(beyond)), func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return right == pattern || open && strings.HasPrefix(right, prefix)
	})
}

func TestINST11_TheRoleIsTheDocumentedOneAndWhatIsSaidToBeMore(t *testing.T) {
	account := read[corev1.ServiceAccount](t, "config/rbac/service_account.yaml", "ServiceAccount")
	role := read[rbacv1.Role](t, "config/rbac/role.yaml", "Role")
	binding := read[rbacv1.RoleBinding](t, "config/rbac/role_binding.yaml", "RoleBinding")
	for _, name := range []string{account.Name, role.Name, binding.Name, binding.RoleRef.Name, binding.Subjects[0].Name} {
		if name != operator {
			t.Errorf("%s", name)
		}
	}
	if binding.RoleRef.Kind != "Role" || len(binding.Subjects) != 1 {
		t.Errorf("%+v", binding)
	}
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				verbs := granted[group+"/"+resource]
				if group == "app.redislabs.com" {
					verbs = granted[group+"/*"]
				}
				for _, verb := range rule.Verbs {
					if right := fmt.Sprintf("%s/%s %s", group, resource, verb); !slices.Contains(strings.Fields(verbs), verb) && !known(right) {
						t.Errorf("%s is more than documented, and nobody says what for", right)
					}
				}
			}
		}
	}
	wide := read[rbacv1.ClusterRole](t, "config/rbac/role_binding.yaml", "ClusterRole")
	for _, rule := range wide.Rules {
		if !slices.Equal(rule.Resources, []string{"validatingwebhookconfigurations"}) || len(rule.ResourceNames) == 0 {
			t.Errorf("a right in the whole cluster: %+v", rule)
		}
	}
}
