package database

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// pathAccess is the field that asks for access from outside for cluster-aware clients.
const pathAccess = "spec.ossClusterSettings.enableExternalAccess"

// accessSince is the first release whose clusters announce external addresses this way (rule NET-15).
const accessSince = "8.0.10-21"

// Access lists what stands against access from outside for cluster-aware clients (rule NET-15): the cluster must allow
// it, be new enough, and run none but bundled modules in the database. snapshot may be nil or old; then only the
// resource of the cluster is asked. Webhook and loop both call it.
func Access(db *v1alpha1.RedisEnterpriseDatabase, cluster *appv1.RedisEnterpriseCluster, snapshot *link.Snapshot) []error {
	if !bdb.ExternalAccess(&db.Spec) {
		return nil
	}
	var errs []error
	if s := cluster.Spec.OSSClusterSettings; s == nil || s.ExternalAccessType != appv1.ExternalAccessLoadBalancer {
		errs = append(errs, outcome.Reject(pathAccess, "cluster %s does not allow it; set its spec.ossClusterSettings.externalAccessType to %s",
			cluster.Name, appv1.ExternalAccessLoadBalancer))
	}
	if snapshot == nil || !snapshot.Up() {
		return errs
	}
	for i := range snapshot.Nodes {
		if version := snapshot.Nodes[i].SoftwareVersion; older(version, accessSince) {
			errs = append(errs, outcome.Reject(pathAccess, "needs release %s or later, and node %s of cluster %s runs %s",
				accessSince, snapshot.Nodes[i].UID, cluster.Name, version))
			break
		}
	}
	return append(errs, foreignModules(db, snapshot)...)
}

// foreignModules are modules of the spec that users brought themselves. A cluster that marks none as bundled does not
// tell the difference.
func foreignModules(db *v1alpha1.RedisEnterpriseDatabase, snapshot *link.Snapshot) []error {
	bundled := func(m rest.Module) bool { return m.IsBundled }
	if !slices.ContainsFunc(snapshot.Modules, bundled) {
		return nil
	}
	var errs []error
	for i, wanted := range db.Spec.ModulesList {
		named := func(m rest.Module) bool { return m.ModuleName == wanted.Name }
		ours := func(m rest.Module) bool { return named(m) && m.IsBundled }
		if slices.ContainsFunc(snapshot.Modules, named) && !slices.ContainsFunc(snapshot.Modules, ours) {
			errs = append(errs, outcome.Reject(fmt.Sprintf("spec.modulesList[%d].name", i),
				"%s is not a bundled module, and %s is only for databases without others", wanted.Name, pathAccess))
		}
	}
	return errs
}

// older compares versions such as 8.0.10-64, number by number. One that cannot be read is not called old.
func older(version, than string) bool {
	a, okA := numbers(version)
	b, okB := numbers(than)
	return okA && okB && slices.Compare(a, b) < 0
}

func numbers(version string) ([]int, bool) {
	var out []int
	for part := range strings.FieldsFuncSeq(version, func(r rune) bool { return r == '.' || r == '-' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		out = append(out, n)
	}
	return out, len(out) > 1
}

// TellsAddresses tells whether a database must follow where its nodes are reached from outside.
func TellsAddresses(db *v1alpha1.RedisEnterpriseDatabase) bool { return bdb.ExternalAccess(&db.Spec) }

// accessIsAllowed holds a database back that asks for more than its cluster allows.
func accessIsAllowed(in Inputs, obs Observed) error {
	return all(Access(in.Database, in.Cluster, obs.Snapshot))
}

// accessIsOpen waits until the nodes that clients are sent to have addresses outside; nil when nothing is missing.
func accessIsOpen(in Inputs, obs Observed) error {
	if !bdb.ExternalAccess(&in.Database.Spec) || obs.BDB == nil {
		return nil
	}
	endpoint, ready := obs.BDB.MainEndpoint()
	if !ready {
		return nil
	}
	for _, addr := range endpoint.Addr {
		if node := obs.Snapshot.NodeAt(addr); node != nil && len(node.ExternalAddr) == 0 {
			return outcome.Wait(appv1.ReasonAddressPending, later, "node %s of cluster %s has no address outside yet; its load balancer is being waited for",
				node.UID, in.Cluster.Name)
		}
	}
	return nil
}

// startupNodes are the outside addresses of the nodes that hold masters of a database, in the order of the nodes.
func startupNodes(db *v1alpha1.RedisEnterpriseDatabase, obs Observed) []string {
	if !bdb.ExternalAccess(&db.Spec) || obs.BDB == nil || obs.Snapshot == nil {
		return nil
	}
	var nodes []rest.UID
	for _, shard := range obs.Snapshot.ShardsOf(rest.Value(obs.BDB.UID)) {
		if shard.Role == rest.RoleMaster && !slices.Contains(nodes, shard.NodeUID) {
			nodes = append(nodes, shard.NodeUID)
		}
	}
	slices.SortFunc(nodes, cmp.Compare[rest.UID])
	var out []string
	for _, uid := range nodes {
		if node := obs.Snapshot.Node(uid); node != nil && len(node.ExternalAddr) > 0 {
			out = append(out, node.ExternalAddr[0])
		}
	}
	return out
}
