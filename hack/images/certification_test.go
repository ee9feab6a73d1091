package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// TestTheImagesCanBeCertified makes the checks of the policy for images without an operating system.
func TestTheImagesCanBeCertified(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("code"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, made := range map[string]image{
		"operator":    operatorImage(registry+"/operator:1.1.0", "amd64", "1.1.0", program, "../../LICENSE"),
		"must-gather": mustGatherImage(registry+"/must-gather:1.1.0", "amd64", "1.1.0", mustGatherFiles(program, program, program, "../../LICENSE")),
		"scorecard":   scorecardImage(registry+"/operator-scorecard:v1.1.0", "amd64", "1.1.0", program, "../../LICENSE"),
	} {
		t.Run(name, func(t *testing.T) { certifiable(t, made) })
	}
}

func certifiable(t *testing.T, made image) {
	t.Helper()
	content, err := made.layer.tar()
	if err != nil {
		t.Fatal(err)
	}
	built, err := made.build(content)
	if err != nil {
		t.Fatal(err)
	}
	config, err := built.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"name", "vendor", "version", "release", "summary", "description", "maintainer"} {
		if config.Config.Labels[label] == "" {
			t.Errorf("label %s is missing", label)
		}
	}
	for _, label := range []string{"name", "vendor", "maintainer"} {
		if strings.Contains(strings.ToLower(config.Config.Labels[label]), "red hat") {
			t.Errorf("label %s uses a trademark", label)
		}
	}
	if user, err := strconv.Atoi(config.Config.User); err != nil || user == 0 {
		t.Errorf("the user is %q", config.Config.User)
	}
	if layers, err := built.Layers(); err != nil || len(layers) > 40 {
		t.Errorf("%d layers, %v", len(layers), err)
	}
	if tag, err := name.NewTag(made.reference); err != nil || tag.TagStr() == "latest" || strings.Contains(tag.RepositoryStr(), "red-hat") {
		t.Errorf("%s: %v", made.reference, err)
	}
	if !slices.Contains(contents(t, content), "licenses/LICENSE") {
		t.Error("no license is in the image")
	}
}

// TestMustGatherHasWhatOcRuns: oc starts bash with a script of its own around /usr/bin/gather, and fetches /must-gather with tar.
func TestMustGatherHasWhatOcRuns(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("code"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := mustGatherImage(registry+"/must-gather:1", "amd64", "1", mustGatherFiles(program, program, program, "../../LICENSE"))
	content, err := made.layer.tar()
	if err != nil {
		t.Fatal(err)
	}
	files := contents(t, content)
	for _, wanted := range []string{"usr/bin/gather", "bin/bash", "must-gather/", "bin/tar -> busybox", "bin/sleep -> busybox", "bin/sync -> busybox", "bin/df -> busybox"} {
		if !slices.Contains(files, wanted) {
			t.Errorf("%s is missing in %v", wanted, files)
		}
	}
}
