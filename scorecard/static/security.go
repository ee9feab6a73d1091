package static

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// PodSecurity checks that the operator runs under restricted-v2 and the restricted Pod Security standard.
func PodSecurity(t report.T, v Bundle) {
	t.Helper()
	for _, d := range v.Deployments() {
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
}

func checkContainer(t report.T, c corev1.Container) {
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

// Architectures checks that labels and affinity name the same platforms.
func Architectures(t report.T, v Bundle) {
	t.Helper()
	told := map[string][]string{}
	for label, value := range v.CSV.Labels {
		for prefix, key := range map[string]string{"operatorframework.io/arch.": "kubernetes.io/arch", "operatorframework.io/os.": "kubernetes.io/os"} {
			if name, found := strings.CutPrefix(label, prefix); found && value == "supported" {
				told[key] = append(told[key], name)
			}
		}
	}
	for _, d := range v.Deployments() {
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
}

// Probes checks that all three probes ask the program, and resources are asked for.
func Probes(t report.T, v Bundle) {
	t.Helper()
	for _, d := range v.Deployments() {
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
}
