package children

import (
	"encoding/json"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func reachable(t *testing.T, method v1.ExposureMethod, annotations map[string]string) Cluster {
	t.Helper()
	c := fixture(t, "minimal")
	c.REC.Annotations = annotations
	c.REC.Spec.IngressOrRouteSpec = &v1.IngressOrRouteSpec{Method: method, APIFQDNURL: "api.example.com", DBFQDNSuffix: ".db.example.com",
		IngressAnnotations: map[string]string{ingress.ClassAnnotation: "haproxy"}}
	return c
}

func groups(c Cluster) []string {
	var found []string
	for _, rule := range Role(c).Rules {
		found = append(found, rule.APIGroups...)
	}
	return found
}

func TestNET6_TheRiggerMayWriteTheKindsOfItsMethodOnly(t *testing.T) {
	always := groups(fixture(t, "minimal"))
	for group, c := range map[string]Cluster{
		"route.openshift.io":        reachable(t, v1.ExposureOpenShiftRoute, nil),
		"networking.k8s.io":         reachable(t, v1.ExposureIngress, nil),
		"networking.istio.io":       reachable(t, v1.ExposureIstio, nil),
		"gateway.networking.k8s.io": reachable(t, v1.ExposureIngress, map[string]string{names.AnnotationGateway: "infra/public"}),
	} {
		more := groups(c)[len(always):]
		if len(more) == 0 || slices.ContainsFunc(more, func(g string) bool { return g != group }) {
			t.Errorf("%s: %v", group, more)
		}
	}
	refused := reachable(t, v1.ExposureIngress, nil)
	refused.REC.Spec.ActiveActive = &v1.ActiveActive{}
	if got := groups(refused); len(got) != len(always) {
		t.Errorf("a refused spec gives rights: %v", got)
	}
}

func TestNET8_RiggersFollowEachOther(t *testing.T) {
	if got := Rigger(fixture(t, "minimal")).Spec.Strategy; got.Type != appsv1.RecreateDeploymentStrategyType || got.RollingUpdate != nil {
		t.Errorf("%+v", got)
	}
}

func TestNET8_AnotherMethodStartsAnotherRigger(t *testing.T) {
	settings := func(c Cluster) (s ingress.Settings, raw string) {
		for _, e := range Rigger(c).Spec.Template.Spec.Containers[0].Env {
			if e.Name == names.EnvIngress {
				if err := json.Unmarshal([]byte(e.Value), &s); err != nil {
					t.Fatal(err)
				}
				raw = e.Value
			}
		}
		return s, raw
	}
	if s, raw := settings(fixture(t, "minimal")); raw != "" {
		t.Errorf("nobody asked: %+v", s)
	}
	route, asRoute := settings(reachable(t, v1.ExposureOpenShiftRoute, nil))
	istio, asIstio := settings(reachable(t, v1.ExposureIstio, map[string]string{names.AnnotationIstioSelector: "a=b"}))
	if route.Method != ingress.Route || route.APIHost != "api.example.com" || route.DatabaseSuffix != ".db.example.com" || asRoute == asIstio {
		t.Errorf("%+v", route)
	}
	if istio.Method != ingress.Istio || istio.IstioSelector["a"] != "b" || istio.Annotations != nil {
		t.Errorf("%+v", istio)
	}
	older := fixture(t, "minimal")
	older.REC.Spec.ActiveActive = &v1.ActiveActive{Method: v1.ExposureOpenShiftRoute, APIIngressURL: "api.example.com", DBIngressSuffix: ".db.example.com"}
	if _, raw := settings(older); raw != asRoute {
		t.Errorf("NET-10 the older block starts another rigger: %s", raw)
	}
}
