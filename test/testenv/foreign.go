package testenv

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// foreignCRDs says in which Go modules others publish their CRDs, and in which of their files. The big ones of monitoring
// that nothing here needs are left out: an API server takes seconds for each.
var foreignCRDs = []struct {
	module, folder string
	files          []string
}{
	{"github.com/openshift/api", "", []string{"route/v1/zz_generated.crd-manifests/routes.crd.yaml"}},
	{"istio.io/api", "", []string{"kubernetes/customresourcedefinitions.gen.yaml"}},
	{"sigs.k8s.io/gateway-api", "", below("config/crd/standard/gateway.networking.k8s.io_%s.yaml", "gatewayclasses", "gateways", "tlsroutes")},
	{"github.com/prometheus-operator/prometheus-operator", "hack/parts/prometheusoperator", below("example/prometheus-operator-crd/monitoring.coreos.com_%s.yaml",
		"prometheuses", "prometheusrules", "servicemonitors", "podmonitors", "probes", "scrapeconfigs")},
	{"github.com/operator-framework/api", "hack/bundle", below("crds/operators.coreos.com_%s.yaml", "operatorconditions")},
}

func below(pattern string, names ...string) []string {
	files := make([]string, len(names))
	for i, name := range names {
		files[i] = fmt.Sprintf(pattern, name)
	}
	return files
}

// ForeignCRDs are files with the CRDs of kinds that are not ours and that a Kubernetes may have: OpenShift Routes, Istio, the
// Gateway API, Prometheus, OLM. They are those of the modules that the operator is built with; root is the repository's folder.
func ForeignCRDs(ctx context.Context, root string) ([]string, error) {
	var all []string
	for _, f := range foreignCRDs {
		folder, err := ModuleFolder(ctx, filepath.Join(root, f.folder), f.module)
		if err != nil {
			return nil, err
		}
		for _, file := range f.files {
			all = append(all, filepath.Join(folder, file))
		}
	}
	return all, nil
}

// ModuleFolder is where the files of a module are that the module in a folder needs. They are downloaded if need be: no
// package of it may have been compiled on this machine yet.
func ModuleFolder(ctx context.Context, in, module string) (string, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	command.Dir = in
	answer, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("download module %s: %w: %s", module, err, answer)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(answer, &found); err != nil {
		return "", fmt.Errorf("where module %s is: %w", module, err)
	}
	return found.Dir, nil
}
