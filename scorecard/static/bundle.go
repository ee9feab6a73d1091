// Package static judges a bundle by its files alone: the gates of catalogs and of certification, and the mistakes that
// published bundles have made. Each check tells its findings to a report.T, so that the same code runs in a scorecard
// pod and under go test.
package static

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// Group is the API group of the kinds that the operator owns.
const Group = "app.redislabs.com"

// Bundle is a bundle to judge, with the folder that it is in.
type Bundle struct {
	Name, Folder string
	*manifests.Bundle
}

// Read reads the bundle in a folder. The name is how findings call it.
func Read(name, folder string) (Bundle, error) {
	b, err := manifests.GetBundleFromDir(folder)
	if err == nil && b.CSV == nil {
		err = fmt.Errorf("%s holds no ClusterServiceVersion", folder)
	}
	return Bundle{Name: name, Folder: folder, Bundle: b}, err
}

// Deployments are what the bundle installs.
func (b Bundle) Deployments() []v1alpha1.StrategyDeploymentSpec {
	return b.CSV.Spec.InstallStrategy.StrategySpec.DeploymentSpecs
}

// Rules are the operator's rights, in namespaces and in the cluster.
func (b Bundle) Rules() []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	strategy := b.CSV.Spec.InstallStrategy.StrategySpec
	for _, p := range append(slices.Clone(strategy.Permissions), strategy.ClusterPermissions...) {
		out = append(out, p.Rules...)
	}
	return out
}

// Annotations are those of metadata/annotations.yaml.
func (b Bundle) Annotations(t report.T) map[string]string {
	t.Helper()
	var file struct{ Annotations map[string]string }
	raw, err := os.ReadFile(filepath.Join(b.Folder, "metadata", "annotations.yaml"))
	if err == nil {
		err = yaml.UnmarshalStrict(raw, &file)
	}
	if err != nil || len(file.Annotations) == 0 {
		t.Fatalf("annotations %v, error %v", file.Annotations, err)
	}
	return file.Annotations
}

// Release is what a later bundle is compared with.
type Release struct {
	CSV  v1alpha1.ClusterServiceVersion
	CRDs []*apiextensions.CustomResourceDefinition
}

// Release is the bundle seen as the release before another one.
func (b Bundle) Release() Release { return Release{CSV: *b.CSV, CRDs: b.V1CRDs} }

// ReadRelease reads the release that a CSV of that name belongs to from a folder with one folder for each version.
func ReadRelease(files fs.FS, name string) (Release, error) {
	var r Release
	_, version, found := strings.Cut(name, ".v")
	if !found {
		return r, fmt.Errorf("the name %q has no version", name)
	}
	folder := path.Join(version, "manifests")
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return r, err
	}
	for _, entry := range entries {
		if err := r.add(files, path.Join(folder, entry.Name())); err != nil {
			return r, fmt.Errorf("%s: %w", entry.Name(), err)
		}
	}
	if r.CSV.Name != name {
		return r, fmt.Errorf("%s holds %q instead of %s", folder, r.CSV.Name, name)
	}
	return r, nil
}

func (r *Release) add(files fs.FS, file string) error {
	raw, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	var kind struct{ Kind string }
	if err := yaml.Unmarshal(raw, &kind); err != nil {
		return err
	}
	switch kind.Kind {
	case v1alpha1.ClusterServiceVersionKind:
		return yaml.Unmarshal(raw, &r.CSV)
	case "CustomResourceDefinition":
		crd := &apiextensions.CustomResourceDefinition{}
		r.CRDs = append(r.CRDs, crd)
		return yaml.Unmarshal(raw, crd)
	}
	return nil
}
