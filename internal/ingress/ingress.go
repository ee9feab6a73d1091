package ingress

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
)

// ingress is the object of method ingress (rule NET-4).
func ingress(s Settings, e Entry) *networkingv1.Ingress {
	return &networkingv1.Ingress{
		TypeMeta:   typeMeta(Ingress, "Ingress"),
		ObjectMeta: e.meta(s.Annotations),
		Spec: networkingv1.IngressSpec{
			IngressClassName: className(s.Annotations[ClassAnnotation]),
			Rules: []networkingv1.IngressRule{{
				Host: e.Host,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path:     "/",
						PathType: ptr.To(networkingv1.PathTypeImplementationSpecific),
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: e.Service, Port: networkingv1.ServiceBackendPort{Name: e.PortName}}},
					}},
				}},
			}},
		},
	}
}

// className says the class in the field as well: newer controllers read nothing else (rule NET-5). The annotation may
// hold words that the field may not; then the annotation is all there is.
func className(class string) *string {
	if len(validation.IsDNS1123Subdomain(class)) > 0 {
		return nil
	}
	return &class
}
