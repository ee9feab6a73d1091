package controllers

import (
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/database"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
)

// Admission lists what the admission server answers for.
func Admission(s Shared) []admission.Kind {
	cached, live := s.Manager.GetClient(), s.Manager.GetAPIReader()
	return []admission.Kind{
		database.Reviewer{Cached: cached, Live: live, Links: s.Links, Namespace: s.Namespace}.Kind(),
		remotecluster.Reviewer{Cached: cached}.Kind(),
		activeActiveReviewer(s).Kind(),
	}
}
