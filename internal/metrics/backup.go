package metrics

import (
	"time"

	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// defaultBackupInterval is the cluster's own.
const defaultBackupInterval = 24 * time.Hour

// tellBackups tells how old the backups of databases are: no exporter of the cluster does.
func tellBackups(snapshot *link.Snapshot, tell teller, namespace, cluster string) {
	for i := range snapshot.BDBs {
		db := &snapshot.BDBs[i]
		if !rest.Value(db.BackupEnabled) {
			continue
		}
		labels := []string{namespace, cluster, rest.Value(db.UID).String(), rest.Value(db.Name)}
		if last, ok := firstTime(rest.Value(db.LastBackupTime), rest.Value(db.CreatedTime)); ok {
			tell(DatabaseBackup, float64(last.Unix()), labels...)
		}
		interval := float64(rest.Value(db.BackupInterval))
		if interval <= 0 {
			interval = defaultBackupInterval.Seconds()
		}
		tell(BackupInterval, interval, labels...)
		tell(BackupFailed, number(rest.Value(db.BackupStatus) == "failed"), labels...)
	}
}

// firstTime is the first of some texts that is a time.
func firstTime(texts ...string) (time.Time, bool) {
	for _, text := range texts {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
