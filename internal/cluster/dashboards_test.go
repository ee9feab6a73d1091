package cluster

import (
	"slices"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestDashboardsOnlyWhereAsked(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	made := func() bool {
		var list []string
		for _, obj := range metricsObjects(inputs(rec), childrenOf(inputs(rec), o.Set), o) {
			list = append(list, obj.GetName())
		}
		return slices.Contains(list, names.Dashboards(rec.Name))
	}
	for _, c := range []struct {
		value string
		want  bool
	}{{"", false}, {"false", false}, {"yes", false}, {"true", true}} {
		rec.Annotations = map[string]string{names.AnnotationDashboards: c.value}
		if made() != c.want {
			t.Errorf("%q: made %v", c.value, made())
		}
	}
	rec.Annotations = nil
	if made() {
		t.Error("dashboards nobody asked for")
	}
}
