package controllers

import (
	"context"
	"fmt"

	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/cluster"
	"github.com/open-redis-enterprise/operator/internal/database"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
)

// Admission lists what the admission server answers for.
func Admission(s Shared) []admission.Kind {
	cached, live := s.Manager.GetClient(), kube.ByName(s.Manager.GetAPIReader())
	return []admission.Kind{
		elsewhere{cluster.Reviewer{Cached: cached}.Kind(), s.Namespace},
		database.Reviewer{Cached: cached, Live: live, Links: s.Links, Namespace: s.Namespace}.Kind(),
		elsewhere{remotecluster.Reviewer{Cached: cached}.Kind(), s.Namespace},
		activeActiveReviewer(s).Kind(),
	}
}

// elsewhere warns about a resource in a namespace whose clusters this operator does not look after (rule MNS-7). It is a
// warning and no more: the namespace may have an operator of its own, whose resource this is, and the rights here end.
type elsewhere struct {
	admission.Kind
	own string
}

// Review adds the warning to what the kind says.
func (e elsewhere) Review(ctx context.Context, request admission.Request) (admission.Verdict, error) {
	verdict, err := e.Kind.Review(ctx, request)
	if err == nil && request.Operation == admission.Create && e.own != "" && request.Namespace != e.own {
		verdict.Warnings = append(verdict.Warnings, fmt.Sprintf(
			"metadata.namespace: the operator that answers is in namespace %s and looks after no %s in %s; unless an operator is installed there, nothing happens",
			e.own, request.Resource, request.Namespace))
	}
	return verdict, err
}
