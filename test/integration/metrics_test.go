package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// TestMetricsAreReadByThoseWhoMay runs the operator as config/prometheus has it run, with the rights of that component, and
// reads its metrics with and without a token. Its traces are looked at on the way.
func TestMetricsAreReadByThoseWhoMay(t *testing.T) {
	const namespace = "metrics-protected"
	t.Parallel()
	ctx := t.Context()
	if err := world.Namespace(ctx, namespace); err != nil {
		t.Fatal(err)
	}
	reader := prometheusRights(t, namespace)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	operator, err := world.Operator(ctx, namespace, func(o *command.ManagerOptions) {
		o.MetricsAddress, o.MetricsSecure, o.Tracer = address, true, trace.New(provider)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := errors.Join(world.DeleteNamespace(ctx, namespace), operator.Stop(), provider.Shutdown(ctx)); err != nil {
			t.Error(err)
		}
	})

	broken := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "broken"}}
	broken.Spec.MemorySize = "12XB"
	if err := world.Client.Create(ctx, broken); err != nil {
		t.Fatal(err)
	}
	get := &http.Client{Transport: verified(t, namespace), Timeout: 10 * time.Second}
	defer get.CloseIdleConnections()
	ask := func(token string) (int, string) { return scrape(t, get, address, token) }

	if status, text := ask(""); status != http.StatusUnauthorized || strings.Contains(text, "redis_enterprise") {
		t.Errorf("without a token: %d", status)
	}
	if status, text := ask(tokenOf(t, namespace, names.Owner)); status != http.StatusForbidden || strings.Contains(text, "redis_enterprise") {
		t.Errorf("with the token of somebody who may not: %d", status)
	}
	token := tokenOf(t, namespace, reader)
	want := `redis_enterprise_operator_reconciles_total{kind="RedisEnterpriseDatabase",outcome="rejected",reason="InvalidSpec"}`
	deadline := time.Now().Add(time.Minute)
	for {
		status, text := ask(token)
		if status == http.StatusOK && strings.Contains(text, want) && strings.Contains(text, "redis_enterprise_operator_admission_certificate_expiry_timestamp_seconds") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d, and not told: %s\n%.2000s", status, want, text)
		}
		<-time.After(200 * time.Millisecond)
	}
	reconciled := false
	for _, span := range spans.GetSpans() {
		reconciled = reconciled || span.Name == "reconcile RedisEnterpriseDatabase" && strings.Contains(fmt.Sprint(span.Attributes), "rejected")
	}
	if !reconciled {
		t.Errorf("no span of the rejected reconcile among %d", len(spans.GetSpans()))
	}
}

// prometheusRights gives the rights of config/prometheus, under names of this namespace, and returns who may read.
func prometheusRights(t *testing.T, namespace string) (reader string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "config", "prometheus", "rbac.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	for {
		var object struct {
			metav1.TypeMeta `json:",inline"`
			Metadata        metav1.ObjectMeta   `json:"metadata"`
			Rules           []rbacv1.PolicyRule `json:"rules"`
			RoleRef         rbacv1.RoleRef      `json:"roleRef"`
			Subjects        []rbacv1.Subject    `json:"subjects"`
		}
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return reader
		} else if err != nil {
			t.Fatal(err)
		}
		var made client.Object
		switch object.Kind {
		case "ClusterRole":
			made = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: object.Metadata.Name + "-" + namespace}, Rules: object.Rules}
		case "ClusterRoleBinding":
			for i := range object.Subjects {
				object.Subjects[i].Namespace = namespace
			}
			object.RoleRef.Name += "-" + namespace
			made = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: object.Metadata.Name + "-" + namespace}, RoleRef: object.RoleRef, Subjects: object.Subjects}
		case "ServiceAccount":
			reader = object.Metadata.Name
			made = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: reader}}
		default:
			continue // the Secret is filled by a controller that does not run here; the token is asked for instead
		}
		if err := world.Client.Create(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = world.Client.Delete(context.Background(), made) })
	}
}

func tokenOf(t *testing.T, namespace, account string) string {
	t.Helper()
	config, err := world.Env.As(t.Context(), namespace, account)
	if err != nil {
		t.Fatal(err)
	}
	return config.BearerToken
}

// verified trusts what the ServiceMonitor trusts: the certificate in the Secret of the admission server, under its name.
func verified(t *testing.T, namespace string) *http.Transport {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var secret corev1.Secret
		err := world.Client.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: names.AdmissionSecret}, &secret)
		roots := x509.NewCertPool()
		if err == nil && roots.AppendCertsFromPEM(secret.Data[names.CertKey]) {
			return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: names.AdmissionService + "." + namespace + ".svc", MinVersion: tls.VersionTLS12}}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no certificate: %v", err)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// scrape asks until the server has its certificate.
func scrape(t *testing.T, get *http.Client, address, token string) (int, string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := get.Do(req)
		if err == nil {
			text, err := io.ReadAll(resp.Body)
			if err = errors.Join(err, resp.Body.Close()); err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(text)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
}
