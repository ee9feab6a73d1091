package cluster

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// noteTakeOver writes AnnotationTakenOver and touches nothing else.
type noteTakeOver struct {
	set  *appsv1.StatefulSet
	note string
}

func (s noteTakeOver) String() string {
	return "note on StatefulSet " + s.set.Name + " that it is taken over"
}

func (s noteTakeOver) perform(ctx context.Context, h *hands) error {
	after := s.set.DeepCopy()
	metav1.SetMetaDataAnnotation(&after.ObjectMeta, AnnotationTakenOver, s.note)
	if err := h.writer.Client.Patch(ctx, after, client.MergeFromWithOptions(s.set, client.MergeFromWithOptimisticLock{}), client.FieldOwner(h.writer.Manager)); err != nil {
		return err
	}
	h.run.Changes = append(h.run.Changes, kube.Change{Verb: kube.Adopted, Kind: "StatefulSet", Name: client.ObjectKeyFromObject(after)})
	return nil
}

// ownFields makes the operator the owner of every field that another one wrote, so that applying the wish replaces the old
// pod template instead of mixing the two. It changes none of them. Who owns what is not kept in the cache.
type ownFields struct{ name string }

func (s ownFields) String() string { return "own the fields of StatefulSet " + s.name }

func (s ownFields) perform(ctx context.Context, h *hands) error {
	set := &appsv1.StatefulSet{}
	if err := h.reader.Get(ctx, client.ObjectKey{Namespace: h.rec.Namespace, Name: s.name}, set); err != nil {
		return err
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(set, writersOf(set), h.writer.Manager)
	if err != nil || len(patch) == 0 {
		return err
	}
	return h.writer.Client.Patch(ctx, set, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(h.writer.Manager))
}

// writersOf are those who wrote the object itself, and not its status.
func writersOf(set *appsv1.StatefulSet) sets.Set[string] {
	found := sets.New[string]()
	for _, f := range set.ManagedFields {
		if f.Operation == metav1.ManagedFieldsOperationUpdate && f.Subresource == "" {
			found.Insert(f.Manager)
		}
	}
	return found
}

// reportTakeOver writes the condition of clusters that another operator began; others have none.
func reportTakeOver(rec *v1.RedisEnterpriseCluster, run Run) {
	condition := metav1.Condition{Type: v1.ConditionPodsTakenOver, ObservedGeneration: rec.Generation}
	switch {
	case run.Rollout.TakeOver != "":
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, v1.ReasonTakeOverWaits, run.Rollout.TakeOver
	case !takenOver(run.Observed.Set) || !run.Validated:
		return
	case run.Rollout.Rolling:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, run.Rollout.reason(), run.Rollout.Waits
	case !foreign(run.Observed.Set):
		condition.Status, condition.Reason = metav1.ConditionTrue, v1.ReasonUpToDate
	default:
		return
	}
	meta.SetStatusCondition(&rec.Status.Conditions, condition)
}

// takeOverEvents tell once that a cluster is taken over, and for what its pods wait.
func takeOverEvents(before, rec *v1.RedisEnterpriseCluster, run Run) []kube.Event {
	if run.Rollout.TakeOver == "" || said(before, v1.ConditionPodsTakenOver) == said(rec, v1.ConditionPodsTakenOver) {
		return nil
	}
	return []kube.Event{kube.Normal(names.EventTakenOver, run.Rollout.TakeOver)}
}
