//go:build e2e

package e2e

import (
	"embed"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/test/scenario"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

// partsNamespace holds what the suite puts beside the operator.
const partsNamespace = "e2e-parts"

//go:embed manifests
var manifests embed.FS

// parts installs the kinds of others while the operator runs, and after them proxies and Prometheus. The operator has to
// notice by itself.
func parts(t *testing.T, s *suite) {
	if !*withParts {
		t.Log("left out: the images of its proxies and of Prometheus are not here (-parts)")
		return
	}
	ctx := t.Context()
	files, err := testenv.ForeignCRDs(ctx, filepath.Join("..", ".."))
	must(t, err)
	p := s.parts()
	for _, file := range files {
		must(t, p.ApplyFile(ctx, file))
	}
	must(t, p.ensurePartsNamespace(t))
	p.apply(t, "router", "haproxy-ingress", "prometheus-operator", "prometheus")
	for _, name := range []string{"router", "haproxy-ingress", "prometheus-operator"} {
		must(t, p.AwaitDeployment(ctx, name, 2*time.Minute))
	}
	for _, service := range []string{"openshift-router", "istio-ingressgateway", "gateway", "haproxy-ingress"} {
		t.Logf("%s: %s", service, p.balancer(t, service))
	}
}

// part is the cluster as the parts see it.
type part struct{ *scenario.Cluster }

func (s *suite) parts() part { return part{s.In(partsNamespace)} }

func (p part) ensurePartsNamespace(t *testing.T) error {
	t.Helper()
	return p.ApplyObject(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: partsNamespace,
		Labels: map[string]string{"open-redis-enterprise.io/demo": "true"}}})
}

// apply applies manifests of ours. Their CRDs may have come only now: until the API server knows them, it is tried again.
func (p part) apply(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		text, err := manifests.ReadFile("manifests/" + name + ".yaml")
		must(t, err)
		must(t, p.Await(t.Context(), name, time.Minute, func() (bool, string, error) {
			if err := p.ApplyYAML(t.Context(), text); err != nil {
				return notYet(err)
			}
			return true, "applied", nil
		}))
	}
}

// balancer waits for the address of a Service of type LoadBalancer.
func (p part) balancer(t *testing.T, service string) string {
	t.Helper()
	address := ""
	must(t, p.Await(t.Context(), "service/"+service, time.Minute, func() (bool, string, error) {
		var found corev1.Service
		if err := p.Get(t.Context(), p.Key(service), &found); err != nil {
			return notYet(err)
		}
		for _, in := range found.Status.LoadBalancer.Ingress {
			address = in.IP
		}
		return address != "", "without an address", nil
	}))
	return address
}

// named is the domain whose names are that address for everybody who asks the cluster's DNS.
func named(address string) string { return strings.ReplaceAll(address, ".", "-") + ".apps.local" }
