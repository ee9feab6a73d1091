package build

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Release is what a release fixes, from config/manifests/release.yaml.
type Release struct {
	Package   string `json:"package"`
	Version   string `json:"version"`
	Replaces  string `json:"replaces,omitempty"`
	SkipRange string `json:"skipRange,omitempty"`
	// CreatedAt is when the release was cut, not when the bundle was built.
	CreatedAt      string   `json:"createdAt"`
	Operand        string   `json:"operand"`
	MinKubeVersion string   `json:"minKubeVersion"`
	OpenShift      string   `json:"openshift"`
	Channels       []string `json:"channels"`
	DefaultChannel string   `json:"defaultChannel"`
	// Images by name: operator, and the operand's as in the RELATED_IMAGE_ variables.
	Images map[string]string `json:"images"`
}

// Name is the name of the release's CSV.
func (r Release) Name() string { return r.Package + ".v" + r.Version }

// Previous is the name of the CSV it replaces; empty for the first release.
func (r Release) Previous() string {
	if r.Replaces == "" {
		return ""
	}
	return r.Package + ".v" + r.Replaces
}

// ReadRelease reads the file.
func ReadRelease(path string) (Release, error) {
	var r Release
	return r, read(path, &r)
}

// read fills a value from a YAML file that may hold no field the value does not know.
func read(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(raw, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// glob lists files in order; none is an error, because then a folder has moved.
func glob(parts ...string) ([]string, error) {
	pattern := filepath.Join(parts...)
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no file matches %s", pattern)
	}
	return files, err
}
