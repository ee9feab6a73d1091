package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

func TestTheMetricsCertificateComesWithoutItsKey(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		fails        bool
	}{
		{"none", `{"api_cert": "x"}`, true},
		{"no PEM", `{"metrics_exporter_cert": "x"}`, true},
		{"a key where the certificate should be", `{"metrics_exporter_cert": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := &resttest.Transport{}
			server.On(http.MethodGet, "/v1/cluster/certificates", resttest.Always(resttest.JSON(c.answer)))
			client := rest.New(rest.Options{Addresses: func() []string { return []string{"10.0.0.1"} }, ServerName: "rec", Transport: server})
			t.Cleanup(client.Close)
			got, err := client.GetMetricsCertificate(t.Context())
			if (err != nil) != c.fails || strings.Contains(got, "PRIVATE") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
