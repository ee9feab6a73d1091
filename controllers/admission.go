package controllers

import (
	"context"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
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
		clusterReview(),
		database.Reviewer{Cached: cached, Live: live, Links: s.Links, Namespace: s.Namespace}.Kind(),
		remotecluster.Reviewer{Cached: cached}.Kind(),
		activeActiveReviewer(s).Kind(),
	}
}

// clusterReview asks the rules of the cluster, which need nothing but the resource. Both versions of it have one stored
// form, so one Go type reads both.
func clusterReview() admission.Kind {
	return admission.For("redisenterpriseclusters", func() *appv1.RedisEnterpriseCluster { return &appv1.RedisEnterpriseCluster{} },
		func(_ context.Context, old, rec *appv1.RedisEnterpriseCluster) admission.Verdict {
			var verdict admission.Verdict
			for _, found := range cluster.Validate(old, rec) {
				verdict.Denials = append(verdict.Denials, found.Error())
			}
			return verdict
		})
}
