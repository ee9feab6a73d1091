package testenv_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/open-redis-enterprise/operator/test/testenv"
)

const widgetCRD = `apiVersion: v1
kind: Namespace
metadata: {name: not-a-crd}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.testenv.example}
spec:
  group: testenv.example
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          size: {type: integer, minimum: 1}
`

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestCustomResourcesAreServedOnceStarted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "widget.yaml"), []byte(widgetCRD), 0o600); err != nil {
		t.Fatal(err)
	}
	env := testenv.New(t, testenv.Options{CRDs: []string{folder}})
	client, err := dynamic.NewForConfig(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	widgets := client.Resource(schema.GroupVersionResource{Group: "testenv.example", Version: "v1", Resource: "widgets"}).Namespace("default")
	create := func(name string, size int64) error {
		widget := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "testenv.example/v1", "kind": "Widget",
			"metadata": map[string]any{"name": name}, "size": size,
		}}
		_, err := widgets.Create(t.Context(), widget, metav1.CreateOptions{})
		return err
	}
	if err := create("good", 1); err != nil {
		t.Errorf("a valid object: %v", err)
	}
	if err := create("bad", 0); !apierrors.IsInvalid(err) {
		t.Errorf("an object against its schema: got %v, want Invalid", err)
	}
	if _, err := newClient(t, env.Config).CoreV1().Namespaces().Get(t.Context(), "not-a-crd", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("an object that is no CRD was applied as well: %v", err)
	}
}

func TestServiceAccountsHaveTheRightsOfTheirRoles(t *testing.T) {
	t.Parallel()
	env := testenv.New(t, testenv.Options{})
	admin := newClient(t, env.Config)
	grantReading(t, admin, "reader", "configmaps")
	config, err := env.As(t.Context(), "default", "reader")
	if err != nil {
		t.Fatal(err)
	}
	reader := newClient(t, config)
	if _, err := reader.CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("what the role allows: %v", err)
	}
	if _, err := reader.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("what the role does not allow: got %v, want Forbidden", err)
	}
}

func grantReading(t *testing.T, admin kubernetes.Interface, account, resource string) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: account, Namespace: "default"}
	if _, err := admin.CoreV1().ServiceAccounts("default").Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{resource}, Verbs: []string{"list"}}}}
	if _, err := admin.RbacV1().Roles("default").Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: account, Namespace: "default"}},
	}
	if _, err := admin.RbacV1().RoleBindings("default").Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestControllersCleanUp(t *testing.T) {
	t.Parallel()
	env := testenv.New(t, testenv.Options{Controllers: []string{
		testenv.GarbageCollection, testenv.NamespaceDeletion, testenv.ServiceAccounts,
	}})
	client := newClient(t, env.Config)
	const namespace = "short-lived"
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the default service account appears", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, ignoreNotFound(err)
	})
	owner, err := client.CoreV1().ConfigMaps(namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	owned := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "owned", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID},
	}}}
	if _, err := client.CoreV1().Secrets(namespace).Create(t.Context(), owned, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().ConfigMaps(namespace).Delete(t.Context(), owner.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what the deleted object owned is gone", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().Secrets(namespace).Get(ctx, owned.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), ignoreNotFound(err)
	})
	if err := client.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deleted namespace is gone", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), ignoreNotFound(err)
	})
}

func TestAFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	t.Run("no binary", func(t *testing.T) {
		_, err := testenv.Start(t.Context(), testenv.Options{Binary: filepath.Join(t.TempDir(), "absent")})
		if err == nil || !strings.Contains(err.Error(), "make bin/kubelocal") {
			t.Errorf("got %v, want an error that says how to build it", err)
		}
	})
	t.Run("a daemon that ends", func(t *testing.T) {
		_, err := testenv.Start(t.Context(), testenv.Options{APIServerFlags: []string{"--no-such-flag"}})
		if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
			t.Errorf("got %v, want an error with the daemon's last words", err)
		}
	})
}

func TestAfterStopNobodyAnswers(t *testing.T) {
	t.Parallel()
	env, err := testenv.Start(t.Context(), testenv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, env.Config)
	if _, err := client.Discovery().ServerVersion(); err != nil {
		t.Errorf("before: %v", err)
	}
	if err := env.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := client.Discovery().ServerVersion(); err == nil {
		t.Error("the API server still answers")
	}
	if err := env.Stop(); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func eventually(t *testing.T, what string, condition wait.ConditionWithContextFunc) {
	t.Helper()
	const limit, pause = time.Minute, 50 * time.Millisecond
	if err := wait.PollUntilContextTimeout(t.Context(), pause, limit, true, condition); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
