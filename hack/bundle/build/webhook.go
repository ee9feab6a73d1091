package build

import (
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	servicePort    = 443
	reviewSeconds  = int32(10)
	admissionPort  = "admission"
	webhookPostfix = ".admission.redislabs"
)

// webhooks defines one webhook for each resource that config/webhook has checked. OLM makes configuration, Service and
// certificate from it. It knows no match conditions, so OLM's configuration also asks about changes that leave the spec
// alone; the server lets those pass.
func (s *Source) webhooks(deployment v1alpha1.StrategyDeploymentSpec) []v1alpha1.WebhookDescription {
	target := intstr.FromInt32(containerPort(deployment, admissionPort))
	var out []v1alpha1.WebhookDescription
	for _, webhook := range s.Webhooks {
		for _, rule := range webhook.Rules {
			for _, resource := range rule.Resources {
				one := rule.DeepCopy()
				one.Resources = []string{resource}
				out = append(out, definition(webhook, *one, deployment.Name, target))
			}
		}
	}
	return out
}

func definition(webhook admissionv1.ValidatingWebhook, rule admissionv1.RuleWithOperations, deployment string, target intstr.IntOrString) v1alpha1.WebhookDescription {
	equivalent, none, seconds := admissionv1.Equivalent, admissionv1.SideEffectClassNone, reviewSeconds
	return v1alpha1.WebhookDescription{
		GenerateName:            strings.TrimSuffix(rule.Resources[0], "s") + webhookPostfix,
		Type:                    v1alpha1.ValidatingAdmissionWebhook,
		DeploymentName:          deployment,
		ContainerPort:           servicePort,
		TargetPort:              &target,
		Rules:                   []admissionv1.RuleWithOperations{rule},
		FailurePolicy:           webhook.FailurePolicy,
		MatchPolicy:             &equivalent,
		SideEffects:             &none,
		TimeoutSeconds:          &seconds,
		AdmissionReviewVersions: []string{"v1"},
		WebhookPath:             webhook.ClientConfig.Service.Path,
	}
}

func containerPort(d v1alpha1.StrategyDeploymentSpec, name string) int32 {
	for _, c := range d.Spec.Template.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == name {
				return port.ContainerPort
			}
		}
	}
	return 0
}
