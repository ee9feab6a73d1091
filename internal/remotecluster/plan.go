package remotecluster

import (
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Pauses between passes. The prober wakes the resource as soon as it finds something new; these are for when it does not.
const (
	soon  = 2 * time.Second
	later = time.Minute
)

// Plan is what to do, and how the pass then ends.
type Plan struct {
	Steps []Step
	End   error
}

// plan decides.
func plan(in Inputs, wish Desired, obs Observed) Plan {
	if !in.Remote.DeletionTimestamp.IsZero() {
		return planRemoval(in)
	}
	var p Plan
	if !controllerutil.ContainsFinalizer(in.Remote, names.RemoteClusterFinalizer) {
		p.Steps = append(p.Steps, guard{})
	}
	if p.End = wish.Problem; p.End == nil {
		p.End = verdictOn(obs.Result)
	}
	if wish.Problem == nil && obs.Result.Finding == FirstContact {
		p.Steps = append(p.Steps, pin{host: wish.Target.Host, fingerprint: obs.Result.Fingerprint})
	}
	return p
}

// planRemoval lets the resource go unless a database needs it (RERC-9). Nothing else is asked, so that a remote cluster
// which is gone or was never there keeps nobody.
func planRemoval(in Inputs) Plan {
	switch {
	case !controllerutil.ContainsFinalizer(in.Remote, names.RemoteClusterFinalizer):
		return Plan{}
	case len(in.Users) > 0:
		return Plan{End: outcome.Wait(v1alpha1.ReasonInUse, later, "Active-Active databases list this remote cluster and must be deleted, or give it up, first: %s", strings.Join(in.Users, ", "))}
	}
	return Plan{Steps: []Step{release{}}, End: outcome.Wait(appv1.ReasonDeleting, later, "the resource is released")}
}

// verdictOn says who has to move next after a finding.
func verdictOn(r Result) error {
	switch r.Finding {
	case Reached:
		return nil
	case NotYet:
		return outcome.Wait(v1alpha1.ReasonConnecting, later, "the cluster is being asked for the first time")
	case FirstContact:
		return outcome.Wait(v1alpha1.ReasonConnecting, soon, "the certificate that answered first is noted, and trusted from now on")
	case Denied, Foreign, Stranger:
		return &outcome.Rejected{Reason: r.Finding.reason(), Message: r.Message}
	}
	return outcome.Wait(r.Finding.reason(), later, "%s", r.Message)
}
