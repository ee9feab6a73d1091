package alert

import (
	"fmt"
	"strings"
	"time"
)

// Severity says who is woken: critical means now, warning means in working hours.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
)

// Prefix starts the name of every alert.
const Prefix = "RedisEnterprise"

// RunbookBase is where the runbook pages are read.
const RunbookBase = "https://github.com/open-redis-enterprise/operator/blob/main/docs/runbooks/"

// Scope is the cluster that alerts are about.
type Scope struct {
	// Namespace and Cluster name the resource; FQDN is how the cluster calls itself in its metrics.
	Namespace, Cluster, FQDN string
	// NodesJob is the scrape job of the single nodes.
	NodesJob string
	// NodeMemory and NodeStorage are the memory of a node's pod and the size of its volume in bytes; 0 is not known, or no
	// volume.
	NodeMemory, NodeStorage int64
}

// Alert is one alert.
type Alert struct {
	Name     string
	Severity Severity
	// For is how long the expression must give something.
	For  time.Duration
	Expr string
	// Summary is one line; Description says what it means, with values.
	Summary, Description string
}

// Runbook is the page that says what to do.
func (a Alert) Runbook() string { return RunbookBase + a.Name + ".md" }

// Group is a list of alerts that are evaluated one after the other.
type Group struct {
	Name   string
	Alerts []Alert
}

// Groups are all alerts about a cluster.
func Groups(s Scope) []Group {
	return []Group{
		{"redis-enterprise-cluster", clusterAlerts(s)},
		{"redis-enterprise-nodes", nodeAlerts(s)},
		{"redis-enterprise-databases", databaseAlerts(s)},
		{"redis-enterprise-replication", replicationAlerts(s)},
		{"redis-enterprise-backups", backupAlerts(s)},
	}
}

// expr fills in the matcher of the cluster's own metrics for $c.
func (s Scope) expr(text string, args ...any) string {
	text = strings.ReplaceAll(text, "$c", fmt.Sprintf("cluster=%q", s.FQDN))
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// levels makes a warning and a critical alert of one condition: the warning ends where the critical one begins.
func levels(warning, critical Alert) []Alert {
	warning.Severity, critical.Severity = Warning, Critical
	critical.Name, critical.Summary, critical.Description = warning.Name, warning.Summary, warning.Description
	return []Alert{warning, critical}
}

// database is the start of a description: the number of the database, and its name where the cluster gives it.
const database = "Database {{ $labels.db }}" +
	`{{ with printf "db_config{cluster='%s',db='%s'}" $labels.cluster $labels.db | query }} ({{ . | first | label "db_name" }}){{ end }}` +
	" of cluster {{ $labels.cluster }}"
