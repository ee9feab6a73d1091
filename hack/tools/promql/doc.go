// Package promql checks the queries of the dashboards with Prometheus's own parser. It is a module of its own, so that the
// operator does not depend on Prometheus.
package promql
