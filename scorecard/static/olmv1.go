package static

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// everywhere are kinds that OLM applies and every Kubernetes has; onOpenShift are those that every OpenShift has too.
var (
	everywhere = []string{"ClusterServiceVersion", "CustomResourceDefinition", "ServiceAccount", "Service", "Secret", "ConfigMap", "Role",
		"RoleBinding", "ClusterRole", "ClusterRoleBinding", "PodDisruptionBudget", "PriorityClass"}
	onOpenShift = []string{"ServiceMonitor", "PrometheusRule", "ConsoleYAMLSample", "ConsoleQuickStart", "ConsoleCLIDownload", "ConsoleLink", "ConsolePlugin"}
)

// Community is the name of a bundle for any Kubernetes.
const Community = "community"

// KindsOLMApplies checks that OLM knows every kind and the platform serves it: it fails an installation that names another.
func KindsOLMApplies(t report.T, v Bundle) {
	t.Helper()
	allowed := slices.Clone(everywhere)
	if v.Name != Community {
		allowed = append(allowed, onOpenShift...)
	}
	for _, object := range v.Objects {
		if !slices.Contains(allowed, object.GetKind()) {
			t.Errorf("%s %s", object.GetKind(), object.GetName())
		}
	}
}

// NothingRequired checks that the operator installs without another one, and brings no API server.
func NothingRequired(t report.T, v Bundle) {
	t.Helper()
	services := v.CSV.Spec.APIServiceDefinitions
	if len(v.CSV.Spec.CustomResourceDefinitions.Required) > 0 || len(services.Required) > 0 || len(services.Owned) > 0 || len(v.Dependencies) > 0 {
		t.Error("something else is required")
	}
	if _, err := os.Stat(filepath.Join(v.Folder, "metadata", "dependencies.yaml")); err == nil {
		t.Error("the bundle has dependencies")
	}
	for _, key := range []string{"olm.properties", "operatorframework.io/properties"} {
		if _, there := v.CSV.Annotations[key]; there {
			t.Errorf("annotation %s", key)
		}
	}
}
