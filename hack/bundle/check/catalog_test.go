package check

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-framework/operator-registry/alpha/declcfg"

	"github.com/open-redis-enterprise/operator/hack/bundle/build"
	"github.com/open-redis-enterprise/operator/hack/bundle/catalog"
)

func template(t *testing.T) catalog.Template {
	t.Helper()
	made, err := catalog.ReadTemplate(root + "/catalog/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestBundleIsCurrent: the bundle in the tree is what its sources make.
func TestBundleIsCurrent(t *testing.T) {
	files, err := source(t).Files(build.OpenShift)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := build.Differences(root+"/bundle", files)
	if err != nil || len(stale) > 0 {
		t.Errorf("not current: %v (%v); run make bundle", stale, err)
	}
	dockerfile, err := os.ReadFile(root + "/bundle.Dockerfile")
	if err != nil || string(dockerfile) != string(source(t).Dockerfile(build.OpenShift, "bundle")) {
		t.Errorf("bundle.Dockerfile is not current (%v); run make bundle", err)
	}
}

// TestCatalogIsCurrent: so is the catalog.
func TestCatalogIsCurrent(t *testing.T) {
	made, err := template(t).Files(root)
	if err != nil {
		t.Fatal(err)
	}
	var files []build.File
	for path, content := range made {
		files = append(files, build.File{Path: path, Content: content})
	}
	stale, err := build.Differences(filepath.Join(root, "catalog", template(t).Package), files)
	if err != nil || len(stale) > 0 {
		t.Errorf("not current: %v (%v); run make catalog", stale, err)
	}
}

// TestCatalogIsValid loads the catalog as opm validate does.
func TestCatalogIsValid(t *testing.T) {
	config, err := declcfg.LoadFS(context.Background(), os.DirFS(filepath.Join(root, "catalog", template(t).Package)))
	if err != nil {
		t.Fatal(err)
	}
	model, err := declcfg.ConvertToModel(*config)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Validate(); err != nil {
		t.Fatal(err)
	}
	p := model[template(t).Package]
	if p == nil || p.DefaultChannel.Name != "stable-v1" {
		t.Fatalf("packages %v", slices.Collect(maps.Keys(model)))
	}
	// opm gives this icon to every release, in place of its own.
	if drawing, err := os.ReadFile(root + "/config/manifests/icon.svg"); err != nil || p.Icon == nil || p.Icon.MediaType != "image/svg+xml" || !bytes.Equal(p.Icon.Data, drawing) {
		t.Errorf("the package does not show the icon (%v)", err)
	}
	for name, channel := range p.Channels {
		if !strings.HasPrefix(name, "candidate-") && !strings.HasPrefix(name, "fast-") && !strings.HasPrefix(name, "stable-") {
			t.Errorf("channel %s", name)
		}
		newest, err := channel.Head()
		if err != nil || newest.Name != head(t).CSV.Name {
			t.Errorf("%s: head %v, %v", name, newest, err)
		}
		if newest.Replaces != previous(t).CSV.Name || newest.SkipRange != head(t).CSV.Annotations["olm.skipRange"] {
			t.Errorf("%s: %s replaces %q, skips %q; its CSV says otherwise", name, newest.Name, newest.Replaces, newest.SkipRange)
		}
		if channel.Bundles[previous(t).CSV.Name] == nil {
			t.Errorf("%s: 1.0.0 cannot be installed", name)
		}
	}
	for _, b := range config.Bundles {
		for _, property := range b.Properties {
			if property.Type == "olm.bundle.object" {
				t.Errorf("%s holds whole objects, which catalogs of OpenShift 4.17 and later refuse", b.Name)
			}
		}
	}
}

// TestCommunityCatalogIsValid: the bundle for any Kubernetes has a catalog of its own, with one release that is installed
// from nothing.
func TestCommunityCatalogIsValid(t *testing.T) {
	files, err := template(t).Community(community(t).Folder, "").Files("")
	if err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{}
	for path, content := range files {
		folder[path] = &fstest.MapFile{Data: content}
	}
	config, err := declcfg.LoadFS(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	model, err := declcfg.ConvertToModel(*config)
	if err == nil {
		err = model.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, channel := range model[template(t).Package].Channels {
		newest, err := channel.Head()
		if err != nil || newest.Name != community(t).CSV.Name || newest.Replaces != "" || len(channel.Bundles) != 1 {
			t.Errorf("%s: %+v, %v", name, newest, err)
		}
		if want := template(t).BundleImage + "-community:v" + source(t).Release.Version; newest.Image != want {
			t.Errorf("the bundle is %s, want %s", newest.Image, want)
		}
	}
	dockerfile, err := catalog.Dockerfile(root, template(t).Package, "other")
	if err != nil || strings.Count(string(dockerfile), "COPY other /configs/") != 1 || strings.Contains(string(dockerfile), "COPY catalog") {
		t.Errorf("the Dockerfile is %s (%v)", dockerfile, err)
	}
}

// TestReleasedBundlesAreFrozen: what was released never changes.
func TestReleasedBundlesAreFrozen(t *testing.T) {
	sums, err := os.ReadFile(released + "/../1.0.0.sha256")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		sum, path, _ := strings.Cut(strings.TrimSpace(line), "  ")
		wanted[path] = sum
	}
	err = filepath.WalkDir(released, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(released), path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		if wanted[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is not what was released", name)
		}
		delete(wanted, name)
		return nil
	})
	if err != nil || len(wanted) > 0 {
		t.Errorf("missing %v (%v)", slices.Collect(maps.Keys(wanted)), err)
	}
}
