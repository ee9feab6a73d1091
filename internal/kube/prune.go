package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// Prune deletes the objects of the listed kinds that this manager once made for the owner and that are not among the
// kept ones. Objects of users and of the other manager are never touched.
func (w Writer) Prune(ctx context.Context, owner client.Object, labels client.MatchingLabels, kinds []client.ObjectList, keep []client.Object) ([]Change, error) {
	type identity struct {
		kind string
		name types.NamespacedName
	}
	kept := map[identity]bool{}
	for _, obj := range keep {
		kept[identity{kindOf(w.Client, obj), client.ObjectKeyFromObject(obj)}] = true
	}
	var changes []Change
	for _, list := range kinds {
		list = list.DeepCopyObject().(client.ObjectList)
		if err := w.Client.List(ctx, list, client.InNamespace(owner.GetNamespace()), labels); err != nil {
			return changes, fmt.Errorf("list %T: %w", list, err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return changes, err
		}
		for _, item := range items {
			obj := item.(client.Object)
			kind := kindOf(w.Client, obj)
			if kept[identity{kind, client.ObjectKeyFromObject(obj)}] || !w.owns(owner, obj) {
				continue
			}
			err := w.Client.Delete(ctx, obj, preconditions(obj), client.PropagationPolicy(metav1.DeletePropagationBackground))
			if client.IgnoreNotFound(err) != nil {
				return changes, fmt.Errorf("delete %s %s: %w", kind, obj.GetName(), err)
			}
			changes = append(changes, Change{Verb: Deleted, Kind: kind, Name: client.ObjectKeyFromObject(obj)})
		}
	}
	return changes, nil
}

func (w Writer) owns(owner, obj client.Object) bool {
	return obj.GetDeletionTimestamp() == nil &&
		metav1.IsControlledBy(obj, owner) &&
		obj.GetAnnotations()[names.AnnotationManager] == w.Manager
}
