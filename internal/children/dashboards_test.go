package children

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// bound is what a golden file shows of a dashboard; the rest is in config/grafana.
type boundDashboard struct {
	UID, Title string
	Panels     []any
	Templating struct {
		List []struct{ Name, Type, Query any }
	}
}

// summary replaces each dashboard by what is particular to its cluster.
func summary(held *corev1.ConfigMap, err error) client.Object {
	if err != nil {
		panic(err)
	}
	out := held.DeepCopy()
	for key, text := range held.Data {
		var d boundDashboard
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			panic(err)
		}
		line := fmt.Sprintf("%s: %q, %d panels", d.UID, d.Title, len(d.Panels))
		for _, v := range d.Templating.List {
			if v.Name == "cluster" {
				line += fmt.Sprintf(", cluster %s %s", v.Type, v.Query)
			}
		}
		out.Data[key] = line
	}
	return out
}

func TestDashboardsAreBoundToTheirCluster(t *testing.T) {
	a, b := fixture(t, "minimal"), fixture(t, "minimal")
	b.REC.Namespace = "elsewhere"
	uids := map[string]bool{}
	size := 0
	for _, c := range []Cluster{a, b} {
		held, err := Dashboards(c)
		if err != nil {
			t.Fatal(err)
		}
		if held.Labels["grafana_dashboard"] != "1" {
			t.Errorf("labels: %v", held.Labels)
		}
		for key, text := range held.Data {
			var d boundDashboard
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			if uids[d.UID] || len(d.UID) > 40 {
				t.Errorf("%s: uid %q is taken or too long", key, d.UID)
			}
			uids[d.UID] = true
			if !strings.Contains(d.Title, c.REC.Namespace+"/"+c.REC.Name) {
				t.Errorf("%s: title %q", key, d.Title)
			}
			size += len(text)
		}
		again, err := Dashboards(c)
		if err != nil || fmt.Sprint(again.Data) != fmt.Sprint(held.Data) {
			t.Errorf("not the same twice: %v", err)
		}
	}
	if len(uids) != 8 || size/2 > 800_000 {
		t.Errorf("%d dashboards of two clusters, %d bytes; a ConfigMap holds a megabyte", len(uids), size)
	}
}
