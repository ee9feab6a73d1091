package ingress

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// outsidePort is where clients outside of Kubernetes connect, whatever the method.
const outsidePort = 443

// Entry is one way in: a host name and the Service behind it.
type Entry struct {
	// Namespace and Name are those of the objects; the Service is in the same namespace.
	Namespace, Name string
	Host            string
	// Service is reached by PortName where a method takes names, and by Port otherwise.
	Service, PortName string
	Port              int32
	Labels            map[string]string
}

// APIEntry is the way to the admin API of a cluster.
func APIEntry(s Settings, rec *v1.RedisEnterpriseCluster) Entry {
	labels := maps.Clone(rec.Spec.ExtraLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, names.ClusterLabels(rec.Name))
	return Entry{Namespace: rec.Namespace, Name: rec.Name, Host: s.APIHost, Service: rec.Name,
		PortName: names.APIPortName, Port: names.APIPort, Labels: labels}
}

// Objects are what one entry needs; none when nobody asked for a way in.
func Objects(s Settings, e Entry) []client.Object { return All(s, e.Name, []Entry{e}) }

// All are what several entries of one maker need. With Istio they share a Gateway of the given name.
func All(s Settings, gateway string, entries []Entry) []client.Object {
	var objects []client.Object
	if s.Method == Istio && len(entries) > 0 {
		objects = append(objects, istioGateway(s, gateway, entries))
	}
	for _, e := range entries {
		switch s.Method {
		case Route:
			objects = append(objects, route(e))
		case Ingress:
			objects = append(objects, ingress(s, e))
		case Istio:
			objects = append(objects, virtualService(e, gateway))
		case Gateway:
			objects = append(objects, tlsRoute(s, e))
		}
	}
	return objects
}

func (e Entry) meta(annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: e.Namespace, Name: e.Name, Labels: maps.Clone(e.Labels), Annotations: maps.Clone(annotations)}
}

func typeMeta(m Method, kind string) metav1.TypeMeta {
	for _, gvk := range Kinds(m) {
		if gvk.Kind == kind {
			return metav1.TypeMeta{APIVersion: gvk.GroupVersion().String(), Kind: kind}
		}
	}
	panic("ingress: method " + string(m) + " makes no " + kind)
}
