package crash

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// State is a final state as lines that two runs of a flow must have in common: no names of machines, no times, no
// versions, no generated passwords.
type State []string

// Diff lists what only one of the two has; of equal lines each must have as many.
func (s State) Diff(other State) string {
	more := map[string]int{}
	for _, line := range other {
		more[line]++
	}
	var out []string
	for _, line := range s {
		if more[line]--; more[line] < 0 {
			out = append(out, "- "+line)
		}
	}
	for _, line := range other {
		if more[line] > 0 {
			more[line]--
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}

// kubernetesState reads all children and custom resources of a namespace.
func kubernetesState(ctx context.Context, c client.Client, namespace string) (State, error) {
	var lines State
	lists := []client.ObjectList{&corev1.ServiceList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceAccountList{},
		&corev1.PersistentVolumeClaimList{}, &corev1.PodList{}, &appsv1.StatefulSetList{}, &appsv1.DeploymentList{}, &policyv1.PodDisruptionBudgetList{},
		&rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &networkingv1.IngressList{}, &appv1.RedisEnterpriseClusterList{}, &appv1alpha1.RedisEnterpriseDatabaseList{},
		&appv1alpha1.RedisEnterpriseRemoteClusterList{}, &appv1alpha1.RedisEnterpriseActiveActiveDatabaseList{}}
	for _, list := range lists {
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			if line := describe(item.(client.Object)); line != "" {
				lines = append(lines, databaseLabel.ReplaceAllString(strings.ReplaceAll(line, namespace, "NAMESPACE"), names.LabelBDBPrefix+"N"))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// databaseLabel is the label that carries the number of a database: each database has another.
var databaseLabel = regexp.MustCompile(regexp.QuoteMeta(names.LabelBDBPrefix) + `[0-9]+:[0-9]+`)

func describe(obj client.Object) string {
	what := fmt.Sprintf("%T %s labels=%v finalizers=%v", obj, obj.GetName(), labelsOf(obj), obj.GetFinalizers())
	switch o := obj.(type) {
	case *corev1.Pod:
		if o.Labels[names.LabelRole] != names.RoleNode {
			return "" // the rigger's pod has a random name
		}
		return fmt.Sprintf("Pod %s ready=%v", o.Name, podReady(o))
	case *corev1.Service:
		return fmt.Sprintf("%s type=%s ports=%v selector=%v", what, o.Spec.Type, portsOf(o), o.Spec.Selector)
	case *corev1.Secret:
		return fmt.Sprintf("%s keys=%v", what, slices.Sorted(maps.Keys(o.Data)))
	case *corev1.ConfigMap:
		return fmt.Sprintf("%s keys=%v", what, slices.Sorted(maps.Keys(o.Data)))
	case *appsv1.StatefulSet:
		return fmt.Sprintf("%s replicas=%d partition=%d template=%s", what, *o.Spec.Replicas, *o.Spec.UpdateStrategy.RollingUpdate.Partition,
			strings.Join(imagesOf(o.Spec.Template.Spec), ","))
	case *appv1.RedisEnterpriseCluster:
		return fmt.Sprintf("%s state=%s spec=%s version=%s conditions=%s", what, o.Status.State, o.Status.SpecStatus, versionOf(o), conditionsOf(o.Status.Conditions))
	case *appv1alpha1.RedisEnterpriseDatabase:
		return fmt.Sprintf("%s status=%s spec=%s secret=%s shards=%v conditions=%s", what, o.Status.Status, o.Status.SpecStatus, o.Spec.DatabaseSecretName, o.Status.ShardStatuses, conditionsOf(o.Status.Conditions))
	case *appv1alpha1.RedisEnterpriseRemoteCluster:
		return fmt.Sprintf("%s status=%s spec=%s local=%t conditions=%s", what, o.Status.Status, o.Status.SpecStatus, o.Status.Local, conditionsOf(o.Status.Conditions))
	case *appv1alpha1.RedisEnterpriseActiveActiveDatabase:
		// Its label tells whether the operator made it, which depends on the flow that a stage was used for before.
		return fmt.Sprintf("%T %s finalizers=%v status=%s spec=%s replication=%s participants=%v secrets=%v conditions=%s", o, o.Name, o.Finalizers, o.Status.Status, o.Status.SpecStatus, o.Status.ReplicationStatus,
			participantsOf(o), o.Status.SecretsStatus, conditionsOf(o.Status.Conditions))
	}
	return what
}

// participantsOf are the participants that the spec wants and those that the status tells of; an instance's number is another each time.
func participantsOf(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) []string {
	var out []string
	for _, p := range db.Spec.ParticipatingClusters {
		out = append(out, "wants "+p.Name)
	}
	for _, p := range db.Status.ParticipatingClusters {
		out = append(out, fmt.Sprintf("has %s %s", p.Name, p.ReplicationStatus))
	}
	slices.Sort(out)
	return out
}

func versionOf(rec *appv1.RedisEnterpriseCluster) string {
	if rec.Spec.RedisEnterpriseImageSpec == nil {
		return ""
	}
	return rec.Spec.RedisEnterpriseImageSpec.VersionTag
}

func labelsOf(obj client.Object) map[string]string {
	labels := maps.Clone(obj.GetLabels())
	maps.DeleteFunc(labels, func(key, _ string) bool {
		return strings.HasPrefix(key, names.LabelBDBPrefix) || key == names.LabelMaster || strings.Contains(key, "hash")
	})
	return labels
}

func podReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func portsOf(s *corev1.Service) []string {
	var out []string
	for _, p := range s.Spec.Ports {
		out = append(out, p.Name)
	}
	return out
}

func imagesOf(spec corev1.PodSpec) []string {
	var out []string
	for _, c := range spec.Containers {
		out = append(out, c.Image)
	}
	return out
}

func conditionsOf(conditions []metav1.Condition) string {
	var out []string
	for _, c := range conditions {
		out = append(out, c.Type+"="+string(c.Status))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// redisState reads databases and nodes through the admin API.
func redisState(ctx context.Context, api *rest.Client) (State, error) {
	var lines State
	databases, err := api.ListBDBs(ctx)
	if err != nil {
		return nil, err
	}
	for _, db := range databases {
		lines = append(lines, fmt.Sprintf("database %s status=%s memory=%d shards=%d replication=%v persistence=%s eviction=%s", rest.Value(db.Name),
			rest.Value(db.Status), rest.Value(db.MemorySize), rest.Value(db.ShardsCount), rest.Value(db.Replication), rest.Value(db.DataPersistence), rest.Value(db.EvictionPolicy)))
	}
	nodes, err := api.ListNodes(ctx)
	if err != nil {
		return nil, err
	}
	for _, node := range nodes {
		lines = append(lines, fmt.Sprintf("node %s version=%s", node.Status, node.SoftwareVersion))
	}
	slices.Sort(lines)
	return lines, nil
}
