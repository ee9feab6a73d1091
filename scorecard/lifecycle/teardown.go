package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
	"github.com/open-redis-enterprise/operator/scorecard/static"
)

// teardown deletes everything in the order that keeps data safe for longest, and looks for what was forgotten.
func teardown(ctx context.Context, s *stage) {
	s.step("databases go before their resources do", func(t report.T) { s.removeAll(ctx, t, activeActiveKind, databaseKind, remoteKind) })
	s.step("clusters go", func(t report.T) { s.removeClusters(ctx, t) })
	s.step("the operator goes", func(t report.T) {
		s.unsubscribe(ctx, t)
		s.operatorIsGone(ctx, t)
	})
	s.check("nothing of a cluster is left in the namespace", func(t report.T) { s.namespaceIsClean(ctx, t) })
	s.step("the namespace ends", func(t report.T) {
		must(t, s.remove(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Cluster.Namespace}}))
	})
	s.step("the kinds go", func(t report.T) { s.removeKinds(ctx, t) })
	s.check("nothing is left in the cluster", func(t report.T) { s.clusterIsClean(ctx, t) })
}

// removeAll deletes all resources of some kinds, kind by kind. A database's finalizer is let go once the cluster has
// deleted it, and then its Service goes too.
func (s *stage) removeAll(ctx context.Context, t report.T, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		gvk := appv1alpha1.GroupVersion.WithKind(kind)
		found, err := s.objects(ctx, gvk)
		must(t, err)
		for i := range found {
			must(t, client.IgnoreNotFound(s.Delete(ctx, &found[i])))
		}
		for i := range found {
			must(t, s.AwaitGone(ctx, &found[i], goneLimit))
		}
		if kind != databaseKind {
			continue
		}
		for _, db := range found {
			must(t, s.AwaitGone(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: db.GetName(), Namespace: db.GetNamespace()}}, goneLimit))
		}
	}
}

func (s *stage) removeClusters(ctx context.Context, t report.T) {
	t.Helper()
	var all appv1.RedisEnterpriseClusterList
	must(t, s.List(ctx, &all, client.InNamespace(s.Cluster.Namespace)))
	for _, rec := range all.Items {
		must(t, s.removeCluster(ctx, rec.Name))
	}
}

// namespaceIsClean waits until no child of a cluster is left.
func (s *stage) namespaceIsClean(ctx context.Context, t report.T) {
	t.Helper()
	must(t, s.Await(ctx, "children", goneLimit, func() (bool, string, error) {
		left, err := s.leftOfClusters(ctx)
		if err != nil {
			return notYet(err)
		}
		return len(left) == 0, strings.Join(left, " "), nil
	}))
}

// leftOfClusters are the objects in the namespace that belong to a cluster, of each kind that the operator makes.
func (s *stage) leftOfClusters(ctx context.Context) ([]string, error) {
	kinds := []client.ObjectList{
		&corev1.PodList{}, &corev1.ServiceList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceAccountList{},
		&corev1.PersistentVolumeClaimList{}, &appsv1.StatefulSetList{}, &appsv1.DeploymentList{}, &policyv1.PodDisruptionBudgetList{},
		&rbacv1.RoleList{}, &rbacv1.RoleBindingList{},
	}
	for _, kind := range []schema.GroupVersionKind{routeKind, monitorKind} {
		if s.serves(kind) {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(kind)
			kinds = append(kinds, list)
		}
	}
	var left []string
	for _, list := range kinds {
		if err := s.List(ctx, list, client.InNamespace(s.Cluster.Namespace), client.HasLabels{names.LabelCluster}); err != nil {
			return nil, err
		}
		found, err := contentOf(list)
		if err != nil {
			return nil, err
		}
		left = append(left, found...)
	}
	return left, nil
}

// contentOf names the objects of a list that all of the tests let through.
func contentOf(list client.ObjectList, tests ...func(metav1.Object) bool) ([]string, error) {
	var out []string
	err := meta.EachListItem(list, func(object runtime.Object) error {
		o, err := meta.Accessor(object)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(tests, func(test func(metav1.Object) bool) bool { return !test(o) }) {
			out = append(out, fmt.Sprintf("%T/%s", object, o.GetName()))
		}
		return nil
	})
	return out, err
}

// removeKinds deletes the CRDs, unless somebody else has resources of them.
func (s *stage) removeKinds(ctx context.Context, t report.T) {
	t.Helper()
	bundle, err := static.Read("bundle", s.Bundle)
	must(t, err)
	for _, crd := range bundle.V1CRDs {
		for _, version := range crd.Spec.Versions {
			list := &unstructured.UnstructuredList{}
			list.SetAPIVersion(crd.Spec.Group + "/" + version.Name)
			list.SetKind(crd.Spec.Names.ListKind)
			must(t, s.List(ctx, list))
			if len(list.Items) > 0 {
				t.Fatalf("%s stays: there is one in %s", crd.Name, list.Items[0].GetNamespace())
			}
		}
	}
	for _, crd := range bundle.V1CRDs {
		must(t, s.remove(ctx, &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: crd.Name}}))
	}
	// OLM applies what else a bundle holds for the whole cluster, and leaves it to whoever removes the kinds.
	for _, object := range bundle.Objects {
		if kind := object.GetKind(); kind == "ClusterRole" || strings.HasPrefix(kind, "Console") && s.serves(object.GroupVersionKind()) {
			must(t, s.remove(ctx, object.DeepCopy()))
		}
	}
}

// clusterIsClean looks for objects of the whole cluster that are ours, or that OLM made for us.
func (s *stage) clusterIsClean(ctx context.Context, t report.T) {
	t.Helper()
	must(t, s.Await(ctx, "objects of the whole cluster", goneLimit, func() (bool, string, error) {
		var left []string
		for _, list := range []client.ObjectList{&rbacv1.ClusterRoleList{}, &rbacv1.ClusterRoleBindingList{}, &admissionv1.ValidatingWebhookConfigurationList{}, &apiextensionsv1.CustomResourceDefinitionList{}} {
			if err := s.List(ctx, list); err != nil {
				return notYet(err)
			}
			content, err := contentOf(list, func(o metav1.Object) bool {
				return o.GetLabels()[names.LabelApp] == names.AppValue || isOurs(o.GetLabels()[ownerLabel], s.Package) || strings.HasSuffix(o.GetName(), "."+group)
			})
			if err != nil {
				return false, "", err
			}
			left = append(left, content...)
		}
		return len(left) == 0, strings.Join(left, " "), nil
	}))
	var all v1alpha1.ClusterServiceVersionList
	must(t, s.List(ctx, &all))
	for _, csv := range all.Items {
		if isOurs(csv.Name, s.Package) {
			t.Errorf("%s is left in %s", csv.Name, csv.Namespace)
		}
	}
}
