package v1alpha1

// DatabaseSpec returns the same settings as the spec of an ordinary database, so that one mapping to the admin API
// serves both kinds. The result shares memory with g; copy it before changing it.
func (g *GlobalConfigurations) DatabaseSpec() *RedisEnterpriseDatabaseSpec {
	if g == nil {
		return &RedisEnterpriseDatabaseSpec{}
	}
	return &RedisEnterpriseDatabaseSpec{
		AlertSettings:                    g.AlertSettings.database(),
		Backup:                           g.Backup.database(),
		ClientAuthenticationCertificates: g.ClientAuthenticationCertificates,
		DataInternodeEncryption:          g.DataInternodeEncryption,
		DatabasePort:                     g.DatabasePort,
		DatabaseServicePort:              g.DatabaseServicePort,
		Auditing:                         g.Auditing.database(),
		DatabaseSecretName:               g.DatabaseSecretName,
		DefaultUser:                      g.DefaultUser,
		EvictionPolicy:                   g.EvictionPolicy,
		IsRoF:                            g.IsRoF,
		MemorySize:                       g.MemorySize,
		ModulesList:                      g.ModulesList,
		OSSCluster:                       g.OSSCluster,
		OSSClusterSettings:               g.OSSClusterSettings,
		Persistence:                      g.Persistence,
		ProxyPolicy:                      g.ProxyPolicy,
		ConnectionSettings:               g.ConnectionSettings,
		RackAware:                        g.RackAware,
		RedisEnterpriseCluster:           g.RedisEnterpriseCluster,
		ReplicaSources:                   g.ReplicaSources,
		Replication:                      g.Replication,
		RolesPermissions:                 g.RolesPermissions,
		ShardingEnabled:                  g.ShardingEnabled,
		ShardCount:                       g.ShardCount,
		ShardsPlacement:                  ShardsPlacement(g.ShardsPlacement),
		TLSMode:                          g.TLSMode,
		Type:                             g.Type,
		RoFRAMSize:                       g.RoFRAMSize,
		RoFRAMRatio:                      g.RoFRAMRatio,
		SearchOnBigstore:                 g.SearchOnBigstore,
		RedisVersion:                     g.RedisVersion,
		UpgradeSpec:                      g.UpgradeSpec,
		ActiveActive:                     g.ActiveActive,
		MemcachedSASLSecretName:          g.MemcachedSASLSecretName,
		RESP3:                            g.RESP3,
		Tags:                             g.Tags,
	}
}

func (a *GlobalAuditing) database() *DatabaseAuditing {
	if a == nil {
		return nil
	}
	return &DatabaseAuditing{DBConnsAuditing: a.DBConnsAuditing}
}

func (b *GlobalBackup) database() *BackupSpec {
	if b == nil {
		return nil
	}
	return &BackupSpec{
		ABS: b.ABS, FTP: (*BackupFTP)(b.FTP), GCS: b.GCS,
		Interval: b.Interval, IntervalOffset: b.IntervalOffset,
		Mount: b.Mount, S3: b.S3, SFTP: (*BackupSFTP)(b.SFTP), Swift: (*BackupSwift)(b.Swift),
	}
}

func (a *GlobalAlert) database() *DatabaseAlert {
	if a == nil {
		return nil
	}
	threshold := AlertThreshold(a.Threshold)
	return &DatabaseAlert{Enabled: a.Enabled, Threshold: &threshold}
}

func (s *GlobalAlertSettings) database() *AlertSettings {
	if s == nil {
		return nil
	}
	return &AlertSettings{
		BackupDelayed:                      s.BackupDelayed.database(),
		CRDTSourceHighSyncerLag:            s.CRDTSourceHighSyncerLag.database(),
		CRDTSourceSyncerConnectionError:    s.CRDTSourceSyncerConnectionError.database(),
		CRDTSourceSyncerGeneralError:       s.CRDTSourceSyncerGeneralError.database(),
		HighLatency:                        s.HighLatency.database(),
		HighThroughput:                     s.HighThroughput.database(),
		LongRunningAction:                  s.LongRunningAction.database(),
		LowThroughput:                      s.LowThroughput.database(),
		RAMDatasetOverhead:                 s.RAMDatasetOverhead.database(),
		RAMValues:                          s.RAMValues.database(),
		ReplicaSourceHighSyncerLag:         s.ReplicaSourceHighSyncerLag.database(),
		ReplicaSourceSyncerConnectionError: s.ReplicaSourceSyncerConnectionError.database(),
		ShardNumRAMValues:                  s.ShardNumRAMValues.database(),
		Size:                               s.Size.database(),
		ProxyCertExpiringSoon:              s.ProxyCertExpiringSoon.database(),
	}
}
