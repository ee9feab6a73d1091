package kube

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// PatchStatus writes the status of obj if it differs from that of before, and reports whether it did. The write is
// refused (conflict) when somebody changed the object meanwhile; an object that is gone is no error.
func PatchStatus(ctx context.Context, c client.Client, before, obj client.Object) (bool, error) {
	was, err := statusOf(before)
	if err != nil {
		return false, err
	}
	is, err := statusOf(obj)
	if err != nil {
		return false, err
	}
	if Equal(was, is) {
		return false, nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err = c.Status().Patch(ctx, obj, patch)
	return err == nil, client.IgnoreNotFound(err)
}

func statusOf(obj client.Object) (any, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	return content["status"], nil
}

// AddFinalizer puts the finalizer on obj, in the cluster and in memory; it writes only when it is absent.
func AddFinalizer(ctx context.Context, c client.Client, obj client.Object, finalizer string) error {
	return patchFinalizers(ctx, c, obj, func(o client.Object) bool { return controllerutil.AddFinalizer(o, finalizer) })
}

// RemoveFinalizer takes the finalizer off obj; an object that is already gone is no error.
func RemoveFinalizer(ctx context.Context, c client.Client, obj client.Object, finalizer string) error {
	return client.IgnoreNotFound(patchFinalizers(ctx, c, obj, func(o client.Object) bool { return controllerutil.RemoveFinalizer(o, finalizer) }))
}

// Annotate puts an annotation on obj, in the cluster and in memory; it writes only on a difference, and not over what
// somebody wrote meanwhile (conflict).
func Annotate(ctx context.Context, c client.Client, obj client.Object, key, value string) error {
	if obj.GetAnnotations()[key] == value {
		return nil
	}
	after := obj.DeepCopyObject().(client.Object)
	annotations := maps.Clone(after.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	after.SetAnnotations(annotations)
	patch := client.MergeFromWithOptions(obj.DeepCopyObject().(client.Object), client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, after, patch); err != nil {
		return err
	}
	obj.SetAnnotations(after.GetAnnotations())
	obj.SetResourceVersion(after.GetResourceVersion())
	return nil
}

func patchFinalizers(ctx context.Context, c client.Client, obj client.Object, change func(client.Object) bool) error {
	after := obj.DeepCopyObject().(client.Object)
	if !change(after) {
		return nil
	}
	patch := client.MergeFromWithOptions(obj.DeepCopyObject().(client.Object), client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, after, patch); err != nil {
		return err
	}
	obj.SetFinalizers(after.GetFinalizers())
	obj.SetResourceVersion(after.GetResourceVersion())
	return nil
}
