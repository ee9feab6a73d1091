package check

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blang/semver/v4"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// The checks that certification and the community catalogs make, as far as they read nothing but files.

func TestCertificationRequiredFields(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		csv := v.CSV
		if n := len(csv.Spec.DisplayName); n < 3 || n > 50 {
			t.Errorf("displayName has %d characters", n)
		}
		if n := len(csv.Spec.Description); n < 500 || n > 20000 {
			t.Errorf("the description has %d characters", n)
		}
		for _, heading := range []string{"## About the managed application", "## About this operator", "## Prerequisites", "## Upgrading", "## Uninstalling", "## Supported versions"} {
			if !strings.Contains(csv.Spec.Description, heading+"\n") {
				t.Errorf("the description has no %q", heading)
			}
		}
		if n := len(csv.Annotations["description"]); n == 0 || n > 135 {
			t.Errorf("the short description has %d characters", n)
		}
		for _, key := range []string{"capabilities", "categories", "containerImage", "createdAt", "repository", "support", "certified"} {
			if csv.Annotations[key] == "" {
				t.Errorf("annotation %s is missing", key)
			}
		}
		var subscriptions []string
		if err := json.Unmarshal([]byte(csv.Annotations["operators.openshift.io/valid-subscription"]), &subscriptions); err != nil || len(subscriptions) == 0 {
			t.Errorf("valid-subscription: %q, %v", subscriptions, err)
		}
		checkPeople(t, csv)
	})
}

func checkPeople(t *testing.T, csv *v1alpha1.ClusterServiceVersion) {
	t.Helper()
	if len(csv.Spec.Provider.Name) < 3 || len(csv.Spec.Maintainers) == 0 || len(csv.Spec.Links) == 0 || len(csv.Spec.Keywords) == 0 {
		t.Error("provider, maintainers, links or keywords are missing")
	}
	for _, m := range csv.Spec.Maintainers {
		if m.Name == "" || !strings.Contains(m.Email, "@") {
			t.Errorf("maintainer %+v", m)
		}
	}
	for _, l := range csv.Spec.Links {
		if address, err := url.Parse(l.URL); err != nil || address.Scheme != "https" || l.Name == "" {
			t.Errorf("link %+v: %v", l, err)
		}
	}
}

func TestCertificationIcon(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		if len(v.CSV.Spec.Icon) != 1 || v.CSV.Spec.Icon[0].MediaType != "image/svg+xml" {
			t.Fatalf("%d icons", len(v.CSV.Spec.Icon))
		}
		raw, err := base64.StdEncoding.DecodeString(v.CSV.Spec.Icon[0].Data)
		if err != nil || len(raw) > 20<<10 {
			t.Fatalf("%d bytes, %v", len(raw), err)
		}
		var svg struct {
			XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
			ViewBox string   `xml:"viewBox,attr"`
		}
		if err := xml.Unmarshal(raw, &svg); err != nil {
			t.Fatal(err)
		}
		if box := strings.Fields(svg.ViewBox); len(box) != 4 || box[2] != box[3] {
			t.Errorf("%q is not square", svg.ViewBox)
		}
	})
}

// openShiftKubernetes is the Kubernetes minor version in each OpenShift 4 minor version, counted from 4.18.
const (
	firstOpenShift  = 18
	firstKubernetes = 31
)

func TestCertificationVersionsOfThePlatform(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		found := regexp.MustCompile(`^v4\.(\d+)-v4\.(\d+)$`).FindStringSubmatch(annotationsOf(t, v)["com.redhat.openshift.versions"])
		if found == nil {
			t.Fatal("com.redhat.openshift.versions is no closed range")
		}
		from, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		least := semver.MustParse(v.CSV.Spec.MinKubeVersion)
		if lowest := uint64(from - firstOpenShift + firstKubernetes); least.Major != 1 || least.Minor > lowest {
			t.Errorf("minKubeVersion %s shuts out OpenShift 4.%d, which is Kubernetes 1.%d", least, from, lowest)
		}
	})
}

func TestCertificationRestrictedNetwork(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		if v.CSV.Annotations["features.operators.openshift.io/disconnected"] != "true" || len(v.CSV.Spec.RelatedImages) == 0 {
			t.Error("images cannot be mirrored")
		}
	})
}

func TestCertificationPodSecurity(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, d := range deployments(v) {
			pod := d.Spec.Template.Spec
			s := pod.SecurityContext
			if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Error("the pod is not restricted")
			} else if s.RunAsUser != nil || s.FSGroup != nil {
				t.Error("a fixed user keeps restricted-v2 from giving one of the namespace's range")
			}
			if pod.HostNetwork || pod.HostPID || pod.HostIPC || pod.ServiceAccountName == "" || pod.ServiceAccountName == "default" {
				t.Error("host namespaces, or no account of its own")
			}
			if got := d.Spec.Template.Annotations["openshift.io/required-scc"]; got != "restricted-v2" {
				t.Errorf("required-scc is %q", got)
			}
			for _, c := range pod.Containers {
				checkContainer(t, c)
			}
		}
	})
}

func checkContainer(t *testing.T, c corev1.Container) {
	t.Helper()
	s := c.SecurityContext
	if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
		s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") || len(s.Capabilities.Add) > 0 || s.RunAsUser != nil {
		t.Errorf("%s: security context %+v", c.Name, s)
	}
	for _, variable := range c.Env {
		if variable.Name == "WATCH_NAMESPACE" {
			if variable.ValueFrom == nil || variable.ValueFrom.FieldRef.FieldPath != "metadata.annotations['olm.targetNamespaces']" {
				t.Error("the operator does not watch the namespaces of its OperatorGroup")
			}
			return
		}
	}
	t.Errorf("%s has no WATCH_NAMESPACE", c.Name)
}

func TestCertificationArchitectures(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		told := map[string][]string{}
		for label, value := range v.CSV.Labels {
			for prefix, key := range map[string]string{"operatorframework.io/arch.": "kubernetes.io/arch", "operatorframework.io/os.": "kubernetes.io/os"} {
				if name, found := strings.CutPrefix(label, prefix); found && value == "supported" {
					told[key] = append(told[key], name)
				}
			}
		}
		for _, d := range deployments(v) {
			affinity := map[string][]string{}
			for _, term := range d.Spec.Template.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
				for _, e := range term.MatchExpressions {
					affinity[e.Key] = append(affinity[e.Key], e.Values...)
				}
			}
			for key, names := range told {
				slices.Sort(names)
				slices.Sort(affinity[key])
				if !slices.Equal(names, affinity[key]) {
					t.Errorf("%s: labels say %v, the affinity %v", key, names, affinity[key])
				}
			}
			if len(told) != 2 {
				t.Errorf("labels tell %v", told)
			}
		}
	})
}

func allRules(v variant) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	strategy := v.CSV.Spec.InstallStrategy.StrategySpec
	for _, p := range append(slices.Clone(strategy.Permissions), strategy.ClusterPermissions...) {
		out = append(out, p.Rules...)
	}
	return out
}

func TestCertificationLeastRights(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		rules := allRules(v)
		if len(rules) == 0 {
			t.Fatal("no rules")
		}
		for _, object := range v.Objects {
			if object.GetKind() == "ServiceAccount" {
				t.Error("OLM makes the accounts; one in the bundle is an error")
			}
		}
		for _, rule := range rules {
			checkRule(t, rule)
		}
		for _, p := range v.CSV.Spec.InstallStrategy.StrategySpec.ClusterPermissions {
			for _, rule := range p.Rules {
				for _, verb := range rule.Verbs {
					if !slices.Contains([]string{"get", "list", "watch"}, verb) {
						t.Errorf("%v of %v in the whole cluster", verb, rule.Resources)
					}
				}
			}
		}
	})
}

func checkRule(t *testing.T, rule rbacv1.PolicyRule) {
	t.Helper()
	for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.ResourceNames} {
		if slices.Contains(list, "*") {
			t.Errorf("wildcard in %+v", rule)
		}
	}
	for _, verb := range []string{"escalate", "bind", "impersonate"} {
		if slices.Contains(rule.Verbs, verb) {
			t.Errorf("%s in %+v", verb, rule)
		}
	}
	switch {
	case slices.Contains(rule.APIGroups, "apiextensions.k8s.io"):
		t.Errorf("CRDs are OLM's: %+v", rule)
	case slices.Contains(rule.APIGroups, "security.openshift.io") && (len(rule.ResourceNames) == 0 || !slices.Equal(rule.Verbs, []string{"use"})):
		t.Errorf("an SCC may only be used, by name: %+v", rule)
	case slices.Contains(rule.Resources, "pods/exec"), slices.Contains(rule.Resources, "nodes/proxy"):
		t.Errorf("%+v", rule)
	}
}

func TestCertificationWebhooks(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		covered, names := map[string]bool{}, map[string]bool{}
		for _, w := range v.CSV.Spec.WebhookDefinitions {
			if *w.SideEffects != admissionv1.SideEffectClassNone || *w.TimeoutSeconds > 10 || *w.FailurePolicy != admissionv1.Fail || names[w.GenerateName] {
				t.Errorf("%+v", w)
			}
			names[w.GenerateName] = true
			if w.DeploymentName != deployments(v)[0].Name || w.TargetPort.IntValue() == 0 {
				t.Errorf("%s leads to %s, port %v", w.GenerateName, w.DeploymentName, w.TargetPort)
			}
			for _, rule := range w.Rules {
				if !slices.Equal(rule.APIGroups, []string{"app.redislabs.com"}) || len(rule.Resources) != 1 {
					t.Errorf("%s asks about %v of %v", w.GenerateName, rule.Resources, rule.APIGroups)
				}
				for _, version := range rule.APIVersions {
					covered[rule.Resources[0]+"/"+version] = true
				}
			}
		}
		for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
			plural, _, _ := strings.Cut(owned.Name, ".")
			if !covered[plural+"/"+owned.Version] {
				t.Errorf("nobody checks %s of %s", owned.Version, plural)
			}
		}
	})
}

func TestCertificationExamples(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		var examples []struct {
			APIVersion, Kind string
			Metadata         struct{ Name string }
			Spec, Status     map[string]any
		}
		if err := json.Unmarshal([]byte(v.CSV.Annotations["alm-examples"]), &examples); err != nil {
			t.Fatal(err)
		}
		var metadata map[string]struct{ Description string }
		if err := json.Unmarshal([]byte(v.CSV.Annotations["alm-examples-metadata"]), &metadata); err != nil {
			t.Fatal(err)
		}
		shown, names := map[string]bool{}, map[string]bool{}
		for _, e := range examples {
			shown[e.APIVersion+"/"+e.Kind] = true
			if names[e.Kind+e.Metadata.Name] || metadata[e.Metadata.Name].Description == "" || len(e.Spec) == 0 || e.Status != nil {
				t.Errorf("%s %s: a second one, without description or spec, or with a status", e.Kind, e.Metadata.Name)
			}
			names[e.Kind+e.Metadata.Name] = true
			for key := range e.Spec {
				if !described(v, e.Kind, key) {
					t.Errorf("%s: spec.%s has no descriptor", e.Kind, key)
				}
			}
		}
		for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
			if !shown["app.redislabs.com/"+owned.Version+"/"+owned.Kind] {
				t.Errorf("no example of %s %s", owned.Kind, owned.Version)
			}
		}
	})
}

func described(v variant, kind, path string) bool {
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		if owned.Kind == kind && slices.ContainsFunc(owned.SpecDescriptors, func(d v1alpha1.SpecDescriptor) bool { return d.Path == path }) {
			return true
		}
	}
	return false
}

func TestCertificationUpgradeGraph(t *testing.T) {
	now, before := head(t), previous(t)
	if now.CSV.Spec.Replaces != before.CSV.Name {
		t.Errorf("%s replaces %q, the release before is %s", now.CSV.Name, now.CSV.Spec.Replaces, before.CSV.Name)
	}
	covers, err := semver.ParseRange(now.CSV.Annotations["olm.skipRange"])
	if err != nil {
		t.Fatal(err)
	}
	if !covers(before.CSV.Spec.Version.Version) || covers(now.CSV.Spec.Version.Version) {
		t.Errorf("skipRange %q", now.CSV.Annotations["olm.skipRange"])
	}
	if before.CSV.Spec.Replaces != "" {
		t.Errorf("the first release replaces %s", before.CSV.Spec.Replaces)
	}
	a := annotationsOf(t, now)
	channels := strings.Split(a["operators.operatorframework.io.bundle.channels.v1"], ",")
	if !slices.Contains(channels, a["operators.operatorframework.io.bundle.channel.default.v1"]) || len(channels) != 3 {
		t.Errorf("channels %v", channels)
	}
}

// TestCertificationRulesOfOlderValidators: a rule names no version, so released validators take it for one of a version that is
// gone, unless an owned kind names the resource with the version in use.
func TestCertificationRulesOfOlderValidators(t *testing.T) {
	once := map[string][]string{"batch": {"cronjobs"}, "discovery.k8s.io": {"endpointslices"}, "events.k8s.io": {"events"},
		"autoscaling": {"horizontalpodautoscalers"}, "policy": {"poddisruptionbudgets"}, "node.k8s.io": {"runtimeclasses"}}
	every(t, func(t *testing.T, v variant) {
		named := map[string]bool{}
		for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
			for _, r := range owned.Resources {
				named[strings.ToLower(r.Kind)+"s"] = true
			}
		}
		for _, rule := range allRules(v) {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					if slices.Contains(once[group], resource) && !named[resource] {
						t.Errorf("%s of %s is named by no owned kind", resource, group)
					}
				}
			}
		}
	})
}
