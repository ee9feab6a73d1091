// Package ingress turns the wish to be reached from outside Kubernetes into objects: OpenShift Routes, Ingresses, Istio's
// Gateways and VirtualServices, or TLSRoutes of the Gateway API. All of them pass TLS through by the name that the client
// asks for. It is pure: nothing here reads a cluster, a clock or the environment.
package ingress

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Method is the kind of object that leads in.
type Method string

// The methods. The first three are words of the CRD; Gateway is asked for with names.AnnotationGateway.
const (
	Route   Method = "openShiftRoute"
	Ingress Method = "ingress"
	Istio   Method = "istio"
	Gateway Method = "gateway"
)

// ClassAnnotation is the one annotation that method ingress needs: it names the ingress controller in charge.
const ClassAnnotation = "kubernetes.io/ingress.class"

// Settings say how one cluster is reached from outside. The zero value means that nobody asked.
type Settings struct {
	Method Method `json:"method,omitempty"`
	// Path is the part of the spec that asked.
	Path string `json:"path,omitempty"`
	// APIHost is the host name of the admin API, DatabaseSuffix what follows a database's name in its host name.
	APIHost        string `json:"apiHost,omitempty"`
	DatabaseSuffix string `json:"databaseSuffix,omitempty"`
	// Annotations are put on Ingresses.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Gateway is the Gateway that TLSRoutes attach to, namespace/name or namespace/name/section.
	Gateway string `json:"gateway,omitempty"`
	// IstioSelector selects the pods of Istio's ingress gateway.
	IstioSelector map[string]string `json:"istioSelector,omitempty"`
}

const (
	pathBlock = "spec.ingressOrRouteSpec"
	pathOlder = "spec.activeActive"
)

// SettingsOf reads the wish of a cluster, in either of its two spellings (rules NET-3, NET-10). The error is a rejection
// that names the field to change.
func SettingsOf(rec *v1.RedisEnterpriseCluster) (Settings, error) {
	s, err := asked(rec)
	if err != nil {
		return Settings{}, err
	}
	gateway, wantsGateway := rec.Annotations[names.AnnotationGateway]
	switch {
	case s.Path == "" && !wantsGateway:
		return Settings{}, nil
	case s.Path == "":
		return Settings{}, outcome.Reject(annotation(names.AnnotationGateway),
			"a Gateway is named, but not the host names; set %s.apiFqdnUrl and %s.dbFqdnSuffix", pathBlock, pathBlock)
	case wantsGateway:
		s.Method, s.Gateway = Gateway, strings.TrimSpace(gateway)
	case !slices.Contains([]Method{Route, Ingress, Istio}, s.Method):
		return Settings{}, outcome.Reject(s.Path+".method", "%q is not one of %s, %s, %s", s.Method, Route, Ingress, Istio)
	}
	for _, check := range []func(*Settings, *v1.RedisEnterpriseCluster) error{checkHosts, completeMethod} {
		if err := check(&s, rec); err != nil {
			return Settings{}, err
		}
	}
	return s, nil
}

// asked reads the block of the spec that is set.
func asked(rec *v1.RedisEnterpriseCluster) (Settings, error) {
	block, older := rec.Spec.IngressOrRouteSpec, rec.Spec.ActiveActive
	switch {
	case block != nil && older != nil:
		return Settings{}, outcome.Reject(pathOlder, "%s and %s exclude each other; keep %s", pathOlder, pathBlock, pathBlock)
	case block != nil:
		return Settings{Path: pathBlock, Method: Method(block.Method), APIHost: block.APIFQDNURL,
			DatabaseSuffix: block.DBFQDNSuffix, Annotations: block.IngressAnnotations}, nil
	case older != nil:
		return Settings{Path: pathOlder, Method: Method(older.Method), APIHost: older.APIIngressURL,
			DatabaseSuffix: older.DBIngressSuffix, Annotations: older.IngressAnnotations}, nil
	}
	return Settings{}, nil
}

func checkHosts(s *Settings, _ *v1.RedisEnterpriseCluster) error {
	if err := CheckHost(s.HostPath(), s.APIHost); err != nil {
		return err
	}
	if s.DatabaseSuffix == "" {
		return outcome.Reject(s.SuffixPath(), "it is missing; a database is reached at its name followed by this, such as -db.example.com")
	}
	// The shortest name a database can have: longer ones are looked at with the database.
	return CheckHost(s.SuffixPath(), DatabaseHost(*s, "d"))
}

// completeMethod reads what one method alone needs, and drops what it does not use.
func completeMethod(s *Settings, rec *v1.RedisEnterpriseCluster) error {
	if s.Method != Ingress {
		s.Annotations = nil
	}
	switch s.Method {
	case Ingress:
		if s.Annotations[ClassAnnotation] == "" {
			return outcome.Reject(s.Path+".ingressAnnotations", "the key %s is missing; it names the class of the ingress controller", ClassAnnotation)
		}
	case Istio:
		selector, err := istioSelector(rec.Annotations[names.AnnotationIstioSelector])
		if err != nil {
			return err
		}
		s.IstioSelector = selector
	case Gateway:
		_, err := parent(s.Gateway)
		return err
	}
	return nil
}

// Unused are the fields that say something which the method has no use for: only Ingresses carry the annotations.
func Unused(rec *v1.RedisEnterpriseCluster) []string {
	given, err := asked(rec)
	used, refused := SettingsOf(rec)
	if err != nil || refused != nil || len(given.Annotations) == 0 || len(used.Annotations) > 0 {
		return nil
	}
	return []string{given.Path + ".ingressAnnotations"}
}

// istioSelector reads key=value pairs; nothing given means the label of Istio's own ingress gateway.
func istioSelector(text string) (map[string]string, error) {
	if text == "" {
		return map[string]string{"istio": "ingressgateway"}, nil
	}
	selector, err := labels.ConvertSelectorToLabelsMap(text)
	if err != nil {
		return nil, outcome.Reject(annotation(names.AnnotationIstioSelector), "%q is no list of labels such as istio=ingressgateway: %v", text, err)
	}
	return selector, nil
}

// gatewayRef is a Gateway of the Gateway API, and which of its listeners.
type gatewayRef struct{ namespace, name, section string }

func parent(text string) (gatewayRef, error) {
	parts := strings.Split(text, "/")
	ok := len(parts) == 2 || len(parts) == 3
	for i, part := range parts {
		check := validation.IsDNS1123Subdomain
		if i == 0 {
			check = validation.IsDNS1123Label
		}
		ok = ok && len(check(part)) == 0
	}
	if !ok {
		return gatewayRef{}, outcome.Reject(annotation(names.AnnotationGateway), "%q names no Gateway; write namespace/name or namespace/name/listener", text)
	}
	ref := gatewayRef{namespace: parts[0], name: parts[1]}
	if len(parts) == 3 {
		ref.section = parts[2]
	}
	return ref, nil
}

func annotation(key string) string { return fmt.Sprintf("metadata.annotations[%s]", key) }

// HostPath is the field that names the host of the API.
func (s Settings) HostPath() string {
	if s.Path == pathOlder {
		return s.Path + ".apiIngressUrl"
	}
	return s.Path + ".apiFqdnUrl"
}

// SuffixPath is the field that ends the host names of databases.
func (s Settings) SuffixPath() string {
	if s.Path == pathOlder {
		return s.Path + ".dbIngressSuffix"
	}
	return s.Path + ".dbFqdnSuffix"
}
