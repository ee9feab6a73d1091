package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

const overlays = root + "/config/overlays/openshift"

func manifest[T any](t *testing.T, path string) T {
	t.Helper()
	var out T
	raw, err := os.ReadFile(path)
	if err == nil {
		err = yaml.UnmarshalStrict(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTrustedAuthoritiesAreWhereTheOperatorLooks: the image has no authorities of its own. The ConfigMap need not be there.
func TestTrustedAuthoritiesAreWhereTheOperatorLooks(t *testing.T) {
	filled := manifest[corev1.ConfigMap](t, overlays+"/trusted-ca/configmap.yaml")
	if filled.Labels["config.openshift.io/inject-trusted-cabundle"] != "true" || len(filled.Data) > 0 {
		t.Errorf("OpenShift does not fill it: %v", filled.Labels)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "src/crypto/x509/root_linux.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []variant{head(t), community(t)} {
		pod := v.Deployments()[0].Spec.Template.Spec
		i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.ConfigMap != nil && v.ConfigMap.Name == filled.Name })
		if i < 0 {
			t.Fatalf("%s: nothing mounts %s", v.Name, filled.Name)
		}
		volume := pod.Volumes[i]
		if volume.ConfigMap.Optional == nil || !*volume.ConfigMap.Optional || len(volume.ConfigMap.Items) != 1 || volume.ConfigMap.Items[0].Key != "ca-bundle.crt" {
			t.Fatalf("%s: %+v", v.Name, volume.ConfigMap)
		}
		for _, m := range pod.Containers[0].VolumeMounts {
			if file := filepath.Join(m.MountPath, volume.ConfigMap.Items[0].Path); m.Name == volume.Name && !strings.Contains(string(sources), `"`+file+`"`) {
				t.Errorf("%s: nobody looks at %s", v.Name, file)
			}
		}
	}
}

// TestProtectedMetricsAreScrapedUnderOLM: the ServiceMonitor trusts the certificate that OLM makes, which is named for the
// Deployment of the bundle, under the name of the Service that OLM makes for it; and the operator may ask who reads.
func TestProtectedMetricsAreScrapedUnderOLM(t *testing.T) {
	const namespace = "redis-enterprise"
	all := kustomized(t, "overlays/openshift/metrics")
	type monitor struct {
		Metadata struct{ Namespace string }
		Spec     struct {
			Endpoints []struct {
				Port, Scheme string
				TLSConfig    struct {
					ServerName string
					CA         struct{ Secret corev1.SecretKeySelector }
				} `json:"tlsConfig"`
			}
		}
	}
	var monitors []monitor
	var bound []string
	for _, r := range all.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		switch r.GetKind() {
		case "ServiceMonitor":
			var m monitor
			if err := yaml.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			monitors = append(monitors, m)
		case "ClusterRoleBinding", "RoleBinding":
			var b rbacv1.ClusterRoleBinding
			if err := yaml.Unmarshal(text, &b); err != nil {
				t.Fatal(err)
			}
			bound = append(bound, b.RoleRef.Name+" to "+b.Subjects[0].Namespace+"/"+b.Subjects[0].Name)
		case "Deployment":
			t.Error("it would change what OLM keeps")
		}
	}
	service := head(t).Deployments()[0].Name + "-service"
	if len(monitors) != 1 || len(monitors[0].Spec.Endpoints) != 1 {
		t.Fatalf("%+v", monitors)
	}
	e := monitors[0].Spec.Endpoints[0]
	if e.Scheme != "https" || e.TLSConfig.ServerName != service+"."+namespace+".svc" || e.TLSConfig.CA.Secret.Name != service+"-cert" || e.TLSConfig.CA.Secret.Key != "olmCAKey" {
		t.Errorf("%+v", e)
	}
	account := head(t).CSV.Spec.InstallStrategy.StrategySpec.Permissions[0].ServiceAccountName
	for _, want := range []string{
		"redis-enterprise-operator-metrics-auth to " + namespace + "/" + account,
		"redis-enterprise-operator-metrics-reader to " + namespace + "/redis-enterprise-operator-scraper",
		"redis-enterprise-operator-prometheus to openshift-monitoring/prometheus-k8s",
	} {
		if !slices.Contains(bound, want) {
			t.Errorf("nothing binds %s: %v", want, bound)
		}
	}
}

// TestTheSCCStaysOutside: OLM cannot apply an SCC, and whoever installs an operator must not thereby change what pods may do.
func TestTheSCCStaysOutside(t *testing.T) {
	var scc struct {
		Kind     string
		Metadata struct{ Name string }
	}
	raw, err := os.ReadFile(overlays + "/scc/redis-enterprise-scc-v2.yaml")
	if err == nil {
		err = yaml.Unmarshal(raw, &scc)
	}
	if err != nil || scc.Kind != "SecurityContextConstraints" {
		t.Fatalf("%+v, %v", scc, err)
	}
	for _, v := range []variant{head(t), community(t)} {
		if found := ofKind(v, scc.Kind); len(found) > 0 {
			t.Errorf("%s holds %d", v.Name, len(found))
		}
		named := 0
		for _, p := range v.CSV.Spec.InstallStrategy.StrategySpec.Permissions {
			for _, rule := range p.Rules {
				if slices.Contains(rule.Resources, "securitycontextconstraints") {
					named++
					if !slices.Equal(rule.ResourceNames, []string{"nonroot-v2", scc.Metadata.Name}) {
						t.Errorf("%s: %v", v.Name, rule.ResourceNames)
					}
				}
			}
		}
		if named != 1 {
			t.Errorf("%s names SCCs in %d rules", v.Name, named)
		}
		for _, p := range v.CSV.Spec.InstallStrategy.StrategySpec.ClusterPermissions {
			for _, rule := range p.Rules {
				if slices.Contains(rule.Resources, "securitycontextconstraints") {
					t.Errorf("%s: %v in every namespace", v.Name, rule.Verbs)
				}
			}
		}
	}
}
