package integration

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// namesOf are the names of the objects in a list.
func namesOf(list client.ObjectList) []string {
	var out []string
	if err := meta.EachListItem(list, func(item runtime.Object) error {
		out = append(out, item.(client.Object).GetName())
		return nil
	}); err != nil {
		panic(err) // a list of objects has items
	}
	return out
}
