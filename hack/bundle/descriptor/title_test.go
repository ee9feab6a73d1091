package descriptor

import "testing"

func TestTitle(t *testing.T) {
	for _, c := range []struct{ kind, path, want string }{
		{clusterKind, "nodes", "Nodes"},
		{clusterKind, "persistentSpec.enabled", "Persistent Storage Enabled"},
		{clusterKind, "redisEnterpriseImageSpec.versionTag", "Node Image Version Tag"},
		{clusterKind, "redisEnterpriseServicesRiggerResources", "Services Rigger Resources"},
		{clusterKind, "redisEnterpriseIPFamily", "IP Family"},
		{clusterKind, "certificates.cmCertificateSecretName", "Admin Console Certificate Secret"},
		{clusterKind, "ldap.servers[0].host", "Server Host"},
		{clusterKind, "hostAliases[0].ip", "Host Alias IP"},
		{clusterKind, "ossClusterSettings.podCIDRs", "Pod CIDRs"},
		{clusterKind, "ingressOrRouteSpec.apiFqdnUrl", "API FQDN URL"},
		{databaseKind, "modulesList[0].name", "Module Name"},
		{databaseKind, "alertSettings.bdb_high_latency.threshold", "High Latency Threshold"},
		{databaseKind, "activeActive.name", "Active-Active Name"},
		{databaseKind, "backup.sftp.sftp_url", "SFTP URL"},
		{activeKind, globalPrefix + "type", "Protocol"},
		{activeKind, "participatingClusters[0].namespace", "Participating Cluster Namespace"},
	} {
		if got := title(c.kind, c.path); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"One. Two.":                      "One.",
		"Port of the API. Default: 443.": "Port of the API. Default: 443.",
		"Size, such as 0.5GB or 10Gi. More. Default and minimum: 1. End.": "Size, such as 0.5GB or 10Gi. Default and minimum: 1.",
		"No full stop": "No full stop",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
