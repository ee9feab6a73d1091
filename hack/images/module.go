package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// moduleFiles are files and folders of a Go module for an image. module is the
// folder of the go.mod that holds its version, path its name, below the folder in
// it that the keys of places are relative to; the values are places in the image.
func moduleFiles(ctx context.Context, module, path, below string, places map[string]string) (layer, error) {
	command := tool(ctx, "go", "mod", "download", "-json", path) // it may not be on this machine yet
	command.Dir, command.Stderr = module, os.Stderr
	answer, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("download %s: %w: %s", path, err, answer)
	}
	var its struct{ Dir string }
	if err := json.Unmarshal(answer, &its); err != nil {
		return nil, fmt.Errorf("where %s is: %w", path, err)
	}
	var files layer
	for from, to := range places {
		found, err := tree(filepath.Join(its.Dir, below, from), to)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

// tree is a file, or a folder with all that is in it. Scripts stay programs although a module has no such mark.
func tree(from, to string) (layer, error) {
	var files layer
	err := filepath.WalkDir(from, func(source string, info fs.DirEntry, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		file := entry{path: to + strings.TrimPrefix(source, from), mode: 0o644, source: source}
		if filepath.Ext(source) == ".sh" {
			file.mode = 0o755
		}
		files = append(files, file)
		return nil
	})
	return files, err
}
