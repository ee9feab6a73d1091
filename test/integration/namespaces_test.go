package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// serving starts the operator for its own namespace and others.
func (s *scene) serving(namespaces ...string) {
	s.t.Helper()
	var err error
	s.operator, err = world.Operator(s.t.Context(), s.namespace, func(o *command.ManagerOptions) {
		o.Watch, o.AskAgain = append(o.Watch, namespaces...), 200*time.Millisecond
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// mayServe applies config/overlays/databases-elsewhere/redb_role.yaml in a namespace.
func (s *scene) mayServe(namespace string) {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "config/overlays/databases-elsewhere/redb_role.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	role, binding := &rbacv1.Role{}, &rbacv1.RoleBinding{}
	for i, object := range []client.Object{role, binding} {
		if err := yaml.Unmarshal([]byte(strings.Split(string(raw), "\n---\n")[i]), object); err != nil {
			s.t.Fatal(err)
		}
		object.SetNamespace(namespace)
		binding.Subjects = append([]rbacv1.Subject{}, binding.Subjects...)
		for j := range binding.Subjects {
			binding.Subjects[j].Namespace = s.namespace
		}
		if err := world.Client.Create(s.t.Context(), object); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestMNS5_DatabasesInOtherNamespaces(t *testing.T) {
	s := stage(t)
	shop := &scene{t: t, namespace: s.namespace + "-shop"}
	if err := world.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shop.namespace}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := world.DeleteNamespace(ctx, shop.namespace); err != nil {
			t.Error(err)
		}
	})
	others := []string{shop.namespace, s.namespace + "-nowhere"}
	s.serving(others...)

	t.Run("a namespace without rights, and one that is not there, hold nothing up", func(*testing.T) {
		s.cluster()
		s.event(names.Owner, corev1.EventTypeWarning, names.EventNamespaceLeftOut, "namespace "+shop.namespace)
		s.event(names.Owner, corev1.EventTypeWarning, names.EventNamespaceLeftOut, "namespace "+s.namespace+"-nowhere")
	})
	t.Run("MNS-1 with the rights it is started anew, and serves the namespace", func(t *testing.T) {
		s.mayServe(shop.namespace)
		select {
		case <-s.operator.Done():
		case <-time.After(limitCluster):
			t.Fatal("the operator goes on as before")
		}
		if err := s.operator.Stop(); err != nil {
			t.Fatal(err)
		}
		s.serving(others...)
		db := shop.database("orders", appv1alpha1.RedisEnterpriseDatabaseSpec{})
		secret := &corev1.Secret{ObjectMeta: shop.meta("redb-orders")}
		s.eventually(limitWord, "the Secret names the Services", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
				return err.Error()
			}
			if got, want := string(secret.Data["service_names"]), "orders."+s.namespace+",orders-headless."+s.namespace; got != want {
				return got
			}
			return ""
		})
		if err := world.Client.Delete(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		s.eventually(limitDatabase, "the database is gone", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(db), db); client.IgnoreNotFound(err) == nil && err != nil {
				return ""
			}
			return "still there"
		})
	})
}
