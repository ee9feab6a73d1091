package trace

import (
	"net"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Exchange makes a span of each request to the admin API that belongs to a traced reconcile: method, path template,
// node, status and the number of the attempt. The readings of the pollers belong to nobody and make none.
func Exchange(next http.RoundTripper) http.RoundTripper {
	return rest.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		parent := oteltrace.SpanFromContext(req.Context())
		if !parent.IsRecording() {
			return next.RoundTrip(req)
		}
		route := rest.Route(req)
		ctx, span := parent.TracerProvider().Tracer(scope).Start(req.Context(), req.Method+" "+route,
			oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(
				attribute.String("http.request.method", req.Method),
				attribute.String("url.template", route),
				attribute.String("server.address", req.URL.Hostname()),
				attribute.Int("server.port", port(req)),
				attribute.Int("http.request.resend_count", rest.Attempt(req)-1)))
		defer span.End()
		resp, err := next.RoundTrip(req.WithContext(ctx))
		switch {
		case err != nil:
			span.SetAttributes(attribute.String("error.type", "no_answer"))
			span.SetStatus(codes.Error, "no answer")
		default:
			span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
			if resp.StatusCode >= http.StatusBadRequest {
				span.SetAttributes(attribute.String("error.type", strconv.Itoa(resp.StatusCode)))
				span.SetStatus(codes.Error, "")
			}
		}
		return resp, err
	})
}

func port(req *http.Request) int {
	if _, text, err := net.SplitHostPort(req.URL.Host); err == nil {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return 443
}
