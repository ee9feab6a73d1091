// Package link holds the operator's one connection to each cluster: pooled transport, credentials, trusted
// certificates, and one poller whose Snapshot all consumers share. The admin API cannot be watched, so the poller is
// what wakes them: it compares each reading with the one before and tells subscribers what changed.
//
// The number of reads depends on time and on the operator's own writes, never on the number of databases.
package link
