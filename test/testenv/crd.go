package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

var crds = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// InstallCRDs applies all CustomResourceDefinitions in files and folders and
// returns when the API server serves them.
func (e *Env) InstallCRDs(ctx context.Context, paths ...string) error {
	definitions, err := readCRDs(paths)
	if err != nil || len(definitions) == 0 {
		return err
	}
	client, err := dynamic.NewForConfig(e.Config)
	if err != nil {
		return err
	}
	apply := metav1.ApplyOptions{FieldManager: "testenv", Force: true}
	for _, definition := range definitions {
		if _, err := client.Resource(crds).Apply(ctx, definition.GetName(), definition, apply); err != nil {
			return err
		}
	}
	for _, definition := range definitions {
		if err := waitEstablished(ctx, client, definition.GetName()); err != nil {
			return err
		}
	}
	return nil
}

func waitEstablished(ctx context.Context, client dynamic.Interface, name string) error {
	for {
		found, err := client.Resource(crds).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if established(found) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not established: %w", name, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, err := unstructured.NestedSlice(definition.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, condition := range conditions {
		fields, ok := condition.(map[string]any)
		if ok && fields["type"] == "Established" && fields["status"] == "True" {
			return true
		}
	}
	return false
}

func readCRDs(paths []string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, info fs.DirEntry, err error) error {
			if err != nil || info.IsDir() || !isManifest(file) {
				return err
			}
			found, err := readFile(file)
			all = append(all, found...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func isManifest(file string) bool {
	switch filepath.Ext(file) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func readFile(path string) ([]*unstructured.Unstructured, error) {
	const guess = 4096 // how far the reader looks to tell YAML from JSON
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(file, guess)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if object.GetKind() == "CustomResourceDefinition" {
			all = append(all, object)
		}
	}
}
