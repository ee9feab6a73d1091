package controllers

import (
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/admission"
)

func TestADM4_ClustersAreCheckedInBothVersions(t *testing.T) {
	const meta = `"kind":"RedisEnterpriseCluster","metadata":{"name":"rec","namespace":"ns"},`
	cases := []struct {
		name, version, object, old, want string
	}{
		{"v1, three nodes", "v1", `{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":3}}`, "", ""},
		{"v1, two nodes", "v1", `{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":2}}`, "", "spec.nodes"},
		{"v1alpha1, two nodes", "v1alpha1", `{"apiVersion":"app.redislabs.com/v1alpha1",` + meta + `"spec":{"nodes":2}}`, "", "spec.nodes"},
		{"fewer than there are", "v1", `{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":3}}`,
			`{"apiVersion":"app.redislabs.com/v1",` + meta + `"spec":{"nodes":5}}`, "spec.nodes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := admission.Request{Operation: admission.Create, Resource: "redisenterpriseclusters", Version: c.version, Object: []byte(c.object)}
			if c.old != "" {
				request.Operation, request.Old = admission.Update, []byte(c.old)
			}
			verdict, err := clusterReview().Review(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(verdict.Denials, "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("denials %q, want %q", got, c.want)
			}
		})
	}
}
