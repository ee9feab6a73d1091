package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// Repaired tells what the run put back because somebody else had changed it: the kinds of objects, and ClusterSettings
// for the cluster's own. A setting counts only if everything was in order under this spec before: otherwise it may be the
// first time that it could be made. A licence never does: it may come from a Secret that has just changed.
func (r Run) Repaired() []string {
	var list []string
	for _, change := range r.Changes {
		if change.Drift {
			list = append(list, change.Kind)
		}
	}
	rec := r.Inputs.REC
	setting := func(what string) bool { return !strings.HasPrefix(what, licenseSet) }
	if rec == nil || !slices.ContainsFunc(r.Set, setting) {
		return list
	}
	ready := meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionReady)
	if meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionReady) && ready.ObservedGeneration == rec.Generation {
		list = append(list, "ClusterSettings")
	}
	return list
}
