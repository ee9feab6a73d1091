package cluster

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/ingress"
)

// Reviewer decides for the webhook, with the rules of the loop.
type Reviewer struct {
	// Cached lists the clusters.
	Cached client.Reader
}

// Kind makes the reviewer part of the admission server.
func (r Reviewer) Kind() admission.Kind {
	return admission.For("redisenterpriseclusters", func() *v1.RedisEnterpriseCluster { return &v1.RedisEnterpriseCluster{} }, r.review)
}

func (r Reviewer) review(ctx context.Context, old, rec *v1.RedisEnterpriseCluster) admission.Verdict {
	verdict := admission.Verdict{}
	for _, refusal := range Validate(old, rec) {
		verdict.Denials = append(verdict.Denials, refusal.Error())
	}
	if old == nil {
		verdict.Denials = append(verdict.Denials, r.neighbour(ctx, rec)...)
	}
	for _, path := range notActedOn(&rec.Spec) {
		verdict.Warnings = append(verdict.Warnings, path+": not acted on by this version of the operator")
	}
	for _, path := range ingress.Unused(rec) {
		verdict.Warnings = append(verdict.Warnings, path+": no effect, only Ingresses take annotations")
	}
	verdict.Warnings = append(verdict.Warnings, advice(&rec.Spec, nil)...)
	return verdict
}

// neighbour refuses a second cluster in a namespace. When it cannot be looked up, the loop finds it (ADM-10).
func (r Reviewer) neighbour(ctx context.Context, rec *v1.RedisEnterpriseCluster) []string {
	var list v1.RedisEnterpriseClusterList
	if err := r.Cached.List(ctx, &list, client.InNamespace(rec.Namespace)); err != nil {
		return nil
	}
	for i := range list.Items {
		if other := &list.Items[i]; other.Name != rec.Name && other.DeletionTimestamp == nil {
			return []string{fmt.Sprintf("metadata.name: namespace %s already has the cluster %s; use another namespace", rec.Namespace, other.Name)}
		}
	}
	return nil
}
