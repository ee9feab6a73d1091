package main

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// kind is a resource to collect. A kind that this Kubernetes does not serve, or that we may not list, is noted and left out.
type kind struct {
	group, resource string
	// wanted picks among the objects; nil takes all.
	wanted func(*unstructured.Unstructured) bool
}

// ourGroup is that of the custom resources, in every version.
const ourGroup = "app.redislabs.com"

// found are the kinds that say which namespaces are ours to look into.
var found = []kind{
	{group: ourGroup, resource: "redisenterpriseclusters"},
	{group: ourGroup, resource: "redisenterprisedatabases"},
	{group: ourGroup, resource: "redisenterpriseremoteclusters"},
	{group: ourGroup, resource: "redisenterpriseactiveactivedatabases"},
	{group: "apps", resource: "deployments", wanted: ours},
}

// namespaced are collected in each of those namespaces.
var namespaced = []kind{
	{group: ourGroup, resource: "redisenterpriseclusters"},
	{group: ourGroup, resource: "redisenterprisedatabases"},
	{group: ourGroup, resource: "redisenterpriseremoteclusters"},
	{group: ourGroup, resource: "redisenterpriseactiveactivedatabases"},
	{group: "apps", resource: "statefulsets", wanted: ours},
	{group: "apps", resource: "deployments", wanted: ours},
	{group: "apps", resource: "replicasets", wanted: ours},
	{group: "apps", resource: "controllerrevisions", wanted: ours},
	{group: "", resource: "pods", wanted: ours},
	{group: "", resource: "services", wanted: ours},
	{group: "discovery.k8s.io", resource: "endpointslices", wanted: ours},
	{group: "", resource: "persistentvolumeclaims", wanted: ours},
	{group: "", resource: "configmaps", wanted: ourConfigMap},
	{group: "", resource: "secrets", wanted: ourSecret},
	{group: "", resource: "serviceaccounts", wanted: ours},
	{group: "", resource: "events"},
	{group: "", resource: "resourcequotas"},
	{group: "", resource: "limitranges"},
	{group: "policy", resource: "poddisruptionbudgets", wanted: ours},
	{group: "rbac.authorization.k8s.io", resource: "roles", wanted: ours},
	{group: "rbac.authorization.k8s.io", resource: "rolebindings", wanted: ours},
	{group: "coordination.k8s.io", resource: "leases", wanted: ours},
	{group: "networking.k8s.io", resource: "networkpolicies"},
	{group: "networking.k8s.io", resource: "ingresses", wanted: ours},
	{group: "route.openshift.io", resource: "routes", wanted: ours},
	{group: "networking.istio.io", resource: "gateways", wanted: ours},
	{group: "networking.istio.io", resource: "virtualservices", wanted: ours},
	{group: "gateway.networking.k8s.io", resource: "tlsroutes", wanted: ours},
	{group: "monitoring.coreos.com", resource: "servicemonitors", wanted: ours},
	{group: "monitoring.coreos.com", resource: "prometheusrules", wanted: ours},
	{group: "operators.coreos.com", resource: "subscriptions"},
	{group: "operators.coreos.com", resource: "clusterserviceversions"},
	{group: "operators.coreos.com", resource: "installplans"},
	{group: "operators.coreos.com", resource: "operatorgroups"},
	{group: "operators.coreos.com", resource: "operatorconditions"},
}

// clusterWide are collected once.
var clusterWide = []kind{
	{group: "", resource: "nodes"},
	{group: "storage.k8s.io", resource: "storageclasses"},
	{group: "config.openshift.io", resource: "clusterversions"},
	{group: "config.openshift.io", resource: "proxies"},
	{group: "security.openshift.io", resource: "securitycontextconstraints", wanted: named("restricted-v2", "nonroot-v2", "redis-enterprise-scc-v2")},
	{group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations", wanted: ourWebhook},
	{group: "apiextensions.k8s.io", resource: "customresourcedefinitions", wanted: ourDefinition},
}

func ours(o *unstructured.Unstructured) bool {
	return o.GetLabels()[names.LabelApp] == names.AppValue || ownedByUs(o) || o.GetName() == names.Owner
}

func ownedByUs(o *unstructured.Unstructured) bool {
	for _, owner := range o.GetOwnerReferences() {
		if gv := owner.APIVersion; len(gv) > len(ourGroup) && gv[:len(ourGroup)] == ourGroup {
			return true
		}
	}
	return false
}

func ourConfigMap(o *unstructured.Unstructured) bool {
	return ours(o) || o.GetName() == names.SettingsConfigMap
}

// ourSecret takes all that may be referred to. Only their keys are kept, and without the others nobody could tell that a
// name or a key is misspelt. Tokens and pull secrets are nobody's business.
func ourSecret(o *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(o.Object, "type")
	return kind == "" || kind == "Opaque" || kind == "kubernetes.io/tls"
}

func named(wanted ...string) func(*unstructured.Unstructured) bool {
	return func(o *unstructured.Unstructured) bool { return slices.Contains(wanted, o.GetName()) }
}

// ourWebhook asks what a webhook is about: OLM gives the configurations names of its own.
func ourWebhook(o *unstructured.Unstructured) bool {
	return mentions(o.Object["webhooks"], ourGroup)
}

func ourDefinition(o *unstructured.Unstructured) bool {
	group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
	return group == ourGroup
}

// mentions looks for a string anywhere in a value.
func mentions(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return v == text
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, text) })
	case map[string]any:
		for _, e := range v {
			if mentions(e, text) {
				return true
			}
		}
	}
	return false
}
