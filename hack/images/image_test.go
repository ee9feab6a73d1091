package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestALayerDependsOnlyOnItsEntries(t *testing.T) {
	source := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(source, []byte("code"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries := layer{program("/usr/bin/program", source), text("/etc/passwd", "x"), symlink("/bin", "usr/bin")}
	forwards, err := entries.tar()
	if err != nil {
		t.Fatal(err)
	}
	backwards, err := layer{entries[2], entries[1], entries[0]}.tar()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(forwards, backwards) {
		t.Error("the order of the entries changes the layer")
	}
	want := []string{"bin -> usr/bin", "etc/", "etc/passwd", "usr/", "usr/bin/", "usr/bin/program"}
	if got := contents(t, forwards); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// contents lists an archive, and checks that no time of today got in.
func contents(t *testing.T, archive []byte) []string {
	t.Helper()
	var names []string
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(epoch) {
			t.Errorf("%s has the time %s", header.Name, header.ModTime)
		}
		name := header.Name
		if header.Linkname != "" {
			name += " -> " + header.Linkname
		}
		names = append(names, name)
	}
}

func TestVersionsOfTheEmulatorDifferInConfigurationOnly(t *testing.T) {
	folder := t.TempDir()
	files := emulatorFiles()
	var layers, digests []string
	for _, version := range []string{"8.2.0-46.13", "8.2.1-10.1"} {
		output := filepath.Join(folder, version+".tar")
		if err := emulatorImage("example.com/emulator:"+version, "amd64", version, files).write(output); err != nil {
			t.Fatal(err)
		}
		written := read(t, output)
		layers = append(layers, layerDigest(t, written))
		digests = append(digests, digest(t, written))
		config, err := written.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(config.Config.Env, " "); !strings.Contains(got, "EMULATOR_SOFTWARE_VERSION="+version) {
			t.Errorf("environment %q does not name %s", got, version)
		}
		if config.Config.User != "1001" {
			t.Errorf("it runs as %q", config.Config.User)
		}
	}
	if layers[0] != layers[1] {
		t.Error("the files differ")
	}
	if digests[0] == digests[1] {
		t.Error("the images do not differ")
	}
}

func TestAnUnchangedImageIsNotWrittenAgain(t *testing.T) {
	output := filepath.Join(t.TempDir(), "image.tar")
	one := image{reference: "example.com/image:1", arch: "amd64", config: v1.Config{User: "1"}, layer: layer{text("/a", "a")}}
	if err := one.write(output); err != nil {
		t.Fatal(err)
	}
	first := digest(t, read(t, output))
	if err := os.WriteFile(output, []byte("not looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := one.write(output); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(output); err != nil || string(content) != "not looked at" {
		t.Error("an image that is up to date was written again")
	}
	changed := one
	changed.config.User = "2"
	for _, again := range []image{changed, one} {
		if err := again.write(output); err != nil {
			t.Fatal(err)
		}
	}
	if got := digest(t, read(t, output)); got != first {
		t.Errorf("the same image built twice: %s and %s", first, got)
	}
}

func read(t *testing.T, path string) v1.Image {
	t.Helper()
	written, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func digest(t *testing.T, of v1.Image) string {
	t.Helper()
	sum, err := of.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return sum.String()
}

func layerDigest(t *testing.T, of v1.Image) string {
	t.Helper()
	layers, err := of.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != 1 {
		t.Fatalf("got %d layers", len(layers))
	}
	sum, err := layers[0].DiffID()
	if err != nil {
		t.Fatal(err)
	}
	return sum.String()
}
