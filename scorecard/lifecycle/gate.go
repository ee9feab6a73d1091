package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/blang/semver/v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// firstGated is the first release that says of itself whether it may be replaced.
var firstGated = semver.MustParse("1.1.0")

const (
	rollLimit = 10 * time.Minute
	tellLimit = 2 * time.Minute
	// silence is how long a release is given to say whether it may be replaced. One that is older than the gate never does.
	silence = 30 * time.Second
)

// rolledAnnotation changes the template of the node pods, and nothing else.
const rolledAnnotation = "scorecard"

// upgradeGate approves the next release while the nodes of a cluster are being replaced. OLM must keep the running operator
// until it says that it may be replaced. For a release that says nothing of itself, an administrator does.
func upgradeGate(ctx context.Context, s *stage) {
	var before map[string]string
	var tells bool
	s.step("a cluster replaces its nodes", func(t report.T) {
		before = s.nodes(ctx, t)
		if len(before) == 0 {
			t.Fatalf("there are no nodes; run %sreconcile first", Prefix)
		}
		tells = s.tells(ctx, t, s.From)
		must(t, mayBeSilent(s.From, tells))
		s.planned(ctx, t, s.To) // before the change begins: it may be over sooner than a bundle is unpacked
		s.roll(ctx, t, s.name)
	})
	s.step("the running release may not be replaced", func(t report.T) {
		if tells {
			s.awaitUpgradeable(ctx, t, s.From, metav1.ConditionFalse, tellLimit)
			return
		}
		t.Logf("%s says nothing of itself: an administrator says it", s.csv(s.From))
		s.setCondition(ctx, t, s.From, overrides, metav1.ConditionFalse)
	})
	s.step("OLM holds the approved release back", func(t report.T) {
		s.approve(ctx, t, s.To)
		s.heldBack(ctx, t, s.To)
	})
	s.check("the old operator stays as it is", func(t report.T) { s.runs(ctx, t, s.From) })
	s.step("all nodes are replaced, one after another", func(t report.T) {
		s.replaced(ctx, t, before)
		s.keep(ctx, t)
		if !tells {
			s.heldBack(ctx, t, s.To)
			s.setCondition(ctx, t, s.From, overrides, metav1.ConditionTrue)
		}
	})
}

// override shows an administrator's way out: a release that holds itself back is replaced all the same. It works in a
// namespace of its own.
func override(ctx context.Context, s *stage) {
	s = s.in(s.Options.Namespace + "-override")
	s.step("the older release is installed", func(t report.T) {
		s.subscribe(ctx, t, s.From, s.Cluster.Namespace)
		s.approve(ctx, t, s.From)
		s.installed(ctx, t, s.From)
	})
	s.step("it holds itself back", func(t report.T) { s.holdBack(ctx, t) })
	s.step("OLM holds the approved release back", func(t report.T) {
		s.approve(ctx, t, s.To)
		s.heldBack(ctx, t, s.To)
	})
	s.step("an administrator lets it through", func(t report.T) {
		s.setCondition(ctx, t, s.From, overrides, metav1.ConditionTrue)
		s.installed(ctx, t, s.To)
	})
	s.check("the new release says for itself what is not safe", func(t report.T) {
		s.awaitUpgradeable(ctx, t, s.To, metav1.ConditionFalse, tellLimit)
	})
	s.found.stopped = false // what was made has to go in any case
	s.check("nothing of it is left", func(t report.T) {
		must(t, s.removeCluster(ctx, stuckCluster))
		s.unsubscribe(ctx, t)
		must(t, s.remove(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Cluster.Namespace}}))
	})
}

// stuckCluster is a cluster that never forms: no machine has room for its nodes.
const (
	stuckCluster = "stuck"
	tooMuch      = "100Ti"
)

// holdBack makes the operator unsafe to replace. One that says nothing of itself gets the condition written for it.
func (s *stage) holdBack(ctx context.Context, t report.T) {
	t.Helper()
	rec, err := s.smallCluster()
	must(t, err)
	rec.Name, rec.Spec.LicenseSecretName = stuckCluster, ""
	huge := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(tooMuch)}
	rec.Spec.RedisEnterpriseNodeResources = &corev1.ResourceRequirements{Requests: huge, Limits: huge}
	must(t, s.ApplyObject(ctx, rec))
	tells := s.tells(ctx, t, s.From)
	must(t, mayBeSilent(s.From, tells))
	if tells {
		s.awaitUpgradeable(ctx, t, s.From, metav1.ConditionFalse, tellLimit)
		return
	}
	t.Logf("%s says nothing of itself: the condition is written for it", s.csv(s.From))
	s.setCondition(ctx, t, s.From, conditions, metav1.ConditionFalse)
}

// mayBeSilent: from the first release with a gate on, one that says nothing of itself has lost it.
func mayBeSilent(version string, tells bool) error {
	if !tells && isSince(version, firstGated) {
		return fmt.Errorf("release %s says nothing of itself; since %s each does", version, firstGated)
	}
	return nil
}

// tells finds out whether a release says of itself whether it may be replaced.
func (s *stage) tells(ctx context.Context, t report.T, version string) bool {
	t.Helper()
	err := s.Await(ctx, "operatorcondition/"+s.csv(version), silence, func() (bool, string, error) {
		found, err := s.upgradeable(ctx, version)
		if err != nil {
			return notYet(err)
		}
		return found != nil, "looking", nil
	})
	must(t, ctx.Err())
	return err == nil
}

// roll changes the node pods of the cluster that the examples made.
func (s *stage) roll(ctx context.Context, t report.T, value string) {
	t.Helper()
	var rec appv1.RedisEnterpriseCluster
	must(t, s.Get(ctx, s.Key(firstCluster), &rec))
	must(t, s.MergePatch(ctx, &rec, fmt.Sprintf(`{"spec":{"redisEnterprisePodAnnotations":{%q:%q}}}`, rolledAnnotation, value)))
}

// replaced waits until no node is left of those from before, and everything is well.
func (s *stage) replaced(ctx context.Context, t report.T, before map[string]string) {
	t.Helper()
	must(t, s.Await(ctx, "nodes", rollLimit, func() (bool, string, error) {
		pods, err := s.NodePods(ctx, firstCluster)
		if err != nil {
			return notYet(err)
		}
		now := identities(pods)
		count := 0
		for name, identity := range now {
			if before[name] != identity {
				count++
			}
		}
		return count == len(before), fmt.Sprintf("%d of %d are new", count, len(before)), nil
	}))
	must(t, s.AwaitCluster(ctx, firstCluster, clusterLimit))
}

// nodes are the node pods of the first cluster, each with what changes when it is restarted.
func (s *stage) nodes(ctx context.Context, t report.T) map[string]string {
	t.Helper()
	pods, err := s.NodePods(ctx, firstCluster)
	must(t, err)
	return identities(pods)
}

func identities(pods []corev1.Pod) map[string]string {
	out := map[string]string{}
	for _, pod := range pods {
		restarts := int32(0)
		for _, c := range pod.Status.ContainerStatuses {
			restarts += c.RestartCount
		}
		out[pod.Name] = fmt.Sprintf("%s, %d restarts", pod.UID, restarts)
	}
	return out
}

// same fails when a node is another one than before, or was restarted.
func (s *stage) same(ctx context.Context, t report.T, before map[string]string) {
	t.Helper()
	if now := s.nodes(ctx, t); !maps.Equal(before, now) || len(now) == 0 {
		t.Errorf("the nodes were %v and are %v", before, now)
	}
}
