package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/test/standin"
)

// vendor plays another operator: it makes the documented objects in its own way, forms the cluster and a database, and
// writes the documented words in the status. Then it is gone.
type vendor struct {
	*scene
	rec *appv1.RedisEnterpriseCluster
	db  *appv1alpha1.RedisEnterpriseDatabase
}

const (
	vendorsManager  = "operator-root" // the field manager of everything it writes
	vendorsUser     = "demo@redis.com"
	vendorsPassword = "from-before"
	vendorsData     = "/opt/persistent"
)

// vendors makes a cluster of three nodes with the database orders in it.
func vendors(s *scene) *vendor {
	s.t.Helper()
	v := &vendor{scene: s}
	v.rec = &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{
		Nodes: ptr.To[int32](3), RedisEnterpriseImageSpec: &appv1.ImageSpec{VersionTag: "8.2.0-46.13"}}}
	v.rec.Finalizers = []string{names.ClusterFinalizer}
	s.create(v.rec)
	v.objects()
	v.form()
	v.database()
	v.rec.Status.State, v.rec.Status.SpecStatus = appv1.ClusterRunning, appv1.SpecValid
	if err := world.Client.Status().Update(s.t.Context(), v.rec); err != nil {
		s.t.Fatal(err)
	}
	return v
}

// make creates an object as the vendor's: its labels, its owner reference, its field manager.
func (v *vendor) make(obj client.Object) {
	v.t.Helper()
	obj.SetAnnotations(nil)
	obj.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(v.rec, appv1.GroupVersion.WithKind("RedisEnterpriseCluster"))})
	if err := world.Client.Create(v.t.Context(), obj, client.FieldOwner(vendorsManager)); err != nil {
		v.t.Fatalf("%T %s: %v", obj, obj.GetName(), err)
	}
}

func (v *vendor) meta(name string) metav1.ObjectMeta {
	m := v.scene.meta(name)
	m.Labels = names.ClusterLabels("rec")
	return m
}

func (v *vendor) objects() {
	defaults, err := platform.New(standin.NodeImage, standin.ForeignImage, standin.ForeignImage)
	if err != nil {
		v.t.Fatal(err)
	}
	c := children.Cluster{REC: v.rec, Platform: defaults, CredentialSecret: "rec"}
	v.make(&corev1.Secret{ObjectMeta: v.meta("rec"), Data: map[string][]byte{names.UsernameKey: []byte(vendorsUser), names.PasswordKey: []byte(vendorsPassword)}})
	v.make(&corev1.ServiceAccount{ObjectMeta: v.meta("rec")})
	v.make(&rbacv1.Role{ObjectMeta: v.meta("rec"), Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods", "secrets"}, Verbs: []string{"get", "list"}}}})
	v.make(children.RoleBinding(c))
	v.make(&corev1.ConfigMap{ObjectMeta: v.meta("rec-bulletin-board"), Data: map[string]string{"BulletinBoard": "facts of theirs"}})
	for _, service := range []*corev1.Service{children.APIService(c), children.UIService(c), children.MetricsService(c)} {
		service.Spec.SessionAffinity = corev1.ServiceAffinityNone
		v.make(service)
	}
	v.make(&policyv1.PodDisruptionBudget{ObjectMeta: v.meta("rec"), Spec: policyv1.PodDisruptionBudgetSpec{
		MaxUnavailable: ptr.To(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: names.NodeLabels("rec")}}})
	v.make(vendorsRigger(children.Rigger(c)))
	v.make(vendorsSet(children.StatefulSet(c)))
}

// vendorsSet differs from ours in everything that documents leave open.
func vendorsSet(set *appsv1.StatefulSet) *appsv1.StatefulSet {
	set.Spec.ServiceName, set.Spec.PodManagementPolicy = "rec", appsv1.OrderedReadyPodManagement
	set.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType}
	pod := &set.Spec.Template.Spec
	node, helper := &pod.Containers[0], &pod.Containers[1]
	ask := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"health-check"}}}}
	node.ReadinessProbe, node.LivenessProbe, node.StartupProbe = ask, nil, nil
	node.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"drain"}}}}
	node.Env = append(node.Env, corev1.EnvVar{Name: "THEIRS", Value: "1"})
	var mounts []corev1.VolumeMount
	for _, m := range node.VolumeMounts {
		if m.Name != names.StorageClaim {
			mounts = append(mounts, m)
		}
	}
	node.VolumeMounts = append(mounts, corev1.VolumeMount{Name: names.StorageClaim, MountPath: vendorsData},
		corev1.VolumeMount{Name: names.StorageClaim, MountPath: names.LogDir, SubPath: "logs"}, corev1.VolumeMount{Name: "theirs", MountPath: "/theirs"})
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "theirs", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	helper.Args, helper.LivenessProbe = []string{"theirs"}, nil
	return set
}

// vendorsRigger selects its pods by other labels, and calls its container by another name.
func vendorsRigger(rigger *appsv1.Deployment) *appsv1.Deployment {
	labels := map[string]string{names.LabelApp: names.AppValue, "name": "services-rigger"}
	rigger.Spec.Selector.MatchLabels, rigger.Spec.Template.Labels = labels, labels
	container := &rigger.Spec.Template.Spec.Containers[0]
	container.Name, container.Args, container.ReadinessProbe, container.LivenessProbe = "manager-of-theirs", []string{"theirs"}, nil, nil
	return rigger
}

// node waits for the node of a pod, which answers nobody who cannot prove to be beside it.
func (v *vendor) node(pod string) *emulator.Node {
	v.t.Helper()
	var node *emulator.Node
	v.eventually(limitCluster, pod+" answers", func(ctx context.Context) string {
		if node = world.Kubelet.Node(v.key(pod)); node == nil {
			return "no such pod"
		}
		resp, err := v.ask(ctx, node, http.MethodGet, "/v1/bootstrap", nil)
		if err != nil {
			return err.Error()
		}
		return closed(resp)
	})
	return node
}

func closed(resp *http.Response) string {
	if err := resp.Body.Close(); err != nil {
		return err.Error()
	}
	return ""
}

func (v *vendor) ask(ctx context.Context, node *emulator.Node, method, path string, body any) (*http.Response, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, node.URL()+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(vendorsUser, vendorsPassword)
	req.Header.Set("Content-Type", "application/json")
	return node.Client().Do(req)
}

func (v *vendor) must(node *emulator.Node, path string, body any) {
	v.t.Helper()
	resp, err := v.ask(v.t.Context(), node, http.MethodPost, path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if text := closed(resp); text != "" || resp.StatusCode >= 300 {
		v.t.Fatalf("%s: %s %s", path, resp.Status, text)
	}
}

// form makes one cluster of the nodes.
func (v *vendor) form() {
	v.t.Helper()
	first := ""
	for n := range 3 {
		node := v.node(names.Pod("rec", n))
		body := map[string]any{"action": "create_cluster", "cluster": map[string]any{"name": names.FQDN("rec", v.namespace)},
			"credentials": map[string]any{"username": vendorsUser, "password": vendorsPassword}}
		path := "/v1/bootstrap/create_cluster"
		if n > 0 {
			path = "/v1/bootstrap/join_cluster"
			body["action"], body["cluster"].(map[string]any)["nodes"] = "join_cluster", []string{first}
		}
		v.must(node, path, body)
		v.eventually(limitCluster, fmt.Sprintf("node %d is in the cluster", n), func(context.Context) string {
			if err := node.BootstrapError(); err != nil {
				v.t.Fatal(err)
			}
			if !node.InCluster() {
				return "not yet"
			}
			return ""
		})
		if n == 0 {
			first = node.Addr()
		}
	}
}

// database makes the database orders with its resource and its Secret.
func (v *vendor) database() {
	v.t.Helper()
	v.must(v.node("rec-0"), "/v1/bdbs", map[string]any{"name": "orders", "memory_size": 100 << 20, "replication": true, "authentication_redis_pass": vendorsPassword})
	v.make(&corev1.Secret{ObjectMeta: v.meta("redb-orders"), Data: map[string][]byte{names.PasswordKey: []byte(vendorsPassword), names.ServiceNamesKey: []byte("orders")}})
	v.db = &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: v.scene.meta("orders"), Spec: appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB", Replication: ptr.To(true)}}
	v.db.Finalizers = []string{names.DatabaseFinalizer}
	v.create(v.db)
	v.db.Status.DatabaseUID, v.db.Status.Status, v.db.Status.SpecStatus = "1", appv1alpha1.DatabaseActive, appv1.SpecValid
	if err := world.Client.Status().Update(v.t.Context(), v.db); err != nil {
		v.t.Fatal(err)
	}
}

// certificate is what a person reads beside a node.
func (v *vendor) certificate(t *testing.T) string {
	t.Helper()
	resp, err := v.ask(t.Context(), v.node("rec-0"), http.MethodGet, "/v1/bootstrap", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := closed(resp); text != "" {
		t.Fatal(text)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: resp.TLS.PeerCertificates[0].Raw}))
}
