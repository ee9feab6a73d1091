package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestByName(t *testing.T) {
	reader := ByName(fake.NewClientBuilder().WithObjects(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "there"}}).Build())
	for name, found := range map[string]bool{"there": true, "absent": false, "with/slash": false, "..": false, "100%": false, "": false} {
		err := reader.Get(t.Context(), client.ObjectKey{Namespace: "n", Name: name}, &corev1.Secret{})
		if found && err != nil || !found && !apierrors.IsNotFound(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
