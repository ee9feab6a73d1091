package kube

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// Taken is the error of an object that is not made because somebody else has one of that kind and name.
type Taken struct{ Kind, Name string }

// Error says what is there.
func (t *Taken) Error() string {
	return fmt.Sprintf("%s %s is there already and does not belong to the cluster; it is left alone", t.Kind, t.Name)
}

// TakenByAnother asks the API server, by metadata alone, for an object that a cache of the cluster's own objects does not
// show. It returns a *Taken when there is one that does not belong to owner; nil when there is none, or it is the cluster's
// and the cache is late.
func TakenByAnother(ctx context.Context, live client.Reader, owner client.Object, kind schema.GroupVersionKind, key client.ObjectKey) error {
	var there metav1.PartialObjectMetadata
	there.SetGroupVersionKind(kind)
	if err := live.Get(ctx, key, &there); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("look for %s %s: %w", kind.Kind, key.Name, err)
	}
	if BelongsTo(&there, owner) {
		return nil
	}
	return &Taken{Kind: kind.Kind, Name: key.Name}
}

// BelongsTo tells whether an object carries the label of the cluster, has it for an owner, or was made by a Writer.
func BelongsTo(obj metav1.Object, owner client.Object) bool {
	if obj.GetLabels()[names.LabelCluster] == owner.GetName() || obj.GetAnnotations()[names.AnnotationApplied] != "" {
		return true
	}
	return slices.ContainsFunc(obj.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() })
}
