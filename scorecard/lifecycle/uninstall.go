package lifecycle

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	operatorsv2 "github.com/operator-framework/api/pkg/operators/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/scorecard/report"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

// firstDatabase is the database of the examples that any client can reach: in memory, without TLS.
const firstDatabase = "cache"

// uninstall removes the operator. Clusters and their databases go on without it.
func uninstall(ctx context.Context, s *stage) {
	var nodes map[string]string
	var specs map[string]int64
	s.step("there is something to go on", func(t report.T) {
		nodes, specs = s.nodes(ctx, t), s.specs(ctx, t)
		if len(nodes) == 0 || len(specs) == 0 {
			t.Fatalf("%d nodes and %d databases", len(nodes), len(specs))
		}
	})
	s.step("Subscription and release are removed", func(t report.T) { s.unsubscribe(ctx, t) })
	s.check("what OLM made for the operator is gone", func(t report.T) { s.operatorIsGone(ctx, t) })
	s.check("kinds and resources stay", func(t report.T) {
		if now := s.specs(ctx, t); !maps.Equal(now, specs) {
			t.Errorf("they were %v and are %v", specs, now)
		}
	})
	s.check("nodes go on", func(t report.T) {
		s.same(ctx, t, nodes)
		pods, err := s.NodePods(ctx, firstCluster)
		must(t, err)
		for i := range pods {
			if !isReady(&pods[i]) {
				t.Errorf("%s is not ready", pods[i].Name)
			}
		}
	})
	s.check("a database answers", func(t report.T) { s.answers(ctx, t) })
}

// operatorIsGone waits for the end of each thing that is the operator's own: what OLM made in its namespace, and for it in the
// whole cluster.
func (s *stage) operatorIsGone(ctx context.Context, t report.T) {
	t.Helper()
	must(t, s.Await(ctx, "what is left of the operator", goneLimit, func() (bool, string, error) {
		left, err := s.leftOfOperator(ctx)
		if err != nil {
			return notYet(err)
		}
		return len(left) == 0, strings.Join(left, " "), nil
	}))
}

func (s *stage) leftOfOperator(ctx context.Context) ([]string, error) {
	var left []string
	here := client.InNamespace(s.Cluster.Namespace)
	ofRelease := client.MatchingLabels{"olm.owner.kind": v1alpha1.ClusterServiceVersionKind}
	ofThisOne := client.MatchingLabels{"olm.owner.kind": v1alpha1.ClusterServiceVersionKind, ownerNamespaceLabel: s.Cluster.Namespace}
	for _, look := range []struct {
		list    client.ObjectList
		options []client.ListOption
	}{
		{&appsv1.DeploymentList{}, []client.ListOption{here, ofRelease}},
		{&rbacv1.RoleList{}, []client.ListOption{here, ofRelease}},
		{&rbacv1.RoleBindingList{}, []client.ListOption{here, ofRelease}},
		{&operatorsv2.OperatorConditionList{}, []client.ListOption{here}},
		{&rbacv1.ClusterRoleList{}, []client.ListOption{ofThisOne}},
		{&rbacv1.ClusterRoleBindingList{}, []client.ListOption{ofThisOne}},
	} {
		if err := s.List(ctx, look.list, look.options...); err != nil {
			return nil, err
		}
		found, err := contentOf(look.list)
		if err != nil {
			return nil, err
		}
		left = append(left, found...)
	}
	hooks, err := s.webhooks(ctx)
	for _, hook := range hooks {
		left = append(left, "webhook/"+hook.Name)
	}
	return left, err
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// answers lets a client in the cluster ask a database. The client is part of the emulator's image.
func (s *stage) answers(ctx context.Context, t report.T) {
	t.Helper()
	node, err := s.node()
	must(t, err)
	if node.Repository == "" {
		t.Logf("without an image that holds a client nobody asks")
		return
	}
	const client = "scorecard-client"
	must(t, s.Ping(ctx, scenario.WriterOptions{Name: client, Database: firstDatabase, Image: node}, time.Minute))
	must(t, s.RemovePod(ctx, client))
}

// readopt installs the operator again: it takes over what is there.
func readopt(ctx context.Context, s *stage) {
	var nodes map[string]string
	var specs map[string]int64
	s.step("the newer release is installed at once", func(t report.T) {
		nodes, specs = s.nodes(ctx, t), s.specs(ctx, t)
		s.subscribe(ctx, t, s.To, s.Options.Namespace)
		s.approve(ctx, t, s.To)
		s.installed(ctx, t, s.To)
	})
	s.step("it finds everything well", func(t report.T) {
		must(t, s.AwaitCluster(ctx, firstCluster, clusterLimit))
		s.databasesAreReady(ctx, t)
		s.awaitUpgradeable(ctx, t, s.To, metav1.ConditionTrue, tellLimit)
	})
	s.check("no node was restarted", func(t report.T) { s.same(ctx, t, nodes) })
	s.check("no spec was changed", func(t report.T) {
		if now := s.specs(ctx, t); !maps.Equal(now, specs) {
			t.Errorf("generations were %v and are %v", specs, now)
		}
	})
	s.check("it takes care of them: a change is carried out", func(t report.T) {
		db := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Name: firstDatabase, Namespace: s.Cluster.Namespace}}
		must(t, s.MergePatch(ctx, db, `{"spec":{"evictionPolicy":"noeviction"}}`))
		must(t, s.AwaitDatabase(ctx, firstDatabase, databaseLimit))
		s.same(ctx, t, nodes)
	})
}
