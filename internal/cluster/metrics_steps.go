package cluster

import (
	"context"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// metricsSteps make and remove the objects about metrics. They come last: no cluster waits for its monitoring.
func metricsSteps(in Inputs, o *Observed) []Step {
	step := shapeMetrics{wanted: metricsObjects(in, childrenOf(in, o.Set), o)}
	step.keep = append(step.keep, step.wanted...)
	step.kinds = []client.ObjectList{&corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{}}
	if in.Kinds.Has(platform.ServiceMonitor) {
		step.kinds = append(step.kinds, &monitoringv1.ServiceMonitorList{})
	}
	if in.Kinds.Has(platform.PrometheusRule) {
		step.kinds = append(step.kinds, &monitoringv1.PrometheusRuleList{})
	}
	return []Step{step}
}

// shapeMetrics makes the wanted objects about metrics and removes the others.
type shapeMetrics struct {
	wanted, keep []client.Object
	kinds        []client.ObjectList
}

func (s shapeMetrics) String() string {
	if len(s.wanted) == 0 {
		return "prune objects about metrics"
	}
	return applyObjects{s.wanted}.String() + " and prune other objects about metrics"
}

func (s shapeMetrics) perform(ctx context.Context, h *hands) error {
	changes, err := h.writer.Apply(ctx, h.rec, s.wanted)
	h.run.Changes = append(h.run.Changes, changes...)
	if err == nil {
		of := names.ClusterLabels(h.rec.Name)
		of[names.LabelPart] = names.PartMetrics
		changes, err = h.writer.Prune(ctx, h.rec, client.MatchingLabels(of), s.kinds, s.keep)
		h.run.Changes = append(h.run.Changes, changes...)
	}
	// A kind that has just gone, or that this operator was not given rights for, is no reason to call a cluster broken.
	if meta.IsNoMatchError(err) || apierrors.IsForbidden(err) {
		log.FromContext(ctx).Info("objects about metrics were not written", "error", err.Error())
		return nil
	}
	return err
}

// putMetrics changes the metrics settings of the cluster.
type putMetrics struct {
	update  *rest.MetricsConfig
	changes []string
}

func (s putMetrics) String() string { return "metrics: " + strings.Join(s.changes, ", ") }

func (s putMetrics) perform(ctx context.Context, h *hands) error {
	err := h.api.UpdateMetricsConfig(ctx, s.update)
	if rest.IsRefused(err) {
		return outcome.Refused(pathOf(s.changes), "the cluster refuses %s: %s", strings.Join(s.changes, ", "), answer(err))
	}
	return h.did(s.String(), err)
}

// metricsSettings are the step that makes the metrics settings those of the spec, if they are known and differ.
func metricsSettings(want Desired, o *Observed) []Step {
	if want.Metrics == nil || o.Metrics.Config == nil {
		return nil
	}
	update, changes := metricsUpdate(o.Metrics.Config, want.Metrics)
	if update == nil {
		return nil
	}
	return []Step{putMetrics{update, changes}}
}

// metricsProblem refuses settings that the cluster cannot have.
func metricsProblem(in Inputs, o *Observed) error {
	if in.REC.Spec.MetricsConfig == nil || !o.Metrics.TooOld {
		return nil
	}
	return outcome.Refused("spec.metricsConfig", "this cluster has no such settings; they come with Redis Enterprise 8.2")
}
