package children

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// The probes of the node container are answered by the bootstrapper, which knows the node and the cluster (rules REC-16,
// REC-17, STB-4): nothing has to exist in the node's image for them.

func probePath(path string) *corev1.HTTPGetAction {
	return &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(names.ProbePort), Scheme: corev1.URISchemeHTTP}
}

// restartGrace is how long a container that failed a probe gets to stop before it is killed. Without it the pod's own
// period of a year would hold, and a hung process would never be restarted.
func restartGrace() *int64 { return ptr.To[int64](60) }

// startupProbe allows ten minutes: a node may have a large configuration to read.
func startupProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:                  corev1.ProbeHandler{HTTPGet: probePath(names.PathStartup)},
		PeriodSeconds:                 2,
		TimeoutSeconds:                5,
		FailureThreshold:              300,
		TerminationGracePeriodSeconds: restartGrace(),
	}
}

func livenessProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:                  corev1.ProbeHandler{HTTPGet: probePath(names.PathLive)},
		PeriodSeconds:                 10,
		TimeoutSeconds:                5,
		FailureThreshold:              6,
		TerminationGracePeriodSeconds: restartGrace(),
	}
}

func readinessProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{HTTPGet: probePath(names.PathReady)},
		PeriodSeconds:    5,
		TimeoutSeconds:   5,
		FailureThreshold: 3,
	}
}
