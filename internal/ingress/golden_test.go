package ingress

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

func fixture(t *testing.T, name string) *v1.RedisEnterpriseCluster {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name, "rec.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rec := &v1.RedisEnterpriseCluster{}
	if err := yaml.UnmarshalStrict(raw, rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

func settings(t *testing.T, rec *v1.RedisEnterpriseCluster) Settings {
	t.Helper()
	s, err := SettingsOf(rec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// entries are two databases of the fixtures' cluster.
func entries(s Settings, rec *v1.RedisEnterpriseCluster) []Entry {
	var list []Entry
	for _, db := range []string{"carts", "orders"} {
		e := APIEntry(s, rec)
		e.Name, e.Service, e.Host, e.PortName, e.Port = db, db, DatabaseHost(s, db), "redis", 12000
		list = append(list, e)
	}
	return list
}

func TestGolden(t *testing.T) {
	for name, what := range map[string]string{
		"route":   "NET-6 routes",
		"ingress": "NET-4 ingresses",
		"istio":   "NET-7 Istio",
		"gateway": "NET-1 TLSRoutes",
		"older":   "NET-10 the older block",
	} {
		t.Run(what, func(t *testing.T) {
			rec := fixture(t, name)
			s := settings(t, rec)
			golden(t, filepath.Join("testdata", name, "api.yaml"), Objects(s, APIEntry(s, rec)))
			golden(t, filepath.Join("testdata", name, "databases.yaml"), All(s, "shop-databases", entries(s, rec)))
		})
	}
}

func golden(t *testing.T, path string, objects []client.Object) {
	t.Helper()
	var got bytes.Buffer
	for _, object := range objects {
		raw, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString("---\n")
		got.Write(raw)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("%s differs; look at the difference and run with -update\n%s", path, got.String())
	}
}

func TestNET10_TheOlderBlockDoesTheSame(t *testing.T) {
	older := fixture(t, "older")
	newer := older.DeepCopy()
	newer.Spec.ActiveActive = nil
	newer.Spec.IngressOrRouteSpec = &v1.IngressOrRouteSpec{Method: older.Spec.ActiveActive.Method,
		APIFQDNURL: older.Spec.ActiveActive.APIIngressURL, DBFQDNSuffix: older.Spec.ActiveActive.DBIngressSuffix,
		IngressAnnotations: older.Spec.ActiveActive.IngressAnnotations}
	a, b := settings(t, older), settings(t, newer)
	if a.Path == b.Path {
		t.Errorf("both come from %s", a.Path)
	}
	a.Path = b.Path
	x, _ := yaml.Marshal(a)
	y, _ := yaml.Marshal(b)
	if !bytes.Equal(x, y) {
		t.Errorf("%s\n%s", x, y)
	}
}

func TestNET5_TheClassIsSaidInBothPlaces(t *testing.T) {
	for class, field := range map[string]string{"haproxy": "haproxy", "my.class-2": "my.class-2", "Odd_Class": ""} {
		rec := fixture(t, "ingress")
		rec.Spec.IngressOrRouteSpec.IngressAnnotations[ClassAnnotation] = class
		s := settings(t, rec)
		got := Objects(s, APIEntry(s, rec))[0].(*networkingv1.Ingress)
		if got.Annotations[ClassAnnotation] != class {
			t.Errorf("%s: annotations %v", class, got.Annotations)
		}
		if is := got.Spec.IngressClassName; (is == nil) != (field == "") || is != nil && *is != field {
			t.Errorf("%s: field %v", class, is)
		}
	}
}

func TestNothingIsMadeUnasked(t *testing.T) {
	rec := &v1.RedisEnterpriseCluster{}
	rec.Annotations = map[string]string{"open-redis-enterprise.io/istio-selector": "not read ="}
	s := settings(t, rec)
	if got := Objects(s, APIEntry(s, rec)); len(got) != 0 || s.Method != "" {
		t.Errorf("%+v, %v", s, got)
	}
	rec = fixture(t, "istio")
	if got := All(settings(t, rec), "shop-databases", nil); len(got) != 0 {
		t.Errorf("no databases, and yet %v", got)
	}
}
