package metrics

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	_ "sigs.k8s.io/controller-runtime/pkg/controller"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

var update = flag.Bool("update", false, "write docs/operator-metrics.md anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var rec = types.NamespacedName{Namespace: "ns", Name: "rec"}

func started(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

type rules struct{ verdict admission.Verdict }

func (rules) Resource() string { return "redisenterprisedatabases" }
func (r rules) Review(context.Context, admission.Request) (admission.Verdict, error) {
	return r.verdict, nil
}

// used has every metric told at least once.
func used(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	m, registry := started(t)
	m.Version("1.2.3")
	m.Reconciled("RedisEnterpriseDatabase", nil, time.Second)
	m.Repaired("RedisEnterpriseDatabase", []string{"Database"})
	ask(t, m, "/v1/bdbs/12")
	for _, k := range m.Reviewed([]admission.Kind{rules{admission.Verdict{Denials: []string{"spec.x: no"}}}}) {
		if v, err := k.Review(t.Context(), admission.Request{Operation: admission.Create}); err != nil || len(v.Denials) != 1 {
			t.Fatalf("the answer was changed: %v %v", v, err)
		}
	}
	t.Cleanup(m.Follow(state(t, closed())))
	return m, registry
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func state(t *testing.T, elected <-chan struct{}) State {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	cluster := &v1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}}
	cluster.Status.State = v1.ClusterRunning
	cluster.Status.LicenseStatus = &v1.LicenseStatus{ExpirationDate: "2030-01-01T00:00:00Z"}
	cluster.Status.Conditions = []metav1.Condition{{Type: v1.ConditionReady, Status: metav1.ConditionTrue}}
	objects := []client.Object{cluster}
	for _, name := range []string{"a", "b"} {
		db := &v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		db.Status.Status = v1alpha1.DatabaseActive
		objects = append(objects, db)
	}
	objects = append(objects, &v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "new"}})
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(objects...).WithObjects().Build()
	for _, o := range objects {
		if err := reader.Status().Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return State{Reader: reader, Namespace: "ns", Links: linked(t), Elected: elected,
		AdmissionEnds: func() time.Time { return time.Unix(2000000000, 0) }}
}

// ask makes a real request through the middleware, to a server with a certificate.
func ask(t *testing.T, m *Metrics, path string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	api := rest.New(rest.Options{Addresses: func() []string { return []string{server.Listener.Addr().String()} },
		Transport: transport, Middleware: []rest.Middleware{m.Middleware(rec)}})
	if _, err := api.GetBDB(t.Context(), 12); !rest.IsNotFound(err) {
		t.Fatalf("%s: %v", path, err)
	}
}

func gather(t *testing.T, registry prometheus.Gatherer) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*dto.MetricFamily{}
	for _, f := range families {
		all[f.GetName()] = f
	}
	return all
}

func TestMET5_EveryMetricIsDocumentedAndEveryDocumentedOneExists(t *testing.T) {
	_, registry := used(t)
	got := gather(t, registry)
	for _, d := range Table {
		family := got[d.Name]
		if family == nil {
			t.Errorf("%s is documented and does not exist", d.Name)
			continue
		}
		if kind := strings.ToLower(family.GetType().String()); kind != string(d.Type) {
			t.Errorf("%s is a %s, documented as %s", d.Name, kind, d.Type)
		}
		var labels []string
		for _, l := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		if want := slices.Sorted(slices.Values(d.Labels)); !slices.Equal(labels, want) {
			t.Errorf("%s has labels %v, documented are %v", d.Name, labels, want)
		}
		delete(got, d.Name)
	}
	for name := range got {
		t.Errorf("%s is not documented", name)
	}
}

func TestBorrowedMetricsExist(t *testing.T) {
	registry, ok := ctrlmetrics.Registry.(prometheus.Collector)
	if !ok {
		t.Fatal("the registry cannot be asked for its metrics")
	}
	descs := make(chan *prometheus.Desc, 1000)
	registry.Describe(descs)
	close(descs)
	var text strings.Builder
	for d := range descs {
		text.WriteString(d.String() + "\n")
	}
	told := gather(t, ctrlmetrics.Registry) // some collectors describe nothing before they collect
	for _, d := range Borrowed {
		if !strings.Contains(text.String(), `fqName: "`+d.Name+`"`) && told[d.Name] == nil {
			t.Errorf("%s does not exist", d.Name)
		}
	}
}

func TestThePageIsCurrent(t *testing.T) {
	const path = "../../docs/operator-metrics.md"
	if *update {
		if err := os.WriteFile(path, []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != Page() {
		t.Errorf("%s is not current; run make generate", path)
	}
}

func TestPromlint(t *testing.T) {
	_, registry := used(t)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	bad := "# HELP x_count x\n# TYPE x_count counter\nx_count 1\n"
	if found, err := promlint.New(strings.NewReader(bad)).Lint(); err != nil || len(found) == 0 {
		t.Errorf("the lint finds nothing in %q: %v", bad, err)
	}
}

func value(t *testing.T, registry prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range gather(t, registry)[name].GetMetric() {
		match := 0
		for i := 0; i < len(labels); i += 2 {
			for _, l := range m.GetLabel() {
				if l.GetName() == labels[i] && l.GetValue() == labels[i+1] {
					match += 2
				}
			}
		}
		if match == len(labels) {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return -1
}

func TestReconciled(t *testing.T) {
	m, registry := started(t)
	m.Reconciled("K", nil, time.Second)
	m.Reconciled("K", outcome.Wait("NodesJoining", 0, "x"), time.Second)
	m.Reconciled("K", outcome.Reject("spec.x", "x"), time.Second)
	m.Reconciled("K", errors.New("boom at 10.0.0.1"), time.Second)
	for _, c := range [][2]string{{"done", ""}, {"waiting", "NodesJoining"}, {"rejected", v1.ReasonInvalidSpec}, {"failed", v1.ReasonReconcileFailed}} {
		if got := value(t, registry, Reconciles, "kind", "K", "outcome", c[0], "reason", c[1]); got != 1 {
			t.Errorf("%v: %v", c, got)
		}
		if got := value(t, registry, ReconcileSeconds, "kind", "K", "outcome", c[0]); got != 1 {
			t.Errorf("%v took: %v", c, got)
		}
	}
	var none *Metrics
	none.Reconciled("K", nil, 0) // a loop without metrics
	none.Repaired("K", []string{"X"})
	none.Forget(rec)
}

func TestLabelsAreBounded(t *testing.T) {
	m, registry := started(t)
	for i := range 1000 {
		m.Reconciled("K", outcome.Wait("Word"+strings.Repeat("A", i%30)+string(rune('A'+i/40%26)), 0, "x"), 0)
		m.Reconciled("K", outcome.Wait("database-"+string(rune('a'+i%26)), 0, "x"), 0)
	}
	if n := len(gather(t, registry)[Reconciles].GetMetric()); n > vocabularyLimit+1 {
		t.Errorf("%d series", n)
	}
	if got := value(t, registry, Reconciles, "reason", otherWord); got < 1000 {
		t.Errorf("what is no word is told as such: %v", got)
	}
}

func TestRequestsAreToldByTemplate(t *testing.T) {
	m, registry := used(t)
	if got := value(t, registry, Requests, "namespace", "ns", "cluster", "rec", "method", "GET", "route", "/v1/bdbs/{uid}", "code", "404"); got != 1 {
		t.Errorf("requests: %v", got)
	}
	if got := value(t, registry, RequestSeconds, "route", "/v1/bdbs/{uid}"); got != 1 {
		t.Errorf("durations: %v", got)
	}
	if got := value(t, registry, ClusterCertificate, "cluster", "rec"); got < float64(time.Now().Unix()) {
		t.Errorf("the certificate ends at %v", got)
	}
	m.Forget(rec)
	for _, name := range []string{Requests, RequestSeconds, ClusterCertificate} {
		if n := len(gather(t, registry)[name].GetMetric()); n != 0 {
			t.Errorf("%s has %d series of a cluster that is gone", name, n)
		}
	}
}

func TestState(t *testing.T) {
	m, registry := started(t)
	waiting := make(chan struct{})
	stop := m.Follow(state(t, waiting))
	if got := gather(t, registry); got[Resources] != nil || got[ClusterReady] != nil || got[AdmissionExpiry] == nil {
		t.Errorf("a replica that does not lead tells %v", got)
	}
	close(waiting)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{Resources, []string{"kind", "RedisEnterpriseDatabase", "namespace", "ns", "status", "active"}, 2},
		{Resources, []string{"kind", "RedisEnterpriseDatabase", "status", "unknown"}, 1},
		{Resources, []string{"kind", "RedisEnterpriseCluster", "status", "Running"}, 1},
		{ClusterReady, []string{"namespace", "ns", "cluster", "rec"}, 1},
		{ClusterReachable, []string{"cluster", "rec"}, 1},
		{ClusterLicense, []string{"cluster", "rec"}, 1893456000},
		{DatabaseBackup, []string{"cluster", "rec", "db", "2", "database", "kept"}, 1767323045},
		{DatabaseBackup, []string{"db", "3"}, 1767225600},
		{BackupInterval, []string{"db", "2"}, 3600},
		{BackupInterval, []string{"db", "3"}, 86400},
		{BackupFailed, []string{"db", "2"}, 0},
		{BackupFailed, []string{"db", "3"}, 1},
		{AdmissionExpiry, nil, 2000000000},
	} {
		if got := value(t, registry, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	stop()
	if got := gather(t, registry); got[Resources] != nil {
		t.Error("a source that ended is still told")
	}
}

func TestASecondManagerCountsIntoTheSame(t *testing.T) {
	m, registry := started(t)
	again, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	m.Reconciled("K", nil, 0)
	again.Reconciled("K", nil, 0)
	if got := value(t, registry, Reconciles, "kind", "K"); got != 2 {
		t.Errorf("%v", got)
	}
}

func TestNothingToldIsASecret(t *testing.T) {
	_, registry := used(t)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(io.Writer(&text), f); err != nil {
			t.Fatal(err)
		}
	}
	for _, word := range []string{"127.0.0.1", "/v1/bdbs/12", "spec.x"} {
		if strings.Contains(text.String(), word) {
			t.Errorf("the metrics tell %q", word)
		}
	}
}
