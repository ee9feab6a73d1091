package lifecycle

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

const (
	clusterLimit  = 10 * time.Minute
	databaseLimit = 4 * time.Minute
	childLimit    = 2 * time.Minute
)

// backupSecret is what the example with a backup names. Nothing is ever written with these credentials.
const backupSecret = "s3-backup"

// reconcile applies every example of the release. The first cluster and its databases stay for the stages that follow.
func reconcile(ctx context.Context, s *stage) {
	var all, clusters []*unstructured.Unstructured
	s.step("the release shows examples of every kind", func(t report.T) {
		var err error
		all, err = s.examples(ctx, s.From)
		must(t, err)
		clusters = ofKind(all, clusterKind)
		for _, kind := range []string{clusterKind, databaseKind, remoteKind, activeActiveKind} {
			if len(ofKind(all, kind)) == 0 {
				t.Fatalf("there is none of %s", kind)
			}
		}
		if got := clusters[0].GetName(); got != firstCluster {
			t.Fatalf("the first cluster is %s; the databases are shown in %s", got, firstCluster)
		}
	})
	// A namespace has one cluster, so those that do not stay come and go before the one that does.
	s.step("every cluster that is shown runs", func(t report.T) {
		for _, example := range clusters[1:] {
			s.clusterRuns(ctx, t, example)
			must(t, s.removeCluster(ctx, example.GetName()))
		}
	})
	s.step("the first cluster runs", func(t report.T) { s.clusterRuns(ctx, t, clusters[0]) })
	s.step("each database is active", func(t report.T) { s.databasesRun(ctx, t, ofKind(all, databaseKind)) })
	s.check("the children are there", func(t report.T) { s.childrenAreThere(ctx, t, firstCluster) })
	s.check("Routes lead in where there are any", func(t report.T) { s.routesLeadIn(ctx, t, s.From) })
	s.check("metrics are scraped where something can", func(t report.T) { s.monitorsAreThere(ctx, t, s.From) })
	s.check("remote clusters and Active-Active databases are answered", func(t report.T) {
		if actsOnRemotes(s.From) {
			s.remotesWork(ctx, t, s.From)
			return
		}
		for _, example := range slices.Concat(ofKind(all, remoteKind), ofKind(all, activeActiveKind)) {
			s.isAnswered(ctx, t, example)
		}
	})
	s.check("what is wrong is refused in a sentence", func(t report.T) { s.wrongIsRefused(ctx, t) })
	s.check("events tell of it", func(t report.T) { s.eventsTell(ctx, t, firstCluster) })
}

func (s *stage) clusterRuns(ctx context.Context, t report.T, example *unstructured.Unstructured) {
	t.Helper()
	must(t, s.license(ctx, example.GetName(), licenseOf(example.GetName())))
	must(t, s.ApplyObject(ctx, example))
	must(t, s.AwaitCluster(ctx, example.GetName(), clusterLimit))
	var rec appv1.RedisEnterpriseCluster
	must(t, s.Get(ctx, s.Key(example.GetName()), &rec))
	if rec.Status.State != appv1.ClusterRunning {
		t.Errorf("%s is ready and its state is %s", rec.Name, rec.Status.State)
	}
}

func (s *stage) databasesRun(ctx context.Context, t report.T, examples []*unstructured.Unstructured) {
	t.Helper()
	must(t, client.IgnoreAlreadyExists(s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Cluster.Namespace, Name: backupSecret},
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
	})))
	for _, example := range examples {
		must(t, s.password(ctx, example))
		must(t, s.ApplyObject(ctx, example))
	}
	for _, example := range examples {
		must(t, s.AwaitDatabase(ctx, example.GetName(), databaseLimit))
		var db appv1alpha1.RedisEnterpriseDatabase
		must(t, s.Get(ctx, s.Key(example.GetName()), &db))
		if db.Status.Status != appv1alpha1.DatabaseActive {
			t.Errorf("%s is ready and its status is %s", db.Name, db.Status.Status)
		}
		must(t, s.AwaitService(ctx, example.GetName(), childLimit))
	}
}

// password makes the Secret with the password of a database that names one of its own.
func (s *stage) password(ctx context.Context, example *unstructured.Unstructured) error {
	name, _, err := unstructured.NestedString(example.Object, "spec", "databaseSecretName")
	if err != nil || name == "" {
		return err
	}
	return client.IgnoreAlreadyExists(s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Cluster.Namespace, Name: name},
		StringData: map[string]string{names.PasswordKey: rand.Text()},
	}))
}

// childrenAreThere looks for what every cluster has.
func (s *stage) childrenAreThere(ctx context.Context, t report.T, cluster string) {
	t.Helper()
	for _, child := range []client.Object{&appsv1.StatefulSet{}, &corev1.Service{}, &corev1.Secret{}} {
		if err := s.Get(ctx, s.Key(cluster), child); err != nil {
			t.Errorf("%T: %v", child, err)
		}
	}
	var budgets policyv1.PodDisruptionBudgetList
	must(t, s.List(ctx, &budgets, client.InNamespace(s.Cluster.Namespace)))
	if !slices.ContainsFunc(budgets.Items, func(b policyv1.PodDisruptionBudget) bool { return b.Labels[names.LabelCluster] == cluster }) {
		t.Error("no budget keeps the nodes from being taken down together")
	}
}

// routesLeadIn looks for what a release makes where there are Routes. One that asks for no right to it makes none.
func (s *stage) routesLeadIn(ctx context.Context, t report.T, version string) {
	t.Helper()
	if !s.serves(routeKind) {
		t.Logf("this cluster has no Routes")
		return
	}
	var csv v1alpha1.ClusterServiceVersion
	must(t, s.Get(ctx, s.Key(s.csv(version)), &csv))
	if !asksFor(&csv, routeKind.Group) {
		t.Logf("%s makes no Routes", csv.Name)
		return
	}
	want := host(firstCluster, s.Cluster.Namespace)
	must(t, s.Await(ctx, "route to "+want, childLimit, func() (bool, string, error) {
		routes, err := s.objects(ctx, routeKind)
		if err != nil {
			return notYet(err)
		}
		for _, route := range routes {
			got, _, _ := unstructured.NestedString(route.Object, "spec", "host")
			passed, _, _ := unstructured.NestedString(route.Object, "spec", "tls", "termination")
			if got == want && passed == "passthrough" {
				return true, route.GetName(), nil
			}
		}
		return false, fmt.Sprintf("none of %d", len(routes)), nil
	}))
}

// monitorsAreThere looks for what a release makes for Prometheus. One that asks for no right to it makes none.
func (s *stage) monitorsAreThere(ctx context.Context, t report.T, version string) {
	t.Helper()
	if !s.serves(monitorKind) {
		t.Logf("this cluster has no ServiceMonitors")
		return
	}
	var csv v1alpha1.ClusterServiceVersion
	must(t, s.Get(ctx, s.Key(s.csv(version)), &csv))
	if !asksFor(&csv, monitorKind.Group) {
		t.Logf("%s makes no ServiceMonitors", csv.Name)
		return
	}
	must(t, s.Await(ctx, "servicemonitor of "+firstCluster, childLimit, func() (bool, string, error) {
		monitors, err := s.objects(ctx, monitorKind)
		if err != nil {
			return notYet(err)
		}
		return slices.ContainsFunc(monitors, func(m unstructured.Unstructured) bool { return m.GetLabels()[names.LabelCluster] == firstCluster }),
			fmt.Sprintf("%d in all", len(monitors)), nil
	}))
}

// asksFor tells whether a release wants rights in an API group.
func asksFor(csv *v1alpha1.ClusterServiceVersion, group string) bool {
	for _, p := range csv.Spec.InstallStrategy.StrategySpec.Permissions {
		for _, rule := range p.Rules {
			if slices.Contains(rule.APIGroups, group) {
				return true
			}
		}
	}
	return false
}

func (s *stage) objects(ctx context.Context, kind schema.GroupVersionKind) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind)
	err := s.List(ctx, list, client.InNamespace(s.Cluster.Namespace))
	return list.Items, err
}

// isAnswered applies an example and waits for the word of an operator that does not act on it: a refusal that names a field, or
// that it is not ready and why. Nothing was done, so that it is ready would be wrong.
func (s *stage) isAnswered(ctx context.Context, t report.T, example *unstructured.Unstructured) {
	t.Helper()
	err := s.ApplyObject(ctx, example)
	if isRefusal(err) && strings.Contains(err.Error(), "spec.") {
		t.Logf("%s: %v", example.GetName(), err)
		return
	}
	must(t, err)
	must(t, s.Await(ctx, example.GetKind()+"/"+example.GetName(), childLimit, func() (bool, string, error) {
		found := &unstructured.Unstructured{}
		found.SetGroupVersionKind(example.GroupVersionKind())
		if err := s.Get(ctx, client.ObjectKeyFromObject(example), found); err != nil {
			return notYet(err)
		}
		ready := conditionOf(found, appv1.ConditionReady)
		if ready == nil || ready.ObservedGeneration != found.GetGeneration() {
			return false, "no answer", nil
		}
		if ready.Status == metav1.ConditionTrue {
			return false, "", fmt.Errorf("%s says that it is ready, and what it speaks of is not there", example.GetName())
		}
		return ready.Reason != "" && ready.Message != "", words(ready), nil
	}))
}

func (s *stage) wrongIsRefused(ctx context.Context, t report.T) {
	t.Helper()
	database := s.Cache()
	database.Name, database.Spec.MemorySize = "wrong-memory", "none"
	s.isRefused(ctx, t, database, "spec.memorySize")
	cluster, err := s.smallCluster()
	must(t, err)
	two := int32(2)
	cluster.Name, cluster.Spec.Nodes = "wrong-nodes", &two
	s.isRefused(ctx, t, cluster, "spec.nodes")
}

// certificateLimit is how long the API server and the pods may disagree about the certificate of the webhook. OLM replaces
// it with each release, and kubelets take a minute and a half to bring it to a pod that runs already.
const certificateLimit = 3 * time.Minute

// isRefused applies what admission must refuse, naming the field.
func (s *stage) isRefused(ctx context.Context, t report.T, object client.Object, field string) {
	t.Helper()
	err := s.applyReviewed(ctx, object)
	switch {
	case err == nil:
		t.Errorf("%s got in", object.GetName())
		must(t, s.remove(ctx, object))
	case !isRefusal(err):
		t.Errorf("%s was refused by something else: %v", object.GetName(), err)
	case !strings.Contains(err.Error(), field):
		t.Errorf("the refusal of %s does not name %s: %v", object.GetName(), field, err)
	}
}

// applyReviewed applies an object, and again while nobody could be asked about it because of a certificate.
func (s *stage) applyReviewed(ctx context.Context, object client.Object) error {
	var answer error
	err := s.Await(ctx, "the webhook that is asked about "+object.GetName(), certificateLimit, func() (bool, string, error) {
		answer = s.ApplyObject(ctx, object)
		if isUntrusted(answer) {
			return false, answer.Error(), nil
		}
		return true, "answers", nil
	})
	if err != nil {
		return err
	}
	return answer
}

// isUntrusted tells whether the API server does not know the certificate that the webhook shows.
func isUntrusted(err error) bool {
	return err != nil && strings.Contains(err.Error(), "failed calling webhook") && strings.Contains(err.Error(), "x509:")
}

// isRefusal tells whether an object was looked at and turned away, by the schema or by admission.
func isRefusal(err error) bool {
	return err != nil && (apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || strings.Contains(err.Error(), "denied the request"))
}

func (s *stage) eventsTell(ctx context.Context, t report.T, cluster string) {
	t.Helper()
	var events corev1.EventList
	must(t, s.List(ctx, &events, client.InNamespace(s.Cluster.Namespace)))
	for _, e := range events.Items {
		if e.InvolvedObject.Kind == clusterKind && e.InvolvedObject.Name == cluster {
			return
		}
	}
	t.Errorf("%d events, and none about %s", len(events.Items), cluster)
}

// removeCluster deletes a cluster and the volumes that it leaves behind on purpose.
func (s *stage) removeCluster(ctx context.Context, name string) error {
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.Cluster.Namespace}}
	if err := s.remove(ctx, rec); err != nil {
		return err
	}
	return s.DeleteAllOf(ctx, &corev1.PersistentVolumeClaim{}, client.InNamespace(s.Cluster.Namespace), client.MatchingLabels{names.LabelCluster: name})
}
