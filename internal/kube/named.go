package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ByName returns a reader for names that users wrote into a spec. A name that no object can have, such as one with a slash, is
// answered like one that no object has: not found. The client alone answers it with an error that looks like a fault of its own.
func ByName(r client.Reader) client.Reader { return byName{r} }

type byName struct{ client.Reader }

// Get implements client.Reader.
func (b byName) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if key.Name == "" || len(content.IsPathSegmentName(key.Name)) > 0 {
		return apierrors.NewNotFound(schema.GroupResource{Resource: fmt.Sprintf("%T", obj)}, key.Name)
	}
	return b.Reader.Get(ctx, key, obj, opts...)
}
