package lifecycle

import (
	"context"
	"strings"
	"testing"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	operatorsv2 "github.com/operator-framework/api/pkg/operators/v2"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// madeByOLM are the labels of what OLM makes for a release in a namespace.
func madeByOLM(namespace string) map[string]string {
	return map[string]string{ownerLabel: options().csv("1.1.0"), ownerNamespaceLabel: namespace, "olm.owner.kind": v1alpha1.ClusterServiceVersionKind}
}

func labelled(object client.Object, name, namespace string, labels map[string]string) client.Object {
	object.SetName(name)
	object.SetNamespace(namespace)
	object.SetLabels(labels)
	return object
}

// TestOperatorIsGone: whatever OLM made for the operator is missed when it stays, and what belongs to another one is not.
func TestOperatorIsGone(t *testing.T) {
	ours := madeByOLM(DefaultNamespace)
	hooks := &admissionv1.ValidatingWebhookConfiguration{Webhooks: []admissionv1.ValidatingWebhook{{Name: "hook"}}}
	for _, left := range []client.Object{
		labelled(&appsv1.Deployment{}, "x", DefaultNamespace, ours), labelled(&rbacv1.Role{}, "x", DefaultNamespace, ours),
		labelled(&rbacv1.RoleBinding{}, "x", DefaultNamespace, ours), labelled(&rbacv1.ClusterRole{}, "x", "", ours),
		labelled(&rbacv1.ClusterRoleBinding{}, "x", "", ours), labelled(&operatorsv2.OperatorCondition{}, "x", DefaultNamespace, nil),
		labelled(hooks, "x", "", ours),
	} {
		s := world(t, options(), left)
		got := result(s, func(ctx context.Context, t report.T) { s.operatorIsGone(ctx, t) })
		if got.State != scorecard.FailState {
			t.Errorf("%T is left, and nobody misses it: %+v", left, got)
		}
	}
	theirs := madeByOLM("other")
	s := world(t, options(), labelled(&rbacv1.Role{}, "x", "other", theirs), labelled(&rbacv1.ClusterRole{}, "x", "", theirs),
		labelled(&rbacv1.ClusterRoleBinding{}, "x", "", theirs), labelled(&rbacv1.RoleBinding{}, "mine", DefaultNamespace, nil))
	if got := result(s, func(ctx context.Context, t report.T) { s.operatorIsGone(ctx, t) }); got.State != scorecard.PassState {
		t.Errorf("%+v", got)
	}
}

// TestNamespaceIsClean: a child of a cluster that stays is found, of whatever kind it is.
func TestNamespaceIsClean(t *testing.T) {
	child := map[string]string{names.LabelCluster: firstCluster}
	for _, left := range []client.Object{
		&corev1.Pod{}, &corev1.Service{}, &corev1.Secret{}, &corev1.ConfigMap{}, &corev1.ServiceAccount{}, &corev1.PersistentVolumeClaim{},
		&appsv1.StatefulSet{}, &appsv1.Deployment{}, &policyv1.PodDisruptionBudget{}, &rbacv1.Role{}, &rbacv1.RoleBinding{},
	} {
		s := world(t, options(), labelled(left, "x", DefaultNamespace, child))
		got := result(s, func(ctx context.Context, t report.T) { s.namespaceIsClean(ctx, t) })
		if got.State != scorecard.FailState || !strings.Contains(strings.Join(got.Errors, " "), "/x") {
			t.Errorf("%T is left: %+v", left, got)
		}
	}
	s := world(t, options(), labelled(&corev1.Secret{}, "users", DefaultNamespace, nil), labelled(&corev1.Secret{}, "x", "other", child))
	if got := result(s, func(ctx context.Context, t report.T) { s.namespaceIsClean(ctx, t) }); got.State != scorecard.PassState {
		t.Errorf("%+v", got)
	}
}

// TestHasRights: what was not given is found, in the namespace and in the cluster, and what was given beyond that.
func TestHasRights(t *testing.T) {
	read := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}
	more := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "delete"}}
	csv := &v1alpha1.ClusterServiceVersion{ObjectMeta: at(options().csv("1.1.0"))}
	strategy := &csv.Spec.InstallStrategy.StrategySpec
	strategy.Permissions = []v1alpha1.StrategyDeploymentPermissions{{Rules: []rbacv1.PolicyRule{read}}}
	strategy.ClusterPermissions = []v1alpha1.StrategyDeploymentPermissions{{Rules: []rbacv1.PolicyRule{read}}}
	role := func(rules ...rbacv1.PolicyRule) client.Object {
		return labelled(&rbacv1.Role{Rules: rules}, "x", DefaultNamespace, madeByOLM(DefaultNamespace))
	}
	clusterRole := func(rules ...rbacv1.PolicyRule) client.Object {
		return labelled(&rbacv1.ClusterRole{Rules: rules}, "x", "", madeByOLM(DefaultNamespace))
	}
	for name, c := range map[string]struct {
		given []client.Object
		want  scorecard.State
	}{
		"both":                          {[]client.Object{role(read), clusterRole(read)}, scorecard.PassState},
		"none in the namespace":         {[]client.Object{clusterRole(read)}, scorecard.FailState},
		"none in the cluster":           {[]client.Object{role(read)}, scorecard.FailState},
		"others in the cluster":         {[]client.Object{role(read), clusterRole(more)}, scorecard.FailState},
		"more than was asked for":       {[]client.Object{role(read, more), clusterRole(read)}, scorecard.FailState},
		"those of another installation": {[]client.Object{role(read), labelled(&rbacv1.ClusterRole{Rules: []rbacv1.PolicyRule{read}}, "x", "", madeByOLM("other"))}, scorecard.FailState},
	} {
		s := world(t, options(), c.given...)
		if got := result(s, func(ctx context.Context, t report.T) { s.hasRights(ctx, t, csv) }); got.State != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestWebhooksAsk: each webhook of the bundle is there, trusted, and asks about the namespaces that are served.
func TestWebhooksAsk(t *testing.T) {
	csv := &v1alpha1.ClusterServiceVersion{ObjectMeta: at(options().csv("1.1.0"))}
	csv.Spec.WebhookDefinitions = []v1alpha1.WebhookDescription{{GenerateName: "one"}, {GenerateName: "two"}}
	hook := func(name string, authority string, selector map[string]string) client.Object {
		return labelled(&admissionv1.ValidatingWebhookConfiguration{Webhooks: []admissionv1.ValidatingWebhook{{
			Name: name, ClientConfig: admissionv1.WebhookClientConfig{CABundle: []byte(authority)},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: selector},
		}}}, name, "", madeByOLM(DefaultNamespace))
	}
	some := map[string]string{"group": ""}
	for name, c := range map[string]struct {
		hooks      []client.Object
		everything bool
		want       scorecard.State
	}{
		"all of them":             {[]client.Object{hook("one", "ca", some), hook("two", "ca", some)}, false, scorecard.PassState},
		"about everything":        {[]client.Object{hook("one", "ca", nil), hook("two", "ca", nil)}, true, scorecard.PassState},
		"one is missing":          {[]client.Object{hook("one", "ca", some)}, false, scorecard.FailState},
		"one more":                {[]client.Object{hook("one", "ca", some), hook("two", "ca", some), hook("three", "ca", some)}, false, scorecard.FailState},
		"another one":             {[]client.Object{hook("one", "ca", some), hook("three", "ca", some)}, false, scorecard.FailState},
		"one is not trusted":      {[]client.Object{hook("one", "ca", some), hook("two", "", some)}, false, scorecard.FailState},
		"one asks too much":       {[]client.Object{hook("one", "ca", some), hook("two", "ca", nil)}, false, scorecard.FailState},
		"one does not ask enough": {[]client.Object{hook("one", "ca", nil), hook("two", "ca", some)}, true, scorecard.FailState},
	} {
		s := world(t, options(), c.hooks...)
		if got := result(s, func(ctx context.Context, t report.T) { s.webhooksAsk(ctx, t, csv, c.everything) }); got.State != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestServes: OLM tells the release the namespaces of the mode, in any order.
func TestServes(t *testing.T) {
	for name, c := range map[string]struct {
		told    string
		targets []string
		want    scorecard.State
	}{
		"one":          {"a", []string{"a"}, scorecard.PassState},
		"two":          {"a,b", []string{"b", "a"}, scorecard.PassState},
		"all":          {"", nil, scorecard.PassState},
		"one of two":   {"a", []string{"a", "b"}, scorecard.FailState},
		"not all":      {"a", nil, scorecard.FailState},
		"all, not one": {"", []string{"a"}, scorecard.FailState},
	} {
		csv := &v1alpha1.ClusterServiceVersion{ObjectMeta: at("x")}
		csv.Annotations = map[string]string{targetsAnnotation: c.told}
		if got := report.Result(name, func(t report.T) { serves(t, csv, c.targets) }); got.State != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
