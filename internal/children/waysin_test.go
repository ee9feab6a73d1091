package children

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

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

// The API server lets nobody grant what they do not hold (rule REC-11a).
func TestREC11a_TheOperatorHoldsWhatItGrants(t *testing.T) {
	raw, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	held := &rbacv1.Role{}
	if err := yaml.Unmarshal(raw, held); err != nil || len(held.Rules) == 0 {
		t.Fatalf("%v, %v", held, err)
	}
	for name, c := range map[string]Cluster{
		"nothing asked":  fixture(t, "minimal"),
		"openShiftRoute": reachable(t, v1.ExposureOpenShiftRoute, nil),
		"ingress":        reachable(t, v1.ExposureIngress, nil),
		"istio":          reachable(t, v1.ExposureIstio, nil),
		"OpenShift":      func() Cluster { c := autoAdjusting(t); c.OpenShift = true; return c }(),
		"gateway":        reachable(t, v1.ExposureIngress, map[string]string{names.AnnotationGateway: "infra/public"}),
	} {
		for _, rule := range Role(c).Rules {
			if missing := beyond(held.Rules, rule); missing != "" {
				t.Errorf("%s: the operator cannot grant %s", name, missing)
			}
		}
	}
	if beyond(held.Rules, rbacv1.PolicyRule{APIGroups: []string{"route.openshift.io"}, Resources: []string{"routes/status"}, Verbs: []string{"update"}}) == "" {
		t.Error("the comparison finds nothing")
	}
}

// beyond is the first right of a rule that no held rule gives for all of its names.
func beyond(held []rbacv1.PolicyRule, rule rbacv1.PolicyRule) string {
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				if !slices.ContainsFunc(held, func(h rbacv1.PolicyRule) bool {
					return coversNames(h.ResourceNames, rule.ResourceNames) && slices.Contains(h.APIGroups, group) && slices.Contains(h.Resources, resource) && slices.Contains(h.Verbs, verb)
				}) {
					return verb + " " + resource + "." + group
				}
			}
		}
	}
	return ""
}

// coversNames tells whether a rule about the held names is about the asked ones too; none means all.
func coversNames(held, asked []string) bool {
	if len(held) == 0 || len(asked) == 0 {
		return len(held) == 0
	}
	return !slices.ContainsFunc(asked, func(name string) bool { return !slices.Contains(held, name) })
}
