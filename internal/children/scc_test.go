package children

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	securityv1 "github.com/openshift/api/security/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

const sccFolder = "../../config/overlays/openshift/scc/"

func constraints(t *testing.T, path string) *securityv1.SecurityContextConstraints {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scc := &securityv1.SecurityContextConstraints{}
	if err := yaml.UnmarshalStrict(raw, scc); err != nil {
		t.Fatal(err)
	}
	return scc
}

func standard(t *testing.T, name string) *securityv1.SecurityContextConstraints {
	t.Helper()
	return constraints(t, "testdata/scc/"+name+".yaml")
}

func autoAdjusting(t *testing.T) Cluster {
	t.Helper()
	c := fixture(t, "minimal")
	c.REC.Spec.SecurityContext = &v1.SecurityContext{ResourceLimits: &v1.ResourceLimitsSettings{AllowAutoAdjustment: true}}
	return c
}

// refusals are the reasons for which an SCC does not admit a pod. What the pod leaves open the SCC fills in.
func refusals(scc *securityv1.SecurityContextConstraints, pod corev1.PodSpec) []string {
	var out []string
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	refuse(pod.HostNetwork || pod.HostPID || pod.HostIPC, "the host's namespaces")
	for _, volume := range pod.Volumes {
		refuse(!slices.Contains(scc.Volumes, sort(volume)), "volume %s is %s", volume.Name, sort(volume))
	}
	shared := ptr.Deref(pod.SecurityContext, corev1.PodSecurityContext{})
	refuse(shared.SELinuxOptions != nil, "SELinux options")
	refuse(shared.SeccompProfile != nil && shared.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault, "seccomp profile")
	refuse(shared.FSGroup != nil && !groupFits(scc.FSGroup, *shared.FSGroup), "fsGroup %d", ptr.Deref(shared.FSGroup, 0))
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		s := ptr.Deref(c.SecurityContext, corev1.SecurityContext{})
		if s.RunAsUser == nil {
			s.RunAsUser = shared.RunAsUser
		}
		refuse(ptr.Deref(s.Privileged, false), "%s is privileged", c.Name)
		refuse(ptr.Deref(s.AllowPrivilegeEscalation, false) && !ptr.Deref(scc.AllowPrivilegeEscalation, true), "%s gains privileges", c.Name)
		refuse(s.RunAsUser != nil && !userFits(scc.RunAsUser, *s.RunAsUser), "%s runs as user %d", c.Name, ptr.Deref(s.RunAsUser, 0))
		refuse(s.SeccompProfile != nil && s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault, "%s has a seccomp profile", c.Name)
		for _, port := range c.Ports {
			refuse(port.HostPort != 0, "%s uses port %d of the host", c.Name, port.HostPort)
		}
		for _, capability := range ptr.Deref(s.Capabilities, corev1.Capabilities{}).Add {
			refuse(!slices.Contains(scc.AllowedCapabilities, capability), "%s adds %s", c.Name, capability)
		}
	}
	return out
}

func userFits(options securityv1.RunAsUserStrategyOptions, user int64) bool {
	switch options.Type {
	case securityv1.RunAsUserStrategyMustRunAs:
		return options.UID != nil && *options.UID == user
	case securityv1.RunAsUserStrategyMustRunAsNonRoot:
		return user != 0
	case securityv1.RunAsUserStrategyRunAsAny:
		return true
	}
	return false // a range of the namespace, which nobody knows beforehand
}

func groupFits(options securityv1.FSGroupStrategyOptions, group int64) bool {
	return options.Type == securityv1.FSGroupStrategyRunAsAny ||
		slices.ContainsFunc(options.Ranges, func(r securityv1.IDRange) bool { return r.Min <= group && group <= r.Max })
}

// sort is the sort of a volume in the words of an SCC.
func sort(v corev1.Volume) securityv1.FSType {
	switch {
	case v.ConfigMap != nil:
		return securityv1.FSTypeConfigMap
	case v.Secret != nil:
		return securityv1.FSTypeSecret
	case v.EmptyDir != nil:
		return securityv1.FSTypeEmptyDir
	case v.Projected != nil:
		return securityv1.FSProjected
	case v.PersistentVolumeClaim != nil:
		return securityv1.FSTypePersistentVolumeClaim
	case v.DownwardAPI != nil:
		return securityv1.FSTypeDownwardAPI
	case v.CSI != nil:
		return securityv1.FSTypeCSI
	case v.Ephemeral != nil:
		return securityv1.FSTypeEphemeral
	}
	return "another sort"
}

func TestTheOperatorRunsUnderRestrictedV2(t *testing.T) {
	raw, err := os.ReadFile("../../config/manager/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict(raw, &d); err != nil {
		t.Fatal(err)
	}
	if why := refusals(standard(t, "restricted-v2"), d.Spec.Template.Spec); len(why) > 0 || len(d.Spec.Template.Spec.Containers) == 0 {
		t.Errorf("%v", why)
	}
	if d.Spec.Template.Annotations["openshift.io/required-scc"] != "restricted-v2" {
		t.Error("another SCC that the account may use could be taken")
	}
}

func TestREC107_NodesAndRiggerRunUnderNonrootV2(t *testing.T) {
	for _, name := range []string{"minimal", "full"} {
		c := fixture(t, name)
		for what, pod := range map[string]corev1.PodSpec{"node": StatefulSet(c).Spec.Template.Spec, "rigger": Rigger(c).Spec.Template.Spec} {
			if why := refusals(standard(t, "nonroot-v2"), pod); len(why) > 0 {
				t.Errorf("%s of %s: %v", what, name, why)
			}
			if why := refusals(standard(t, "restricted-v2"), pod); len(why) == 0 {
				t.Errorf("%s of %s needs no SCC of its own", what, name)
			}
		}
	}
}

func TestREC107_OnlyAutoAdjustmentNeedsTheSCCOfOurOwn(t *testing.T) {
	c := autoAdjusting(t)
	node := StatefulSet(c).Spec.Template.Spec
	if why := refusals(standard(t, "nonroot-v2"), node); len(why) != 2 {
		t.Errorf("%v", why)
	}
	ours := constraints(t, sccFolder+"redis-enterprise-scc-v2.yaml")
	for what, pod := range map[string]corev1.PodSpec{"node": node, "rigger": Rigger(c).Spec.Template.Spec} {
		if why := refusals(ours, pod); len(why) > 0 {
			t.Errorf("%s: %v", what, why)
		}
	}
	if ours.Name != names.SCCAdjusting || ours.AllowPrivilegedContainer || ours.AllowHostNetwork || ours.AllowHostDirVolumePlugin || len(ours.Users)+len(ours.Groups) > 0 {
		t.Errorf("it gives more than is needed, or to somebody: %+v", ours)
	}
}

func TestREC11a_INST18_AccountsMayUseTheOneSCCThatTheirPodsNeed(t *testing.T) {
	for _, c := range []struct {
		name      string
		cluster   Cluster
		openShift bool
		want      string
	}{
		{"not on OpenShift", fixture(t, "minimal"), false, ""},
		{"as a rule", fixture(t, "minimal"), true, names.SCCNonRoot},
		{"with automatic adjustment", autoAdjusting(t), true, names.SCCNonRoot + " " + names.SCCAdjusting},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cluster.OpenShift = c.openShift
			got := ""
			for _, rule := range Role(c.cluster).Rules {
				if slices.Contains(rule.Resources, "securitycontextconstraints") {
					got = strings.Join(rule.ResourceNames, " ")
					if !slices.Equal(rule.Verbs, []string{"use"}) {
						t.Errorf("%v", rule.Verbs)
					}
				}
			}
			if got != c.want {
				t.Errorf("may use %q", got)
			}
		})
	}
}
