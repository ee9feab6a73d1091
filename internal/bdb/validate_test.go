package bdb

import (
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"100MB": 100 << 20, "0.1GB": 107374182, "10Gi": 10 << 30, "10GiB": 10 << 30, "1gb": 1 << 30,
		"2T": 2 << 40, "512kb": 512 << 10, "104857600": 100 << 20, " 1 GB ": 1 << 30} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "12XB", "MB", "-1GB", "1.5.2GB", "1e9", "99999999TB", "1GBs"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
	for bytes, want := range map[int64]string{100 << 20: "100MB", 3 << 29: "1.5GB", 107374182: "107374182B", 2 << 40: "2TB", 0: "0B"} {
		if got := FormatSize(bytes); got != want {
			t.Errorf("%d prints as %s, want %s", bytes, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	bad := v1alpha1.AlertThreshold("many")
	for _, tc := range []struct {
		name string
		spec spec
		want string // empty: no complaint
	}{
		{name: "REDB-8 an empty spec is fine"},
		{name: "a size that is none", spec: spec{MemorySize: "12XB"}, want: `spec.memorySize: "12XB" is not a size; write a number and a unit, such as 100MB, 0.5GB or 10Gi`},
		{name: "too little memory", spec: spec{MemorySize: "99MB"}, want: "spec.memorySize: must be at least 100MB, not 99MB"},
		{name: "too little memory for flash", spec: spec{MemorySize: "500MB", IsRoF: rest.Ptr(true)}, want: "spec.memorySize: must be at least 1GB with isRof, not 500MB"},
		{name: "no shards", spec: spec{ShardCount: rest.Ptr(0)}, want: "spec.shardCount: must be from 1 to 512, not 0"},
		{name: "sharding is not for REDB", spec: spec{ShardingEnabled: rest.Ptr(true)}, want: "spec.shardingEnabled"},
		{name: "no port at all", spec: spec{DatabasePort: rest.Ptr(0)}, want: "spec.databasePort: must be from 1 to 65535, not 0"},
		{name: "a port beyond all", spec: spec{DatabasePort: rest.Ptr(65536)}, want: "spec.databasePort: must be from 1 to 65535, not 65536"},
		{name: "a port of published manifests, which the cluster may refuse", spec: spec{DatabasePort: rest.Ptr(6379)}},
		{name: "10250 is a database port like others", spec: spec{DatabasePort: rest.Ptr(10250)}},
		{name: "a Service port out of range", spec: spec{DatabaseServicePort: rest.Ptr(70000)}, want: "spec.databaseServicePort"},
		{name: "an unknown eviction policy", spec: spec{EvictionPolicy: "random"}, want: "spec.evictionPolicy: must be one of volatile-lru"},
		{name: "an unknown persistence", spec: spec{Persistence: "always"}, want: "spec.persistence: must be one of disabled"},
		{name: "an unknown TLS mode", spec: spec{TLSMode: "on"}, want: "spec.tlsMode"},
		{name: "OSS cluster through a single proxy", spec: spec{OSSCluster: rest.Ptr(true), ProxyPolicy: "single"}, want: "spec.proxyPolicy: must be all-master-shards"},
		{name: "NET-15 external access without the OSS cluster protocol", spec: spec{OSSClusterSettings: &v1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: true}},
			want: "spec.ossClusterSettings.enableExternalAccess: is for cluster-aware clients and needs ossCluster: true"},
		{name: "NET-12 external access with it", spec: spec{OSSCluster: rest.Ptr(true), OSSClusterSettings: &v1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: true}}},
		{name: "external access switched off", spec: spec{OSSClusterSettings: &v1alpha1.DatabaseOSSClusterSettings{}}},
		{name: "no connections", spec: spec{ConnectionSettings: &v1alpha1.ConnectionSettings{InternalConnections: rest.Ptr(0)}}, want: "spec.connectionSettings.internalConnections"},
		{name: "too little RAM beside flash", spec: spec{IsRoF: rest.Ptr(true), MemorySize: "10GB", RoFRAMSize: "0.5GB"}, want: "spec.rofRamSize"},
		{name: "enough RAM beside flash", spec: spec{IsRoF: rest.Ptr(true), MemorySize: "10GB", RoFRAMSize: "1GB"}},
		{name: "RAM size without flash", spec: spec{RoFRAMSize: "1GB"}, want: "spec.rofRamSize"},
		{name: "a version of three parts", spec: spec{RedisVersion: "7.2.4"}, want: "spec.redisVersion"},
		{name: "a channel", spec: spec{RedisVersion: "latest"}},
		{name: "memcached has no Redis version", spec: spec{Type: "memcached", RedisVersion: "7.4"}, want: "spec.redisVersion"},
		{name: "SASL is for memcached", spec: spec{MemcachedSASLSecretName: "s"}, want: "spec.memcachedSaslSecretName"},
		{name: "REDB-39 a reserved tag", spec: spec{Tags: map[string]string{"managed_by": "me"}}, want: "spec.tags: the key managed_by"},
		{name: "a user name that cannot be audited", spec: spec{Auditing: &v1alpha1.DatabaseAuditing{UsernameFilter: &v1alpha1.AuditUsernameFilter{Usernames: []string{"ok", "a<b"}}}},
			want: "spec.auditing.usernameFilter.usernames[1]: must have 1 to 255"},
		{name: "too many addresses", spec: spec{Auditing: &v1alpha1.DatabaseAuditing{SourceIPFilter: &v1alpha1.AuditSourceIPFilter{IPAddresses: make([]string, 513)}}},
			want: "spec.auditing.sourceIpFilter: must have at most 512"},
		{name: "a module listed twice", spec: spec{ModulesList: []v1alpha1.DatabaseModule{{Name: "bf"}, {Name: "bf"}}}, want: "spec.modulesList[1].name"},
		{name: "a certificate listed twice", spec: spec{ClientAuthenticationCertificates: []string{"a", "a"}}, want: "spec.clientAuthenticationCertificates"},
		{name: "an unknown kind of source", spec: spec{ReplicaSources: []v1alpha1.ReplicaSource{{ReplicaSourceName: "x", ReplicaSourceType: "URL"}}}, want: "spec.replicaSources"},
		{name: "REDB-29 two places for backups", spec: spec{Backup: &v1alpha1.BackupSpec{Mount: &v1alpha1.BackupMount{Path: "/x"}, FTP: &v1alpha1.BackupFTP{URL: "ftp://x"}}},
			want: "spec.backup: must name exactly one place"},
		{name: "REDB-29 an offset without a daily interval", spec: spec{Backup: &v1alpha1.BackupSpec{Mount: &v1alpha1.BackupMount{Path: "/x"}, Interval: rest.Ptr(3600), IntervalOffset: rest.Ptr(60)}},
			want: "spec.backup.intervalOffset"},
		{name: "a threshold that is no number", spec: spec{AlertSettings: &v1alpha1.AlertSettings{Size: &v1alpha1.DatabaseAlert{Threshold: &bad}}}, want: "spec.alertSettings.bdb_size.threshold"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Validate("db", &tc.spec)
			if tc.want == "" {
				if len(got) > 0 {
					t.Fatalf("complains: %v", got)
				}
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0].Error(), tc.want) {
				t.Fatalf("got %v", got)
			}
		})
	}
	for _, name := range []string{"", "-db", "db-", "a_b", strings.Repeat("a", 64)} {
		if got := Validate(name, &spec{}); len(got) != 1 || got[0].Path != "metadata.name" {
			t.Errorf("the name %q: %v", name, got)
		}
	}
}
