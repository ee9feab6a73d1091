// Package install holds what is applied to a Kubernetes against the names and promises that people and tools rely on.
package install

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// operator is the name that the documentation gives to the Deployment, its account and its Role.
const operator = "redis-enterprise-operator"

// read reads the first document of a file that is of the kind of into.
func read[T any](t *testing.T, path, kind string) *T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range strings.Split(string(raw), "\n---\n") {
		var head struct{ Kind string }
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatal(err)
		}
		if head.Kind == kind {
			into := new(T)
			if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
				t.Fatal(err)
			}
			return into
		}
	}
	t.Fatalf("%s has no %s", path, kind)
	return nil
}

func deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	return read[appsv1.Deployment](t, "config/manager/deployment.yaml", "Deployment")
}

func TestINST4_UndeployLeavesTheCRDsOfEverybody(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	recipe := regexp.MustCompile(`(?m)^undeploy:.*\n((?:\t.*\n)+)`).FindStringSubmatch(string(raw))
	if recipe == nil {
		t.Fatal("make knows no undeploy")
	}
	folder := regexp.MustCompile(`-k (\S+)`).FindAllStringSubmatch(recipe[1], -1)
	if len(folder) == 0 {
		t.Fatalf("it deletes nothing: %s", recipe[1])
	}
	for _, f := range folder {
		for _, path := range resources(t, filepath.Join(root, f[1])) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if regexp.MustCompile(`(?m)^kind: CustomResourceDefinition$`).Match(raw) {
				t.Errorf("%s would go, and with it the clusters and databases of every namespace", path)
			}
		}
	}
}

// resources are the files that a kustomization applies.
func resources(t *testing.T, folder string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var k struct{ Resources []string }
	if err := yaml.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, r := range k.Resources {
		path := filepath.Join(folder, r)
		if filepath.Ext(path) == ".yaml" {
			files = append(files, path)
		} else {
			files = append(files, resources(t, path)...)
		}
	}
	return files
}

func TestINST5_TheDeploymentIsFoundByItsNames(t *testing.T) {
	d := deployment(t)
	pod := d.Spec.Template
	if d.Name != operator || d.Labels["app"] != "redis-enterprise" || len(d.Spec.Selector.MatchLabels) != 1 || d.Spec.Selector.MatchLabels["name"] != operator {
		t.Errorf("%s, %v, %v", d.Name, d.Labels, d.Spec.Selector)
	}
	if pod.Labels["app"] != "redis-enterprise" || pod.Labels["name"] != operator || pod.Spec.ServiceAccountName != operator {
		t.Errorf("%v as %s", pod.Labels, pod.Spec.ServiceAccountName)
	}
	if s := pod.Spec.SecurityContext; !*s.RunAsNonRoot || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%+v", s)
	}
}

func TestINST7_SettingsComeFromAConfigMapThatNeedNotBe(t *testing.T) {
	for _, container := range deployment(t).Spec.Template.Spec.Containers {
		if !slices.ContainsFunc(container.EnvFrom, func(e corev1.EnvFromSource) bool {
			return e.ConfigMapRef != nil && e.ConfigMapRef.Name == "operator-environment-config" && e.ConfigMapRef.Optional != nil && *e.ConfigMapRef.Optional
		}) {
			t.Errorf("%s: %+v", container.Name, container.EnvFrom)
		}
	}
}

func TestINST9_TheOperatorFitsASmallQuota(t *testing.T) {
	d := deployment(t)
	var cpu, memory resource.Quantity
	for range *d.Spec.Replicas {
		for _, container := range d.Spec.Template.Spec.Containers {
			cpu.Add(*container.Resources.Requests.Cpu())
			memory.Add(*container.Resources.Requests.Memory())
		}
	}
	if cpu.IsZero() || cpu.Cmp(resource.MustParse("500m")) > 0 || memory.Cmp(resource.MustParse("256Mi")) > 0 {
		t.Errorf("it asks for %s and %s", cpu.String(), memory.String())
	}
}

func TestINST12_INST14_NothingIsDoneInsidePodsAndMachinesAreNotAskedFor(t *testing.T) {
	folder := filepath.Join(root, "config", "rbac")
	var given []string
	for _, path := range resources(t, folder) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(raw), "\n---\n") {
			var role rbacv1.ClusterRole // a Role reads the same
			if err := yaml.Unmarshal([]byte(document), &role); err != nil {
				t.Fatal(err)
			}
			for _, rule := range role.Rules {
				given = append(given, rule.Resources...)
			}
		}
	}
	if !slices.Contains(given, "statefulsets") {
		t.Fatalf("the rights were not found: %v", given)
	}
	for _, wrong := range []string{"pods/exec", "pods/log", "pods/attach", "pods/portforward", "nodes", "*"} {
		if slices.Contains(given, wrong) {
			t.Errorf("there is a right on %s", wrong)
		}
	}
	// A list that may not be made would be logged as an error, again and again.
	for _, folder := range []string{"controllers", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err == nil && regexp.MustCompile(`corev1\.Node(List)?\{`).Match(raw) {
				t.Errorf("%s reads the machines of Kubernetes", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestADM2_TheWebhookIsTheDocumentedOne(t *testing.T) {
	c := read[admissionv1.ValidatingWebhookConfiguration](t, "config/webhook/manifests.yaml", "ValidatingWebhookConfiguration")
	if c.Name != "redis-enterprise-admission" || len(c.Webhooks) != 1 || c.Webhooks[0].Name != "redisenterprise.admission.redislabs" {
		t.Fatalf("%s: %+v", c.Name, c.Webhooks)
	}
	w := c.Webhooks[0]
	if *w.FailurePolicy != admissionv1.Fail || *w.MatchPolicy != admissionv1.Exact || *w.SideEffects != admissionv1.SideEffectClassNone || *w.TimeoutSeconds != 30 {
		t.Errorf("%v, %v, %v, %d s", *w.FailurePolicy, *w.MatchPolicy, *w.SideEffects, *w.TimeoutSeconds)
	}
	if !slices.Contains(w.AdmissionReviewVersions, "v1beta1") {
		t.Errorf("%v", w.AdmissionReviewVersions)
	}
	for _, kind := range []string{"redisenterprisedatabases", "redisenterpriseactiveactivedatabases", "redisenterpriseremoteclusters"} {
		if !slices.ContainsFunc(w.Rules, func(r admissionv1.RuleWithOperations) bool {
			return slices.Equal(r.APIGroups, []string{"app.redislabs.com"}) && slices.Contains(r.APIVersions, "v1alpha1") && slices.Contains(r.Resources, kind) &&
				slices.Contains(r.Operations, admissionv1.Create) && slices.Contains(r.Operations, admissionv1.Update)
		}) {
			t.Errorf("nobody is asked about %s", kind)
		}
	}
	if s := w.ClientConfig.Service; s.Name != "admission" || *s.Path != "/admission" || *s.Port != 443 {
		t.Errorf("%+v", s)
	}
}

func TestLOG3_TheVersionIsInTheFirstContainer(t *testing.T) {
	container := deployment(t).Spec.Template.Spec.Containers[0]
	if container.Name != operator || !regexp.MustCompile(`:[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(container.Image) {
		t.Errorf("%s runs %s", container.Name, container.Image)
	}
}
