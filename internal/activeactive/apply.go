package activeactive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// API is what steps need of the admin API.
type API interface {
	CreateCRDB(ctx context.Context, taskID string, body *rest.CRDB) (*rest.CRDBTask, error)
	UpdateCRDB(ctx context.Context, guid, taskID string, body *rest.CRDB) (*rest.CRDBTask, error)
	ModifyCRDB(ctx context.Context, guid, taskID string, body *rest.CRDBModify) (*rest.CRDBTask, error)
	UpgradeCRDB(ctx context.Context, guid, taskID string, body *rest.UpgradeRequest) (*rest.CRDBTask, error)
	DeleteCRDB(ctx context.Context, guid, taskID string) (*rest.CRDBTask, error)
	PurgeCRDB(ctx context.Context, guid, taskID string, instances ...rest.Int) (*rest.CRDBTask, error)
	UpdateBDB(ctx context.Context, uid rest.UID, body *rest.BDB) (*rest.BDB, error)
	UpdateBDBAlerts(ctx context.Context, uid rest.UID, body map[string]rest.AlertSetting) error
}

// apply takes the steps in order and stops at the first that fails.
func (k *Kind) apply(ctx context.Context, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, steps []Step, run *Run) error {
	for _, step := range steps {
		log.FromContext(ctx).Info(step.String())
		if err := step.do(ctx, k, db, run); err != nil {
			return err
		}
		run.Done = append(run.Done, step)
	}
	return nil
}

func (k *Kind) api(run *Run) API { return run.Inputs.Link.Client() }

func (guard) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	return kube.AddFinalizer(ctx, k.Client, db, names.ActiveActiveFinalizer)
}

func (s note) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run) error {
	run.TaskID = s.record.ID(string(db.UID))
	return kube.Annotate(ctx, k.Client, db, names.AnnotationTask, s.record.text())
}

func (s conclude) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run) error {
	run.Failed = s.record.failed()
	return kube.Annotate(ctx, k.Client, db, names.AnnotationTask, s.record.text())
}

func (s request) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run) error {
	_, err := s.send(ctx, k.api(run), s.record.ID(string(db.UID)))
	switch {
	case err == nil:
		return nil
	case rest.IsBusy(err):
		return outcome.Wait(v1alpha1.ReasonChanging, soon, "the cluster is still busy with an earlier change")
	case rest.IsNotFound(err), rest.IsExists(err):
		return outcome.Wait(v1alpha1.ReasonChanging, soon, "the database has changed meanwhile; looking again")
	case rest.IsRefused(err), rest.IsForbidden(err):
		return s.refused(ctx, k, db, run, Desired{}.explain(bdb.Explain(err)))
	}
	return fmt.Errorf("%s: %w", s.op, err)
}

// refused writes down that there is no task, so that nobody waits for it and the status says so (AA-22, AA-24).
func (s request) refused(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run, why error) error {
	var rejected *outcome.Rejected
	if !errors.As(why, &rejected) {
		return why
	}
	run.TaskID = ""
	if err := (conclude{s.record.refused(rejected, k.now())}).do(ctx, k, db, run); err != nil {
		return err
	}
	return why
}

func (s request) send(ctx context.Context, api API, id string) (*rest.CRDBTask, error) {
	switch s.op {
	case opCreate:
		return api.CreateCRDB(ctx, id, s.body)
	case opUpdate:
		return api.UpdateCRDB(ctx, s.guid, id, s.body)
	case opAdd:
		return api.ModifyCRDB(ctx, s.guid, id, &rest.CRDBModify{AddInstances: []rest.CRDBInstance{*s.add}})
	case opRemove:
		return api.ModifyCRDB(ctx, s.guid, id, &rest.CRDBModify{RemoveInstances: []rest.Int{s.remove}})
	case opDetach:
		return api.ModifyCRDB(ctx, s.guid, id, &rest.CRDBModify{RemoveInstances: s.detach, ForceRemove: true})
	case opRenew:
		return api.ModifyCRDB(ctx, s.guid, id, &rest.CRDBModify{ForceUpdate: true})
	case opUpgrade:
		return api.UpgradeCRDB(ctx, s.guid, id, s.upgrade)
	case opPurge:
		return api.PurgeCRDB(ctx, s.guid, id, s.remove)
	default:
		return api.DeleteCRDB(ctx, s.guid, id)
	}
}

// adopt is the one case in which the operator writes settings and participants into a spec: they were changed on another
// participant, as documented. The write carries the resource version, so an edit that happened meanwhile wins.
func (s adopt) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	text, err := textOf(s.base)
	if err != nil {
		return err
	}
	after := db.DeepCopy()
	after.Spec = *s.spec
	if after.Annotations == nil {
		after.Annotations = map[string]string{}
	}
	after.Annotations[names.AnnotationAgreed] = text
	patch := client.MergeFromWithOptions(db.DeepCopy(), client.MergeFromWithOptimisticLock{})
	err = k.Client.Patch(ctx, after, patch, client.FieldOwner(names.ManagerOperator))
	switch {
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err): // by the schema, or by a webhook, ours or another
		return outcome.Reject("spec", "what was changed on another participating cluster is refused here: %v", err)
	case err != nil:
		return fmt.Errorf("write the spec: %w", err)
	}
	after.Status = db.Status
	*db = *after
	return nil
}

func (s agree) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	text, err := textOf(s.terms)
	if err != nil {
		return err
	}
	return kube.Annotate(ctx, k.Client, db, names.AnnotationAgreed, text)
}

func textOf(t Terms) (string, error) {
	raw, err := json.Marshal(whatIsKnown(t))
	return string(raw), err
}

func (s makeRemote) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	return k.make(ctx, s.remote)
}

// make creates an object; that it is there already is as good.
func (k *Kind) make(ctx context.Context, obj client.Object) error {
	err := k.Client.Create(ctx, obj, client.FieldOwner(names.ManagerOperator))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create %s: %w", obj.GetName(), err)
	}
	return nil
}

func (s changeRemote) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	patch := client.MergeFromWithOptions(s.before, client.MergeFromWithOptimisticLock{})
	if err := k.Client.Patch(ctx, s.after, patch, client.FieldOwner(names.ManagerOperator)); err != nil {
		return fmt.Errorf("write RedisEnterpriseRemoteCluster %s: %w", s.after.Name, err)
	}
	return nil
}

func (s setAlerts) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run) error {
	if err := k.api(run).UpdateBDBAlerts(ctx, s.uid, s.body); err != nil {
		return fmt.Errorf("set alerts: %w", err)
	}
	return nil
}

func (s setRoles) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run) error {
	_, err := k.api(run).UpdateBDB(ctx, s.uid, &rest.BDB{RolesPermissions: &s.list})
	if rest.IsBusy(err) {
		return outcome.Wait(v1alpha1.ReasonChanging, soon, "the cluster is still busy with an earlier change")
	}
	if err != nil {
		return fmt.Errorf("give roles: %w", err)
	}
	return nil
}

func (leave) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	uid, version := db.UID, db.ResourceVersion
	err := k.Client.Delete(ctx, db.DeepCopy(), client.Preconditions{UID: &uid, ResourceVersion: &version})
	return client.IgnoreNotFound(err)
}

func (release) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, _ *Run) error {
	k.Pulse.Remove(client.ObjectKeyFromObject(db))
	return kube.RemoveFinalizer(ctx, k.Client, db, names.ActiveActiveFinalizer)
}
