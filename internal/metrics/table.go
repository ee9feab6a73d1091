// Package metrics is what the operator tells of itself to Prometheus. One table names all metrics; the collectors and
// docs/operator-metrics.md are made from it. What a Redis Enterprise cluster tells of itself is not here: its nodes
// export that.
package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Prefix starts the name of every metric of this package.
const Prefix = "redis_enterprise_operator_"

// Names of the metrics.
const (
	Reconciles         = Prefix + "reconciles_total"
	ReconcileSeconds   = Prefix + "reconcile_duration_seconds"
	Repairs            = Prefix + "drift_repairs_total"
	Requests           = Prefix + "admin_api_requests_total"
	RequestSeconds     = Prefix + "admin_api_request_duration_seconds"
	Reviews            = Prefix + "admission_reviews_total"
	ReviewSeconds      = Prefix + "admission_review_duration_seconds"
	Resources          = Prefix + "resources"
	ClusterReady       = Prefix + "cluster_ready"
	ClusterReachable   = Prefix + "cluster_reachable"
	ClusterReading     = Prefix + "cluster_last_reading_timestamp_seconds"
	ClusterCertificate = Prefix + "cluster_certificate_expiry_timestamp_seconds"
	ClusterLicense     = Prefix + "cluster_license_expiry_timestamp_seconds"
	DatabaseBackup     = Prefix + "database_last_backup_timestamp_seconds"
	BackupInterval     = Prefix + "database_backup_interval_seconds"
	BackupFailed       = Prefix + "database_backup_failed"
	AdmissionExpiry    = Prefix + "admission_certificate_expiry_timestamp_seconds"
	BuildInfo          = Prefix + "build_info"
)

// Type is what kind of figure a metric is.
type Type string

// The types in use.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Definition is one metric.
type Definition struct {
	Name   string
	Type   Type
	Labels []string
	// Help is one sentence; it is also what the page says.
	Help string
	// Buckets of a histogram.
	Buckets []float64
}

var cluster = []string{"namespace", "cluster"}

// database are the labels of figures about databases: db is the number, database the name.
var database = append(slices.Clone(cluster), "db", "database")

// Table lists all metrics of the operator.
var Table = []Definition{
	{Name: Reconciles, Type: Counter, Labels: []string{"kind", "outcome", "reason"},
		Help: "Ended reconciles by kind, outcome (done, waiting, rejected, failed) and the reason that the Ready condition shows."},
	{Name: ReconcileSeconds, Type: Histogram, Labels: []string{"kind", "outcome"},
		Help: "How long a reconcile took, its calls of Kubernetes and of the admin API included.", Buckets: prometheus.ExponentialBuckets(0.002, 3, 9)},
	{Name: Repairs, Type: Counter, Labels: []string{"kind", "object"},
		Help: "What somebody else had changed and the operator put back, by the kind of custom resource and the object or setting."},
	{Name: Requests, Type: Counter, Labels: append(slices.Clone(cluster), "method", "route", "code"),
		Help: "Requests to the admin API of clusters by path template; code is 0 where no answer came."},
	{Name: RequestSeconds, Type: Histogram, Labels: append(slices.Clone(cluster), "method", "route"),
		Help: "How long the admin API of clusters took to answer, by path template.", Buckets: prometheus.ExponentialBuckets(0.005, 3, 8)},
	{Name: Reviews, Type: Counter, Labels: []string{"resource", "operation", "verdict"},
		Help: "Admission reviews answered; the verdict is allowed, denied or unreadable."},
	{Name: ReviewSeconds, Type: Histogram, Labels: []string{"resource"},
		Help: "How long an admission review took.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 7)},
	{Name: Resources, Type: Gauge, Labels: []string{"kind", "namespace", "status"},
		Help: "Custom resources by kind and status word; told by the leading replica only."},
	{Name: ClusterReady, Type: Gauge, Labels: cluster,
		Help: "1 while the Ready condition of a cluster is true."},
	{Name: ClusterReachable, Type: Gauge, Labels: cluster,
		Help: "1 while the last reading of a cluster's admin API worked."},
	{Name: ClusterReading, Type: Gauge, Labels: cluster,
		Help: "When the last reading of a cluster that worked began."},
	{Name: ClusterCertificate, Type: Gauge, Labels: cluster,
		Help: "When the certificate ends that the admin API of a cluster served last."},
	{Name: ClusterLicense, Type: Gauge, Labels: cluster,
		Help: "When the licence of a cluster ends; absent while that is not known."},
	{Name: DatabaseBackup, Type: Gauge, Labels: database,
		Help: "When the last backup of a database with periodic backups was made, or when the database was made while there is none."},
	{Name: BackupInterval, Type: Gauge, Labels: database,
		Help: "How often a database is to be backed up; absent for one without periodic backups."},
	{Name: BackupFailed, Type: Gauge, Labels: database,
		Help: "1 while the last backup of a database with periodic backups has failed."},
	{Name: AdmissionExpiry, Type: Gauge,
		Help: "When the certificate of the operator's own admission server ends."},
	{Name: BuildInfo, Type: Gauge, Labels: []string{"version", "go_version"},
		Help: "1, with the version of the operator as a label."},
}

// Borrowed are metrics of the libraries below that the dashboard and the alerts use beside ours.
var Borrowed = []Definition{
	{Name: "controller_runtime_active_workers", Type: Gauge, Labels: []string{"controller"}, Help: "Workers that are at a reconcile right now."},
	{Name: "controller_runtime_reconcile_errors_total", Type: Counter, Labels: []string{"controller"}, Help: "Reconciles that failed and are repeated."},
	{Name: "leader_election_master_status", Type: Gauge, Labels: []string{"name"}, Help: "1 on the replica that leads."},
	{Name: "rest_client_requests_total", Type: Counter, Labels: []string{"code", "host", "method"}, Help: "Requests to the Kubernetes API."},
	{Name: "workqueue_depth", Type: Gauge, Labels: []string{"controller", "name", "priority"}, Help: "Resources that wait for a worker."},
	{Name: "workqueue_queue_duration_seconds", Type: Histogram, Labels: []string{"controller", "name"}, Help: "How long a resource waited for a worker."},
	{Name: "workqueue_retries_total", Type: Counter, Labels: []string{"controller", "name"}, Help: "Reconciles that were asked to be repeated."},
	{Name: "process_cpu_seconds_total", Type: Counter, Help: "Processor time of the operator."},
	{Name: "process_resident_memory_bytes", Type: Gauge, Help: "Memory of the operator."},
	{Name: "go_goroutines", Type: Gauge, Help: "Goroutines of the operator."},
}

func define(name string) Definition {
	for _, d := range Table {
		if d.Name == name {
			return d
		}
	}
	panic("no metric " + name) // a name of this package that the table lacks; every test meets it
}

func (d Definition) desc() *prometheus.Desc {
	return prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
}

func counterOf(name string) *prometheus.CounterVec {
	d := define(name)
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
}

func gaugeOf(name string) *prometheus.GaugeVec {
	d := define(name)
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
}

func histogramOf(name string) *prometheus.HistogramVec {
	d := define(name)
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: d.Name, Help: d.Help, Buckets: d.Buckets}, d.Labels)
}
