package ingress

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

func TestNET3_SettingsAreRefusedWithThePath(t *testing.T) {
	const gateway, selector = names.AnnotationGateway, names.AnnotationIstioSelector
	block := func(change func(*v1.IngressOrRouteSpec)) func(*v1.RedisEnterpriseCluster) {
		return func(rec *v1.RedisEnterpriseCluster) { change(rec.Spec.IngressOrRouteSpec) }
	}
	annotated := func(key, value string) func(*v1.RedisEnterpriseCluster) {
		return func(rec *v1.RedisEnterpriseCluster) { rec.Annotations = map[string]string{key: value} }
	}
	for _, c := range []struct {
		name, fixture string
		change        func(*v1.RedisEnterpriseCluster)
		path, words   string
	}{
		{"both blocks", "ingress", func(rec *v1.RedisEnterpriseCluster) { rec.Spec.ActiveActive = &v1.ActiveActive{} }, "spec.activeActive", "exclude"},
		{"no host", "route", block(func(b *v1.IngressOrRouteSpec) { b.APIFQDNURL = "" }), "spec.ingressOrRouteSpec.apiFqdnUrl", "missing"},
		{"a URL", "route", block(func(b *v1.IngressOrRouteSpec) { b.APIFQDNURL = "https://api.example.com" }), "spec.ingressOrRouteSpec.apiFqdnUrl", "leave out scheme"},
		{"no suffix", "route", block(func(b *v1.IngressOrRouteSpec) { b.DBFQDNSuffix = "" }), "spec.ingressOrRouteSpec.dbFqdnSuffix", "missing"},
		{"a suffix that leaves no room", "route", block(func(b *v1.IngressOrRouteSpec) { b.DBFQDNSuffix = "-" + strings.Repeat("x", 62) + ".example.com" }),
			"spec.ingressOrRouteSpec.dbFqdnSuffix", "64 characters"},
		{"a suffix that is no name", "route", block(func(b *v1.IngressOrRouteSpec) { b.DBFQDNSuffix = "..example.com" }), "spec.ingressOrRouteSpec.dbFqdnSuffix", "no DNS label"},
		{"NET-4 no class", "ingress", block(func(b *v1.IngressOrRouteSpec) { delete(b.IngressAnnotations, ClassAnnotation) }),
			"spec.ingressOrRouteSpec.ingressAnnotations", ClassAnnotation},
		{"an unknown method", "ingress", block(func(b *v1.IngressOrRouteSpec) { b.Method = "smoke" }), "spec.ingressOrRouteSpec.method", `"smoke"`},
		{"no method", "ingress", block(func(b *v1.IngressOrRouteSpec) { b.Method = "" }), "spec.ingressOrRouteSpec.method", `"" is not one of`},
		{"the annotation's word is no method of the field", "ingress", block(func(b *v1.IngressOrRouteSpec) { b.Method = "gateway" }), "spec.ingressOrRouteSpec.method", `"gateway"`},
		{"NET-10 the older block's host", "older", func(rec *v1.RedisEnterpriseCluster) { rec.Spec.ActiveActive.APIIngressURL = "*.example.com" }, "spec.activeActive.apiIngressUrl", "wildcard"},
		{"NET-10 the older block's suffix", "older", func(rec *v1.RedisEnterpriseCluster) { rec.Spec.ActiveActive.DBIngressSuffix = "" }, "spec.activeActive.dbIngressSuffix", "missing"},
		{"NET-10 the older block's class", "older", func(rec *v1.RedisEnterpriseCluster) { rec.Spec.ActiveActive.IngressAnnotations = nil }, "spec.activeActive.ingressAnnotations", ClassAnnotation},
		{"NET-7 an empty selector value", "istio", annotated(selector, "istio"), "metadata.annotations[" + selector + "]", "istio=ingressgateway"},
		{"NET-7 a selector that is none", "istio", annotated(selector, "istio=a b"), "metadata.annotations[" + selector + "]", "no list of labels"},
		{"a Gateway without a namespace", "route", annotated(gateway, "public"), "metadata.annotations[" + gateway + "]", "namespace/name"},
		{"a Gateway with too much", "route", annotated(gateway, "a/b/c/d"), "metadata.annotations[" + gateway + "]", "namespace/name"},
		{"a Gateway of odd letters", "route", annotated(gateway, "Infra/public"), "metadata.annotations[" + gateway + "]", `"Infra/public"`},
		{"an empty Gateway", "route", annotated(gateway, ""), "metadata.annotations[" + gateway + "]", "namespace/name"},
		{"a Gateway without hosts", "route", func(rec *v1.RedisEnterpriseCluster) {
			annotated(gateway, "infra/public")(rec)
			rec.Spec.IngressOrRouteSpec = nil
		}, "metadata.annotations[" + gateway + "]", "apiFqdnUrl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := fixture(t, c.fixture)
			c.change(rec)
			s, err := SettingsOf(rec)
			var rejected *outcome.Rejected
			if !errors.As(err, &rejected) {
				t.Fatalf("%+v, %v", s, err)
			}
			if rejected.Path != c.path || !strings.Contains(rejected.Error(), c.words) || s.Method != "" {
				t.Errorf("%s: %s", rejected.Path, rejected)
			}
		})
	}
}

func TestNET7_TheSelector(t *testing.T) {
	rec := fixture(t, "istio")
	if got := settings(t, rec).IstioSelector; len(got) != 2 || got["istio"] != "gateway" || got["zone"] != "public" {
		t.Errorf("given: %v", got)
	}
	rec.Annotations = nil
	if got := settings(t, rec).IstioSelector; len(got) != 1 || got["istio"] != "ingressgateway" {
		t.Errorf("Istio's own: %v", got)
	}
}

func TestNET3_HostsOfDatabases(t *testing.T) {
	for suffix, want := range map[string]string{"-db.example.com": "orders-db.example.com", ".db.example.com": "orders.db.example.com", "x.example.com": "ordersx.example.com"} {
		rec := fixture(t, "route")
		rec.Spec.IngressOrRouteSpec.DBFQDNSuffix = suffix
		if got := DatabaseHost(settings(t, rec), "orders"); got != want {
			t.Errorf("%s gives %s", suffix, got)
		}
	}
}

func TestNET6_RoutesTakeNoAnnotations(t *testing.T) {
	rec := fixture(t, "route")
	rec.Spec.IngressOrRouteSpec.IngressAnnotations = map[string]string{"a": "b"}
	s := settings(t, rec)
	if got := Objects(s, APIEntry(s, rec))[0].GetAnnotations(); len(got) != 0 {
		t.Errorf("annotations: %v", got)
	}
	if got := Unused(rec); len(got) != 1 || got[0] != "spec.ingressOrRouteSpec.ingressAnnotations" {
		t.Errorf("not told of: %v", got)
	}
	for _, name := range []string{"ingress", "older"} {
		if got := Unused(fixture(t, name)); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := Unused(fixture(t, "istio")); len(got) != 1 {
		t.Errorf("istio: %v", got)
	}
}
