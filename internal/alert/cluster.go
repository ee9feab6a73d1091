package alert

import "time"

func clusterAlerts(s Scope) []Alert {
	alerts := []Alert{
		{
			Name: Prefix + "MetricsAbsent", Severity: Critical, For: 5 * time.Minute,
			Expr:        s.expr(`absent(total_nodes_count{$c})`),
			Summary:     "Nothing is known about a Redis Enterprise cluster",
			Description: "No metrics of cluster {{ $labels.cluster }} have arrived. Either no node answers or the scrape fails; no other alert can tell.",
		},
		{
			Name: Prefix + "QuorumLost", Severity: Critical, For: time.Minute,
			Expr:        s.expr(`max by (cluster) (has_quorum{$c}) == 0`),
			Summary:     "A Redis Enterprise cluster has no majority of nodes",
			Description: "No node of cluster {{ $labels.cluster }} sees a majority. Databases may still serve, but nothing fails over and nothing can be changed.",
		},
		{
			Name: Prefix + "QuorumAtRisk", Severity: Critical, For: 10 * time.Minute,
			Expr: s.expr(`(max by (cluster) (total_live_nodes_count{$c}) < max by (cluster) (total_nodes_count{$c}))` +
				` <= floor(max by (cluster) (total_nodes_count{$c}) / 2) + 1`),
			Summary:     "The loss of one more node takes a Redis Enterprise cluster down",
			Description: "Only {{ $value }} nodes of cluster {{ $labels.cluster }} are alive. One less and there is no majority.",
		},
		{
			Name: Prefix + "LicenseShardsExhausted", Severity: Warning, For: 15 * time.Minute,
			Expr: s.expr(`count by (cluster) (redis_server_up{$c})` +
				` / (max by (cluster) (license_shards_limit{$c,shard_type="ram"}) > 0) >= 0.9`),
			Summary:     "The licence of a Redis Enterprise cluster has hardly any shards left",
			Description: "Cluster {{ $labels.cluster }} uses {{ $value | humanizePercentage }} of the shards that its licence allows. At the limit no database can be made or made larger.",
		},
	}
	alerts = append(alerts, levels(
		Alert{
			Name: Prefix + "LicenseExpiring", For: time.Hour,
			Expr:        s.expr(`(min by (cluster) (license_expiration_days{$c}) < 30) >= 7`),
			Summary:     "The licence of a Redis Enterprise cluster runs out",
			Description: "The licence of cluster {{ $labels.cluster }} is valid for {{ $value }} more days. Without one, databases go on serving but nothing can be changed.",
		},
		Alert{For: time.Hour, Expr: s.expr(`min by (cluster) (license_expiration_days{$c}) < 7`)},
	)...)
	return append(alerts, levels(
		Alert{
			Name: Prefix + "CertificateExpiring", For: time.Hour,
			Expr:        s.expr(`(min by (cluster, logical_name, path) (node_cert_expires_in_seconds{$c}) < 21 * 86400) >= 3 * 86400`),
			Summary:     "A certificate of a Redis Enterprise cluster runs out",
			Description: "Certificate {{ $labels.logical_name }} of cluster {{ $labels.cluster }} is valid for {{ $value | humanizeDuration }} more. Clients that verify it are refused from then on.",
		},
		Alert{For: time.Hour, Expr: s.expr(`min by (cluster, logical_name, path) (node_cert_expires_in_seconds{$c}) < 3 * 86400`)},
	)...)
}
