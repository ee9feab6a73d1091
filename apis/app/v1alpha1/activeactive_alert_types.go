package v1alpha1

// GlobalAlert switches one alert of an Active-Active database.
type GlobalAlert struct {
	// Whether the alert is raised.
	Enabled bool `json:"enabled"`
	// Bound of the alert, in the unit that the alert's description names.
	Threshold string `json:"threshold"`
}

// GlobalAlertSettings holds the alerts of an Active-Active database.
type GlobalAlertSettings struct {
	// A backup has not been made for longer than the threshold in minutes.
	// +optional
	BackupDelayed *GlobalAlert `json:"bdb_backup_delayed,omitempty"`
	// An Active-Active peer is further behind than the threshold in milliseconds.
	// +optional
	CRDTSourceHighSyncerLag *GlobalAlert `json:"bdb_crdt_src_high_syncer_lag,omitempty"`
	// An Active-Active peer cannot be reached.
	// +optional
	CRDTSourceSyncerConnectionError *GlobalAlert `json:"bdb_crdt_src_syncer_connection_error,omitempty"`
	// Copying from an Active-Active peer fails.
	// +optional
	CRDTSourceSyncerGeneralError *GlobalAlert `json:"bdb_crdt_src_syncer_general_error,omitempty"`
	// Answers take longer than the threshold in microseconds.
	// +optional
	HighLatency *GlobalAlert `json:"bdb_high_latency,omitempty"`
	// There are more requests than the threshold per second.
	// +optional
	HighThroughput *GlobalAlert `json:"bdb_high_throughput,omitempty"`
	// A change of the database takes longer than the threshold in seconds.
	// +optional
	LongRunningAction *GlobalAlert `json:"bdb_long_running_action,omitempty"`
	// There are fewer requests than the threshold per second.
	// +optional
	LowThroughput *GlobalAlert `json:"bdb_low_throughput,omitempty"`
	// With flash storage: keys and other overhead take more than the threshold in percent of memory.
	// +optional
	RAMDatasetOverhead *GlobalAlert `json:"bdb_ram_dataset_overhead,omitempty"`
	// With flash storage: less than the threshold in percent of the values is in memory.
	// +optional
	RAMValues *GlobalAlert `json:"bdb_ram_values,omitempty"`
	// A replica source is further ahead than the threshold in milliseconds.
	// +optional
	ReplicaSourceHighSyncerLag *GlobalAlert `json:"bdb_replica_src_high_syncer_lag,omitempty"`
	// A replica source cannot be reached.
	// +optional
	ReplicaSourceSyncerConnectionError *GlobalAlert `json:"bdb_replica_src_syncer_connection_error,omitempty"`
	// With flash storage: a shard has fewer values in memory than the threshold.
	// +optional
	ShardNumRAMValues *GlobalAlert `json:"bdb_shard_num_ram_values,omitempty"`
	// The database uses more than the threshold in percent of its memory.
	// +optional
	Size *GlobalAlert `json:"bdb_size,omitempty"`
	// The certificate that clients see expires within the threshold in days.
	// +optional
	ProxyCertExpiringSoon *GlobalAlert `json:"bdb_proxy_cert_expiring_soon,omitempty"`
}
