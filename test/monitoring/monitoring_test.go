// Package monitoring runs the operator as it ships, with the rights of its Role, on an API server that learns
// prometheus-operator's kinds only when a cluster runs already.
package monitoring

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/standin"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

const (
	root      = "../.."
	namespace = "watched"
	patience  = 3 * time.Minute
)

var world *standin.World

func TestMain(m *testing.M) {
	var err error
	world, err = standin.Start(context.Background(), standin.Options{
		Root: root, Log: slog.New(slog.DiscardHandler), OperatorLog: logr.Discard(),
		Tune: func(_ *corev1.Pod, c *emulator.Config) { c.OperationDelay = 50 * time.Millisecond },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := world.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func eventually(t *testing.T, what string, look func(context.Context) (missing string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		missing := look(t.Context())
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %s", what, missing)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// appears waits for an object, goes for its end.
func appears(t *testing.T, name string, obj client.Object) {
	t.Helper()
	eventually(t, fmt.Sprintf("%T %s", obj, name), func(ctx context.Context) string {
		if err := world.Client.Get(ctx, key(name), obj); err != nil {
			return err.Error()
		}
		return ""
	})
}

func goes(t *testing.T, name string, obj client.Object) {
	t.Helper()
	eventually(t, fmt.Sprintf("the end of %T %s", obj, name), func(ctx context.Context) string {
		if err := world.Client.Get(ctx, key(name), obj); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("still there (%v)", err)
		}
		return ""
	})
}

func annotate(t *testing.T, rec *v1.RedisEnterpriseCluster, name, value string) {
	t.Helper()
	before := rec.DeepCopy()
	if rec.Annotations == nil {
		rec.Annotations = map[string]string{}
	}
	rec.Annotations[name] = value
	if value == "" {
		delete(rec.Annotations, name)
	}
	if err := world.Client.Patch(t.Context(), rec, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func TestMonitoring(t *testing.T) {
	if err := world.Namespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	operator, err := world.Operator(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := world.DeleteNamespace(ctx, namespace); err != nil {
			t.Error(err)
		}
		if err := operator.Stop(); err != nil {
			t.Error(err)
		}
	})
	rec := &v1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rec"}, Spec: v1.RedisEnterpriseClusterSpec{
		Nodes: ptr.To[int32](3), MetricsConfig: &v1.MetricsConfig{ExposeDatabaseTags: ptr.To(true), MetricsTagKeysExposed: []string{"team"}}}}
	if err := world.Client.Create(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster", func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); err != nil {
			return err.Error()
		}
		if !meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionReady) {
			return fmt.Sprintf("%+v", rec.Status.Conditions)
		}
		return ""
	})
	if err := world.Client.Get(t.Context(), key("rec-prom-leader"), &corev1.Service{}); !apierrors.IsNotFound(err) {
		t.Errorf("a Service for nobody: %v", err)
	}

	crds, err := testenv.ForeignCRDs(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	crds = slices.DeleteFunc(crds, func(path string) bool {
		name := filepath.Base(path)
		return !strings.Contains(name, "prometheusrules") && !strings.Contains(name, "servicemonitors")
	})
	if err := world.Env.InstallCRDs(t.Context(), crds...); err != nil {
		t.Fatal(err)
	}
	monitor := &monitoringv1.ServiceMonitor{}
	appears(t, "rec", monitor)
	appears(t, "rec", &monitoringv1.PrometheusRule{})

	t.Run("MET-1 one Service leads to the nodes and one to the leader", theServicesLeadToTheNodes)
	t.Run("MET-2 what the monitor says is enough to scrape with verified TLS", func(t *testing.T) { theScrapeWorks(t, monitor) })
	t.Run("MET-3 tags of databases become labels", tagsBecomeLabels)
	t.Run("what somebody changes or deletes is put back", func(t *testing.T) { changesArePutBack(t, rec) })
	t.Run("annotations say what is not wanted", func(t *testing.T) { annotationsDecide(t, rec) })
}

func theServicesLeadToTheNodes(t *testing.T) {
	service := &corev1.Service{}
	appears(t, "rec-prom", service)
	p := service.Spec.Ports[0]
	if service.Spec.ClusterIP != corev1.ClusterIPNone || p.Port != 8070 || p.Name != "prometheus" || service.Labels["redis.io/service"] != "prom-metrics" {
		t.Errorf("%+v %v", service.Spec, service.Labels)
	}
	leader := &corev1.Service{}
	appears(t, "rec-prom-leader", leader)
	eventually(t, "one leader", func(ctx context.Context) string {
		if n := len(podsOf(ctx, t, leader)); n != 1 {
			return fmt.Sprintf("%d pods", n)
		}
		return ""
	})
	if n := len(podsOf(t.Context(), t, service)); n != 3 {
		t.Errorf("%d pods behind rec-prom", n)
	}
}

func podsOf(ctx context.Context, t *testing.T, service *corev1.Service) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := world.Client.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(service.Spec.Selector)); err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// theScrapeWorks does what Prometheus does with the monitor: it finds the Services by label and port, and reads their pods.
func theScrapeWorks(t *testing.T, monitor *monitoringv1.ServiceMonitor) {
	selector, err := metav1.LabelSelectorAsSelector(&monitor.Spec.Selector)
	if err != nil {
		t.Fatal(err)
	}
	var services corev1.ServiceList
	if err := world.Client.List(t.Context(), &services, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		t.Fatal(err)
	}
	scraped := map[string]int{}
	for _, e := range monitor.Spec.Endpoints {
		for i := range services.Items {
			if services.Items[i].Spec.Ports[0].Name != e.Port {
				continue
			}
			for _, pod := range podsOf(t.Context(), t, &services.Items[i]) {
				if text := scrape(t, e, pod.Status.PodIP); !strings.Contains(text, "has_quorum{") {
					t.Errorf("%s of %s: %s", e.Path, pod.Name, text)
				}
				scraped[e.Path]++
			}
		}
	}
	if scraped["/v2"] != 1 || scraped["/v2/node"] != 3 {
		t.Errorf("scraped %v; the whole cluster must be read once", scraped)
	}
}

// scrape reads a page the way that an endpoint of a monitor says.
func scrape(t *testing.T, e monitoringv1.Endpoint, host string) string {
	t.Helper()
	ca := &corev1.ConfigMap{}
	if err := world.Client.Get(t.Context(), key(e.TLSConfig.CA.ConfigMap.Name), ca); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.Data[e.TLSConfig.CA.ConfigMap.Key]))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: *e.TLSConfig.ServerName, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s://%s:8070%s", e.Scheme.String(), host, e.Path), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v", host, resp.Status, err)
	}
	return string(raw)
}

func tagsBecomeLabels(t *testing.T) {
	db := &v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "db"},
		Spec: v1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", Tags: map[string]string{"team": "core", "env": "prod"}}}
	if err := world.Client.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	monitor, leader := &monitoringv1.ServiceMonitor{}, &corev1.Service{}
	appears(t, "rec", monitor)
	appears(t, "rec-prom-leader", leader)
	eventually(t, "the tag", func(ctx context.Context) string {
		for _, pod := range podsOf(ctx, t, leader) {
			for line := range strings.Lines(scrape(t, monitor.Spec.Endpoints[0], pod.Status.PodIP)) {
				if strings.HasPrefix(line, "db_tags{") && strings.Contains(line, `team="core"`) && !strings.Contains(line, "env") {
					return ""
				}
			}
		}
		return "no db_tags with the listed tag alone"
	})
}

func changesArePutBack(t *testing.T, rec *v1.RedisEnterpriseCluster) {
	monitor := &monitoringv1.ServiceMonitor{}
	appears(t, "rec", monitor)
	if !metav1.IsControlledBy(monitor, rec) {
		t.Errorf("owners %v", monitor.OwnerReferences)
	}
	before := monitor.DeepCopy()
	monitor.Spec.Endpoints[0].TLSConfig.InsecureSkipVerify = ptr.To(true)
	monitor.Spec.Endpoints[0].Interval = "1h"
	if err := world.Client.Patch(t.Context(), monitor, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the interval", func(ctx context.Context) string {
		if err := world.Client.Get(ctx, key("rec"), monitor); err != nil {
			return err.Error()
		}
		if e := monitor.Spec.Endpoints[0]; e.Interval != "15s" || ptr.Deref(e.TLSConfig.InsecureSkipVerify, false) {
			return fmt.Sprintf("%s, %v", e.Interval, ptr.Deref(e.TLSConfig.InsecureSkipVerify, false))
		}
		return ""
	})
	rule := &monitoringv1.PrometheusRule{}
	appears(t, "rec", rule)
	gone := rule.UID
	if err := world.Client.Delete(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another rule", func(ctx context.Context) string {
		again := &monitoringv1.PrometheusRule{}
		if err := world.Client.Get(ctx, key("rec"), again); err != nil {
			return err.Error()
		}
		if again.UID == gone {
			return "the old one"
		}
		return ""
	})
}

func annotationsDecide(t *testing.T, rec *v1.RedisEnterpriseCluster) {
	annotate(t, rec, names.AnnotationMetricsFrom, "kubernetes.io/metadata.name=monitoring")
	appears(t, "rec-prom", &networkingv1.NetworkPolicy{})
	annotate(t, rec, names.AnnotationMetricsFrom, "")
	goes(t, "rec-prom", &networkingv1.NetworkPolicy{})
	annotate(t, rec, names.AnnotationServiceMonitor, "false")
	annotate(t, rec, names.AnnotationPrometheusRule, "false")
	goes(t, "rec", &monitoringv1.ServiceMonitor{})
	goes(t, "rec", &monitoringv1.PrometheusRule{})
	goes(t, "rec-metrics-ca", &corev1.ConfigMap{})
	goes(t, "rec-prom-leader", &corev1.Service{})
	annotate(t, rec, names.AnnotationServiceMonitor, "")
	appears(t, "rec", &monitoringv1.ServiceMonitor{})
}
