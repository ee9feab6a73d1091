package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestClusterLife(t *testing.T) {
	s := newScene(t)
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec")} // REC-5: an empty spec works
	s.create(rec)
	s.ready(rec, limitCluster)

	t.Run("REC-27 the state is Running", func(t *testing.T) {
		if rec.Status.State != appv1.ClusterRunning || rec.Status.SpecStatus != appv1.SpecValid {
			t.Errorf("state %s, spec %s", rec.Status.State, rec.Status.SpecStatus)
		}
	})
	t.Run("REC-72 the licence is mirrored", func(t *testing.T) {
		if rec.Status.LicenseStatus == nil || rec.Status.LicenseStatus.LicenseState == "" {
			t.Errorf("%+v", rec.Status.LicenseStatus)
		}
	})
	t.Run("REC-6 the image tag in use is in the spec", func(t *testing.T) {
		if rec.Spec.RedisEnterpriseImageSpec == nil || rec.Spec.RedisEnterpriseImageSpec.VersionTag != "8.2.0-46.13" {
			t.Errorf("%+v", rec.Spec.RedisEnterpriseImageSpec)
		}
	})
	t.Run("REC-7 every object carries the labels and the owner", func(t *testing.T) {
		for _, obj := range []client.Object{
			&appsv1.StatefulSet{ObjectMeta: s.meta("rec")},
			&corev1.Service{ObjectMeta: s.meta("rec")},
			&corev1.Service{ObjectMeta: s.meta("rec-ui")},
			&corev1.Service{ObjectMeta: s.meta("rec-prom")},
			&corev1.Secret{ObjectMeta: s.meta("rec")},
			&corev1.ServiceAccount{ObjectMeta: s.meta("rec")},
			&policyv1.PodDisruptionBudget{ObjectMeta: s.meta("rec")},
			&corev1.ConfigMap{ObjectMeta: s.meta("rec-bulletin-board")},
			&appsv1.Deployment{ObjectMeta: s.meta("rec-services-rigger")},
		} {
			if err := world.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
				t.Error(err)
				continue
			}
			if obj.GetLabels()["app"] != "redis-enterprise" || obj.GetLabels()["redis.io/cluster"] != "rec" {
				t.Errorf("%T %s: labels %v", obj, obj.GetName(), obj.GetLabels())
			}
			if !metav1.IsControlledBy(obj, rec) {
				t.Errorf("%T %s: owners %v", obj, obj.GetName(), obj.GetOwnerReferences())
			}
		}
	})
	t.Run("REC-8 exactly one pod is marked as the master", func(*testing.T) {
		s.eventually(limitWord, "master label", func(ctx context.Context) string {
			var pods corev1.PodList
			if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(names.NodeLabels("rec"))); err != nil {
				return err.Error()
			}
			masters := 0
			for _, pod := range pods.Items {
				if pod.Labels[names.LabelMaster] == "1" {
					masters++
				}
			}
			if masters != 1 || len(pods.Items) != 3 {
				return fmt.Sprintf("%d pods, %d masters", len(pods.Items), masters)
			}
			return ""
		})
	})
	t.Run("REC-26 the start showed no error", func(t *testing.T) {
		events, err := world.Core.CoreV1().Events(s.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events.Items {
			if e.InvolvedObject.Kind == "RedisEnterpriseCluster" && e.Type == corev1.EventTypeWarning {
				t.Errorf("%s: %s", e.Reason, e.Message)
			}
		}
	})
	t.Run("REC-12 with everything converged nothing is written", func(t *testing.T) { quiet(t, s) })
	t.Run("a label touched on a database causes no write to the cluster", func(*testing.T) {
		round := 0
		s.undisturbed("a label", func() string {
			round++
			edit(s, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("quiet")}, func(db *appv1alpha1.RedisEnterpriseDatabase) {
				db.Labels = map[string]string{"touched": fmt.Sprint(round)}
			})
			s.settleWrites()
			return strings.Join(s.traffic.writes(redisSide), "\n")
		})
	})
	t.Run("RIG-6 services follow the endpoint within 5 seconds after the loss of a node", func(t *testing.T) { failover(t, s) })
	t.Run("REC-32 more nodes join", func(*testing.T) {
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.Nodes = ptr.To[int32](5) })
		s.ready(rec, limitCluster)
	})
	t.Run("REC-82 REC-115 the cluster's own settings follow the spec", func(*testing.T) {
		api := s.api()
		for _, on := range []bool{true, false} {
			edit(s, rec, func(r *appv1.RedisEnterpriseCluster) {
				r.Spec.EncryptPkeys, r.Spec.DMCExternalCBAAuthentication = &on, &on
			})
			s.eventually(limitWord, fmt.Sprintf("settings that are %t", on), func(ctx context.Context) string {
				have, err := api.GetCluster(ctx)
				if err != nil {
					return err.Error()
				}
				if rest.Value(have.EncryptPkeys) != on || rest.Value(have.DMCExternalCBAAuthentication) != on {
					return fmt.Sprintf("encrypt_pkeys %t, dmc_external_cba_authentication %t", rest.Value(have.EncryptPkeys), rest.Value(have.DMCExternalCBAAuthentication))
				}
				return ""
			})
		}
		s.event("rec", corev1.EventTypeNormal, names.EventUpdated, "spec.encryptPkeys (encrypt_pkeys): false → true")
		s.ready(rec, limitWord)
	})
	t.Run("REC-33 fewer nodes are refused with a sentence and nothing else changes", func(t *testing.T) {
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.Nodes = ptr.To[int32](3) })
		stalled := s.condition(rec, appv1.ConditionStalled, metav1.ConditionTrue, limitWord)
		if !strings.Contains(stalled.Message, "spec.nodes") || rec.Status.SpecStatus != appv1.SpecInvalid {
			t.Errorf("%s: %s", rec.Status.SpecStatus, stalled.Message)
		}
		s.event("rec", corev1.EventTypeWarning, names.EventInvalidConfiguration, "spec.nodes")
		var set appsv1.StatefulSet
		if err := world.Client.Get(t.Context(), s.key("rec"), &set); err != nil || *set.Spec.Replicas != 5 {
			t.Errorf("replicas %d, %v", *set.Spec.Replicas, err)
		}
		edit(s, rec, func(r *appv1.RedisEnterpriseCluster) { r.Spec.Nodes = ptr.To[int32](5) })
		s.ready(rec, limitCluster)
	})
	t.Run("REC-116 the deletion of a cluster waits for its databases", func(t *testing.T) {
		if err := world.Client.Delete(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		s.event("rec", corev1.EventTypeWarning, names.EventBlocked, "quiet")
		for _, name := range []string{"quiet", "quiet-too"} {
			if err := world.Client.Delete(t.Context(), &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta(name)}); err != nil {
				t.Fatal(err)
			}
		}
		s.eventually(limitCluster, "everything but the claims is gone", func(ctx context.Context) string { return s.leftovers(ctx) })
	})
}

// leftovers names what is left of a cluster, claims excepted.
func (s *scene) leftovers(ctx context.Context) string {
	var left []string
	for _, list := range []client.ObjectList{&appsv1.StatefulSetList{}, &appsv1.DeploymentList{}, &corev1.PodList{}, &corev1.ServiceList{},
		&corev1.SecretList{}, &corev1.ConfigMapList{}, &policyv1.PodDisruptionBudgetList{}, &appv1.RedisEnterpriseClusterList{}, &appv1alpha1.RedisEnterpriseDatabaseList{}} {
		if err := world.Client.List(ctx, list, client.InNamespace(s.namespace), client.MatchingLabels{"app": "redis-enterprise"}); err != nil {
			return err.Error()
		}
		for _, name := range namesOf(list) {
			if name != names.AdmissionSecret && name != names.SettingsConfigMap { // these are the operator's own
				left = append(left, fmt.Sprintf("%T %s", list, name))
			}
		}
	}
	slices.Sort(left)
	return strings.Join(left, ", ")
}

// failover loses the node that holds the endpoint and the master shard, without a trace of grace. The database keeps
// nothing on disk: what survives, survives on the replica.
func failover(t *testing.T, s *scene) {
	db := s.database("carried", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", Replication: ptr.To(true)})
	var secret corev1.Secret
	if err := world.Client.Get(t.Context(), s.key("redb-carried"), &secret); err != nil {
		t.Fatal(err)
	}
	if err := s.withRedis("carried", string(secret.Data["password"]), func(c *redis.Client) error { return c.Set(t.Context(), "kept", "yes", 0).Err() }); err != nil {
		t.Fatal(err)
	}
	holder := s.holder(db.Status.DatabaseUID, "")
	lost := holder.UID
	killed := time.Now()
	if err := world.Kubelet.KillNode(t.Context(), s.key(holder.Name)); err != nil {
		t.Fatal(err)
	}
	moved := s.endpointMoved("carried", holder.Status.PodIP)
	s.holder(db.Status.DatabaseUID, lost)
	// How soon a cluster finds its loss is the cluster's affair; how soon the Services follow is the rigger's.
	if took := time.Since(moved); took > 5*time.Second {
		t.Errorf("the Services found the endpoint's new pod %s after the cluster had moved it", took)
	}
	t.Logf("the cluster moved the endpoint %s after the loss, the Services followed %s later", moved.Sub(killed), time.Since(moved))
	s.eventually(limitDatabase, "the data survived", func(ctx context.Context) string {
		err := s.withRedis("carried", string(secret.Data["password"]), func(c *redis.Client) error {
			value, err := c.Get(ctx, "kept").Result()
			if errors.Is(err, redis.Nil) {
				t.Fatal("an acknowledged write is lost")
			}
			if err == nil && value != "yes" {
				return fmt.Errorf("another value: %s", value)
			}
			return err
		})
		if err != nil {
			return err.Error()
		}
		return ""
	})
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec")}
	s.ready(rec, limitCluster)
	if err := world.Client.Delete(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	s.eventually(limitDatabase, "the database is gone", func(ctx context.Context) string {
		err := world.Client.Get(ctx, s.key("carried"), db)
		if apierrors.IsNotFound(err) {
			return ""
		}
		return fmt.Sprint(db.Status.Status, err)
	})
}

// endpointMoved waits until the admin API says that the endpoint of a database is elsewhere, and returns when it first did.
func (s *scene) endpointMoved(name, from string) time.Time {
	s.t.Helper()
	api := s.api()
	s.eventually(limitWord, "another endpoint", func(ctx context.Context) string {
		found, err := api.FindBDB(ctx, name)
		if err != nil {
			return err.Error()
		}
		if found == nil {
			return "no such database"
		}
		if endpoints := rest.Value(found.Endpoints); len(endpoints) > 0 && len(endpoints[0].Addr) > 0 && endpoints[0].Addr[0] != from {
			return ""
		}
		return "still at " + from
	})
	return time.Now()
}

// holder waits for a pod, other than the lost one, that the Services of the database select.
func (s *scene) holder(uid string, lost types.UID) (found corev1.Pod) {
	s.t.Helper()
	s.eventually(limitWord, "a pod with the endpoint", func(ctx context.Context) string {
		var pods corev1.PodList
		if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels{names.LabelBDBPrefix + uid: uid}); err != nil {
			return err.Error()
		}
		for _, pod := range pods.Items {
			if pod.UID != lost && pod.DeletionTimestamp == nil {
				found = pod
				return ""
			}
		}
		return "none"
	})
	return found
}
