package trace

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// receiver takes spans as a collector would.
type receiver struct {
	collector.UnimplementedTraceServiceServer
	mu        sync.Mutex
	spans     []string
	resources map[string]string
	headers   http.Header
}

// Export takes spans over gRPC.
func (r *receiver) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.take(request)
	return &collector.ExportTraceServiceResponse{}, nil
}

// ServeHTTP takes spans over HTTP.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var request collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &request)
	}
	if err != nil || req.URL.Path != "/v1/traces" {
		http.Error(w, "not spans", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.headers = req.Header.Clone()
	r.mu.Unlock()
	r.take(&request)
}

func (r *receiver) take(request *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources = map[string]string{}
	for _, resource := range request.GetResourceSpans() {
		for _, a := range resource.GetResource().GetAttributes() {
			r.resources[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans = append(r.spans, span.GetName())
			}
		}
	}
}

func (r *receiver) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, want := range []string{"reconcile RedisEnterpriseDatabase", "gather", "apply", "PUT /v1/bdbs/{uid}"} {
		if !slices.Contains(r.spans, want) {
			t.Errorf("span %q did not arrive: %v", want, r.spans)
		}
	}
	for key, want := range map[string]string{"service.name": "redis-enterprise-operator", "service.version": "1.2.3", "k8s.pod.name": "pod-0", "team": "dba"} {
		if r.resources[key] != want {
			t.Errorf("resource %s is %q, want %q", key, r.resources[key], want)
		}
	}
}

// environment sets variables for the exporters, which read the process's own, and returns how Start reads them.
func environment(t *testing.T, values map[string]string) Options {
	t.Helper()
	for key, value := range values {
		t.Setenv(key, value)
	}
	return Options{Env: func(key string) string { return values[key] }, Version: "1.2.3", Namespace: "ns", Pod: "pod-0"}
}

// run sends the spans of one reconcile. Nothing but the end sends them: the batch is not full and not old enough.
func run(t *testing.T, o Options) {
	t.Helper()
	tracer, flush, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	reconcile(t, tracer)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestSpansArriveOverHTTP(t *testing.T) {
	r := &receiver{}
	server := httptest.NewServer(r)
	defer server.Close()
	run(t, environment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_RESOURCE_ATTRIBUTES": "team=dba",
		"OTEL_EXPORTER_OTLP_HEADERS": "x-team=dba"}))
	r.check(t)
	if r.headers.Get("X-Team") != "dba" {
		t.Errorf("the headers of the environment are not sent: %v", r.headers)
	}
}

func TestSpansArriveOverGRPC(t *testing.T) {
	r := &receiver{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, r)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	run(t, environment(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://" + listener.Addr().String(),
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc", "OTEL_RESOURCE_ATTRIBUTES": "team=dba"}))
	server.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	r.check(t)
}

func TestOffUnlessAsked(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"no endpoint":       {"OTEL_SERVICE_NAME": "x"},
		"SDK disabled":      {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		"no traces wanted":  {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
		"for metrics only":  {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"},
		"an empty endpoint": {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, flush, err := Start(t.Context(), environment(t, values))
			if err != nil || tracer != nil {
				t.Fatalf("%v %v", tracer, err)
			}
			if err := flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAnUnknownProtocolIsRefused(t *testing.T) {
	_, _, err := Start(t.Context(), environment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}))
	if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_PROTOCOL") {
		t.Fatalf("%v", err)
	}
}

func TestTroubleWithSendingIsToldOnce(t *testing.T) {
	var lines []string
	h := &teller{log: funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})}
	for range 5 {
		h.Handle(errorText("refused"))
	}
	if len(lines) != 1 {
		t.Errorf("told %d times: %v", len(lines), lines)
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }
