package trace

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Attribute names of ours; the others are those of the semantic conventions of OpenTelemetry.
const (
	AttributeKind      = "open_redis_enterprise.kind"
	AttributeNamespace = "k8s.namespace.name"
	AttributeName      = "open_redis_enterprise.name"
	AttributeOutcome   = "open_redis_enterprise.outcome"
	AttributeReason    = "open_redis_enterprise.reason"
)

// Names of the phases of a reconcile. Whoever runs a phase names it with one of these.
const (
	Gather  = "gather"
	Observe = "observe"
	Plan    = "plan"
	Apply   = "apply"
	Report  = "report"
)

// Tracer starts the spans of reconciles. A nil one starts none.
type Tracer struct{ tracer oteltrace.Tracer }

// Span is one that was started. The zero Span is none, and may be ended all the same.
type Span struct{ span oteltrace.Span }

// Reconcile starts the span of one reconcile.
func (t *Tracer) Reconcile(ctx context.Context, kind, namespace, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, "reconcile "+kind, oteltrace.WithSpanKind(oteltrace.SpanKindInternal), oteltrace.WithAttributes(
		attribute.String(AttributeKind, kind), attribute.String(AttributeNamespace, namespace), attribute.String(AttributeName, name)))
	return ctx, Span{span}
}

// Phase starts the span of a phase below the one in ctx, if there is one.
func Phase(ctx context.Context, name string) (context.Context, Span) {
	parent := oteltrace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, Span{span}
}

// End ends the span with how what it stands for ended.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	verdict := outcome.Of(err)
	s.span.SetAttributes(attribute.String(AttributeOutcome, verdict.Kind.String()))
	if verdict.Reason != "" {
		s.span.SetAttributes(attribute.String(AttributeReason, verdict.Reason))
	}
	if verdict.Kind == outcome.KindFailed {
		s.span.SetStatus(codes.Error, verdict.Reason)
	}
	s.span.End()
}
