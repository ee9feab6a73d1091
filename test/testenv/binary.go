package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// findBinary returns the multi-call binary, or says how to build it.
func findBinary(given string) (string, error) {
	path := given
	if path == "" {
		path = os.Getenv("KUBELOCAL")
	}
	if path == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		path = filepath.Join(root, "bin", "kubelocal")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; build it with: make bin/kubelocal", err)
	}
	return path, nil
}

// moduleRoot is the nearest folder above with a go.mod; tests run in their
// package's folder.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("not inside a Go module; set KUBELOCAL")
		}
		folder = parent
	}
}
