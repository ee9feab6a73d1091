package check

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver/v4"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/hack/bundle/build"
)

// Each trap has been fallen into by a published bundle.

func TestTrap01_DescriptorsSitOnTheirOwnKindAndOnce(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		byKind := map[string][]string{}
		for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
			schema := schemaOf(t, v, owned)
			checkEntries(t, "spec", schema.Properties["spec"], specEntries(owned))
			checkEntries(t, "status", schema.Properties["status"], statusEntries(owned))
			for _, d := range owned.SpecDescriptors {
				byKind[owned.Kind] = append(byKind[owned.Kind], d.Path)
			}
		}
		if slices.Contains(byKind["RedisEnterpriseRemoteCluster"], "nodes") || !slices.Contains(byKind["RedisEnterpriseCluster"], "nodes") {
			t.Error("the nodes of a cluster are described on another kind")
		}
	})
}

func TestTrap02_EveryOwnedKindNamesItsResources(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
			if len(owned.Resources) == 0 {
				t.Errorf("%s %s names none", owned.Kind, owned.Version)
			}
			for _, r := range owned.Resources {
				if r.Kind == "" || r.Version == "" {
					t.Errorf("%s %s names %+v", owned.Kind, owned.Version, r)
				}
			}
		}
	})
}

func TestTrap03_FeaturesAreToldInPlainQuotes(t *testing.T) {
	features := []string{"disconnected", "fips-compliant", "proxy-aware", "tls-profiles", "token-auth-aws", "token-auth-azure",
		"token-auth-gcp", "cnf", "cni", "csi"}
	every(t, func(t *testing.T, v variant) {
		for _, feature := range features {
			if got := v.CSV.Annotations["features.operators.openshift.io/"+feature]; got != "true" && got != "false" {
				t.Errorf("%s is %q", feature, got)
			}
		}
		for key, value := range v.CSV.Annotations {
			if i := strings.IndexFunc(key+value, func(r rune) bool { return r > 126 }); i >= 0 {
				t.Errorf("annotation %s holds a character beyond ASCII", key)
			}
		}
	})
}

func TestTrap04_EveryFieldOfTheCSVIsSpeltAsOLMReadsIt(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		raw, err := os.ReadFile(filepath.Join(v.folder, "manifests", source(t).Release.Package+".clusterserviceversion.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var csv v1alpha1.ClusterServiceVersion
		if err := yaml.UnmarshalStrict(raw, &csv); err != nil {
			t.Error(err)
		}
		if !regexp.MustCompile(`(?m)^  minKubeVersion: \d+\.\d+\.\d+$`).Match(raw) {
			t.Error("spec.minKubeVersion is not there in that spelling")
		}
	})
}

var dockerLabel = regexp.MustCompile(`(?m)^LABEL ([^=\s]+)="(.*)"$`)

func TestTrap05_DockerfileAndAnnotationsAgree(t *testing.T) {
	raw, err := os.ReadFile(root + "/bundle.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, found := range dockerLabel.FindAllStringSubmatch(string(raw), -1) {
		labels[found[1]] = found[2]
	}
	annotations := annotationsOf(t, head(t))
	for key, value := range annotations {
		if labels[key] != value {
			t.Errorf("%s: the Dockerfile says %q, the annotations say %q", key, labels[key], value)
		}
		delete(labels, key)
	}
	for key := range labels {
		if strings.HasPrefix(key, "operators.operatorframework.io") || key == "com.redhat.openshift.versions" {
			t.Errorf("%s is in the Dockerfile alone", key)
		}
	}
}

func annotationsOf(t *testing.T, v variant) map[string]string {
	t.Helper()
	var file struct{ Annotations map[string]string }
	raw, err := os.ReadFile(filepath.Join(v.folder, "metadata", "annotations.yaml"))
	if err == nil {
		err = yaml.UnmarshalStrict(raw, &file)
	}
	if err != nil || len(file.Annotations) == 0 {
		t.Fatalf("annotations %v, error %v", file.Annotations, err)
	}
	return file.Annotations
}

func TestTrap06_WebhooksSpeakTheCurrentReview(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, w := range v.CSV.Spec.WebhookDefinitions {
			if !slices.Equal(w.AdmissionReviewVersions, []string{"v1"}) {
				t.Errorf("%s: %v", w.GenerateName, w.AdmissionReviewVersions)
			}
		}
	})
}

func TestTrap07_ProbesAskAndResourcesAreAskedFor(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, d := range deployments(v) {
			for _, c := range d.Spec.Template.Spec.Containers {
				for name, probe := range map[string]*corev1.Probe{"liveness": c.LivenessProbe, "readiness": c.ReadinessProbe, "startup": c.StartupProbe} {
					if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path == "" {
						t.Errorf("%s: the %s probe asks nothing", c.Name, name)
					}
				}
				if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s: resources are %+v", c.Name, c.Resources)
				}
			}
		}
	})
}

func TestTrap08_CreatedAtIsTheDayOfTheRelease(t *testing.T) {
	at := func(v variant) time.Time {
		got, err := time.Parse(time.RFC3339, v.CSV.Annotations["createdAt"])
		if err != nil {
			t.Error(err)
		}
		return got
	}
	if now, before := at(head(t)), at(previous(t)); !now.After(before) {
		t.Errorf("1.1.0 of %s is not newer than 1.0.0 of %s", now, before)
	}
	first, err := source(t).Files(build.OpenShift)
	if err != nil {
		t.Fatal(err)
	}
	again, err := build.ReadSource(root)
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.Files(build.OpenShift)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(first, second, func(a, b build.File) bool { return a.Path == b.Path && slices.Equal(a.Content, b.Content) }) {
		t.Error("two builds differ")
	}
}

// everywhere are kinds that OLM applies and every Kubernetes has; onOpenShift are those that every OpenShift has too.
var (
	everywhere = []string{"ClusterServiceVersion", "CustomResourceDefinition", "ServiceAccount", "Service", "Secret", "ConfigMap", "Role",
		"RoleBinding", "ClusterRole", "ClusterRoleBinding", "PodDisruptionBudget", "PriorityClass"}
	onOpenShift = []string{"ServiceMonitor", "PrometheusRule", "ConsoleYAMLSample", "ConsoleQuickStart", "ConsoleCLIDownload", "ConsoleLink", "ConsolePlugin"}
)

func TestTrap09_NoKindThatMayBeAbsent(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		allowed := slices.Clone(everywhere)
		if v.name != "community" {
			allowed = append(allowed, onOpenShift...)
		}
		for _, object := range v.Objects {
			if !slices.Contains(allowed, object.GetKind()) {
				t.Errorf("%s %s", object.GetKind(), object.GetName())
			}
		}
	})
}

var digest = regexp.MustCompile(`^[a-z0-9.-]+(:\d+)?/[a-z0-9./_-]+@sha256:[0-9a-f]{64}$`)

func TestTrap10_EveryImageIsPinned(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		related, used := map[string]bool{}, map[string]bool{}
		for _, image := range v.CSV.Spec.RelatedImages {
			related[image.Image] = true
		}
		variables := 0
		for _, d := range deployments(v) {
			for _, c := range d.Spec.Template.Spec.Containers {
				used[c.Image] = true
				if c.Image != v.CSV.Annotations["containerImage"] {
					t.Errorf("containerImage is %s, the Deployment runs %s", v.CSV.Annotations["containerImage"], c.Image)
				}
				for _, variable := range c.Env {
					if strings.HasPrefix(variable.Name, "RELATED_IMAGE_") {
						used[variable.Value] = true
						variables++
					}
				}
			}
		}
		if variables == 0 || !maps.Equal(related, used) {
			t.Errorf("%d variables; related images %v, used %v", variables, related, used)
		}
		for image := range related {
			if !digest.MatchString(image) || strings.Contains(image, strings.Repeat("0", 16)) {
				t.Errorf("%s is not pinned by a digest", image)
			}
		}
	})
}

func TestTrap11_VersionsAreOurOwnAndPlain(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		version := v.CSV.Spec.Version.Version
		if len(version.Pre) > 0 || len(version.Build) > 0 || version.Major == 0 {
			t.Errorf("version %s", version)
		}
		if want := source(t).Release.Package + ".v" + version.String(); v.CSV.Name != want || len(want) > 63 {
			t.Errorf("the name is %s, want %s", v.CSV.Name, want)
		}
		if v.CSV.Spec.Replaces == "" {
			return
		}
		_, before, _ := strings.Cut(v.CSV.Spec.Replaces, ".v")
		if older, err := semver.Parse(before); err != nil || !older.LT(version) {
			t.Errorf("%s replaces %s", version, before)
		}
	})
}

func TestTrap12_NothingIsConverted(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, w := range v.CSV.Spec.WebhookDefinitions {
			if w.Type == v1alpha1.ConversionWebhook {
				t.Errorf("%s converts, which would leave AllNamespaces as the only install mode", w.GenerateName)
			}
		}
		for _, crd := range v.V1CRDs {
			if crd.Spec.Conversion != nil && crd.Spec.Conversion.Strategy != "None" {
				t.Errorf("%s is converted by %s", crd.Name, crd.Spec.Conversion.Strategy)
			}
		}
		if len(v.CSV.Spec.InstallModes) != 4 {
			t.Errorf("%d install modes are told", len(v.CSV.Spec.InstallModes))
		}
		for _, mode := range v.CSV.Spec.InstallModes {
			if !mode.Supported {
				t.Errorf("%s is not supported", mode.Type)
			}
		}
	})
}

func TestTrap13_NothingOfOLMItselfIsRequired(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		if len(v.CSV.Spec.CustomResourceDefinitions.Required) > 0 || len(v.CSV.Spec.APIServiceDefinitions.Required) > 0 || len(v.Dependencies) > 0 {
			t.Error("something else is required")
		}
		if _, err := os.Stat(filepath.Join(v.folder, "metadata", "dependencies.yaml")); err == nil {
			t.Error("the bundle has dependencies")
		}
		for _, key := range []string{"olm.properties", "operatorframework.io/properties"} {
			if _, there := v.CSV.Annotations[key]; there {
				t.Errorf("annotation %s", key)
			}
		}
	})
}

func TestTrap14_NoRightThatACacheOfOperatorConditionsWouldNeed(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, rule := range allRules(v) {
			if slices.Contains(rule.APIGroups, "operators.coreos.com") {
				t.Errorf("OLM grants the one object by name; the bundle asks for %v %v", rule.Verbs, rule.Resources)
			}
		}
	})
}

func TestTrap15_ScorecardTestsPrintOneResultAndGetTime(t *testing.T) {
	var config struct {
		Stages []struct {
			Tests []struct {
				Image      string
				Entrypoint []string
				Labels     map[string]string
			}
		}
	}
	raw, err := os.ReadFile(filepath.Join(root, "bundle/tests/scorecard/config.yaml"))
	if err == nil {
		err = yaml.Unmarshal(raw, &config)
	}
	if err != nil || len(config.Stages) == 0 {
		t.Fatalf("%d stages, error %v", len(config.Stages), err)
	}
	shells := []string{"sh", "bash", "/bin/sh", "/bin/bash"}
	for _, stage := range config.Stages {
		for _, test := range stage.Tests {
			if test.Image == "" || len(test.Entrypoint) < 2 || slices.Contains(shells, test.Entrypoint[0]) {
				t.Errorf("%v in %q: a program must run that prints its result and nothing else", test.Entrypoint, test.Image)
			}
			if test.Labels["suite"] == "" || test.Labels["test"] == "" {
				t.Errorf("%v has the labels %v", test.Entrypoint, test.Labels)
			}
		}
	}
	page, err := os.ReadFile(root + "/docs/olm.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for line := range strings.Lines(string(page)) {
		if strings.Contains(line, "operator-sdk scorecard") {
			shown++
			if !strings.Contains(line, "--wait-time") {
				t.Errorf("thirty seconds are not enough: %s", line)
			}
		}
	}
	if shown == 0 {
		t.Error("docs/olm.md does not show how to run the scorecard")
	}
}

func TestTrap16_NoDefaultIsAddedLater(t *testing.T) {
	before, now := previous(t), head(t)
	for _, change := range crdChanges(before, now) {
		if strings.Contains(change, "default") {
			t.Error(change)
		}
	}
}
