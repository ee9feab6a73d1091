package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// webhook installs the shipped webhook configuration for the scene's namespace, under the name that such an installation
// has (INST-22), and the right to change it. The Service is an external name, since there is no proxy here that would
// make a Service out of the operator's loopback address.
func (s *scene) webhook() *admissionregistrationv1.ValidatingWebhookConfiguration {
	s.t.Helper()
	host, text, err := net.SplitHostPort(s.operator.Admission)
	if err != nil {
		s.t.Fatal(err)
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "config", "webhook", "manifests.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := yaml.UnmarshalStrict(raw, configuration); err != nil {
		s.t.Fatal(err)
	}
	configuration.Name += "-" + s.namespace
	for i := range configuration.Webhooks {
		hook := &configuration.Webhooks[i]
		hook.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.namespace}}
		hook.ClientConfig.Service.Namespace, hook.ClientConfig.Service.Port = s.namespace, ptr.To(int32(port))
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: configuration.Name}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{"validatingwebhookconfigurations"},
		ResourceNames: []string{configuration.Name}, Verbs: []string{"get", "patch"},
	}}}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: role.ObjectMeta,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: names.Owner}}}
	service := &corev1.Service{ObjectMeta: s.meta(names.AdmissionService), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: host}}
	for _, obj := range []client.Object{role, binding, service, configuration} {
		s.create(obj)
		if obj.GetNamespace() == "" {
			s.t.Cleanup(func() {
				if err := world.Client.Delete(context.Background(), obj); err != nil {
					s.t.Error(err)
				}
			})
		}
	}
	s.eventually(limitWord, "CA bundle", func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(configuration), configuration); err != nil {
			return err.Error()
		}
		if len(configuration.Webhooks[0].ClientConfig.CABundle) == 0 {
			return "none yet"
		}
		return ""
	})
	return configuration
}

// denied tries to create an object until the webhook refuses it; the API server learns of a webhook through a watch.
func (s *scene) denied(obj client.Object, path string) {
	s.t.Helper()
	s.eventually(limitWord, "denial of "+obj.GetName(), func(ctx context.Context) string {
		try := obj.DeepCopyObject().(client.Object)
		err := world.Client.Create(ctx, try)
		if err == nil {
			if err := world.Client.Delete(ctx, try); err != nil {
				return err.Error()
			}
			return "it was admitted"
		}
		if !strings.Contains(err.Error(), fmt.Sprintf("%q denied the request", names.AdmissionName)) || !strings.Contains(err.Error(), path) {
			return err.Error()
		}
		return ""
	})
}

func TestADM13_TheDoor(t *testing.T) {
	s := newScene(t)
	configuration := s.webhook()
	bad := func(name string, spec appv1alpha1.RedisEnterpriseDatabaseSpec) *appv1alpha1.RedisEnterpriseDatabase {
		return &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta(name), Spec: spec}
	}
	t.Run("ADM-13 an illegal eviction policy", func(*testing.T) {
		s.denied(bad("illegal", appv1alpha1.RedisEnterpriseDatabaseSpec{EvictionPolicy: "illegal"}), "spec.evictionPolicy")
	})
	t.Run("ADM-10 a size that nobody can read, without any cluster", func(*testing.T) {
		s.denied(bad("size", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "12XB"}), "spec.memorySize")
	})
	t.Run("ADM-6 a cluster that does not exist", func(*testing.T) {
		s.denied(bad("lost", appv1alpha1.RedisEnterpriseDatabaseSpec{RedisEnterpriseCluster: &appv1alpha1.ClusterReference{Name: "nope"}}), "spec.redisEnterpriseCluster.name")
	})
	t.Run("ADM-4 a cluster of two nodes, in both versions", func(*testing.T) {
		s.denied(&appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("two"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](2)}}, "spec.nodes")
		old := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "app.redislabs.com/v1alpha1", "kind": "RedisEnterpriseCluster",
			"metadata": map[string]any{"name": "two", "namespace": s.namespace}, "spec": map[string]any{"nodes": int64(2)}}}
		s.denied(old, "spec.nodes")
	})
	t.Run("ADM-8 a remote cluster with another Secret", func(*testing.T) {
		s.denied(&appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: s.meta("far"), Spec: appv1alpha1.RedisEnterpriseRemoteClusterSpec{
			APIFQDNURL: "api.example.com", RECName: "rec", RECNamespace: "far", SecretName: "mine"}}, "spec.secretName")
	})
	t.Run("ADM-7 an Active-Active database on clusters that do not exist", func(*testing.T) {
		s.denied(&appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: s.meta("global"), Spec: appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{
			ParticipatingClusters: []appv1alpha1.ParticipatingCluster{{Name: "a"}, {Name: "b"}}}}, "spec.participatingClusters")
	})
	t.Run("a sound one passes, with a Secret still to come", func(*testing.T) {
		s.create(bad("sound", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "200MB", DatabaseSecretName: "later"}))
	})
	t.Run("ADM-3 the documented configuration asks in v1beta1 only", func(*testing.T) {
		edit(s, configuration, func(c *admissionregistrationv1.ValidatingWebhookConfiguration) {
			c.Webhooks[0].AdmissionReviewVersions = []string{"v1beta1"}
		})
		s.denied(bad("illegal-beta", appv1alpha1.RedisEnterpriseDatabaseSpec{EvictionPolicy: "illegal"}), "spec.evictionPolicy")
	})
}

func TestNamespaceDeletedWithTheDoorInPlace(t *testing.T) {
	s := newScene(t)
	s.webhook()
	rec := s.cluster()
	s.database("orders", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	s.denied(&appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("bad"), Spec: appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "12XB"}}, "spec.memorySize")
	started := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), limitCluster)
	defer cancel()
	// The operator's Service goes with the namespace, and may go first: whatever asks the webhook then is refused.
	if err := world.DeleteNamespace(ctx, s.namespace); err != nil {
		t.Fatalf("INST-28 after %s: %v", time.Since(started), err)
	}
	if err := world.Client.Get(t.Context(), client.ObjectKeyFromObject(rec), rec); !apierrors.IsNotFound(err) {
		t.Errorf("the REC: %v", err)
	}
}
