package database

import (
	"context"
	"errors"
	"time"

	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// observeLimit is how long a pass waits for the shared reading of the cluster.
const observeLimit = 15 * time.Second

// errNoLink: the cluster has no connection yet.
var errNoLink = errors.New("there is no connection to the cluster yet")

// Observed is what the cluster says.
type Observed struct {
	// Snapshot is the shared reading; nil without a connection. Its facts are old when Err is set.
	Snapshot *link.Snapshot
	// Err is why there is no current reading.
	Err error
	// BDB is the database of the resource; nil when it is not there.
	BDB *rest.BDB
	// Stranger is a database of the same name that is not ours.
	Stranger *rest.BDB
}

// observe reads the cluster and changes nothing. That the database is not there is never taken from a reading that
// began before the question: a creation, a report of loss and the release of a finalizer depend on it.
func (k *Kind) observe(ctx context.Context, in Inputs) Observed {
	if in.Link == nil {
		return Observed{Err: errNoLink}
	}
	ctx, cancel := context.WithTimeout(ctx, observeLimit)
	defer cancel()
	obs := observedIn(in)(in.Link.Observe(ctx))
	if obs.BDB == nil && obs.Err == nil {
		obs = observedIn(in)(in.Link.Refresh(ctx))
	}
	return obs
}

// observedIn picks what concerns one database out of a reading.
func observedIn(in Inputs) func(*link.Snapshot, error) Observed {
	return func(snapshot *link.Snapshot, err error) Observed {
		obs := Observed{Snapshot: snapshot, Err: err}
		if snapshot != nil {
			obs.BDB, obs.Stranger = find(in.Database, snapshot.BDBs)
		}
		return obs
	}
}

// action is the last change that the cluster was asked for; nil when the cluster no longer lists it.
func (o Observed) action(uid string) *rest.Action {
	if o.Snapshot == nil || uid == "" {
		return nil
	}
	return o.Snapshot.Action(uid)
}
