package metrics

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Metrics counts and times what the operator does. A nil one counts nothing.
type Metrics struct {
	reconciles, repairs, requests, reviews          *prometheus.CounterVec
	reconcileSeconds, requestSeconds, reviewSeconds *prometheus.HistogramVec
	certificate, build                              *prometheus.GaugeVec
	states                                          *states
	reasons                                         *vocabulary
}

// New registers all metrics. Where they are registered already, as by another manager of the same process, the result
// counts into the same ones.
func New(registry prometheus.Registerer) (*Metrics, error) {
	r := registrar{to: registry}
	m := &Metrics{
		reconciles:       register(&r, counterOf(Reconciles)),
		repairs:          register(&r, counterOf(Repairs)),
		requests:         register(&r, counterOf(Requests)),
		reviews:          register(&r, counterOf(Reviews)),
		reconcileSeconds: register(&r, histogramOf(ReconcileSeconds)),
		requestSeconds:   register(&r, histogramOf(RequestSeconds)),
		reviewSeconds:    register(&r, histogramOf(ReviewSeconds)),
		certificate:      register(&r, gaugeOf(ClusterCertificate)),
		build:            register(&r, gaugeOf(BuildInfo)),
		states:           register(&r, newStates()),
		reasons:          &vocabulary{},
	}
	return m, r.err
}

// registrar remembers the first error.
type registrar struct {
	to  prometheus.Registerer
	err error
}

func register[C prometheus.Collector](r *registrar, c C) C {
	err := r.to.Register(c)
	var taken prometheus.AlreadyRegisteredError
	if errors.As(err, &taken) {
		if existing, same := taken.ExistingCollector.(C); same {
			return existing
		}
	}
	if r.err == nil {
		r.err = err
	}
	return c
}

// Version tells which operator this is.
func (m *Metrics) Version(version string) {
	m.build.WithLabelValues(version, runtime.Version()).Set(1)
}

// Reconciled counts one reconcile of a kind and how it ended.
func (m *Metrics) Reconciled(kind string, err error, took time.Duration) {
	if m == nil {
		return
	}
	verdict := outcome.Of(err)
	ended := verdict.Kind.String()
	m.reconciles.WithLabelValues(kind, ended, m.reasons.word(verdict.Reason)).Inc()
	m.reconcileSeconds.WithLabelValues(kind, ended).Observe(took.Seconds())
}

// Repaired counts what a reconcile of a kind put back, by kind of object or setting.
func (m *Metrics) Repaired(kind string, objects []string) {
	if m == nil {
		return
	}
	for _, object := range objects {
		m.repairs.WithLabelValues(kind, m.reasons.word(object)).Inc()
	}
}

// Middleware counts and times the requests to a cluster, and notes how long its certificate lasts.
func (m *Metrics) Middleware(cluster types.NamespacedName) rest.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return rest.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			start := time.Now()
			resp, err := next.RoundTrip(req)
			code, route := 0, rest.Route(req)
			if resp != nil {
				code = resp.StatusCode
				m.noteCertificate(cluster, resp)
			}
			m.requests.WithLabelValues(cluster.Namespace, cluster.Name, req.Method, route, strconv.Itoa(code)).Inc()
			m.requestSeconds.WithLabelValues(cluster.Namespace, cluster.Name, req.Method, route).Observe(time.Since(start).Seconds())
			return resp, err
		})
	}
}

func (m *Metrics) noteCertificate(cluster types.NamespacedName, resp *http.Response) {
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		end := resp.TLS.PeerCertificates[0].NotAfter
		m.certificate.WithLabelValues(cluster.Namespace, cluster.Name).Set(float64(end.Unix()))
	}
}

// Forget drops the figures of a cluster that is gone.
func (m *Metrics) Forget(cluster types.NamespacedName) {
	if m == nil {
		return
	}
	of := prometheus.Labels{"namespace": cluster.Namespace, "cluster": cluster.Name}
	m.requests.DeletePartialMatch(of)
	m.requestSeconds.DeletePartialMatch(of)
	m.certificate.DeletePartialMatch(of)
}

// Reviewed wraps the rules of the admission server so that their answers are counted.
func (m *Metrics) Reviewed(kinds []admission.Kind) []admission.Kind {
	counted := make([]admission.Kind, 0, len(kinds))
	for _, k := range kinds {
		counted = append(counted, reviewed{k, m})
	}
	return counted
}

type reviewed struct {
	admission.Kind
	m *Metrics
}

// Review asks the rules and counts the answer.
func (r reviewed) Review(ctx context.Context, request admission.Request) (admission.Verdict, error) {
	start := time.Now()
	verdict, err := r.Kind.Review(ctx, request)
	word := "allowed"
	switch {
	case err != nil:
		word = "unreadable"
	case len(verdict.Denials) > 0:
		word = "denied"
	}
	r.m.reviews.WithLabelValues(r.Resource(), r.m.reasons.word(string(request.Operation)), word).Inc()
	r.m.reviewSeconds.WithLabelValues(r.Resource()).Observe(time.Since(start).Seconds())
	return verdict, err
}
