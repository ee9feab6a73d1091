package upgradeable

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// turned is a condition that turned some time before now.
func turned(kind string, status metav1.ConditionStatus, reason string, ago time.Duration) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(now.Add(-ago))}
}

func cluster(name string, state appv1.ClusterState, conditions ...metav1.Condition) appv1.RedisEnterpriseCluster {
	rec := appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, CreationTimestamp: metav1.NewTime(now.Add(-100 * time.Hour))}}
	rec.Status.State, rec.Status.Conditions = state, conditions
	if len(conditions) == 0 {
		rec.CreationTimestamp = metav1.NewTime(now.Add(-time.Minute))
	}
	return rec
}

func database(change func(*v1alpha1.RedisEnterpriseDatabase)) Seen {
	db := v1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "orders", CreationTimestamp: metav1.NewTime(now)}}
	db.Status.Status, db.Status.Version, db.Status.ShardStatuses = v1alpha1.DatabaseActive, "7.4.2", map[string]int{"active": 2}
	change(&db)
	return Seen{Databases: []v1alpha1.RedisEnterpriseDatabase{db}}
}

func activeActive(status v1alpha1.ActiveActiveStatus) Seen {
	db := v1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "carts", CreationTimestamp: metav1.NewTime(now)}}
	db.Status.Status = status
	return Seen{ActiveActive: []v1alpha1.RedisEnterpriseActiveActiveDatabase{db}}
}

func clusters(list ...appv1.RedisEnterpriseCluster) Seen { return Seen{Clusters: list} }

func TestDecide(t *testing.T) {
	formed := turned(appv1.ConditionBootstrapComplete, metav1.ConditionTrue, appv1.ReasonBootstrapped, 90*time.Hour)
	healthy := turned(appv1.ConditionNodesHealthy, metav1.ConditionTrue, appv1.ReasonNodesActive, 80*time.Hour)
	nodes := func(reason string, ago time.Duration) metav1.Condition {
		return turned(appv1.ConditionNodesHealthy, metav1.ConditionFalse, reason, ago)
	}
	going := cluster("rec", appv1.ClusterRunningRollingUpdate)
	going.DeletionTimestamp = &metav1.Time{Time: now}
	for _, c := range []struct {
		name   string
		seen   Seen
		reason string
		words  string // in the message
	}{
		{"nothing at all is safe", Seen{}, ReasonSafe, "no cluster"},
		{"a running cluster is safe", clusters(cluster("rec", appv1.ClusterRunning, formed, healthy)), ReasonSafe, ""},
		{"a roll holds", clusters(cluster("rec", appv1.ClusterRunningRollingUpdate)), ReasonRolling, "cluster ns/rec is replacing its nodes"},
		{"an upgrade holds", clusters(cluster("rec", appv1.ClusterUpgrade)), ReasonRolling, "ns/rec"},
		{"a roll holds that a worse state hides", clusters(cluster("rec", appv1.ClusterError, formed, healthy,
			turned(appv1.ConditionRollingUpdate, metav1.ConditionTrue, appv1.ReasonUpgrade, time.Minute))), ReasonRolling, "ns/rec"},
		{"an upgrade that is blocked replaces nothing", clusters(cluster("rec", appv1.ClusterInvalidUpgrade, formed, healthy,
			turned(appv1.ConditionRollingUpdate, metav1.ConditionFalse, appv1.ReasonUpgradeBlocked, time.Minute))), ReasonSafe, ""},
		{"the begin of a recovery holds", clusters(cluster("rec", appv1.ClusterRecoveryReset)), ReasonRecovery, "ns/rec is being recovered"},
		{"the middle of a recovery holds", clusters(cluster("rec", appv1.ClusterRecoveringFirstPod)), ReasonRecovery, "ns/rec"},
		{"a cluster that is made anew holds", clusters(cluster("rec", appv1.ClusterRecreating)), ReasonRecovery, "ns/rec"},
		{"a cluster that nobody has looked at holds", clusters(cluster("rec", "")), ReasonBootstrap, "ns/rec"},
		{"a cluster that is being formed holds", clusters(cluster("rec", appv1.ClusterBootstrappingFirstPod)), ReasonBootstrap, "ns/rec is being formed"},
		{"nodes that join hold", clusters(cluster("rec", appv1.ClusterInitializing, formed, nodes(appv1.ReasonNodesJoining, time.Minute))), ReasonScaling, "ns/rec"},
		{"a node that is lost holds", clusters(cluster("rec", appv1.ClusterInitializing, formed, nodes(appv1.ReasonNodesDown, time.Minute))), ReasonRedundancy, "ns/rec does not have all of its nodes"},
		{"a cluster without a majority holds", clusters(cluster("rec", appv1.ClusterError, formed, nodes(appv1.ReasonClusterUnreachable, time.Minute))), ReasonRedundancy, "ns/rec"},
		{"a refused spec of a healthy cluster is safe", clusters(cluster("rec", appv1.ClusterInvalid, formed, healthy)), ReasonSafe, ""},
		{"a cluster that was never formed has nothing to lose", clusters(cluster("rec", appv1.ClusterInvalid, nodes(appv1.ReasonBootstrapping, time.Minute))), ReasonSafe, ""},
		{"a cluster that is being deleted holds nothing back", clusters(going), ReasonSafe, ""},
		{"the first by name is told, and that it is not the only one", clusters(cluster("b", appv1.ClusterUpgrade), cluster("a", appv1.ClusterRecoveryReset)),
			ReasonRecovery, "cluster ns/a is being recovered, and others are not safe either"},

		{"an active database is safe", database(func(*v1alpha1.RedisEnterpriseDatabase) {}), ReasonSafe, ""},
		{"an ordinary change of a database is safe", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Status.Status, db.Spec.RedisVersion = v1alpha1.DatabaseActiveChangePending, "7.4"
		}), ReasonSafe, ""},
		{"a word for a version upgrades nothing", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Status.Status, db.Spec.RedisVersion = v1alpha1.DatabaseActiveChangePending, "latest"
		}), ReasonSafe, ""},
		{"a database on its way to another version holds", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Status.Status, db.Spec.RedisVersion = v1alpha1.DatabaseActiveChangePending, "7.40"
		}), ReasonDatabaseUpgrade, "database apps/orders is being upgraded"},
		{"an import holds", database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Status.Status = v1alpha1.DatabaseImportPending }), ReasonDatabaseRestore, "apps/orders"},
		{"a database that is recovered holds", database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Status.Status = v1alpha1.DatabaseRecovery }), ReasonDatabaseRestore, "apps/orders"},
		{"a lost shard holds", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Status.ShardStatuses = map[string]int{"active": 1, "inactive": 1}
		}), ReasonRedundancy, "apps/orders does not have all of its shards"},
		{"shards that start with their database are no loss", database(func(db *v1alpha1.RedisEnterpriseDatabase) {
			db.Status.Status, db.Status.ShardStatuses = v1alpha1.DatabasePending, map[string]int{"inactive": 2}
		}), ReasonSafe, ""},
		{"an Active-Active database that is changed holds", activeActive(v1alpha1.ActiveActiveChangePending), ReasonDatabaseUpgrade, "Active-Active database apps/carts"},
		{"an active Active-Active database is safe", activeActive(v1alpha1.ActiveActiveActive), ReasonSafe, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Decide(c.seen, now, DefaultLimit)
			if got.Reason != c.reason || got.Upgradeable != (c.reason == ReasonSafe) || !strings.Contains(got.Message, c.words) || got.Message == "" {
				t.Errorf("%+v", got)
			}
			if got.Upgradeable != got.Until.IsZero() {
				t.Errorf("the answer changes at %s", got.Until)
			}
		})
	}
}

// TestStandstill: what does not move holds nothing back for ever, because the fix may be in the next operator.
func TestStandstill(t *testing.T) {
	down := func(name string, ago time.Duration) appv1.RedisEnterpriseCluster {
		return cluster(name, appv1.ClusterUpgrade, turned(appv1.ConditionBootstrapComplete, metav1.ConditionTrue, appv1.ReasonBootstrapped, 90*time.Hour),
			turned(appv1.ConditionNodesHealthy, metav1.ConditionFalse, appv1.ReasonNodesDown, ago))
	}
	pinned := down("rec", 9*time.Hour)
	pinned.Annotations = map[string]string{names.AnnotationHoldUpgrade: "true"}
	unpinned := *pinned.DeepCopy()
	unpinned.Annotations[names.AnnotationHoldUpgrade] = "false"
	for _, c := range []struct {
		name   string
		seen   Seen
		limit  time.Duration
		reason string
		until  time.Duration // after now, 0 for never
	}{
		{"a roll that moved lately holds until the limit", clusters(down("rec", 59*time.Minute)), time.Hour, ReasonRolling, time.Minute},
		{"one that has not moved for the limit does not", clusters(down("rec", time.Hour)), time.Hour, ReasonDegraded, 0},
		{"without a limit it holds for ever", clusters(down("rec", 99*time.Hour)), 0, ReasonRolling, 0},
		{"a cluster can ask to hold for ever", clusters(pinned), time.Hour, ReasonRolling, 0},
		{"with the value true only", clusters(unpinned), time.Hour, ReasonDegraded, 0},
		{"one that is stuck does not hide one that moves", clusters(down("a", 9*time.Hour), down("b", 10*time.Minute)), time.Hour, ReasonRolling, 50 * time.Minute},
		{"the first that ends is looked at first", clusters(down("a", 10*time.Minute), down("b", 20*time.Minute), pinned), time.Hour, ReasonRolling, 40 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Decide(c.seen, now, c.limit)
			var until time.Time
			if c.until > 0 {
				until = now.Add(c.until)
			}
			if got.Reason != c.reason || got.Upgradeable != (c.reason == ReasonDegraded) || !got.Until.Equal(until) {
				t.Errorf("%+v", got)
			}
			if c.reason == ReasonDegraded && !strings.Contains(got.Message, "ns/rec") {
				t.Errorf("the message is %q", got.Message)
			}
		})
	}
}

// TestTheMessageIsSteady: it is written once for as long as the same goes on.
func TestTheMessageIsSteady(t *testing.T) {
	seen := clusters(cluster("b", appv1.ClusterUpgrade), cluster("a", appv1.ClusterUpgrade))
	first := Decide(seen, now, DefaultLimit)
	seen.Clusters[0], seen.Clusters[1] = seen.Clusters[1], seen.Clusters[0]
	seen.Clusters[0].Status.Conditions = []metav1.Condition{turned(appv1.ConditionNodesHealthy, metav1.ConditionFalse, appv1.ReasonNodesDown, 0)}
	if later := Decide(seen, now.Add(time.Minute), DefaultLimit); later.Message != first.Message || later.Reason != first.Reason {
		t.Errorf("%+v, then %+v", first, later)
	}
}

func TestOtherKindsSayNothing(t *testing.T) {
	for _, obj := range []client.Object{&corev1.Pod{}, &v1alpha1.RedisEnterpriseRemoteCluster{}} {
		if why := ReasonOf(obj); why != (Why{}) {
			t.Errorf("%T: %+v", obj, why)
		}
	}
}
