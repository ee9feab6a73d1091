package static

import (
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// Webhooks checks that every owned version is checked by one webhook, which asks the operator where it listens.
func Webhooks(t report.T, v Bundle) {
	t.Helper()
	covered, names := map[string]bool{}, map[string]bool{}
	if len(v.Deployments()) != 1 {
		t.Fatalf("%d deployments", len(v.Deployments()))
	}
	for _, w := range v.CSV.Spec.WebhookDefinitions {
		effects, seconds, policy := ptr.Deref(w.SideEffects, "?"), ptr.Deref(w.TimeoutSeconds, 0), ptr.Deref(w.FailurePolicy, "?")
		if effects != admissionv1.SideEffectClassNone || seconds < 1 || seconds > 10 || policy != admissionv1.Fail || names[w.GenerateName] {
			t.Errorf("%s: a second one, or sideEffects %s, timeoutSeconds %d, failurePolicy %s", w.GenerateName, effects, seconds, policy)
		}
		names[w.GenerateName] = true
		if w.DeploymentName != v.Deployments()[0].Name || w.ContainerPort != servicePort || !listens(v.Deployments()[0], w.TargetPort) {
			t.Errorf("%s leads to %s, from port %d to %v", w.GenerateName, w.DeploymentName, w.ContainerPort, w.TargetPort)
		}
		if path := ptr.Deref(w.WebhookPath, ""); !strings.HasPrefix(path, "/") || len(path) < 2 {
			t.Errorf("%s asks the path %q", w.GenerateName, path)
		}
		for _, rule := range w.Rules {
			if !slices.Equal(rule.APIGroups, []string{Group}) || len(rule.Resources) != 1 {
				t.Errorf("%s asks about %v of %v", w.GenerateName, rule.Resources, rule.APIGroups)
			}
			for _, version := range rule.APIVersions {
				asked := strings.Join(rule.Resources, ",") + "/" + version
				if covered[asked] {
					t.Errorf("%s is a second one for %s", w.GenerateName, asked)
				}
				covered[asked] = true
			}
		}
	}
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		plural, _, _ := strings.Cut(owned.Name, ".")
		if !covered[plural+"/"+owned.Version] {
			t.Errorf("nobody checks %s of %s", owned.Version, plural)
		}
	}
}

// servicePort is that of the Service that OLM makes for a webhook: API servers know no other without being told.
const servicePort = 443

// listens tells whether a container of the Deployment has the port.
func listens(d v1alpha1.StrategyDeploymentSpec, port *intstr.IntOrString) bool {
	return port != nil && slices.ContainsFunc(d.Spec.Template.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return int(p.ContainerPort) == port.IntValue() || p.Name == port.StrVal && p.Name != ""
		})
	})
}

// ReviewVersions checks that the current review is spoken, and no older one.
func ReviewVersions(t report.T, v Bundle) {
	t.Helper()
	for _, w := range v.CSV.Spec.WebhookDefinitions {
		if !slices.Equal(w.AdmissionReviewVersions, []string{"v1"}) {
			t.Errorf("%s: %v", w.GenerateName, w.AdmissionReviewVersions)
		}
	}
}

// NoConversion checks that nothing is converted by a webhook, which would leave one install mode: all four are supported.
func NoConversion(t report.T, v Bundle) {
	t.Helper()
	for _, w := range v.CSV.Spec.WebhookDefinitions {
		if w.Type == v1alpha1.ConversionWebhook {
			t.Errorf("%s converts, which would leave AllNamespaces as the only install mode", w.GenerateName)
		}
	}
	for _, crd := range v.V1CRDs {
		if crd.Spec.Conversion != nil && crd.Spec.Conversion.Strategy != "None" {
			t.Errorf("%s is converted by %s", crd.Name, crd.Spec.Conversion.Strategy)
		}
	}
	if len(v.CSV.Spec.InstallModes) != 4 {
		t.Errorf("%d install modes are told", len(v.CSV.Spec.InstallModes))
	}
	for _, mode := range v.CSV.Spec.InstallModes {
		if !mode.Supported {
			t.Errorf("%s is not supported", mode.Type)
		}
	}
}
