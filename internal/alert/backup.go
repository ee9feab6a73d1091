package alert

import (
	"fmt"
	"strings"
	"time"
)

// The operator's own metrics about backups, because the product exports none. They carry the labels namespace, cluster
// (the resource's name), db (the number) and database (the name).
const (
	MetricLastBackup     = "redis_enterprise_operator_database_last_backup_timestamp_seconds"
	MetricBackupInterval = "redis_enterprise_operator_database_backup_interval_seconds"
	MetricBackupFailed   = "redis_enterprise_operator_database_backup_failed"
)

func backupAlerts(s Scope) []Alert {
	of := func(text string) string {
		matcher := fmt.Sprintf("namespace=%q,cluster=%q", s.Namespace, s.Cluster)
		return strings.ReplaceAll(text, "$r", matcher)
	}
	const by = `max by (namespace, cluster, db, database) `
	return []Alert{
		{
			Name: Prefix + "BackupOverdue", Severity: Warning, For: 30 * time.Minute,
			Expr: of(`(time() - ` + by + `(` + MetricLastBackup + `{$r}))` +
				` > 2 * ` + by + `(` + MetricBackupInterval + `{$r})`),
			Summary:     "A Redis Enterprise database has no recent backup",
			Description: "The last backup of database {{ $labels.database }} ({{ $labels.db }}) of cluster {{ $labels.namespace }}/{{ $labels.cluster }} is {{ $value | humanizeDuration }} old, more than twice the interval.",
		},
		{
			Name: Prefix + "BackupFailed", Severity: Warning, For: 5 * time.Minute,
			Expr:        of(by + `(` + MetricBackupFailed + `{$r}) == 1`),
			Summary:     "The last backup of a Redis Enterprise database failed",
			Description: "The last backup of database {{ $labels.database }} ({{ $labels.db }}) of cluster {{ $labels.namespace }}/{{ $labels.cluster }} failed.",
		},
	}
}
