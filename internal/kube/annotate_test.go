package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestAnnotate(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", Annotations: map[string]string{"theirs": "1"}}}).Build()
	read := func() *corev1.ConfigMap {
		var live corev1.ConfigMap
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "c"}, &live); err != nil {
			t.Fatal(err)
		}
		return &live
	}
	obj, old := read(), read()
	if err := Annotate(t.Context(), c, obj, "ours", "2"); err != nil {
		t.Fatal(err)
	}
	live := read()
	if live.Annotations["theirs"] != "1" || live.Annotations["ours"] != "2" || obj.Annotations["ours"] != "2" || obj.ResourceVersion != live.ResourceVersion {
		t.Errorf("%v in the cluster, %v in memory", live.Annotations, obj.Annotations)
	}
	if err := Annotate(t.Context(), c, obj, "ours", "2"); err != nil || read().ResourceVersion != live.ResourceVersion {
		t.Errorf("written without a difference: %v", err)
	}
	if err := Annotate(t.Context(), c, old, "ours", "3"); !apierrors.IsConflict(err) {
		t.Errorf("an old version overwrote a newer one: %v", err)
	}
}
