package contract

import (
	"slices"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// metrics holds for clusters of 8.2 and later; an older one says that it has no such settings.
func (s *suite) metrics(t *testing.T) {
	ctx := t.Context()
	certificate, err := s.client.GetMetricsCertificate(ctx)
	must(t, err)
	if !strings.Contains(certificate, "BEGIN CERTIFICATE") || strings.Contains(certificate, "PRIVATE") {
		t.Errorf("the certificate of the metrics is %q", certificate)
	}
	before, err := s.client.GetMetricsConfig(ctx)
	if rest.IsNotFound(err) {
		return
	}
	must(t, err)
	keys := &rest.Strings{"team"}
	must(t, s.client.UpdateMetricsConfig(ctx, &rest.MetricsConfig{MetricsTagKeysExposed: keys}))
	after, err := s.client.GetMetricsConfig(ctx)
	must(t, err)
	if !slices.Equal(rest.Value(after.MetricsTagKeysExposed), *keys) || rest.Value(after.ExposeDBTags) != rest.Value(before.ExposeDBTags) {
		t.Errorf("after a change of the keys alone: %+v", after)
	}
	old := rest.Value(before.MetricsTagKeysExposed)
	if old == nil {
		old = rest.Strings{}
	}
	must(t, s.client.UpdateMetricsConfig(ctx, &rest.MetricsConfig{MetricsTagKeysExposed: &old}))
}
