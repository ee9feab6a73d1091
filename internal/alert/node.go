package alert

import (
	"fmt"
	"time"
)

func nodeAlerts(s Scope) []Alert {
	alerts := []Alert{
		{
			Name: Prefix + "NodeDown", Severity: Warning, For: 5 * time.Minute,
			Expr:        s.expr(`min by (cluster, node) (node_metrics_up{$c}) == 0`),
			Summary:     "A node of a Redis Enterprise cluster is down",
			Description: "The others have lost node {{ $labels.node }} of cluster {{ $labels.cluster }}. Its shards run elsewhere if they had a replica.",
		},
		{
			Name: Prefix + "NodeUnreachable", Severity: Warning, For: 10 * time.Minute,
			Expr:        fmt.Sprintf(`up{namespace=%q,job=%q} == 0`, s.Namespace, s.NodesJob),
			Summary:     "A node of a Redis Enterprise cluster cannot be scraped",
			Description: "The metrics of pod {{ $labels.pod }} in namespace {{ $labels.namespace }} cannot be read.",
		},
		{
			Name: Prefix + "NodeEphemeralDiskLow", Severity: Warning, For: 15 * time.Minute,
			Expr:        s.expr(`min by (cluster, node) (node_ephemeral_storage_free_bytes{$c}) < 1024 * 1024 * 1024`),
			Summary:     "The ephemeral disk of a Redis Enterprise node is nearly full",
			Description: "Node {{ $labels.node }} of cluster {{ $labels.cluster }} has {{ $value | humanize1024 }}B free on its ephemeral disk. When it is full, Kubernetes evicts the pod.",
		},
	}
	if s.NodeMemory > 0 {
		alerts = append(alerts, levels(
			Alert{
				Name: Prefix + "NodeMemoryLow", For: 10 * time.Minute,
				Expr:        s.expr(`(min by (cluster, node) (node_available_memory_bytes{$c}) < %[1]d * 0.10) >= %[1]d * 0.05`, s.NodeMemory),
				Summary:     "A Redis Enterprise node has hardly any memory left",
				Description: "Node {{ $labels.node }} of cluster {{ $labels.cluster }} has {{ $value | humanize1024 }}B of memory available. Beyond its limit the kernel kills processes, shards among them.",
			},
			Alert{For: 5 * time.Minute, Expr: s.expr(`min by (cluster, node) (node_available_memory_bytes{$c}) < %d * 0.05`, s.NodeMemory)},
		)...)
	}
	if s.NodeStorage > 0 {
		alerts = append(alerts, levels(
			Alert{
				Name: Prefix + "NodeDiskLow", For: 15 * time.Minute,
				Expr:        s.expr(`(min by (cluster, node) (node_persistent_storage_free_bytes{$c}) < %[1]d * 0.20) >= %[1]d * 0.10`, s.NodeStorage),
				Summary:     "The volume of a Redis Enterprise node is nearly full",
				Description: "Node {{ $labels.node }} of cluster {{ $labels.cluster }} has {{ $value | humanize1024 }}B free on its volume. When it is full, databases with persistence stop taking writes.",
			},
			Alert{For: 5 * time.Minute, Expr: s.expr(`min by (cluster, node) (node_persistent_storage_free_bytes{$c}) < %d * 0.10`, s.NodeStorage)},
		)...)
	}
	return alerts
}
