package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func archive(t *testing.T, arch string) string {
	t.Helper()
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), arch+".tar")
	if err := tarball.WriteToFile(path, name.MustParseReference("example.com/operator:one"), image); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheOrderOfTheArchivesDoesNotMatter(t *testing.T) {
	a, b := archive(t, "amd64"), archive(t, "arm64")
	first, err := digestOf([]string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	second, err := digestOf([]string{b, a})
	if err != nil || first != second {
		t.Errorf("%s and %s, %v", first, second, err)
	}
	if one, err := digestOf([]string{a}); err != nil || one == first {
		t.Errorf("one architecture gives the digest of two: %v", err)
	}
	if _, err := digestOf(nil); err == nil {
		t.Error("no image has a digest")
	}
}

func TestOnlyTheOperatorsLineIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "release.yaml")
	old := "images:\n  operator: example.com/operator@sha256:" + strings.Repeat("1", 64) + "\n  node: example.com/node@sha256:" + strings.Repeat("2", 64) + "\n"
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(path, []string{archive(t, "amd64")}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), strings.Repeat("1", 64)) || !strings.Contains(string(got), strings.Repeat("2", 64)) {
		t.Errorf("%s", got)
	}
	if err := os.WriteFile(path, []byte("images: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(path, []string{archive(t, "amd64")}); err == nil {
		t.Error("a file without the line was accepted")
	}
}
