package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"sigs.k8s.io/yaml"
)

// File is a file of a bundle, by its path below the bundle's folder.
type File struct {
	Path    string
	Content []byte
}

// marshal writes a manifest without what the API server fills in.
func marshal(path string, value any) (File, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return File{}, err
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return File{}, err
	}
	delete(object, "status")
	dropNull(object)
	content, err := yaml.Marshal(object)
	return File{Path: filepath.Join("manifests", path), Content: content}, err
}

// dropNull removes fields that are null, such as creation times, and the empty strategies of Deployments.
func dropNull(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			if child == nil {
				delete(v, key)
				continue
			}
			if empty, isMap := child.(map[string]any); isMap && len(empty) == 0 && (key == "strategy" || key == "cleanup") {
				delete(v, key)
				continue
			}
			dropNull(child)
		}
		if cleanup, there := v["cleanup"].(map[string]any); there && cleanup["enabled"] == false {
			delete(v, "cleanup")
		}
	case []any:
		for _, child := range v {
			dropNull(child)
		}
	}
}

func parse(path string, raw []byte) (map[string]any, error) {
	var object map[string]any
	if err := yaml.UnmarshalStrict(raw, &object); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return object, nil
}

// Write makes the folder hold these files and no others.
func Write(folder string, files []File) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(folder, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // part of the source tree
			return err
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil { //nolint:gosec // part of the source tree
			return err
		}
	}
	return nil
}

// Differences lists the files of a folder that are missing, too many, or not what they should be.
func Differences(folder string, files []File) ([]string, error) {
	wanted := map[string][]byte{}
	for _, f := range files {
		wanted[f.Path] = f.Content
	}
	var out []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		content, known := wanted[name]
		delete(wanted, name)
		got, err := os.ReadFile(path) //nolint:gosec // nobody races with us in the source tree
		if err == nil && (!known || !slices.Equal(got, content)) {
			out = append(out, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for name := range wanted {
		out = append(out, filepath.Join(folder, name))
	}
	sort.Strings(out)
	return out, err
}
