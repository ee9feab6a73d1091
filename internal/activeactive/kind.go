// Package activeactive checks RedisEnterpriseActiveActiveDatabases. This version of the operator accepts them and says
// what is wrong with them; it does not make them yet.
package activeactive

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// ReasonNotActedOn is the reason of Ready and Stalled: the resource is known and nothing is done about it yet.
const ReasonNotActedOn = "NotActedOn"

const notActedOn = "Active-Active databases are checked, and not made, by this version of the operator"

// Kind reconciles RedisEnterpriseActiveActiveDatabases.
type Kind struct{ Reviewer Reviewer }

// New returns an empty resource.
func (k *Kind) New() *v1alpha1.RedisEnterpriseActiveActiveDatabase {
	return &v1alpha1.RedisEnterpriseActiveActiveDatabase{}
}

// Run is what a pass found: nothing but its error.
type Run struct{}

// Run judges the resource by the rules that the webhook has. An invalid one is never deleted (AA-21).
func (k *Kind) Run(ctx context.Context, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) (Run, error) {
	if !db.DeletionTimestamp.IsZero() {
		return Run{}, nil
	}
	if errs := append(Validate(db), k.Reviewer.references(ctx, db)...); len(errs) > 0 {
		return Run{}, errs[0]
	}
	return Run{}, &outcome.Rejected{Reason: ReasonNotActedOn, Message: notActedOn}
}

// Report writes the status and tells of a new finding once.
func (k *Kind) Report(before, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ Run, err error, _ time.Time) []kube.Event {
	if !db.DeletionTimestamp.IsZero() {
		return nil
	}
	verdict := outcome.Of(err)
	status := &db.Status
	verdict.SetConditions(&status.Conditions, db.Generation)
	event := kube.Warning(names.EventNotActedOn, verdict.Message)
	status.SpecStatus = appv1.SpecValid
	if verdict.Reason != ReasonNotActedOn {
		event = kube.Warning(names.EventInvalidConfiguration, verdict.Message)
		status.SpecStatus = appv1.SpecInvalid
	}
	was := meta.FindStatusCondition(before.Status.Conditions, appv1.ConditionReady)
	if was != nil && was.Message == verdict.Message {
		return nil
	}
	return []kube.Event{event}
}
