package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestDriftIsWhatSomebodyElseChanged(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	w := Writer{Client: c, Manager: "us"}
	wish := func(value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "x"}, Data: map[string]string{"k": value}}
	}
	foreign := func(value string) {
		var live corev1.ConfigMap
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "x"}, &live); err != nil {
			t.Fatal(err)
		}
		live.Data["k"] = value
		if err := c.Update(t.Context(), &live, client.FieldOwner("somebody")); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name  string
		do    func()
		value string
		verb  Verb
		drift bool
	}{
		{name: "made", value: "1", verb: Created},
		{name: "another wish", value: "2", verb: Updated},
		{name: "changed by somebody else", do: func() { foreign("9") }, value: "2", verb: Updated, drift: true},
		{name: "changed by somebody else, and another wish", do: func() { foreign("9") }, value: "3", verb: Updated},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.do != nil {
				step.do()
			}
			changes, err := w.Apply(t.Context(), nil, []client.Object{wish(step.value)})
			if err != nil || len(changes) != 1 {
				t.Fatalf("%v %v", changes, err)
			}
			if changes[0].Verb != step.verb || changes[0].Drift != step.drift {
				t.Errorf("%+v", changes[0])
			}
		})
	}
}
