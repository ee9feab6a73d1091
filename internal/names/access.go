package names

// SecurityContextConstraints of OpenShift under which node pods and rigger run. OpenShift comes with the first; the second
// is for nodes that adjust their own resource limits.
const (
	SCCNonRoot   = "nonroot-v2"
	SCCAdjusting = "redis-enterprise-scc-v2"
)

// StartupNodesKey is the documented key of a database's Secret that names the nodes with which cluster-aware clients outside
// Kubernetes begin.
const StartupNodesKey = "oss_startup_nodes"

// PodLoadBalancer is the documented LoadBalancer Service of node pod number ordinal.
func PodLoadBalancer(rec string, ordinal int) string { return Pod(rec, ordinal) + "-lb" }

// ClusterLoadBalancer is the documented LoadBalancer Service in front of all node pods.
func ClusterLoadBalancer(rec string) string { return rec + "-cluster" }
