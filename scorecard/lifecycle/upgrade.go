package lifecycle

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// firstCluster is the cluster of the first example; its databases stay with it.
const firstCluster = "rec"

const (
	// quietFor is how long a converged operator is watched, and quietLoops how often it may look at each resource meanwhile.
	quietFor   = 30 * time.Second
	quietLoops = 6
)

// upgrade follows the release that was let through, and compares with what was before.
func upgrade(ctx context.Context, s *stage) {
	var before kept
	s.step("the new release is installed", func(t report.T) {
		before = s.recall(ctx, t)
		s.installed(ctx, t, s.To)
		s.runs(ctx, t, s.To)
	})
	s.step("the old release is gone", func(t report.T) {
		must(t, s.AwaitGone(ctx, &v1alpha1.ClusterServiceVersion{ObjectMeta: metav1.ObjectMeta{Name: s.csv(s.From), Namespace: s.Cluster.Namespace}}, goneLimit))
	})
	s.step("it has looked at everything and finds it well", func(t report.T) {
		must(t, s.AwaitCluster(ctx, firstCluster, clusterLimit))
		s.databasesAreReady(ctx, t)
		s.awaitUpgradeable(ctx, t, s.To, metav1.ConditionTrue, tellLimit)
	})
	s.check("no node was restarted", func(t report.T) { s.same(ctx, t, before.Nodes) })
	s.check("no spec was changed", func(t report.T) {
		if now := s.specs(ctx, t); !maps.Equal(before.Specs, now) {
			t.Errorf("generations were %v and are %v", before.Specs, now)
		}
	})
	s.check("the stored versions are served", func(t report.T) { s.storedVersions(ctx, t) })
	s.check("metrics are scraped where something can", func(t report.T) { s.monitorsAreThere(ctx, t, s.To) })
	s.check("Routes lead in where there are any", func(t report.T) { s.routesLeadIn(ctx, t, s.To) })
	s.check("admission answers", func(t report.T) { s.wrongIsRefused(ctx, t) })
	s.check("with nothing to do it does nothing", func(t report.T) { s.isQuiet(ctx, t) })
	if actsOnRemotes(s.To) {
		s.check("the local cluster is reached as a remote one, and what is missing of others is told", func(t report.T) { s.remotesWork(ctx, t, s.To) })
	}
	s.check("the new release says when it may not be replaced", func(t report.T) {
		nodes := s.nodes(ctx, t)
		s.roll(ctx, t, s.name)
		s.awaitUpgradeable(ctx, t, s.To, metav1.ConditionFalse, tellLimit)
		s.replaced(ctx, t, nodes)
		s.awaitUpgradeable(ctx, t, s.To, metav1.ConditionTrue, tellLimit)
	})
}

// runs checks that the operator's Deployment runs the image of a release.
func (s *stage) runs(ctx context.Context, t report.T, version string) {
	t.Helper()
	var csv v1alpha1.ClusterServiceVersion
	must(t, s.Get(ctx, s.Key(s.csv(version)), &csv))
	var d appsv1.Deployment
	must(t, s.Get(ctx, s.Key(deployment), &d))
	if got, want := d.Spec.Template.Spec.Containers[0].Image, csv.Annotations["containerImage"]; got != want || want == "" {
		t.Errorf("the Deployment runs %s instead of %s", got, want)
	}
}

// kept is what a later stage compares with. Stages run in pods of their own, so it is in a ConfigMap.
type kept struct {
	Nodes map[string]string `json:"nodes"`
	// Specs are the generations of clusters and databases.
	Specs map[string]int64 `json:"specs"`
}

func (s *stage) keep(ctx context.Context, t report.T) {
	t.Helper()
	text, err := json.Marshal(kept{Nodes: s.nodes(ctx, t), Specs: s.specs(ctx, t)})
	must(t, err)
	must(t, s.ApplyObject(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: source, Namespace: s.Cluster.Namespace}, Data: map[string]string{"kept": string(text)}}))
}

func (s *stage) recall(ctx context.Context, t report.T) kept {
	t.Helper()
	var held corev1.ConfigMap
	must(t, s.Get(ctx, s.Key(source), &held))
	var before kept
	must(t, json.Unmarshal([]byte(held.Data["kept"]), &before))
	return before
}

// specs are the generations of clusters and databases, which change with their specs alone.
func (s *stage) specs(ctx context.Context, t report.T) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, list := range []client.ObjectList{&appv1.RedisEnterpriseClusterList{}, &appv1alpha1.RedisEnterpriseDatabaseList{}} {
		must(t, s.List(ctx, list, client.InNamespace(s.Cluster.Namespace)))
		must(t, meta.EachListItem(list, func(object runtime.Object) error {
			o, err := meta.Accessor(object)
			if err == nil {
				out[fmt.Sprintf("%T/%s", object, o.GetName())] = o.GetGeneration()
			}
			return err
		}))
	}
	return out
}

func (s *stage) databasesAreReady(ctx context.Context, t report.T) {
	t.Helper()
	var all appv1alpha1.RedisEnterpriseDatabaseList
	must(t, s.List(ctx, &all, client.InNamespace(s.Cluster.Namespace)))
	if len(all.Items) == 0 {
		t.Fatal("there is no database")
	}
	for _, db := range all.Items {
		must(t, s.AwaitDatabase(ctx, db.Name, databaseLimit))
	}
}

// storedVersions: nothing is stored in a version that is not served any more.
func (s *stage) storedVersions(ctx context.Context, t report.T) {
	t.Helper()
	var csv v1alpha1.ClusterServiceVersion
	must(t, s.Get(ctx, s.Key(s.csv(s.To)), &csv))
	for _, owned := range csv.Spec.CustomResourceDefinitions.Owned {
		var crd apiextensionsv1.CustomResourceDefinition
		must(t, s.Get(ctx, client.ObjectKey{Name: owned.Name}, &crd))
		for _, stored := range crd.Status.StoredVersions {
			if !slices.ContainsFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == stored && v.Served }) {
				t.Errorf("%s stores %s, which is not served", crd.Name, stored)
			}
		}
	}
}

// isQuiet reads the operator's own count of its loops, twice.
func (s *stage) isQuiet(ctx context.Context, t report.T) {
	t.Helper()
	resources := len(s.specs(ctx, t))
	before := s.loops(ctx, t)
	select {
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	case <-time.After(quietFor):
	}
	after := s.loops(ctx, t)
	if n, most := after-before, float64(quietLoops*resources); n > most {
		t.Errorf("%.0f loops over %d resources in %s, at most %.0f are expected", n, resources, quietFor, most)
	}
}

// loopsMetric counts what controllers did; every controller of the runtime library has it.
const loopsMetric = "controller_runtime_reconcile_total{"

func (s *stage) loops(ctx context.Context, t report.T) float64 {
	t.Helper()
	var pods corev1.PodList
	must(t, s.List(ctx, &pods, client.InNamespace(s.Cluster.Namespace), client.MatchingLabels{"name": deployment}))
	sum, asked := 0.0, 0
	for _, pod := range pods.Items {
		if pod.Status.Phase != corev1.PodRunning {
			continue
		}
		text, err := s.Core.CoreV1().Pods(s.Cluster.Namespace).ProxyGet("http", pod.Name, strconv.Itoa(names.OperatorMetric), "/metrics", nil).DoRaw(ctx)
		must(t, err)
		n, err := total(string(text), loopsMetric)
		must(t, err)
		sum += n
		asked++
	}
	if asked == 0 {
		t.Fatal("no pod of the operator runs")
	}
	return sum
}

// total adds up the samples of a metric.
func total(text, metric string) (float64, error) {
	sum, found := 0.0, false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), metric) {
			continue
		}
		fields := strings.Fields(lines.Text())
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, err
		}
		sum, found = sum+n, true
	}
	if !found {
		return 0, fmt.Errorf("the operator does not tell %s", strings.TrimSuffix(metric, "{"))
	}
	return sum, lines.Err()
}
