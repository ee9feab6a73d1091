package main

import "fmt"

// Whoever scrapes several nodes gets each figure several times, since every node tells of the whole cluster. So every
// query first takes one of equal series: the greatest by the labels that make a series what it is.
const (
	ofCluster  = "cluster"
	ofNode     = "cluster, node"
	ofDatabase = "cluster, db"
	ofEndpoint = "cluster, db, node, proxy"
	ofShard    = "cluster, db, node, redis, role"
)

// Selectors by what is chosen at the head of the dashboard.
const (
	inCluster  = `{cluster=~"$cluster"}`
	inNode     = `{cluster=~"$cluster", node=~"$node"}`
	inDatabase = `{cluster=~"$cluster", db=~"$db"}`
	inShard    = `{cluster=~"$cluster", db=~"$db", node=~"$node"}`
)

func one(by, expr string) string { return fmt.Sprintf("max by (%s) (%s)", by, expr) }

func sum(by, expr string) string { return fmt.Sprintf("sum by (%s) (%s)", by, expr) }

func rate(series string) string { return fmt.Sprintf("rate(%s[$__rate_interval])", series) }

// named adds the name of each database to series with the labels cluster and db.
func named(expr string) string {
	return fmt.Sprintf("(%s) * on (cluster, db) group_left (db_name) max by (cluster, db, db_name) (db_config%s)", expr, inCluster)
}

// endpointRate is the rate of a counter of endpoints, added up.
func endpointRate(by, metric, in string) string { return sum(by, one(ofEndpoint, rate(metric+in))) }

// endpointSum is a figure of endpoints, added up.
func endpointSum(by, metric, in string) string { return sum(by, one(ofEndpoint, metric+in)) }

// connections are those that were opened and not closed yet.
func connections(by, in string) string {
	return fmt.Sprintf("%s - %s - %s", endpointSum(by, "endpoint_client_connections", in),
		endpointSum(by, "endpoint_client_disconnections", in), endpointSum(by, "endpoint_proxy_disconnections", in))
}

// latency is the mean of one kind of request in microseconds.
func latency(by, kind, in string) string {
	histogram := "endpoint_" + kind + "_requests_latency_histogram"
	return fmt.Sprintf("%s / %s", endpointRate(by, histogram+"_sum", in), endpointRate(by, histogram+"_count", in))
}

// quantile of the latency of one kind of request in microseconds.
func quantile(q float64, by, kind, in string) string {
	return fmt.Sprintf("histogram_quantile(%v, sum by (%s, le) (max by (%s, le) (%s)))", q, by, ofEndpoint,
		rate("endpoint_"+kind+"_requests_latency_histogram_bucket"+in))
}

// requests adds up all kinds of requests.
func requests(by, in string) string {
	return fmt.Sprintf("%s + %s + %s", endpointRate(by, "endpoint_read_requests", in),
		endpointRate(by, "endpoint_write_requests", in), endpointRate(by, "endpoint_other_requests", in))
}

// masters and shards add up a figure of shards.
func shards(by, metric, in string) string { return sum(by, one(ofShard, metric+in)) }

func masters(by, metric string) string {
	return shards(by, metric, `{cluster=~"$cluster", db=~"$db", role="master"}`)
}

// Variables.
var (
	clusterVariable  = Variable{Name: "cluster", Label: "Cluster", Query: "label_values(total_nodes_count, cluster)"}
	nodeVariable     = Variable{Name: "node", Label: "Node", Query: "label_values(node_metrics_up" + inCluster + ", node)", Multi: true}
	databaseVariable = Variable{Name: "db", Label: "Database", Multi: true,
		Query: "query_result(max by (cluster, db, db_name) (db_config" + inCluster + "))", Pattern: `/db="(?<value>[^"]+)".*db_name="(?<text>[^"]+)"/`}
	namespaceVariable = Variable{Name: "namespace", Label: "Namespace", Query: "label_values(redis_enterprise_operator_resources, namespace)", Multi: true}
)
