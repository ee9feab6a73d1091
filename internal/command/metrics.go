package command

import (
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Requests of the admin API, by cluster, method, route and status; the status is 0 where no answer came.
var (
	requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "redis_enterprise_operator_admin_api_requests_total",
		Help: "Requests to the admin API of Redis Enterprise clusters.",
	}, []string{"namespace", "cluster", "method", "route", "code"})
	durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "redis_enterprise_operator_admin_api_request_duration_seconds",
		Help:    "How long the admin API of Redis Enterprise clusters took to answer.",
		Buckets: prometheus.ExponentialBuckets(0.005, 3, 8),
	}, []string{"namespace", "cluster", "method"})
	registerMetrics = sync.OnceFunc(func() { metrics.Registry.MustRegister(requests, durations) })
)

// counted is the cluster whose requests are counted.
type counted types.NamespacedName

// ObserveExchange counts one.
func (c counted) ObserveExchange(e rest.Exchange) {
	requests.WithLabelValues(c.Namespace, c.Name, e.Method, e.Route, strconv.Itoa(e.Status)).Inc()
	durations.WithLabelValues(c.Namespace, c.Name, e.Method).Observe(e.Duration.Seconds())
}

// middleware counts the requests to a cluster, around whatever the options ask for.
func (o ManagerOptions) middleware(cluster types.NamespacedName) []rest.Middleware {
	all := []rest.Middleware{rest.Observe(counted(cluster))}
	if o.Middleware != nil {
		all = append(all, o.Middleware(cluster)...)
	}
	return all
}
