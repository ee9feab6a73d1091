package cluster

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
)

func TestNET6_AnnotationsOfRoutesAreNotIgnoredInSilence(t *testing.T) {
	const path = "spec.ingressOrRouteSpec.ingressAnnotations"
	told := func(method v1.ExposureMethod) (events, warnings int) {
		rec := newREC()
		rec.Generation = 7
		rec.Spec.IngressOrRouteSpec = &v1.IngressOrRouteSpec{Method: method, APIFQDNURL: "api.example.com", DBFQDNSuffix: ".example.com",
			IngressAnnotations: map[string]string{ingress.ClassAnnotation: "haproxy"}}
		scheme := newBench(t).client.Scheme()
		for _, warning := range (Reviewer{Cached: fake.NewClientBuilder().WithScheme(scheme).Build()}).review(t.Context(), nil, rec).Warnings {
			warnings += strings.Count(warning, path)
		}
		for _, event := range (&Kind{}).Report(rec.DeepCopy(), rec, Run{}, nil, time.Now()) {
			events += strings.Count(event.Message, path)
		}
		return events, warnings
	}
	if events, warnings := told(v1.ExposureOpenShiftRoute); events != 1 || warnings != 1 {
		t.Errorf("%d events and %d warnings", events, warnings)
	}
	if events, warnings := told(v1.ExposureIngress); events != 0 || warnings != 0 {
		t.Errorf("Ingresses take them: %d events and %d warnings", events, warnings)
	}
}
