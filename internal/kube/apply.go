// Package kube is the only writer of Kubernetes objects: it applies a set of wished objects, prunes what we own and no
// longer want, patches status and finalizers, and writes only when something differs.
package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// Verb says what happened to one object.
type Verb string

// The verbs of a Change.
const (
	Created  Verb = "created"
	Updated  Verb = "updated"
	Adopted  Verb = "adopted"  // it existed and was not ours
	Replaced Verb = "replaced" // an immutable field had to change: deleted and created anew
	Deleted  Verb = "deleted"
)

// Change is one write that was made.
type Change struct {
	Verb Verb
	Kind string
	Name types.NamespacedName
	// Drift is true when the object said what was wished, and somebody else changed it since.
	Drift bool
}

// String prints the change for logs and events.
func (c Change) String() string { return fmt.Sprintf("%s %s %s", c.Verb, c.Kind, c.Name.Name) }

// Writer applies sets of objects in the name of one manager (names.ManagerOperator or names.ManagerRigger).
type Writer struct {
	Client  client.Client
	Manager string
	// Live is asked before something is made that Client does not know, so that what somebody else has under that name is
	// not taken over: Apply returns a *Taken then. Nil where Client sees everything, or all there is may be adopted.
	Live client.Reader
}

// Apply makes each wished object true, in the given order, and returns what was written before the first error.
// Objects in the owner's namespace get a controller reference to the owner, PersistentVolumeClaims excepted. An object
// that already says what is wished causes no request that writes.
func (w Writer) Apply(ctx context.Context, owner client.Object, wished []client.Object) ([]Change, error) {
	var changes []Change
	for _, obj := range wished {
		change, err := w.applyOne(ctx, owner, obj)
		if err != nil {
			return changes, fmt.Errorf("apply %s %s: %w", kindOf(w.Client, obj), obj.GetName(), err)
		}
		if change != nil {
			changes = append(changes, *change)
		}
	}
	return changes, nil
}

func (w Writer) applyOne(ctx context.Context, owner, obj client.Object) (*Change, error) {
	wish, err := w.wish(owner, obj)
	if err != nil {
		return nil, err
	}
	live, err := w.empty(obj)
	if err != nil {
		return nil, err
	}
	err = w.Client.Get(ctx, client.ObjectKeyFromObject(obj), live)
	switch {
	case apierrors.IsNotFound(err):
		if w.Live != nil {
			if err := TakenByAnother(ctx, w.Live, owner, wish.GroupVersionKind(), client.ObjectKeyFromObject(obj)); err != nil {
				return nil, err
			}
		}
		return w.patch(ctx, wish, Created)
	case err != nil:
		return nil, err
	case live.GetDeletionTimestamp() != nil:
		return nil, fmt.Errorf("%s is being deleted; it is made anew once it is gone", live.GetName())
	}
	have, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return nil, err
	}
	if Covers(have, wish.Object) {
		return nil, nil
	}
	verb := Updated
	if live.GetAnnotations()[names.AnnotationApplied] == "" {
		verb = Adopted
	}
	if _, deployment := obj.(*appsv1.Deployment); deployment && verb == Adopted {
		// Applying would mix another program's pod with ours. A Deployment holds nothing that could get lost.
		return w.replace(ctx, live, wish)
	}
	change, err := w.patch(ctx, wish, verb)
	if apierrors.IsInvalid(err) && replaceable(obj) {
		change, err = w.replace(ctx, live, wish)
	}
	if change != nil {
		change.Drift = live.GetAnnotations()[names.AnnotationApplied] == wish.GetAnnotations()[names.AnnotationApplied]
	}
	return change, err
}

// empty makes an object of the same kind to read into. A client without a cache reads into what it is given and leaves the
// fields alone that the answer does not have; a copy of the wish would then look as if it had come true.
func (w Writer) empty(obj client.Object) (client.Object, error) {
	gvk, err := apiutil.GVKForObject(obj, w.Client.Scheme())
	if err != nil {
		return nil, err
	}
	made, err := w.Client.Scheme().New(gvk)
	if err != nil {
		return nil, err
	}
	return made.(client.Object), nil
}

// wish turns a built object into what is sent: no status, no nulls, our bookkeeping added.
func (w Writer) wish(owner, obj client.Object) (*unstructured.Unstructured, error) {
	obj = obj.DeepCopyObject().(client.Object)
	if _, claim := obj.(*corev1.PersistentVolumeClaim); owner != nil && !claim && obj.GetNamespace() == owner.GetNamespace() {
		if err := controllerutil.SetControllerReference(owner, obj, w.Client.Scheme()); err != nil {
			return nil, err
		}
	}
	gvk, err := apiutil.GVKForObject(obj, w.Client.Scheme())
	if err != nil {
		return nil, err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	delete(content, "status")
	dropNulls(content)
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	hash, err := hashOf(content)
	if err != nil {
		return nil, err
	}
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[names.AnnotationApplied] = hash
	annotations[names.AnnotationManager] = w.Manager
	u.SetAnnotations(annotations)
	return u, nil
}

func (w Writer) patch(ctx context.Context, wish *unstructured.Unstructured, verb Verb) (*Change, error) {
	err := w.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(wish.DeepCopy()), client.FieldOwner(w.Manager), client.ForceOwnership)
	if err != nil {
		return nil, err
	}
	return &Change{Verb: verb, Kind: wish.GetKind(), Name: client.ObjectKeyFromObject(wish)}, nil
}

// replace deletes an object whose immutable field must change and applies the wish anew.
func (w Writer) replace(ctx context.Context, live client.Object, wish *unstructured.Unstructured) (*Change, error) {
	if err := w.Client.Delete(ctx, live, preconditions(live)); client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	return w.patch(ctx, wish, Replaced)
}

// replaceable names the kinds that hold no state of their own and may be deleted and made anew.
func replaceable(obj client.Object) bool {
	switch obj.(type) {
	case *corev1.Service, *rbacv1.RoleBinding, *policyv1.PodDisruptionBudget:
		return true
	}
	return false
}

func preconditions(obj client.Object) client.Preconditions {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	return client.Preconditions{UID: &uid, ResourceVersion: &version}
}

func hashOf(content map[string]any) (string, error) {
	raw, err := json.Marshal(content) // map keys are sorted
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}

func kindOf(c client.Client, obj client.Object) string {
	gvk, err := apiutil.GVKForObject(obj, c.Scheme())
	if err != nil {
		return fmt.Sprintf("%T", obj)
	}
	return gvk.Kind
}
