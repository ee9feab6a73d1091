package command

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// A process reads its proxy variables once, so each case is a process of its own: this test binary, told to call out.
const envCallOut = "TEST_CALL_OUT"

// node is an address that leads nowhere, as no loopback address is ever asked for through a proxy.
const node = "192.0.2.1"

// proxy notes what it is asked to reach, and reaches nothing.
type proxy struct {
	mu    sync.Mutex
	asked []string
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Host)
	p.mu.Unlock()
	http.Error(w, "nothing is reached here", http.StatusBadGateway)
}

func TestProxyIsForWhatLeavesTheCluster(t *testing.T) {
	if os.Getenv(envCallOut) != "" {
		callOut(t)
		return
	}
	for _, c := range []struct {
		name string
		env  []string
		want []string
	}{
		{"traces over HTTP", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.example.com:4318"}, []string{"collector.example.com:4318"}},
		{"traces over gRPC", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=https://collector.example.com:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, []string{"collector.example.com:4317"}},
		{"a collector inside", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.monitoring.svc:4318", "NO_PROXY=.svc,10.0.0.0/8"}, nil},
		{"no traces: the admin API alone", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &proxy{}
			server := httptest.NewServer(p)
			defer server.Close()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyIsForWhatLeavesTheCluster$")
			child.Env = append([]string{envCallOut + "=1", "HTTP_PROXY=" + server.URL, "HTTPS_PROXY=" + server.URL, "OTEL_EXPORTER_OTLP_TIMEOUT=1000"}, c.env...)
			if out, err := child.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			slices.Sort(p.asked)
			if got := slices.Compact(p.asked); !slices.Equal(got, c.want) {
				t.Errorf("the proxy was asked for %v, want %v", got, c.want)
			}
		})
	}
}

// callOut makes one call of each sort that the operator makes.
func callOut(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tracer, flush, err := trace.Start(ctx, trace.Options{Env: os.Getenv, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Reconcile(ctx, "RedisEnterpriseCluster", "ns", "rec")
	span.End(nil)
	short, end := context.WithTimeout(ctx, 3*time.Second)
	defer end()
	_ = flush(short) // nobody answers
	api := rest.New(rest.Options{Addresses: func() []string { return []string{node} }, Timeout: time.Second, DialTimeout: 300 * time.Millisecond})
	defer api.Close()
	if _, err := api.ListNodes(ctx); err == nil || strings.Contains(err.Error(), "nothing is reached here") {
		t.Errorf("the admin API was asked through the proxy: %v", err)
	}
}
