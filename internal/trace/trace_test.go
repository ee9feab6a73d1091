package trace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "s3cr3t-value"

// reconcile runs what a loop does: gather without a call, apply with a write that is redirected and refused.
func reconcile(t *testing.T, tracer *Tracer) {
	t.Helper()
	transport := &resttest.Transport{}
	transport.On("PUT", "10.0.0.1:9443/v1/bdbs/7", resttest.Always(resttest.Redirect("10.0.0.2:9443", "/v1/bdbs/7")))
	transport.On("PUT", "10.0.0.2:9443/v1/bdbs/7", resttest.Always(resttest.Status(406, "memory_limit", "no "+secret)))
	api := rest.New(rest.Options{Addresses: func() []string { return []string{"10.0.0.1"} }, Transport: transport, Middleware: []rest.Middleware{Exchange},
		Credentials: func() rest.Credentials { return rest.Credentials{Username: "admin@example.com", Password: secret} }})
	ctx, span := tracer.Reconcile(t.Context(), "RedisEnterpriseDatabase", "ns", "orders")
	_, gather := Phase(ctx, Gather)
	gather.End(nil)
	phase, apply := Phase(ctx, Apply)
	_, err := api.UpdateBDB(phase, 7, &rest.BDB{RedisPassword: rest.Ptr(secret)})
	if !rest.IsRefused(err) {
		t.Fatalf("%v", err)
	}
	refused := outcome.Refused("spec.memorySize", "%v", err)
	apply.End(refused)
	span.End(refused)
}

func inMemory(t *testing.T) (*Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return New(provider), exporter
}

// tree prints spans as parent → child with what they say.
func tree(spans tracetest.SpanStubs) []string {
	byID := map[string]string{}
	for _, s := range spans {
		byID[s.SpanContext.SpanID().String()] = s.Name
	}
	var lines []string
	for _, s := range spans {
		line := s.Name
		if parent := byID[s.Parent.SpanID().String()]; parent != "" {
			line = parent + " → " + line
		}
		var said []string
		for _, a := range s.Attributes {
			said = append(said, string(a.Key)+"="+a.Value.Emit())
		}
		slices.Sort(said)
		lines = append(lines, line+" ["+strings.Join(said, " ")+"]")
	}
	slices.Sort(lines)
	return lines
}

func TestSpansOfAReconcile(t *testing.T) {
	tracer, exporter := inMemory(t)
	reconcile(t, tracer)
	want := []string{
		"apply → PUT /v1/bdbs/{uid} [error.type=406 http.request.method=PUT http.request.resend_count=1 http.response.status_code=406 server.address=10.0.0.2 server.port=9443 url.template=/v1/bdbs/{uid}]",
		"apply → PUT /v1/bdbs/{uid} [http.request.method=PUT http.request.resend_count=0 http.response.status_code=307 server.address=10.0.0.1 server.port=9443 url.template=/v1/bdbs/{uid}]",
		"reconcile RedisEnterpriseDatabase [k8s.namespace.name=ns open_redis_enterprise.kind=RedisEnterpriseDatabase open_redis_enterprise.name=orders open_redis_enterprise.outcome=rejected open_redis_enterprise.reason=RejectedByCluster]",
		"reconcile RedisEnterpriseDatabase → apply [open_redis_enterprise.outcome=rejected open_redis_enterprise.reason=RejectedByCluster]",
		"reconcile RedisEnterpriseDatabase → gather [open_redis_enterprise.outcome=done]",
	}
	if got := tree(exporter.GetSpans()); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNoSecretInASpan(t *testing.T) {
	tracer, exporter := inMemory(t)
	reconcile(t, tracer)
	_, span := tracer.Reconcile(t.Context(), "K", "ns", "n")
	span.End(fmt.Errorf("reading the Secret: %w", errors.New(secret)))
	if text := fmt.Sprintf("%+v", exporter.GetSpans()); strings.Contains(text, secret) || strings.Contains(text, "admin@example.com") {
		t.Errorf("a secret is in the spans: %s", text)
	}
}

func TestAFailureMarksTheSpan(t *testing.T) {
	tracer, exporter := inMemory(t)
	_, span := tracer.Reconcile(t.Context(), "K", "ns", "n")
	span.End(errors.New("boom"))
	got := exporter.GetSpans()[0]
	if got.Status.Code != codes.Error || !slices.Contains(got.Attributes, attribute.String(AttributeOutcome, "failed")) {
		t.Errorf("%+v %v", got.Status, got.Attributes)
	}
}

func TestACallThatBelongsToNoReconcileMakesNoSpan(t *testing.T) {
	_, exporter := inMemory(t)
	transport := &resttest.Transport{}
	transport.On("GET", "/v1/nodes", resttest.Always(resttest.JSON("[]")))
	api := rest.New(rest.Options{Addresses: func() []string { return []string{"10.0.0.1"} }, Transport: transport, Middleware: []rest.Middleware{Exchange}})
	if _, err := api.ListNodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(exporter.GetSpans()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

// Off means that nothing is done, not that it is done and thrown away.
func TestOffCostsNothing(t *testing.T) {
	ctx := t.Context()
	var off *Tracer
	boom := errors.New("boom")
	if n := testing.AllocsPerRun(100, func() {
		ctx, span := off.Reconcile(ctx, "K", "ns", "n")
		phase, below := Phase(ctx, Gather)
		if phase != ctx {
			t.Fatal("another context")
		}
		below.End(boom)
		span.End(boom)
	}); n != 0 {
		t.Errorf("%v allocations per reconcile", n)
	}
}
