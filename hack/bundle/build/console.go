package build

import (
	"os"
	"path/filepath"
	"strings"
)

// yamlSample offers a sample in the console's editor.
func yamlSample(s Sample) map[string]any {
	title, _, _ := strings.Cut(s.Description(), ": ")
	title, _, _ = strings.Cut(title, ". ")
	return map[string]any{
		"apiVersion": "console.openshift.io/v1",
		"kind":       "ConsoleYAMLSample",
		"metadata":   map[string]any{"name": consoleName(s.File)},
		"spec": map[string]any{
			"targetResource": map[string]any{"apiVersion": s.Object["apiVersion"], "kind": s.Object["kind"]},
			"title":          strings.TrimSuffix(title, "."),
			"description":    s.Description(),
			"yaml":           s.Text,
		},
	}
}

// consoleName makes the name of a cluster-wide object from the name of a file.
func consoleName(file string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(file, "app_"), ".yaml")
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

// console lists what only OpenShift can show: a sample for each of config/samples, and the objects of config/console.
func (s *Source) console() ([]File, error) {
	var out []File
	for _, sample := range s.Samples {
		object := yamlSample(sample)
		file, err := marshal(consoleName(sample.File)+"_console.openshift.io_v1_consoleyamlsample.yaml", object)
		if err != nil {
			return nil, err
		}
		out = append(out, file)
	}
	written, err := glob(s.Root, "config", "console", "*.yaml")
	if err != nil {
		return nil, err
	}
	for _, path := range written {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		object, err := parse(path, raw)
		if err != nil {
			return nil, err
		}
		kind, _ := object["kind"].(string)
		name := strings.TrimSuffix(filepath.Base(path), ".yaml") + "_console.openshift.io_v1_" + strings.ToLower(kind) + ".yaml"
		file, err := marshal(name, object)
		if err != nil {
			return nil, err
		}
		out = append(out, file)
	}
	return out, nil
}
