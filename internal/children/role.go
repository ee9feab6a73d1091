package children

import (
	rbacv1 "k8s.io/api/rbac/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Role is what bootstrappers and rigger may do. It must stay within what the operator may do itself, or the API server
// refuses to make it (rule REC-11a). Secrets are not in it: pods get theirs mounted.
func Role(c Cluster) *rbacv1.Role {
	read := []string{"get", "list", "watch"}
	return &rbacv1.Role{
		ObjectMeta: c.meta(c.REC.Name),
		Rules: append([]rbacv1.PolicyRule{
			// The bulletin board: all read it, each bootstrapper writes its own entry.
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: read},
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{names.Board(c.REC.Name)}, Verbs: []string{"patch"}},
			// Bootstrappers ask whether their pod is being deleted; the rigger labels pods that hold endpoints.
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "watch", "patch"}},
			// A namespace that is being deleted is not worth a drain; this grants no other namespace.
			{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get"}},
			{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: []string{"create", "delete", "get", "list", "patch", "update", "watch"}},
			{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
			{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: read},
			// The rigger makes the REC the owner of its Services; some clusters ask for this right then.
			{APIGroups: []string{v1.GroupVersion.Group}, Resources: []string{"redisenterpriseclusters/finalizers"}, Verbs: []string{"update"}},
		}, append(waysInRules(waysIn(c.REC).Method), constraintRules(c)...)...),
	}
}

// constraintRules let pods run as the one user of the node image, and nodes adjust their limits where the spec asks for that.
// The rigger never does, so that the first stays allowed.
func constraintRules(c Cluster) []rbacv1.PolicyRule {
	if !c.OpenShift {
		return nil
	}
	allowed := []string{names.SCCNonRoot}
	if s := c.REC.Spec.SecurityContext; s != nil && s.ResourceLimits != nil && s.ResourceLimits.AllowAutoAdjustment {
		allowed = append(allowed, names.SCCAdjusting)
	}
	return []rbacv1.PolicyRule{{APIGroups: []string{"security.openshift.io"}, Resources: []string{"securitycontextconstraints"}, ResourceNames: allowed, Verbs: []string{"use"}}}
}

// waysInRules let the rigger make what leads to databases from outside: the kinds of the method asked for, and no other.
// What an earlier method has left is removed by the operator.
func waysInRules(method ingress.Method) []rbacv1.PolicyRule {
	keep := []string{"create", "delete", "get", "list", "patch", "watch"}
	switch method {
	case ingress.Route:
		return []rbacv1.PolicyRule{
			{APIGroups: []string{"route.openshift.io"}, Resources: []string{"routes"}, Verbs: keep},
			// To say which host name a route has, instead of taking what the router gives.
			{APIGroups: []string{"route.openshift.io"}, Resources: []string{"routes/custom-host"}, Verbs: []string{"create", "update"}},
		}
	case ingress.Ingress:
		return []rbacv1.PolicyRule{{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: keep}}
	case ingress.Istio:
		return []rbacv1.PolicyRule{{APIGroups: []string{"networking.istio.io"}, Resources: []string{"gateways", "virtualservices"}, Verbs: keep}}
	case ingress.Gateway:
		return []rbacv1.PolicyRule{{APIGroups: []string{"gateway.networking.k8s.io"}, Resources: []string{"tlsroutes"}, Verbs: keep}}
	}
	return nil
}

// RoleBinding gives the Role to the account of the pods.
func RoleBinding(c Cluster) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: c.meta(c.REC.Name),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: c.REC.Name},
		Subjects: []rbacv1.Subject{{
			Kind: rbacv1.ServiceAccountKind, Name: c.REC.ServiceAccountName(), Namespace: c.REC.Namespace,
		}},
	}
}
