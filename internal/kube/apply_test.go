package kube

import (
	"context"
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// A client without a cache decodes into the object it is given, like this one.
func TestWhatIsMissingIsNoticedWithoutACache(t *testing.T) {
	reads := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, o ...client.GetOption) error {
		found := &corev1.ConfigMap{}
		if err := c.Get(ctx, key, found, o...); err != nil {
			return err
		}
		raw, err := json.Marshal(found)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, obj)
	}}
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithInterceptorFuncs(reads).Build()
	w := Writer{Client: c, Manager: "m"}
	wish := []client.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", Labels: map[string]string{"app": "ours"}}, Data: map[string]string{"k": "v"}}}
	if changes, err := w.Apply(t.Context(), nil, wish); err != nil || len(changes) != 1 || changes[0].Verb != Created {
		t.Fatalf("%v, %v", changes, err)
	}
	if changes, err := w.Apply(t.Context(), nil, wish); err != nil || len(changes) != 0 {
		t.Fatalf("nothing to do: %v, %v", changes, err)
	}
	live := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "a"}, live); err != nil {
		t.Fatal(err)
	}
	delete(live.Labels, "app")
	if err := c.Update(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	if changes, err := w.Apply(t.Context(), nil, wish); err != nil || len(changes) != 1 || !changes[0].Drift {
		t.Errorf("a label was taken away: %v, %v", changes, err)
	}
}
