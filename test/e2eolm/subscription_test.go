//go:build e2eolm

package e2eolm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

const (
	rec  = "rec"
	rate = 500
	// planned is how long a database may be away while nothing of it is touched.
	planned = 10 * time.Second
)

// subscribe installs the published release, which waits for an approval.
func subscribe(t *testing.T, s *suite) {
	ctx := t.Context()
	must(t, s.EnsureNamespace(ctx))
	must(t, s.ApplyYAML(ctx, fmt.Appendf(nil, `
apiVersion: operators.coreos.com/v1
kind: OperatorGroup
metadata: {name: redis-enterprise}
spec: {targetNamespaces: [%[1]s]}
---
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: %[2]s}
spec:
  source: %[3]s
  sourceNamespace: %[4]s
  name: %[2]s
  channel: %[5]s
  startingCSV: %[6]s
  installPlanApproval: Manual
`, s.Namespace, packageName, sourceName, olmNamespace, channel, s.released.csv())))
	if found, err := s.objects(ctx, csvKind); err != nil || len(found) > 0 {
		t.Fatalf("%d releases are there before the approval, %v", len(found), err)
	}
	s.approve(t, s.released)
	csv := s.phase(t, s.released, "Succeeded", 5*time.Minute)
	must(t, s.AwaitDeployment(ctx, operator, 2*time.Minute))
	s.isServed(t, csv)
	t.Run("the webhooks ask about this namespace alone", func(t *testing.T) { s.webhooksAreScoped(t) })
	t.Run("the deployment runs the image of the bundle", func(t *testing.T) { s.runs(t, s.released) })
}

// isServed checks that OLM gave the release all that it asked for.
func (s *suite) isServed(t *testing.T, csv *unstructured.Unstructured) {
	t.Helper()
	statuses, _, err := unstructured.NestedSlice(csv.Object, "status", "requirementStatus")
	must(t, err)
	for _, one := range statuses {
		o := &unstructured.Unstructured{Object: one.(map[string]any)}
		if status := text(o, "status"); status != "Present" && status != "Satisfied" {
			t.Errorf("%s %s: %s", text(o, "kind"), text(o, "name"), status)
		}
	}
	if _, err := s.object(t.Context(), conditionKind, csv.GetName()); err != nil {
		t.Errorf("OLM made no OperatorCondition: %v", err)
	}
}

func (s *suite) webhooksAreScoped(t *testing.T) {
	t.Helper()
	var all admissionv1.ValidatingWebhookConfigurationList
	must(t, s.List(t.Context(), &all, client.MatchingLabels{"olm.owner.namespace": s.Namespace}))
	hooks := 0
	for _, configuration := range all.Items {
		for _, hook := range configuration.Webhooks {
			hooks++
			if len(hook.ClientConfig.CABundle) == 0 || hook.NamespaceSelector == nil ||
				len(hook.NamespaceSelector.MatchLabels)+len(hook.NamespaceSelector.MatchExpressions) == 0 {
				t.Errorf("webhook %s: selector %v, %d bytes of authorities", hook.Name, hook.NamespaceSelector, len(hook.ClientConfig.CABundle))
			}
		}
	}
	if hooks == 0 {
		t.Error("there is no webhook")
	}
}

// runs checks that the operator's pods run the image that the release names.
func (s *suite) runs(t *testing.T, r release) {
	t.Helper()
	csv, err := s.object(t.Context(), csvKind, r.csv())
	must(t, err)
	want := csv.GetAnnotations()["containerImage"]
	deployment, err := s.Core.AppsV1().Deployments(s.Namespace).Get(t.Context(), operator, metav1.GetOptions{})
	must(t, err)
	if got := deployment.Spec.Template.Spec.Containers[0].Image; got != want || want == "" {
		t.Errorf("the deployment runs %s instead of %s", got, want)
	}
}

// databases makes the demo's cluster with its databases and fills them.
func databases(t *testing.T, s *suite) {
	ctx := t.Context()
	must(t, s.Prepare(ctx, s.node))
	for _, database := range []string{shardedDB, singleDB} {
		report, err := s.writer(t, "fill-"+database, database).Finish(ctx)
		must(t, err)
		if report.Keys == 0 || report.Lost > 0 {
			t.Errorf("%s: %d keys written, %d lost", database, report.Keys, report.Lost)
		}
		s.Sayf("    %s holds %d keys", database, report.Keys)
	}
	t.Run("an impossible database is refused", func(t *testing.T) {
		bad := s.Cache()
		bad.Name, bad.Spec.MemorySize = "bad", "none"
		if err := s.ApplyObject(ctx, bad); err == nil || !strings.Contains(err.Error(), "memorySize") {
			t.Errorf("got %v", err)
		}
	})
}

// upgrade approves head while clients write. No pod of the cluster may notice.
func upgrade(t *testing.T, s *suite) {
	ctx := t.Context()
	replicated, single := s.writer(t, "upgrade-orders", shardedDB), s.writer(t, "upgrade-cache", singleDB)
	before, spec := s.podIDs(t), s.cluster(t).Generation
	s.approve(t, s.head)
	s.phase(t, s.head, "Succeeded", 5*time.Minute)
	must(t, s.AwaitDeployment(ctx, operator, 2*time.Minute))
	must(t, s.AwaitGone(ctx, named(csvKind, s.Namespace, s.released.csv()), time.Minute))
	s.settled(t, s.head)
	t.Run("the deployment runs the image of the bundle", func(t *testing.T) { s.runs(t, s.head) })
	t.Run("no acknowledged write is lost from the replicated database", func(t *testing.T) { s.nothingLost(t, replicated, planned) })
	t.Run("no acknowledged write is lost from the single shard", func(t *testing.T) { s.nothingLost(t, single, planned) })
	t.Run("no pod of the cluster is restarted", func(t *testing.T) { s.sameAs(t, before) })
	t.Run("the spec is as it was", func(t *testing.T) {
		if got := s.cluster(t).Generation; got != spec {
			t.Errorf("generation %d became %d", spec, got)
		}
	})
	t.Run("the stored versions are served", func(t *testing.T) { s.storedVersions(t) })
}

// settled waits until a new operator has seen everything and finds it in order.
func (s *suite) settled(t *testing.T, r release) {
	t.Helper()
	must(t, s.AwaitCluster(t.Context(), rec, 3*time.Minute))
	for _, database := range []string{shardedDB, singleDB} {
		must(t, s.AwaitDatabase(t.Context(), database, 2*time.Minute))
	}
	must(t, s.Await(t.Context(), "operatorcondition/"+r.csv(), 3*time.Minute, func() (bool, string, error) {
		status, reason, message := s.upgradeable(t.Context(), r)
		return status == string(metav1.ConditionTrue), fmt.Sprintf("Upgradeable=%s (%s) %s", status, reason, message), nil
	}))
}

func (s *suite) storedVersions(t *testing.T) {
	t.Helper()
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	must(t, s.Get(t.Context(), client.ObjectKey{Name: "redisenterpriseclusters." + appv1.GroupVersion.Group}, crd))
	stored, _, err := unstructured.NestedStringSlice(crd.Object, "status", "storedVersions")
	must(t, err)
	if !slices.Equal(stored, []string{appv1.GroupVersion.Version}) {
		t.Errorf("stored versions are %v", stored)
	}
}

// writer starts a client that writes until it is told to stop, and checks then.
func (s *suite) writer(t *testing.T, name, database string) *scenario.Writer {
	t.Helper()
	w, err := s.StartWriter(t.Context(), scenario.WriterOptions{Name: name, Database: database, Image: s.node, Rate: rate})
	must(t, err)
	return w
}

func (s *suite) nothingLost(t *testing.T, w *scenario.Writer, limit time.Duration) {
	t.Helper()
	report, err := w.Finish(t.Context())
	must(t, err)
	scenario.PrintReport(s.Out, report)
	if report.Acknowledged == 0 {
		t.Error("nothing was written")
	}
	if report.Lost > 0 {
		t.Errorf("%d acknowledged writes are lost: %v", report.Lost, report.LostKeys)
	}
	if report.LongestUnavailableSeconds > limit.Seconds() {
		t.Errorf("the database was away for %.1f s, longer than %s", report.LongestUnavailableSeconds, limit)
	}
}

// podIDs are the node pods by name, with how often their containers were started.
func (s *suite) podIDs(t *testing.T) map[string]string {
	t.Helper()
	pods, err := s.NodePods(t.Context(), rec)
	must(t, err)
	ids := map[string]string{}
	for _, pod := range pods {
		ids[pod.Name] = fmt.Sprintf("%s, restarted %d times", pod.UID, restarts(&pod))
	}
	return ids
}

func restarts(pod *corev1.Pod) int32 {
	var count int32
	for _, status := range pod.Status.ContainerStatuses {
		count += status.RestartCount
	}
	return count
}

func (s *suite) sameAs(t *testing.T, before map[string]string) {
	t.Helper()
	if after := s.podIDs(t); !maps.Equal(before, after) || len(before) != 3 {
		t.Errorf("the pods were %v and are %v", before, after)
	}
}

func (s *suite) cluster(t *testing.T) *appv1.RedisEnterpriseCluster {
	t.Helper()
	var cluster appv1.RedisEnterpriseCluster
	must(t, s.Get(t.Context(), s.Key(rec), &cluster))
	return &cluster
}

// uninstall removes the databases and the cluster by their operator, and then the operator.
func uninstall(t *testing.T, s *suite) {
	ctx := t.Context()
	must(t, s.DeleteAllOf(ctx, &appv1alpha1.RedisEnterpriseDatabase{}, client.InNamespace(s.Namespace)))
	s.gone(t, appv1alpha1.GroupVersion.WithKind("RedisEnterpriseDatabase"), 2*time.Minute)
	must(t, s.DeleteAllOf(ctx, &appv1.RedisEnterpriseCluster{}, client.InNamespace(s.Namespace)))
	s.gone(t, appv1.GroupVersion.WithKind("RedisEnterpriseCluster"), 2*time.Minute)
	s.remove(t, named(subscriptionKind, s.Namespace, packageName), time.Minute)
	s.remove(t, named(csvKind, s.Namespace, s.next.csv()), time.Minute)
	must(t, s.Await(ctx, "deployment/"+operator, time.Minute, func() (bool, string, error) {
		_, err := s.Core.AppsV1().Deployments(s.Namespace).Get(ctx, operator, metav1.GetOptions{})
		return client.IgnoreNotFound(err) == nil && err != nil, fmt.Sprint(err), nil
	}))
	s.gone(t, conditionKind, time.Minute)
	s.removeCatalog(t)
	s.removeNamespace(t, s.Namespace)
	t.Run("no webhook of the operator is left", func(t *testing.T) {
		must(t, s.Await(ctx, "webhooks", time.Minute, func() (bool, string, error) {
			var all admissionv1.ValidatingWebhookConfigurationList
			err := s.List(ctx, &all, client.MatchingLabels{"olm.owner.namespace": s.Namespace})
			return err == nil && len(all.Items) == 0, fmt.Sprintf("%d left", len(all.Items)), nil
		}))
	})
	t.Run("the kinds stay", func(t *testing.T) { s.storedVersions(t) })
}
