package cluster

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Run is what one run found and did.
type Run struct {
	// Inputs and Observed are what was seen; Observed is nil when the run ended before.
	Inputs   Inputs
	Observed *Observed
	// Rollout is what was decided about the pods.
	Rollout Rollout
	// Changes were made to Kubernetes objects, Set to the cluster's settings.
	Changes []kube.Change
	Set     []string
	// EntranceProblem is why the way in from outside could not be made.
	EntranceProblem *outcome.Waiting
	// Validated is true when no rule refused the spec.
	Validated bool
	// Blockers are the databases that a deletion waits for.
	Blockers []string
}

// apply performs the steps up to the first that waits, is refused or fails. What remains anyway is joined, so that a
// wait does not hide a refusal.
func (k *Kind) apply(ctx context.Context, rec *v1.RedisEnterpriseCluster, p Plan, run *Run) error {
	h := &hands{rec: rec, writer: k.writer(), reader: k.Reader, run: run}
	if l := k.Links.Get(client.ObjectKeyFromObject(rec)); l != nil {
		h.api = l.Client()
	}
	for _, step := range p.Steps {
		before := len(run.Changes) + len(run.Set)
		err := step.perform(ctx, h)
		if err != nil {
			return errors.Join(append([]error{named(step, err)}, p.Remains...)...)
		}
		if len(run.Changes)+len(run.Set) > before {
			log.FromContext(ctx).Info(step.String())
		}
	}
	return errors.Join(p.Remains...)
}

// named adds the step to a failure. The other outcomes speak for themselves.
func named(step Step, err error) error {
	if outcome.Of(err).Kind != outcome.KindFailed {
		return err
	}
	return fmt.Errorf("%s: %w", step, err)
}
