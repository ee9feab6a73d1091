// Command crdtrim rewrites generated CRDs so that they stay small and accept what users already have.
//
// Kubernetes types that are embedded in a spec bring their whole documentation and their own checks with them. The
// documentation is four fifths of the file, and a CRD above 256 KiB can no longer be applied by a client without
// server-side apply. The checks are stricter in a CRD than in a pod: a list that Kubernetes merges by key must be
// unique by that key in a CRD, but not in a pod.
//
// It also joins the lines of descriptions, which keep the line breaks of the Go comments otherwise.
//
// Usage: crdtrim file...
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: crdtrim file...")
		os.Exit(2)
	}
	for _, path := range os.Args[1:] {
		if err := rewrite(path); err != nil {
			fmt.Fprintf(os.Stderr, "crdtrim: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

func rewrite(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(raw, &crd); err != nil {
		return err
	}
	if err := trim(crd); err != nil {
		return err
	}
	out, err := yaml.Marshal(crd)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("---\n"), out...), 0o644)
}

func trim(crd map[string]any) error {
	versions, ok := at(crd, "spec", "versions").([]any)
	if !ok {
		return fmt.Errorf("no spec.versions: not a CRD")
	}
	for _, version := range versions {
		root, ok := at(version, "schema", "openAPIV3Schema").(map[string]any)
		if !ok {
			return fmt.Errorf("a version without schema")
		}
		walk(root, "")
	}
	return nil
}

func at(node any, path ...string) any {
	for _, key := range path {
		object, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = object[key]
	}
	return node
}
