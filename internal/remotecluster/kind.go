// Package remotecluster keeps an eye on the clusters that take part in Active-Active databases: whether each answers at
// the address in its resource, shows a certificate that is trusted, accepts the credentials, is the cluster it is said to
// be, and has the local cluster's time and release.
package remotecluster

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// Links finds the connection to a cluster of this operator; nil while there is none.
type Links interface {
	Get(cluster types.NamespacedName) *link.Link
}

// Kind reconciles RedisEnterpriseRemoteClusters.
type Kind struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Live reads past the cache: Secrets of users carry no label of ours and are not cached.
	Live client.Reader
	// Links holds the connections to the clusters of this operator.
	Links Links
	// Prober asks the remote clusters, on its own time.
	Prober *Prober
	// Namespace is the operator's own.
	Namespace string
}

// New returns an empty resource.
func (k *Kind) New() *v1alpha1.RedisEnterpriseRemoteCluster {
	return &v1alpha1.RedisEnterpriseRemoteCluster{}
}

// Run is what a pass found and did.
type Run struct {
	Inputs   Inputs
	Observed Observed
	// Done are the steps that were carried out, in order.
	Done []Step
}

// Run gathers, observes, plans and applies.
func (k *Kind) Run(ctx context.Context, remote *v1alpha1.RedisEnterpriseRemoteCluster) (Run, error) {
	phase, span := trace.Phase(ctx, trace.Gather)
	in, err := k.gather(phase, remote)
	span.End(err)
	if err != nil {
		return Run{}, err
	}
	_, span = trace.Phase(ctx, trace.Observe)
	wish := desired(in)
	run := Run{Inputs: in, Observed: k.observe(in, wish)} //nolint:contextcheck // the looks outlive this run
	span.End(nil)
	_, span = trace.Phase(ctx, trace.Plan)
	next := plan(in, wish, run.Observed)
	span.End(nil)
	phase, span = trace.Phase(ctx, trace.Apply)
	err = k.apply(phase, remote, next.Steps, &run)
	span.End(err)
	if err != nil {
		return run, err
	}
	return run, next.End
}
