// Package grafana holds the dashboards as Grafana reads them. They are written by hack/dashboards; edit that.
package grafana

import "embed"

// Files are the dashboards: name.json each.
//
//go:embed *.json
var Files embed.FS

// OfClusters are the dashboards about clusters and databases, without the operator's own.
var OfClusters = []string{"active-active", "cluster", "database", "shard"}
