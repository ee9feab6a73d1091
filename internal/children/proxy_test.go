package children

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestNodesGetTheProxyThatTheyAskFor(t *testing.T) {
	for _, c := range []struct {
		name, asked string
		extra       []corev1.EnvVar
		want        string
	}{
		{"nobody asked", "", nil, ""},
		{"asked for something else", "yes", nil, ""},
		{"asked", "true", nil, "HTTPS_PROXY=http://p:3128 https_proxy=http://p:3128"},
		{"the spec counts", "true", []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://mine"}}, "HTTPS_PROXY=http://mine https_proxy=http://p:3128"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := fixture(t, "minimal")
			cluster.Platform.Proxy = []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://p:3128"}, {Name: "https_proxy", Value: "http://p:3128"}}
			cluster.REC.Annotations = map[string]string{names.AnnotationProxy: c.asked}
			cluster.REC.Spec.ExtraEnvVars = c.extra
			for _, container := range StatefulSet(cluster).Spec.Template.Spec.Containers {
				var got []string
				for _, e := range container.Env {
					if strings.EqualFold(e.Name, "https_proxy") {
						got = append(got, e.Name+"="+e.Value)
					}
				}
				joined, want := strings.Join(got, " "), c.want
				if container.Name != names.NodeContainer && c.extra == nil {
					want = "" // the bootstrapper talks to its own node
				} else if container.Name != names.NodeContainer {
					want = "HTTPS_PROXY=http://mine"
				}
				if joined != want {
					t.Errorf("%s: %q", container.Name, joined)
				}
			}
		})
	}
}
