package integration

import (
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

func TestMustGather(t *testing.T) {
	s := newScene(t)
	s.cluster()
	s.database("orders", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	out, kubeconfig := t.TempDir(), filepath.Join(t.TempDir(), "kubeconfig")
	if err := testenv.WriteKubeconfig(world.Env.Config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	// Like the tests with the race detector: what both are made of is compiled already.
	command := exec.CommandContext(t.Context(), "go", "run", "-race", "../../cmd/must-gather", "-o", out, "-kubeconfig", kubeconfig)
	if printed, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	here := filepath.Join("namespaces", s.namespace)
	for path, wanted := range map[string]string{
		"version": "open-redis-enterprise/must-gather",
		here + "/app.redislabs.com/redisenterpriseclusters/rec.yaml":     "state: Running",
		here + "/app.redislabs.com/redisenterprisedatabases/orders.yaml": "status: active",
		here + "/apps/statefulsets/rec.yaml":                             "redis-enterprise-node",
		here + "/core/pods/rec-0.yaml":                                   "redis-enterprise-node",
		here + "/core/secrets/redb-orders.yaml":                          "REDACTED (",
		here + "/core/configmaps/rec-bulletin-board.yaml":                `cluster.formed: "true"`,
		here + "/policy/poddisruptionbudgets/rec.yaml":                   "minAvailable: 2",
		"cluster-scoped-resources/apiextensions.k8s.io/customresourcedefinitions/redisenterpriseclusters.app.redislabs.com.yaml": "storedVersions",
	} {
		if raw, err := os.ReadFile(filepath.Join(out, path)); err != nil || !strings.Contains(string(raw), wanted) {
			t.Errorf("%s: %v\n%s", path, err, raw)
		}
	}
	var hidden []string
	for _, name := range []string{"rec", "redb-orders", "admission-tls"} {
		var secret corev1.Secret
		if err := world.Client.Get(t.Context(), s.key(name), &secret); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"password", "privateKey"} {
			if value := strings.TrimSpace(string(secret.Data[key])); value != "" {
				hidden = append(hidden, value, base64.StdEncoding.EncodeToString(secret.Data[key]))
			}
		}
	}
	if len(hidden) != 6 {
		t.Fatalf("%d values to look for", len(hidden))
	}
	if err := filepath.WalkDir(out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, value := range hidden {
			if strings.Contains(string(raw), value) {
				t.Errorf("%s shows the value of a Secret", path)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
