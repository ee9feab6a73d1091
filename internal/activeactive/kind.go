// Package activeactive makes Active-Active databases: one database on several clusters, each taking writes. Whoever edits
// the resource of one participant edits that of all; docs/active-active.md has the picture.
package activeactive

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

// Kind reconciles RedisEnterpriseActiveActiveDatabases.
type Kind struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Live reads past the cache: Secrets of users carry no label of ours and are not cached.
	Live client.Reader
	// Links holds the connections that the clusters' own reconciler keeps up.
	Links Links
	// Pulse looks at the links between the participants.
	Pulse *Pulse
	// Namespace is where clusters and remote clusters are.
	Namespace string
	// Now is the time; time.Now unless a test says otherwise.
	Now func() time.Time
}

// New returns an empty resource.
func (k *Kind) New() *v1alpha1.RedisEnterpriseActiveActiveDatabase {
	return &v1alpha1.RedisEnterpriseActiveActiveDatabase{}
}

// Run is what one pass found and did.
type Run struct {
	Inputs   Inputs
	Observed Observed
	// Done are the steps that were carried out, in order.
	Done []Step
	// TaskID is the task that this pass asked for.
	TaskID string
	// Failed is true when this pass learned that a task failed.
	Failed bool
	// Sent is true when all participants have what the spec says.
	Sent bool
}

// Run gathers, observes, plans and applies.
func (k *Kind) Run(ctx context.Context, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) (Run, error) {
	phase, span := trace.Phase(ctx, trace.Gather)
	in, err := k.gather(phase, db)
	span.End(err)
	if err != nil {
		return Run{}, err
	}
	phase, span = trace.Phase(ctx, trace.Observe)
	run := Run{Inputs: in, Observed: k.observe(phase, in, (*link.Link).Observe)}
	span.End(run.Observed.Err)
	_, span = trace.Phase(ctx, trace.Plan)
	next := plan(in, run.Observed, k.now())
	span.End(nil)
	if next.asks() {
		phase, span = trace.Phase(ctx, trace.Observe)
		run.Observed = k.observe(phase, in, (*link.Link).Refresh)
		span.End(run.Observed.Err)
		next = plan(in, run.Observed, k.now())
	}
	phase, span = trace.Phase(ctx, trace.Apply)
	err = k.apply(phase, db, next.Steps, &run)
	span.End(err)
	if err != nil {
		return run, err
	}
	run.Sent = next.Complete
	return run, next.End
}

func (k *Kind) now() time.Time {
	if k.Now == nil {
		return time.Now()
	}
	return k.Now()
}
