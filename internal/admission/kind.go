package admission

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Kind answers for one resource.
type Kind interface {
	// Resource is the plural name that the API server asks about.
	Resource() string
	// Review decides one change. An error means that the question itself could not be read.
	Review(ctx context.Context, request Request) (Verdict, error)
}

// Rules decides a change of one kind. old is nil on creation. It must keep within the context's deadline, and must
// decide from the object alone when something it would like to look up does not answer (ADM-10).
type Rules[T client.Object] func(ctx context.Context, old, obj T) Verdict

// For makes a Kind out of typed rules. The annotations are those in which a user says what the rules judge, like a spec.
func For[T client.Object](resource string, empty func() T, rules Rules[T], annotations ...string) Kind {
	return kind[T]{resource, empty, rules, annotations}
}

type kind[T client.Object] struct {
	resource string
	empty    func() T
	rules    Rules[T]
	// annotations are judged like the spec.
	annotations []string
}

// Resource is the plural name.
func (k kind[T]) Resource() string { return k.resource }

// Review lets pass what no rule of ours should ever stop: an object that is being deleted, and an update that leaves
// the spec, and the annotations that are judged like it, as they are. Without that, an object that became invalid under newer rules could not lose its finalizer.
func (k kind[T]) Review(ctx context.Context, request Request) (Verdict, error) {
	if request.Operation != Create && request.Operation != Update {
		return Verdict{}, nil
	}
	obj := k.empty()
	if err := json.Unmarshal(request.Object, obj); err != nil {
		return Verdict{}, fmt.Errorf("read the new object: %w", err)
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(request.Namespace)
	}
	var old T
	if request.Operation == Update {
		old = k.empty()
		if err := json.Unmarshal(request.Old, old); err != nil {
			return Verdict{}, fmt.Errorf("read the old object: %w", err)
		}
		if obj.GetDeletionTimestamp() != nil || sameSpec(request.Object, request.Old) && k.sameAnnotations(old, obj) {
			return Verdict{}, nil
		}
	}
	return k.rules(ctx, old, obj), nil
}

func (k kind[T]) sameAnnotations(a, b T) bool {
	for _, key := range k.annotations {
		if a.GetAnnotations()[key] != b.GetAnnotations()[key] {
			return false
		}
	}
	return true
}

func sameSpec(a, b []byte) bool {
	return reflect.DeepEqual(specOf(a), specOf(b))
}

func specOf(raw []byte) any {
	var object struct {
		Spec any `json:"spec"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil
	}
	return object.Spec
}
