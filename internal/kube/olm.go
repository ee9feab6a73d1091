package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// OperatorCondition is the kind through which an operator tells the Operator Lifecycle Manager about itself. Clusters
// without that manager do not have it, and neither do those with its second version.
var OperatorCondition = schema.GroupVersionKind{Group: "operators.coreos.com", Version: "v2", Kind: "OperatorCondition"}

// TellOLM writes a condition into an OperatorCondition when it does not say that yet, and reports whether it wrote. What
// others wrote there, overrides among it, stays. live must read past every cache: the manager grants rights to the one
// object by name, and neither to list nor to watch. The write is refused (conflict) when somebody changed the object
// meanwhile; ErrAbsent means that there is no such object, or no such kind.
func TellOLM(ctx context.Context, live client.Reader, c client.Client, key types.NamespacedName, condition metav1.Condition) (bool, error) {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(OperatorCondition)
	switch err := live.Get(ctx, key, obj); {
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return false, ErrAbsent
	case err != nil:
		return false, err
	}
	before := obj.DeepCopy()
	conditions, err := specConditions(obj)
	if err != nil {
		return false, fmt.Errorf("spec.conditions: %w", err)
	}
	if !meta.SetStatusCondition(&conditions, condition) {
		return false, nil
	}
	if err := setSpecConditions(obj, conditions); err != nil {
		return false, err
	}
	err = c.Patch(ctx, obj, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsNotFound(err) {
		return false, ErrAbsent
	}
	return err == nil, err
}

// ErrAbsent says that there is nobody to tell.
var ErrAbsent = fmt.Errorf("no %s", OperatorCondition.Kind)

func specConditions(obj *unstructured.Unstructured) ([]metav1.Condition, error) {
	list, _, err := unstructured.NestedSlice(obj.Object, "spec", "conditions")
	if err != nil {
		return nil, err
	}
	conditions := make([]metav1.Condition, len(list))
	for i, item := range list {
		content, isMap := item.(map[string]any)
		if !isMap {
			return nil, fmt.Errorf("element %d is %T", i, item)
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &conditions[i]); err != nil {
			return nil, err
		}
	}
	return conditions, nil
}

func setSpecConditions(obj *unstructured.Unstructured, conditions []metav1.Condition) error {
	list := make([]any, len(conditions))
	for i := range conditions {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&conditions[i])
		if err != nil {
			return err
		}
		list[i] = content
	}
	return unstructured.SetNestedSlice(obj.Object, list, "spec", "conditions")
}
