package main

import "github.com/open-redis-enterprise/operator/internal/metrics"

func operatorDashboard() Dashboard {
	const (
		inNamespace = `{namespace=~"$namespace"}`
		day         = 86400
	)
	slow := func(by, metric, in string) string {
		return "histogram_quantile(0.95, sum by (" + by + ", le) (" + rate(metric+"_bucket"+in) + "))"
	}
	return Dashboard{
		Name: "operator", Title: "Redis Enterprise / Operator", Description: "What the operator does, how long it takes, and what it knows of its clusters.",
		Variables: []Variable{namespaceVariable},
		Rows: []Row{
			{"At a glance", []Panel{
				figure("Leaders", unitNone, "Replicas of the operator that lead. Exactly one should. Without an election each that runs counts.", "sum(leader_election_master_status) or count("+metrics.BuildInfo+")", good(1, 1)...),
				figure("Clusters not ready", unitNone, "Clusters whose Ready condition is not true.", "count("+metrics.ClusterReady+inNamespace+" == 0) or on () vector(0)", bad(1, 2)...),
				figure("Clusters not reached", unitNone, "Clusters whose admin API did not answer the last reading.", "count("+metrics.ClusterReachable+inNamespace+" == 0) or on () vector(0)", bad(1, 2)...),
				figure("Databases not active", unitNone, "Databases in any other status than active.", "sum("+metrics.Resources+`{namespace=~"$namespace", kind="RedisEnterpriseDatabase", status!="active"}) or on () vector(0)`, bad(1, 5)...),
				figure("First licence to end", unitSeconds, "How long the licence lasts that ends first.", "min("+metrics.ClusterLicense+inNamespace+") - time()", good(7*day, 30*day)...),
				figure("First certificate to end", unitSeconds, "How long the certificate of a cluster's admin API lasts that ends first.", "min("+metrics.ClusterCertificate+inNamespace+") - time()", good(7*day, 30*day)...),
			}},
			{"Reconciles", []Panel{
				lines("Reconciles by outcome", unitOps, "How reconciles end. Waiting is no failure: something else moves next.", Query{"sum by (outcome) (" + rate(metrics.Reconciles) + ")", "{{outcome}}"}).stacked(),
				lines("Reconciles by kind", unitOps, "What the operator works on.", Query{"sum by (kind) (" + rate(metrics.Reconciles) + ")", "{{kind}}"}).stacked(),
				lines("Reasons", unitOps, "Why reconciles do not end with done.", Query{"sum by (kind, reason) (" + rate(metrics.Reconciles+`{outcome!="done"}`) + ")", "{{kind}} {{reason}}"}),
				lines("Duration, p95", unitSeconds, "95 of 100 reconciles are faster.", Query{slow("kind", metrics.ReconcileSeconds, ""), "{{kind}}"}),
				lines("Queue", unitNone, "Resources that wait for a worker.", Query{"sum by (name) (workqueue_depth)", "{{name}}"}),
				lines("Time in the queue, p95", unitSeconds, "How long a resource waits for a worker.", Query{slow("name", "workqueue_queue_duration_seconds", ""), "{{name}}"}),
				lines("Put back", unitNone, "What somebody else changed and the operator put back, since it leads. A line that climbs is a fight.", Query{"sum by (kind, object) (" + metrics.Repairs + ")", "{{kind}} {{object}}"}),
				lines("Errors and retries", unitOps, "Reconciles that failed, and repetitions that were asked for.", Query{"sum(" + rate("controller_runtime_reconcile_errors_total") + ")", "errors"}, Query{"sum(" + rate("workqueue_retries_total") + ")", "retries"}),
			}},
			{"Calls", []Panel{
				lines("Admin API by route", unitOps, "Requests to the clusters. Their number depends on time and on changes, not on the number of databases.", Query{"sum by (method, route) (" + rate(metrics.Requests+inNamespace) + ")", "{{method}} {{route}}"}).stacked(),
				lines("Admin API by answer", unitOps, "Requests by status; 0 is no answer.", Query{"sum by (code) (" + rate(metrics.Requests+inNamespace) + ")", "{{code}}"}).stacked(),
				lines("Admin API, p95", unitSeconds, "95 of 100 requests are answered faster.", Query{slow("method", metrics.RequestSeconds, inNamespace), "{{method}}"}),
				lines("Kubernetes API", unitOps, "Requests to Kubernetes by status. A converged operator writes nothing.", Query{"sum by (method, code) (" + rate("rest_client_requests_total") + ")", "{{method}} {{code}}"}).stacked(),
				lines("Admission reviews", unitOps, "Answers of the webhook.", Query{"sum by (verdict) (" + rate(metrics.Reviews) + ")", "{{verdict}}"}),
				lines("Admission, p95", unitSeconds, "95 of 100 reviews are answered faster.", Query{slow("resource", metrics.ReviewSeconds, ""), "{{resource}}"}),
			}},
			{"What it knows", []Panel{
				lines("Databases by status", unitNone, "RedisEnterpriseDatabases by status word.", Query{"sum by (status) (" + metrics.Resources + `{namespace=~"$namespace", kind="RedisEnterpriseDatabase"})`, "{{status}}"}).stacked(),
				lines("Clusters by state", unitNone, "RedisEnterpriseClusters by state.", Query{"sum by (status) (" + metrics.Resources + `{namespace=~"$namespace", kind="RedisEnterpriseCluster"})`, "{{status}}"}).stacked(),
				lines("Age of the last reading", unitSeconds, "How old the operator's knowledge of a cluster is.", Query{"time() - max by (namespace, cluster) (" + metrics.ClusterReading + inNamespace + ")", "{{cluster}}"}),
			}},
			{"Process", []Panel{
				lines("Processor", unitPart, "Processor time of each replica; 100 % is one core.", Query{rate("process_cpu_seconds_total") + " and on (instance) " + metrics.BuildInfo, "{{instance}}"}),
				lines("Memory", unitBytes, "Memory of each replica.", Query{"process_resident_memory_bytes and on (instance) " + metrics.BuildInfo, "{{instance}}"}),
				lines("Goroutines", unitNone, "Goroutines of each replica. A number that only grows is a leak.", Query{"go_goroutines and on (instance) " + metrics.BuildInfo, "{{instance}}"}),
			}},
		},
	}
}
