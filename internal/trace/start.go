package trace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// scope names the instrumentation in each span.
const scope = "github.com/open-redis-enterprise/operator"

// service is the name under which traces appear unless OTEL_SERVICE_NAME says otherwise.
const service = "redis-enterprise-operator"

// Options of Start.
type Options struct {
	// Env reads an environment variable. The exporters and the SDK read the other standard ones (headers, time-outs,
	// certificates, sampler, batches) from the process itself.
	Env func(string) string
	// Version, Namespace and Pod describe this process.
	Version, Namespace, Pod string
	Log                     logr.Logger
}

// wanted tells whether an OTLP endpoint for traces is given and nothing switches them off.
func (o Options) wanted() bool {
	endpoint := o.Env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + o.Env("OTEL_EXPORTER_OTLP_ENDPOINT")
	exporter := o.Env("OTEL_TRACES_EXPORTER")
	return endpoint != "" && !strings.EqualFold(o.Env("OTEL_SDK_DISABLED"), "true") && (exporter == "" || exporter == "otlp")
}

// protocol is how spans are sent: the one for traces, the one for all signals, or the default of the specification.
func (o Options) protocol() string {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := o.Env(name); p != "" {
			return p
		}
	}
	return "http/protobuf"
}

// Start returns a tracer that sends its spans to the OTLP endpoint of the environment, and what sends the last of them
// when the process ends. Without an endpoint the tracer is nil.
func Start(ctx context.Context, o Options) (*Tracer, func(context.Context) error, error) {
	if !o.wanted() {
		return nil, func(context.Context) error { return nil }, nil
	}
	exporter, err := newExporter(ctx, o.protocol())
	if err != nil {
		return nil, nil, fmt.Errorf("traces: %w", err)
	}
	described, err := o.describe(ctx)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("traces: %w", err), exporter.Shutdown(ctx))
	}
	otel.SetErrorHandler(&teller{log: o.Log})
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	o.Log.Info("sending traces", "protocol", o.protocol())
	return New(provider), provider.Shutdown, nil
}

// New returns a tracer whose spans go to a provider.
func New(provider *sdktrace.TracerProvider) *Tracer { return &Tracer{provider.Tracer(scope)} }

func newExporter(ctx context.Context, protocol string) (*otlptrace.Exporter, error) {
	switch protocol {
	case "grpc":
		return otlptracegrpc.New(ctx)
	case "http/protobuf":
		return otlptracehttp.New(ctx)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q; it can be http/protobuf or grpc", protocol)
}

// describe says who sends. What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME give wins.
func (o Options) describe(ctx context.Context) (*resource.Resource, error) {
	ours := []attribute.KeyValue{attribute.String("service.name", service)}
	for key, value := range map[string]string{"service.version": o.Version, AttributeNamespace: o.Namespace, "k8s.pod.name": o.Pod} {
		if value != "" {
			ours = append(ours, attribute.String(key, value))
		}
	}
	return resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(ours...), resource.WithFromEnv())
}

// teller logs trouble with sending once, and not at each batch that meets the same trouble.
type teller struct {
	log  logr.Logger
	mu   sync.Mutex
	last string
}

// Handle is told of each error of the SDK.
func (t *teller) Handle(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := err.Error(); text != t.last {
		t.last = text
		t.log.Info("traces not sent", "error", text)
	}
}
