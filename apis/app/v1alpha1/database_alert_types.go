package v1alpha1

// DatabaseAlert switches one alert of a database.
//
// +kubebuilder:pruning:PreserveUnknownFields
type DatabaseAlert struct {
	// Whether the alert is raised.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// Bound of the alert, in the unit that the alert's description names: text, a whole number or a fraction.
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Threshold *AlertThreshold `json:"threshold,omitempty"`
}

// AlertThreshold is the bound of an alert. Manifests give it as text, as a whole number or as a fraction; it is kept
// as text.
type AlertThreshold string

// AlertSettings holds the alerts of a database. Alerts that are not named are left as they are.
type AlertSettings struct {
	// A backup has not been made for longer than the threshold in minutes.
	// +optional
	BackupDelayed *DatabaseAlert `json:"bdb_backup_delayed,omitempty"`
	// An Active-Active peer is further behind than the threshold in milliseconds.
	// +optional
	CRDTSourceHighSyncerLag *DatabaseAlert `json:"bdb_crdt_src_high_syncer_lag,omitempty"`
	// An Active-Active peer cannot be reached.
	// +optional
	CRDTSourceSyncerConnectionError *DatabaseAlert `json:"bdb_crdt_src_syncer_connection_error,omitempty"`
	// Copying from an Active-Active peer fails.
	// +optional
	CRDTSourceSyncerGeneralError *DatabaseAlert `json:"bdb_crdt_src_syncer_general_error,omitempty"`
	// Answers take longer than the threshold in microseconds.
	// +optional
	HighLatency *DatabaseAlert `json:"bdb_high_latency,omitempty"`
	// There are more requests than the threshold per second.
	// +optional
	HighThroughput *DatabaseAlert `json:"bdb_high_throughput,omitempty"`
	// A change of the database takes longer than the threshold in seconds.
	// +optional
	LongRunningAction *DatabaseAlert `json:"bdb_long_running_action,omitempty"`
	// There are fewer requests than the threshold per second.
	// +optional
	LowThroughput *DatabaseAlert `json:"bdb_low_throughput,omitempty"`
	// With flash storage: keys and other overhead take more than the threshold in percent of memory.
	// +optional
	RAMDatasetOverhead *DatabaseAlert `json:"bdb_ram_dataset_overhead,omitempty"`
	// With flash storage: less than the threshold in percent of the values is in memory.
	// +optional
	RAMValues *DatabaseAlert `json:"bdb_ram_values,omitempty"`
	// A replica source is further ahead than the threshold in milliseconds.
	// +optional
	ReplicaSourceHighSyncerLag *DatabaseAlert `json:"bdb_replica_src_high_syncer_lag,omitempty"`
	// A replica source cannot be reached.
	// +optional
	ReplicaSourceSyncerConnectionError *DatabaseAlert `json:"bdb_replica_src_syncer_connection_error,omitempty"`
	// With flash storage: a shard has fewer values in memory than the threshold.
	// +optional
	ShardNumRAMValues *DatabaseAlert `json:"bdb_shard_num_ram_values,omitempty"`
	// The database uses more than the threshold in percent of its memory.
	// +optional
	Size *DatabaseAlert `json:"bdb_size,omitempty"`
	// The certificate that clients see expires within the threshold in days.
	// +optional
	ProxyCertExpiringSoon *DatabaseAlert `json:"bdb_proxy_cert_expiring_soon,omitempty"`
}
