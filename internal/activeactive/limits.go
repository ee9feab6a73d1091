package activeactive

import (
	"k8s.io/apimachinery/pkg/util/validation"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// servicesAreNamed: replication comes in through Services of the local cluster, whose names must be such (AA-2). How long
// the name of a database may be follows from the types of Services that the cluster makes.
func servicesAreNamed(in Inputs, _ Observed) error {
	if in.Cluster == nil {
		return nil
	}
	types := ""
	if rigger := in.Cluster.Spec.ServicesRiggerSpec; rigger != nil {
		if types = rigger.DatabaseServiceType; rigger.ServiceNaming == appv1.ServiceNamingPort {
			return nil // they have the port's name
		}
	}
	for _, service := range names.DatabaseServices(in.Database.Name, types) {
		if errs := validation.IsDNS1035Label(service); len(errs) > 0 {
			return outcome.Reject("metadata.name", "%s cannot be the name of a Service of the database, through which it is replicated: %s", service, errs[0])
		}
	}
	return nil
}

// hostsAreNames: the name and the suffix of each participant make a host name.
func hostsAreNames(in Inputs, _ Observed) error {
	for _, p := range in.Database.Spec.ParticipatingClusters {
		remote := in.remote(p.Name)
		if remote == nil || remote.Spec.DBFQDNSuffix == "" {
			continue
		}
		if err := ingress.CheckHost("metadata.name", in.Database.Name+remote.Spec.DBFQDNSuffix); err != nil {
			return err
		}
	}
	return nil
}

// entryIsHere: what the entry of the local cluster says of the resource is true of this one (AA-27).
func entryIsHere(in Inputs) error {
	for _, p := range in.Database.Spec.ParticipatingClusters {
		remote := in.remote(p.Name)
		if remote != nil && clusterOf(remote) == in.own() && p.Namespace != "" && p.Namespace != in.Database.Namespace {
			return outcome.Reject(pathClusters, "the namespace of the local cluster %s is that of this resource, %s, and not %s", p.Name, in.Database.Namespace, p.Namespace)
		}
	}
	return nil
}

// shardsFitLicence compares with what the licence of the local cluster has left; each participating cluster needs as many
// shards of its own.
func shardsFitLicence(in Inputs, obs Observed) error {
	return licensed(nil, in.Database, obs.Snapshot)
}

// licensed judges a change of the settings; old is nil for a new database.
func licensed(old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, snapshot *link.Snapshot) error {
	if snapshot == nil || !snapshot.Up() || snapshot.License == nil || snapshot.License.ShardsLimit == nil {
		return nil
	}
	limit, used, more := int(*snapshot.License.ShardsLimit), len(snapshot.Shards), shards(db)
	if old != nil {
		more -= shards(old)
	}
	if more > 0 && limit > 0 && used+more > limit {
		return outcome.Reject(pathGlobal+".shardCount", "%d more shards (replicas included) on each participating cluster do not fit the licence of the local one: %d of %d are in use",
			more, used, limit)
	}
	return nil
}

// shards is how many the database has on this cluster, replicas included.
func shards(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) int {
	settings, err := localSpec(db)
	if err != nil {
		settings = db.Spec.GlobalConfigurations
	}
	spec := settings.DatabaseSpec()
	n := 1
	if spec.ShardCount != nil {
		n = *spec.ShardCount
	}
	if rest.Value(spec.Replication) {
		n *= 2
	}
	return n
}
