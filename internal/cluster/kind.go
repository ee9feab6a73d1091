package cluster

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// Offer is what is asked of package platform while the operator runs.
type Offer interface {
	// Kinds are the optional kinds that are served now.
	Kinds() platform.Kinds
	// Await says which kinds somebody needs, so that they are noticed soon once they are served.
	Await(who string, kinds ...schema.GroupVersionKind)
}

// Profiles is what is asked of package tlsprofile.
type Profiles interface {
	// Profile is the TLS profile of this Kubernetes; nil where there is none.
	Profile() *tlsprofile.Profile
}

// Kind is what the loop knows of clusters.
type Kind struct {
	// Client reads from the cache and writes; Reader reads Secrets of users, and everything before an act that cannot
	// be undone, from the API server.
	Client client.Client
	Reader client.Reader
	// Links holds the connection to each cluster, which this kind makes and removes.
	Links *link.Registry
	// Platform holds the defaults that do not come from the spec.
	Platform platform.Platform
	// Offer tells which optional kinds this Kubernetes serves; nil for none.
	Offer Offer
	// TLS knows the profile that clusters follow; nil for none.
	TLS Profiles
	// Reach looks at the ways in from outside; nil for nobody who looks.
	Reach *reach.Watcher
	// Logins tries new credentials.
	Logins Logins
}

// New returns an empty resource.
func (k *Kind) New() *v1.RedisEnterpriseCluster { return &v1.RedisEnterpriseCluster{} }

func (k *Kind) writer() kube.Writer {
	return kube.Writer{Client: k.Client, Manager: names.ManagerOperator}
}

// Run brings the cluster closer to its spec.
func (k *Kind) Run(ctx context.Context, rec *v1.RedisEnterpriseCluster) (Run, error) {
	if rec.DeletionTimestamp != nil {
		return k.remove(ctx, rec)
	}
	if err := kube.AddFinalizer(ctx, k.Client, rec, names.ClusterFinalizer); err != nil {
		return Run{}, err
	}
	phase, span := trace.Phase(ctx, trace.Gather)
	in, err := k.gather(phase, rec)
	span.End(err)
	run := Run{Inputs: in}
	if err != nil {
		return run, err
	}
	phase, span = trace.Phase(ctx, trace.Observe)
	run.Observed, err = k.observe(phase, in)
	span.End(err)
	if err != nil {
		return run, err
	}
	if err := refusals(rec, run.Observed, in); err != nil {
		return run, err
	}
	run.Validated = true
	_, span = trace.Phase(ctx, trace.Plan)
	p := plan(in, desired(in, run.Observed.Set), run.Observed)
	span.End(nil)
	run.Rollout = p.Rollout
	phase, span = trace.Phase(ctx, trace.Apply)
	err = k.apply(phase, rec, p, &run)
	span.End(err)
	return run, err
}

// refusals are what the rules say against the spec. Nothing is applied then (rule REC-28).
func refusals(rec *v1.RedisEnterpriseCluster, o *Observed, in Inputs) error {
	var list []error
	for _, r := range Validate(asBuilt(rec, o.Set), rec) {
		list = append(list, r)
	}
	if in.Second {
		list = append(list, in.Problems...)
	}
	if problem := leftover(in, o); problem != nil {
		list = append(list, problem)
	}
	return errors.Join(list...)
}
