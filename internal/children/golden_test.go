package children

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/platform"
)

var update = flag.Bool("update", false, "write the golden files anew")

func fixture(t *testing.T, name string) Cluster {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name, "rec.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rec := &v1.RedisEnterpriseCluster{}
	if err := yaml.UnmarshalStrict(raw, rec); err != nil {
		t.Fatal(err)
	}
	return Cluster{REC: rec, CredentialSecret: rec.CredentialSecretName(), Platform: platform.Platform{
		Node:         platform.Image{Repository: "redislabs/redis", Tag: "8.2.0-46.13"},
		Bootstrapper: platform.Image{Repository: "example.org/operator", Tag: "1.0.0"},
		Rigger:       platform.Image{Repository: "example.org/operator", Tag: "1.0.0"},
	}}
}

// objects are all children of a cluster by the name of their golden file.
func objects(c Cluster) map[string]client.Object {
	out := map[string]client.Object{
		"statefulset":         StatefulSet(c),
		"service":             APIService(c),
		"service-prom":        MetricsService(c),
		"secret":              CredentialSecret(c, "a-password"),
		"role":                Role(c),
		"rolebinding":         RoleBinding(c),
		"poddisruptionbudget": PodDisruptionBudget(c),
		"configmap":           Board(c, true, []string{"10.0.0.2", "10.0.0.1"}),
		"deployment":          Rigger(c),
	}
	scrape := Scrape{CA: "a certificate\n", ServerName: "rec.redis.svc.cluster.local"}
	if c.REC.Name != "rec" { // the full one asks for credentials
		scrape.Secret = "scraper"
	}
	out["service-prom-leader"] = MetricsLeaderService(c)
	out["configmap-metrics-ca"] = MetricsCA(c, scrape)
	out["servicemonitor"] = ServiceMonitor(c, scrape)
	out["prometheusrule"] = PrometheusRule(c)
	out["configmap-dashboards"] = summary(Dashboards(c))
	out["networkpolicy"] = MetricsPolicy(c, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "monitoring"}})
	if ui := UIService(c); ui != nil {
		out["service-ui"] = ui
	}
	if account := ServiceAccount(c); account != nil {
		out["serviceaccount"] = account
	}
	return out
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"minimal", "full"} {
		built := objects(fixture(t, name))
		for kind, object := range built {
			t.Run(name+"/"+kind, func(t *testing.T) { golden(t, filepath.Join("testdata", name, kind+".yaml"), object) })
		}
		files, err := filepath.Glob(filepath.Join("testdata", name, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != len(built)+1 {
			t.Errorf("%s: %d golden files for %d objects", name, len(files)-1, len(built))
		}
	}
}

func golden(t *testing.T, path string, object any) {
	t.Helper()
	got, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs; look at the difference and run with -update\n%s", path, got)
	}
}

// The restricted Pod Security Standard, as far as it concerns what we set.
func TestRestricted(t *testing.T) {
	c := fixture(t, "minimal")
	for _, pod := range []corev1.PodSpec{StatefulSet(c).Spec.Template.Spec, Rigger(c).Spec.Template.Spec} {
		s := pod.SecurityContext
		if !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("pod security: %+v", s)
		}
		for _, container := range pod.Containers {
			s := container.SecurityContext
			if *s.AllowPrivilegeEscalation || *s.Privileged || len(s.Capabilities.Add) > 0 || s.Capabilities.Drop[0] != "ALL" {
				t.Errorf("%s: %+v", container.Name, s)
			}
		}
		for _, volume := range pod.Volumes {
			if volume.HostPath != nil {
				t.Errorf("volume %s is on the host", volume.Name)
			}
		}
	}
}

func TestREC107_AutoAdjustmentIsTheOnlyException(t *testing.T) {
	c := fixture(t, "minimal")
	c.REC.Spec.SecurityContext = &v1.SecurityContext{ResourceLimits: &v1.ResourceLimitsSettings{AllowAutoAdjustment: true}}
	containers := StatefulSet(c).Spec.Template.Spec.Containers
	if s := containers[0].SecurityContext; !*s.AllowPrivilegeEscalation || len(s.Capabilities.Add) != 1 || s.Capabilities.Add[0] != "SYS_RESOURCE" {
		t.Errorf("node: %+v", s)
	}
	if s := containers[1].SecurityContext; *s.AllowPrivilegeEscalation || len(s.Capabilities.Add) != 0 {
		t.Errorf("bootstrapper: %+v", s)
	}
}
