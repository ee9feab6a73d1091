package kube

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func deployment(container, label string) *appsv1.Deployment {
	labels := map[string]string{"which": label}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rigger"},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "i"}}}}},
	}
}

// A pod made of two programs' templates would run both.
func TestADeploymentOfSomebodyElseIsReplacedAndNotMixed(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(deployment("theirs", "a")).Build()
	w := Writer{Client: c, Manager: "m"}
	wish := []client.Object{deployment("ours", "b")}
	changes, err := w.Apply(t.Context(), nil, wish)
	if err != nil || len(changes) != 1 || changes[0].Verb != Replaced {
		t.Fatalf("%v, %v", changes, err)
	}
	var live appsv1.Deployment
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "rigger"}, &live); err != nil {
		t.Fatal(err)
	}
	if pod := live.Spec.Template.Spec; len(pod.Containers) != 1 || pod.Containers[0].Name != "ours" {
		t.Errorf("%+v", pod.Containers)
	}
	if changes, err = w.Apply(t.Context(), nil, wish); err != nil || len(changes) > 0 {
		t.Errorf("ours is replaced too: %v, %v", changes, err)
	}
}
