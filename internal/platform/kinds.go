package platform

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The kinds that not every Kubernetes serves and that the operator makes objects of where they are.
var (
	Route          = schema.GroupVersionKind{Group: "route.openshift.io", Version: "v1", Kind: "Route"}
	IstioGateway   = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "Gateway"}
	VirtualService = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "VirtualService"}
	TLSRoute       = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "TLSRoute"}
	ServiceMonitor = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"}
	PrometheusRule = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "PrometheusRule"}
)

// APIServer is an optional kind that the operator only reads: it says which TLS an OpenShift wants. There is one object of
// it in a cluster.
var APIServer = schema.GroupVersionKind{Group: "config.openshift.io", Version: "v1", Kind: "APIServer"}

// Kinds that every Kubernetes serves are never looked for.
var (
	Ingress       = schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}
	NetworkPolicy = schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}
)

// made are the optional kinds of which the operator makes objects.
func made() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{Route, IstioGateway, VirtualService, TLSRoute, ServiceMonitor, PrometheusRule}
}

// Optional are the kinds that are looked for.
func Optional() []schema.GroupVersionKind {
	return append(made(), APIServer)
}

// Kinds are the optional kinds that a Kubernetes served when it was last asked. The zero value has none of them. It
// never changes, so it can be handed around.
type Kinds struct {
	served map[schema.GroupVersionKind]bool
}

// KindsOf makes the value that has exactly these optional kinds.
func KindsOf(served ...schema.GroupVersionKind) Kinds {
	k := Kinds{served: map[schema.GroupVersionKind]bool{}}
	for _, kind := range served {
		k.served[kind] = true
	}
	return k
}

// Has tells whether a kind can be used: it is served, or it is none of the optional ones.
func (k Kinds) Has(kind schema.GroupVersionKind) bool {
	return k.served[kind] || !slices.Contains(Optional(), kind)
}

// Missing returns those of the wanted kinds that cannot be used, in the order given.
func (k Kinds) Missing(wanted ...schema.GroupVersionKind) []schema.GroupVersionKind {
	var missing []schema.GroupVersionKind
	for _, kind := range wanted {
		if !k.Has(kind) {
			missing = append(missing, kind)
		}
	}
	return missing
}

// Usable returns those of the wanted kinds that can be used, in the order given.
func (k Kinds) Usable(wanted ...schema.GroupVersionKind) []schema.GroupVersionKind {
	var usable []schema.GroupVersionKind
	for _, kind := range wanted {
		if k.Has(kind) {
			usable = append(usable, kind)
		}
	}
	return usable
}

// Served lists the optional kinds that are served, sorted.
func (k Kinds) Served() []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(k.served), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(KindName(a), KindName(b))
	})
}

// Equal tells whether both have the same kinds.
func (k Kinds) Equal(other Kinds) bool { return maps.Equal(k.served, other.served) }

// String lists the kinds for logs.
func (k Kinds) String() string {
	var list []string
	for _, kind := range k.Served() {
		list = append(list, KindName(kind))
	}
	return strings.Join(list, ", ")
}

// KindName is how a kind is called in messages to people, such as Route (route.openshift.io/v1).
func KindName(kind schema.GroupVersionKind) string {
	return kind.Kind + " (" + kind.GroupVersion().String() + ")"
}
