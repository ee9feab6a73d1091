package database

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// Links finds the connection to a cluster; nil while there is none.
type Links interface {
	Get(cluster types.NamespacedName) *link.Link
}

// Kind reconciles RedisEnterpriseDatabases.
type Kind struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Live reads past the cache: Secrets of users carry no label of ours and are not cached.
	Live client.Reader
	// Links holds the connections that the clusters' own reconciler keeps up.
	Links Links
	// Namespace is where the clusters are.
	Namespace string
	// Now is the time; time.Now unless a test says otherwise.
	Now func() time.Time
	// CreateGrace is how long a creation whose answer was lost is given to show up before it is tried again.
	CreateGrace time.Duration

	creations creations
	sent      sent
}

// createGrace is the default of Kind.CreateGrace: longer than the cluster takes to list what it has begun to create.
const createGrace = 10 * time.Second

// NewKind returns the kind with its defaults.
func NewKind(c client.Client, live client.Reader, links Links, namespace string) *Kind {
	return &Kind{Client: c, Live: live, Links: links, Namespace: namespace, Now: time.Now, CreateGrace: createGrace}
}

// New returns an empty database resource.
func (k *Kind) New() *v1alpha1.RedisEnterpriseDatabase { return &v1alpha1.RedisEnterpriseDatabase{} }

// Run is what one pass found and did.
type Run struct {
	Inputs   Inputs
	Observed Observed
	// Done are the steps that were carried out, in order.
	Done []Step
	// ActionUID is the cluster's name for the last change that this pass asked for.
	ActionUID string
	// Sent is true when the cluster has been told all that the spec says.
	Sent bool
	// Removing is true when the pass worked on the deletion.
	Removing bool
}

// Run gathers, observes, plans and applies.
func (k *Kind) Run(ctx context.Context, db *v1alpha1.RedisEnterpriseDatabase) (Run, error) {
	phase, span := trace.Phase(ctx, trace.Gather)
	in, err := k.gather(phase, db)
	span.End(err)
	if err != nil {
		return Run{Inputs: in}, err
	}
	phase, span = trace.Phase(ctx, trace.Observe)
	run := Run{Inputs: in, Observed: k.observe(phase, in), Removing: !db.DeletionTimestamp.IsZero()}
	span.End(run.Observed.Err)
	if run.Observed.BDB != nil {
		k.creations.end(client.ObjectKeyFromObject(db)) // a creation whose answer was lost has shown up
	}
	_, span = trace.Phase(ctx, trace.Plan)
	next := k.plan(run)
	span.End(nil)
	phase, span = trace.Phase(ctx, trace.Apply)
	err = k.apply(phase, db, next.Steps, &run)
	span.End(err)
	if err != nil {
		return run, err
	}
	run.Sent = next.Complete
	return run, next.End
}

func (k *Kind) plan(run Run) Plan {
	if run.Removing {
		return planRemoval(run.Inputs, run.Observed, k.Now())
	}
	return plan(run.Inputs, run.Observed)
}
