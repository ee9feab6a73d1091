package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/activeactive"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

func TestAA3_ADatabaseWhoseResourceCannotBeMadeIsTold(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appv1.AddToScheme, appv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}}
	for name, c := range map[string]struct {
		end   error
		tells bool
		err   bool
	}{
		"a failure is tried again":         {errors.New("no rights"), true, true},
		"a rejection is for a person":      {outcome.Reject("spec", "no rights"), true, false},
		"nothing to make":                  {nil, false, false},
		"what passes by itself is no news": {outcome.Wait("Waiting", 0, "no rights"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			events, pulse := record.NewFakeRecorder(5), activeactive.NewPulse(nil)
			t.Cleanup(pulse.Close)
			reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(rec.DeepCopy()).Build()
			broken := interceptor.NewClient(reader, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return c.end }})
			s := Shared{Events: events, Pulse: pulse, Teardown: &Teardown{}, Namespace: "ns"}
			kind := &activeactive.Kind{Client: broken, Live: broken, Pulse: pulse, Namespace: "ns"}
			result, err := discovering(reader, s, kind, nil)(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "orders"}})
			if (err != nil) != c.err || err == nil && (result.RequeueAfter == 0) != (c.end == nil) {
				t.Errorf("%+v %v", result, err)
			}
			close(events.Events)
			told := <-events.Events
			if c.tells != (strings.HasPrefix(told, "Warning "+names.EventNotDiscovered) && strings.Contains(told, "shop/orders") && strings.Contains(told, "no rights")) {
				t.Errorf("told %q", told)
			}
		})
	}
}
