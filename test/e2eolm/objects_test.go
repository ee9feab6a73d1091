//go:build e2eolm

package e2eolm

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// OLM's kinds. They are read as they are, so that no library of OLM's has to be one of the operator's.
var (
	subscriptionKind = schema.GroupVersionKind{Group: "operators.coreos.com", Version: "v1alpha1", Kind: "Subscription"}
	csvKind          = subscriptionKind.GroupVersion().WithKind("ClusterServiceVersion")
	planKind         = subscriptionKind.GroupVersion().WithKind("InstallPlan")
	sourceKind       = subscriptionKind.GroupVersion().WithKind("CatalogSource")
	conditionKind    = schema.GroupVersionKind{Group: "operators.coreos.com", Version: "v2", Kind: "OperatorCondition"}
	packageKind      = schema.GroupVersionKind{Group: "packages.operators.coreos.com", Version: "v1", Kind: "PackageManifest"}
)

func (s *suite) object(ctx context.Context, kind schema.GroupVersionKind, name string) (*unstructured.Unstructured, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	return o, s.Get(ctx, s.Key(name), o)
}

// named is an object of a kind, of which no more is known.
func named(kind schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

func (s *suite) objects(ctx context.Context, kind schema.GroupVersionKind) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind)
	err := s.List(ctx, list, client.InNamespace(s.Namespace))
	return list.Items, err
}

func text(o *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(o.Object, path...)
	return value
}

// phase waits for the phase of a CSV. One that has failed may still get there: OLM tries again.
func (s *suite) phase(t *testing.T, r release, want string, limit time.Duration) *unstructured.Unstructured {
	t.Helper()
	var csv *unstructured.Unstructured
	must(t, s.Await(t.Context(), "csv/"+r.csv(), limit, func() (bool, string, error) {
		var err error
		if csv, err = s.object(t.Context(), csvKind, r.csv()); err != nil {
			return notYet(err)
		}
		phase := text(csv, "status", "phase")
		return phase == want, fmt.Sprintf("%s (%s) %s", phase, text(csv, "status", "reason"), text(csv, "status", "message")), nil
	}))
	return csv
}

// planned waits for the plan that brings a release and wants an approval. OLM unpacks the bundle before that, which takes its time.
func (s *suite) planned(t *testing.T, r release) *unstructured.Unstructured {
	t.Helper()
	var plan *unstructured.Unstructured
	must(t, s.Await(t.Context(), "installplan of "+r.version, 3*time.Minute, func() (bool, string, error) {
		plans, err := s.objects(t.Context(), planKind)
		if err != nil {
			return notYet(err)
		}
		for i := range plans {
			names, _, _ := unstructured.NestedStringSlice(plans[i].Object, "spec", "clusterServiceVersionNames")
			if !slices.Contains(names, r.csv()) || text(&plans[i], "status", "phase") != "RequiresApproval" {
				continue
			}
			plan = &plans[i]
			return true, "waits for approval", nil
		}
		return false, fmt.Sprintf("none among %d waits for approval", len(plans)), nil
	}))
	return plan
}

// approve lets a release in once its plan asks for it.
func (s *suite) approve(t *testing.T, r release) {
	t.Helper()
	must(t, s.MergePatch(t.Context(), s.planned(t, r), `{"spec":{"approved":true}}`))
}

// remove deletes an object that may not be there, and waits until it is gone.
func (s *suite) remove(t *testing.T, o client.Object, limit time.Duration) {
	t.Helper()
	must(t, client.IgnoreNotFound(s.Delete(t.Context(), o)))
	must(t, s.AwaitGone(t.Context(), o, limit))
}

// gone waits until no object of a kind is left; a kind that the cluster does not know has none.
func (s *suite) gone(t *testing.T, kind schema.GroupVersionKind, limit time.Duration) {
	t.Helper()
	must(t, s.Await(t.Context(), kind.Kind, limit, func() (bool, string, error) {
		found, err := s.objects(t.Context(), kind)
		if err != nil && !apierrors.IsNotFound(err) {
			return notYet(err)
		}
		return len(found) == 0, fmt.Sprintf("%d left", len(found)), nil
	}))
}

// upgradeable is the status of the operator's condition of that name, and why.
func (s *suite) upgradeable(ctx context.Context, r release) (status, reason, message string) {
	o, err := s.object(ctx, conditionKind, r.csv())
	if err != nil {
		return "", "", err.Error()
	}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c := (&unstructured.Unstructured{Object: c.(map[string]any)}); text(c, "type") == "Upgradeable" {
			return text(c, "status"), text(c, "reason"), text(c, "message")
		}
	}
	return "", "", "no condition yet"
}
