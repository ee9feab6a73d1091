package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// offer serves some optional kinds.
type offer struct{ kinds platform.Kinds }

func (o offer) Kinds() platform.Kinds                    { return o.kinds }
func (o offer) Await(string, ...schema.GroupVersionKind) {}

// certificateFor makes a self-signed certificate for names.
func certificateFor(t *testing.T, dns ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: dns, NotBefore: epoch, NotAfter: epoch.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// watched is a running cluster on a Kubernetes that knows prometheus-operator's kinds.
func watched(t *testing.T, change ...edit) *bench {
	t.Helper()
	rec := newBorn()
	for _, f := range change {
		f(rec)
	}
	b := newBench(t, rec)
	b.kind.Offer = offer{platform.KindsOf(platform.ServiceMonitor, platform.PrometheusRule)}
	_, _ = b.run() // it waits for pods
	b.start()
	b.say("/v1/cluster/certificates", map[string]any{
		"metrics_exporter_cert": certificateFor(t, "rec.ns.svc.cluster.local", "*.rec.ns.svc.cluster.local"), "metrics_exporter_key": "a secret"})
	return b
}

// say changes an answer of the admin API.
func (b *bench) say(path string, answer any) {
	b.api.mu.Lock()
	defer b.api.mu.Unlock()
	b.api.answers[path] = answer
}

func (b *bench) mustRun() {
	b.t.Helper()
	if _, err := b.run(); err != nil {
		b.t.Fatal(err)
	}
}

// has tells whether an object is there.
func (b *bench) has(name string, into client.Object) bool {
	b.t.Helper()
	err := b.get(name, into)
	if client.IgnoreNotFound(err) != nil {
		b.t.Fatal(err)
	}
	return !apierrors.IsNotFound(err)
}

// annotate sets an annotation of the cluster; an empty value takes it off.
func (b *bench) annotate(key, value string) {
	b.t.Helper()
	rec := &v1.RedisEnterpriseCluster{}
	if err := b.get("rec", rec); err != nil {
		b.t.Fatal(err)
	}
	if rec.Annotations == nil {
		rec.Annotations = map[string]string{}
	}
	rec.Annotations[key] = value
	if value == "" {
		delete(rec.Annotations, key)
	}
	if err := b.client.Update(b.t.Context(), rec); err != nil {
		b.t.Fatal(err)
	}
}

func TestMET2_TheScrapeVerifiesTheClustersOwnCertificate(t *testing.T) {
	b := watched(t)
	b.mustRun()
	ca, monitor := &corev1.ConfigMap{}, &monitoringv1.ServiceMonitor{}
	if !b.has("rec-metrics-ca", ca) || !b.has("rec", monitor) || !b.has("rec-prom-leader", &corev1.Service{}) || !b.has("rec", &monitoringv1.PrometheusRule{}) {
		t.Fatalf("not everything was made: %v", b.writes)
	}
	if !strings.Contains(ca.Data["ca.crt"], "BEGIN CERTIFICATE") || strings.Contains(ca.Data["ca.crt"], "secret") {
		t.Errorf("%q", ca.Data)
	}
	for _, e := range monitor.Spec.Endpoints {
		tls := e.TLSConfig
		if e.Scheme.String() != "https" || tls.CA.ConfigMap.Name != ca.Name || *tls.ServerName != "rec.ns.svc.cluster.local" || ptr.Deref(tls.InsecureSkipVerify, false) {
			t.Errorf("%s: %+v", e.Path, tls)
		}
		if e.BasicAuth != nil {
			t.Error("credentials are sent although the cluster asks for none")
		}
	}
	b.forget()
	b.mustRun()
	if len(b.writes) != 0 {
		t.Errorf("a second run writes %v", b.writes)
	}
}

func TestMetricsFollowTheCertificate(t *testing.T) {
	b := watched(t)
	b.mustRun()
	first, second := &corev1.ConfigMap{}, &corev1.ConfigMap{}
	b.has("rec-metrics-ca", first)
	b.say("/v1/cluster/certificates", map[string]any{"metrics_exporter_cert": certificateFor(t, "*.shop.example.com")})
	b.mustRun()
	monitor := &monitoringv1.ServiceMonitor{}
	if b.has("rec-metrics-ca", second); second.Data["ca.crt"] == first.Data["ca.crt"] {
		t.Error("the new certificate was not taken")
	}
	if b.has("rec", monitor); *monitor.Spec.Endpoints[0].TLSConfig.ServerName != "metrics.shop.example.com" {
		t.Errorf("%s", *monitor.Spec.Endpoints[0].TLSConfig.ServerName)
	}
	b.say("/v1/cluster/certificates", map[string]any{"metrics_exporter_cert": "nothing of use"})
	b.mustRun()
	if again := (&corev1.ConfigMap{}); !b.has("rec-metrics-ca", again) || again.Data["ca.crt"] != second.Data["ca.crt"] {
		t.Error("what was known is gone because it could not be read once")
	}
}

func TestMetricsObjectsAreOptional(t *testing.T) {
	b := watched(t)
	b.mustRun()
	b.annotate(names.AnnotationServiceMonitor, "false")
	b.annotate(names.AnnotationPrometheusRule, "false")
	b.mustRun()
	for name, obj := range map[string]client.Object{"rec-metrics-ca": &corev1.ConfigMap{}, "rec-prom-leader": &corev1.Service{}} {
		if b.has(name, obj) {
			t.Errorf("%T %s stays", obj, name)
		}
	}
	if b.has("rec", &monitoringv1.ServiceMonitor{}) || b.has("rec", &monitoringv1.PrometheusRule{}) {
		t.Error("the monitor or the rule stays")
	}
	if !b.has("rec-bulletin-board", &corev1.ConfigMap{}) || !b.has("rec-prom", &corev1.Service{}) {
		t.Error("too much was removed")
	}
	b.annotate(names.AnnotationServiceMonitor, "")
	b.mustRun()
	if !b.has("rec", &monitoringv1.ServiceMonitor{}) {
		t.Error("the monitor does not come back")
	}
	b.kind.Offer = offer{}
	b.forget()
	b.mustRun() // the kinds are gone, and with them their objects; only the Service is ours to remove
	if b.has("rec-prom-leader", &corev1.Service{}) {
		t.Error("the Service outlives its monitor")
	}
}

func TestMetricsPolicyOnlyWhereAsked(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	policies := func() (n int) {
		for _, obj := range metricsObjects(inputs(rec), childrenOf(inputs(rec), o.Set), o) {
			if _, ok := obj.(*networkingv1.NetworkPolicy); ok {
				n++
			}
		}
		return n
	}
	if n := policies(); n != 0 {
		t.Errorf("%d policies nobody asked for", n)
	}
	rec.Annotations = map[string]string{names.AnnotationMetricsFrom: "team in (monitoring, ops)"}
	if n := policies(); n != 1 {
		t.Errorf("%d policies", n)
	}
}

func TestCredentialsForTheScrape(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	o.Metrics.Certificate = certificateFor(t, "rec.ns.svc.cluster.local")
	in := inputs(rec)
	in.Kinds = platform.KindsOf(platform.ServiceMonitor)
	password := func() string {
		for _, obj := range metricsObjects(in, childrenOf(in, o.Set), o) {
			monitor, ok := obj.(*monitoringv1.ServiceMonitor)
			if ok && monitor.Spec.Endpoints[0].BasicAuth != nil {
				return monitor.Spec.Endpoints[0].BasicAuth.Password.Name
			}
		}
		return ""
	}
	o.Snapshot.Cluster = &rest.Cluster{}
	if got := password(); got != "" {
		t.Errorf("%s is sent although nobody asks", got)
	}
	o.Snapshot.Cluster.MetricsAuth = ptr.To(true)
	if got := password(); got != "rec" {
		t.Errorf("%q", got)
	}
	rec.Annotations = map[string]string{names.AnnotationMetricsSecret: "scraper"}
	if got := password(); got != "scraper" {
		t.Errorf("%q", got)
	}
}

func many(n int) []string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprint("key", i))
	}
	return keys
}

func tagKeys(keys ...string) edit {
	return func(r *v1.RedisEnterpriseCluster) {
		r.Spec.MetricsConfig = &v1.MetricsConfig{ExposeDatabaseTags: ptr.To(true), MetricsTagKeysExposed: keys}
	}
}

func TestREC114_MetricsSettings(t *testing.T) {
	b := watched(t, tagKeys("Team", "env"))
	settings := map[string]any{
		"expose_db_tags": false, "metrics_tag_keys_exposed": []string{}, "max_requests_in_flight": 7, "key_distribution_enabled": false,
		"key_size_buckets": "", "key_items_buckets": "", "local_storage_max_size_mb": 1024, "local_storage_retention_days": 8,
	}
	b.say("/v1/metrics_config", settings)
	b.mustRun()
	b.api.mu.Lock()
	written := slices.Clone(b.api.written)
	b.api.mu.Unlock()
	if !slices.Contains(written, "PUT /v1/metrics_config") {
		t.Fatalf("%v", written)
	}
	want := wantedMetricsConfig(newREC(tagKeys("Team", "env")))
	have := &rest.MetricsConfig{MaxRequestsInFlight: ptr.To(rest.Int(7)), KeyDistributionEnabled: ptr.To(false), KeySizeBuckets: ptr.To(""),
		KeyItemsBuckets: ptr.To(""), LocalStorageMaxSizeMB: ptr.To(rest.Int(1024)), LocalStorageRetentionDays: ptr.To(rest.Int(8))}
	update, changes := metricsUpdate(have, want)
	if got := strings.Join(changes, "; "); got != "spec.metricsConfig.exposeDatabaseTags (expose_db_tags): unset → true; "+
		"spec.metricsConfig.metricsTagKeysExposed (metrics_tag_keys_exposed): [] → [env team]; "+
		"spec.metricsConfig.maxRequestsInFlight (max_requests_in_flight): 7 → 2" {
		t.Error(got)
	}
	if update.KeySizeBuckets != nil || update.LocalStorageMaxSizeMB != nil {
		t.Errorf("%+v", update)
	}
	if update, _ := metricsUpdate(want, want); update != nil {
		t.Errorf("no difference, and yet %+v", update)
	}
	if wantedMetricsConfig(newREC()) != nil {
		t.Error("an absent block changes something")
	}
}

func TestREC114_AClusterWithoutMetricsSettings(t *testing.T) {
	b := watched(t, tagKeys("env")) // the script answers 404
	rec, err := b.run()
	if err == nil || !strings.Contains(err.Error(), "spec.metricsConfig") {
		t.Fatalf("%v", err)
	}
	if rec.Status.State != v1.ClusterRunning {
		t.Errorf("the cluster is %s for it", rec.Status.State)
	}
}

func TestREC114_RulesOfMetrics(t *testing.T) {
	annotated := func(key, value string) edit {
		return func(r *v1.RedisEnterpriseCluster) { r.Annotations = map[string]string{key: value} }
	}
	for _, c := range []struct {
		name   string
		change edit
		path   string
	}{
		{"REC-114 keys of letters, digits, spaces and signs", tagKeys("env", "a b", "x-_.+@:1"), ""},
		{"REC-114 a key twice", tagKeys("env", "team", "ENV"), "spec.metricsConfig.metricsTagKeysExposed[2]"},
		{"REC-114 an empty key", tagKeys(""), "spec.metricsConfig.metricsTagKeysExposed[0]"},
		{"REC-114 spaces only", tagKeys("  "), "spec.metricsConfig.metricsTagKeysExposed[0]"},
		{"REC-114 a sign that is not allowed", tagKeys("a/b"), "spec.metricsConfig.metricsTagKeysExposed[0]"},
		{"REC-114 65 characters", tagKeys(strings.Repeat("a", 65)), "spec.metricsConfig.metricsTagKeysExposed[0]"},
		{"REC-114 51 keys are the cluster's business", tagKeys(many(51)...), ""},
		{"a negative number", func(r *v1.RedisEnterpriseCluster) {
			r.Spec.MetricsConfig = &v1.MetricsConfig{LocalStorageRetentionDays: ptr.To(0)}
		}, "spec.metricsConfig.localStorageRetentionDays"},
		{"opt out", annotated(names.AnnotationServiceMonitor, "false"), ""},
		{"neither true nor false", annotated(names.AnnotationPrometheusRule, "no"), "metadata.annotations[open-redis-enterprise.io/prometheus-rule]"},
		{"a selector", annotated(names.AnnotationMetricsFrom, "kubernetes.io/metadata.name=monitoring"), ""},
		{"no selector", annotated(names.AnnotationMetricsFrom, "a b"), "metadata.annotations[open-redis-enterprise.io/metrics-from]"},
		{"an empty selector", annotated(names.AnnotationMetricsFrom, ""), "metadata.annotations[open-redis-enterprise.io/metrics-from]"},
		{"no Secret's name", annotated(names.AnnotationMetricsSecret, "A_b"), "metadata.annotations[open-redis-enterprise.io/metrics-secret]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Validate(nil, newREC(c.change))
			switch {
			case c.path == "" && len(found) > 0:
				t.Errorf("%v", found)
			case c.path != "" && (len(found) != 1 || found[0].Path != c.path):
				t.Errorf("%v", found)
			}
		})
	}
}
