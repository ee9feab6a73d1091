package activeactive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// observeLimit is how long a pass waits for the shared reading of the cluster.
const observeLimit = 15 * time.Second

// errNoLink: the cluster has no connection yet.
var errNoLink = errors.New("there is no connection to the cluster yet")

// Observed is what the local cluster says.
type Observed struct {
	// Snapshot is the shared reading; nil without a connection. Its facts are old when Err is set.
	Snapshot *link.Snapshot
	// Err is why there is no current reading.
	Err error
	// CRDB is the common configuration; nil when the cluster has none for the resource.
	CRDB *rest.CRDB
	// Local is the cluster's own part in it; nil when it takes no part.
	Local *rest.CRDBInstance
	// BDB is the database of that part; nil when it is not there.
	BDB *rest.BDB
	// Stranger is a database of the same name that is not ours.
	Stranger *rest.BDB
	// Task is the one that was written down; nil when the cluster does not know it, or not any more.
	Task *rest.CRDBTask
	// Replication is how the links are.
	Replication Replication
	// Access are the roles and ACLs that the settings may name.
	Access Access
}

// observe reads the cluster and changes nothing. That the database is not there is never taken from a reading that began
// before the question.
func (k *Kind) observe(ctx context.Context, in Inputs, look func(*link.Link, context.Context) (*link.Snapshot, error)) Observed {
	if in.Link == nil {
		return Observed{Err: errNoLink}
	}
	ctx, cancel := context.WithTimeout(ctx, observeLimit)
	defer cancel()
	obs := observedIn(in)(look(in.Link, ctx))
	if obs.CRDB == nil && obs.Err == nil {
		obs = observedIn(in)(in.Link.Refresh(ctx))
	}
	if obs.Err == nil && in.Task.Under() {
		task, err := in.Link.Client().GetCRDBTask(ctx, in.Task.ID(string(in.Database.UID)))
		switch {
		case err == nil:
			obs.Task = task
		case !rest.IsNotFound(err):
			obs.Err = fmt.Errorf("read the task: %w", err)
		}
	}
	if obs.Err == nil && len(in.Database.Spec.GlobalConfigurations.DatabaseSpec().RolesPermissions) > 0 {
		obs.Access, obs.Err = accessOf(ctx, in.Link.Client())
	}
	key := client.ObjectKeyFromObject(in.Database)
	if obs.CRDB == nil {
		k.Pulse.Remove(key)
	} else {
		obs.Replication = k.Pulse.Ensure(key, rest.Value(obs.CRDB.GUID), in.own(), in.Link.Client()) //nolint:contextcheck // the looks outlive this run
	}
	return obs
}

func accessOf(ctx context.Context, api *rest.Client) (out Access, err error) {
	if out.Roles, err = api.ListRoles(ctx); err == nil {
		out.ACLs, err = api.ListRedisACLs(ctx)
	}
	return out, err
}

// observedIn picks what concerns one database out of a reading.
func observedIn(in Inputs) func(*link.Snapshot, error) Observed {
	return func(snapshot *link.Snapshot, err error) Observed {
		obs := Observed{Snapshot: snapshot, Err: err}
		if snapshot == nil {
			return obs
		}
		for i := range snapshot.CRDBs {
			if crdb := &snapshot.CRDBs[i]; ours(in, crdb) {
				obs.CRDB = crdb
				obs.Local = instanceOn(crdb, in.own())
				obs.BDB = snapshot.BDB(crdb.LocalUID())
			}
		}
		if obs.BDB == nil {
			obs.BDB, obs.Stranger = partOf(in.Database, snapshot)
		}
		return obs
	}
}

// ours tells whether a common configuration is that of the resource: its guid was recorded, or the part of the local
// cluster carries the marks of the resource.
func ours(in Inputs, crdb *rest.CRDB) bool {
	if guid := in.Database.Status.GUID; guid != "" && guid == rest.Value(crdb.GUID) {
		return true
	}
	inst := instanceOn(crdb, in.own())
	if inst == nil || rest.Value(crdb.Name) != in.Database.Name {
		return false
	}
	namespace, name := marks(inst.DBConfig)
	return name == in.Database.Name && namespace == in.Database.Namespace
}

// partOf looks for the database itself, which is there before its configuration is agreed on, and after.
func partOf(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, snapshot *link.Snapshot) (mine, stranger *rest.BDB) {
	have := snapshot.BDBNamed(db.Name)
	if have == nil {
		return nil, nil
	}
	if namespace, name := marks(have); rest.Value(have.CRDT) && name == db.Name && namespace == db.Namespace {
		return have, nil
	}
	return nil, have
}

// marks are the namespace and name of the resource that a database carries as tags.
func marks(config *rest.BDB) (namespace, name string) {
	tags := tagsOf(config)
	return tags[bdb.TagNamespace], tags[bdb.TagName]
}

func instanceOn(crdb *rest.CRDB, cluster string) *rest.CRDBInstance {
	list := rest.Value(crdb.Instances)
	for i := range list {
		if list[i].ClusterName() == cluster {
			return &list[i]
		}
	}
	return nil
}
