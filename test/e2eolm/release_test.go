//go:build e2eolm

package e2eolm

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	packageName = "open-redis-enterprise-operator"
	csvFile     = "manifests/" + packageName + ".clusterserviceversion.yaml"
	bundles     = "open-redis-enterprise/operator-bundle"
	catalogs    = "open-redis-enterprise/operator-catalog"
	previous    = "1.0.0"
	channel     = "stable-v1"
	withNext    = "next" // tag of the catalog that goes on after head
)

// release is a bundle as it is in the repository, but for the digest of the operator: this is the image that was built here.
type release struct {
	version string
	folder  string
}

func (r release) csv() string { return packageName + ".v" + r.version }

var operatorDigest = regexp.MustCompile(`(quay\.io/open-redis-enterprise/operator@)sha256:[0-9a-f]{64}`)

// newRelease copies a bundle to a folder and changes its CSV.
func newRelease(t *testing.T, folder, from string, operator v1.Hash, change func(csv *unstructured.Unstructured)) release {
	t.Helper()
	r := release{folder: folder}
	must(t, os.CopyFS(r.folder, os.DirFS(from)))
	path := filepath.Join(r.folder, csvFile)
	text, err := os.ReadFile(path)
	must(t, err)
	if !operatorDigest.Match(text) {
		t.Fatalf("%s names no image of the operator by digest", path)
	}
	var csv unstructured.Unstructured
	must(t, yaml.Unmarshal(operatorDigest.ReplaceAll(text, []byte("${1}"+operator.String())), &csv.Object))
	if change != nil {
		change(&csv)
	}
	changed, err := yaml.Marshal(csv.Object)
	must(t, err)
	must(t, os.WriteFile(path, changed, 0o600))
	r.version, _, err = unstructured.NestedString(csv.Object, "spec", "version")
	must(t, err)
	return r
}

var scorecardTag = regexp.MustCompile(`(quay\.io/open-redis-enterprise/operator-scorecard):v[0-9.]+`)

// pinScorecard names the image of our tests by its digest. A node that has pulled an earlier one under this tag would go on with that.
func (r release) pinScorecard(t *testing.T, image v1.Hash) {
	t.Helper()
	path := filepath.Join(r.folder, "tests", "scorecard", "config.yaml")
	text, err := os.ReadFile(path)
	must(t, err)
	if !scorecardTag.Match(text) {
		t.Fatalf("%s names no image of ours", path)
	}
	must(t, os.WriteFile(path, scorecardTag.ReplaceAll(text, []byte("${1}@"+image.String())), 0o600))
}

// after is the release that would follow: head under the next version, so that a head that runs can be replaced.
func after(t *testing.T, head release, folder, from string, operator v1.Hash) release {
	t.Helper()
	numbers := strings.Split(head.version, ".")
	patch, err := strconv.Atoi(numbers[2])
	must(t, err)
	next := release{version: fmt.Sprintf("%s.%s.%d", numbers[0], numbers[1], patch+1)}
	return newRelease(t, folder, from, operator, func(csv *unstructured.Unstructured) {
		csv.SetName(next.csv())
		annotations := csv.GetAnnotations()
		delete(annotations, "olm.skipRange")
		csv.SetAnnotations(annotations)
		must(t, unstructured.SetNestedField(csv.Object, next.version, "spec", "version"))
		must(t, unstructured.SetNestedField(csv.Object, head.csv(), "spec", "replaces"))
	})
}

// bundle is the image of a release: its folder, and the labels that OLM and operator-sdk read. What bundle.Dockerfile adds for
// certification, a licence and further labels, is not in it.
func (r release) bundle(t *testing.T) v1.Image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.folder, "metadata", "annotations.yaml"))
	must(t, err)
	var metadata struct {
		Annotations map[string]string `json:"annotations"`
	}
	must(t, yaml.Unmarshal(text, &metadata))
	return withFiles(t, empty.Image, "", r.folder, func(c *v1.Config) { c.Labels = metadata.Annotations })
}

// withFiles adds a folder to an image, below a path in it.
func withFiles(t *testing.T, base v1.Image, below, folder string, configure func(*v1.Config)) v1.Image {
	t.Helper()
	content := archive(t, below, folder)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return bytesOf(content), nil })
	must(t, err)
	image, err := mutate.AppendLayers(base, layer)
	must(t, err)
	file, err := image.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", architecture()
	configure(&file.Config)
	image, err = mutate.ConfigFile(image, file)
	must(t, err)
	return image
}

// archived is the image of an archive.
func archived(t *testing.T, path string) v1.Image {
	t.Helper()
	image, err := tarball.ImageFromPath(path, nil)
	must(t, err)
	return image
}

func archive(t *testing.T, below, folder string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	must(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.Join(below, relative), "/")
		if entry.IsDir() {
			if name == "." {
				return nil
			}
			return writer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o777})
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o666, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = writer.Write(content)
		return err
	}))
	must(t, writer.Close())
	return buffer.Bytes()
}

// catalog is an image of the committed catalog with the releases at hand, and of one that only this suite knows, if given.
func (s *suite) catalog(t *testing.T, releases ...release) v1.Image {
	t.Helper()
	configs, cache := filepath.Join(t.TempDir(), packageName), t.TempDir()
	must(t, os.Mkdir(configs, 0o750))
	committed := filepath.Join(s.root, "catalog", packageName)
	content, err := os.ReadFile(filepath.Join(committed, "package.yaml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(configs, "package.yaml"), content, 0o600))
	content, err = os.ReadFile(filepath.Join(committed, "channels.yaml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(configs, "channels.yaml"), withRelease(t, content, releases), 0o600))
	for _, r := range releases {
		rendered := s.run(t, "bin/opm", "render", r.folder, "-o", "yaml", "--alpha-image-ref-template", "quay.io/"+bundles+":v"+r.version,
			"--migrate-level", "bundle-object-to-csv-metadata")
		must(t, os.WriteFile(filepath.Join(configs, r.csv()+".yaml"), []byte(rendered), 0o600))
	}
	s.run(t, "bin/opm", "validate", configs)
	s.run(t, "bin/opm", "serve", filepath.Dir(configs), "--cache-dir", cache, "--cache-only", "--pprof-addr", "")
	opm := archived(t, filepath.Join(s.root, "bin", "images", "olm", "opm.tar"))
	opm = withFiles(t, opm, "/configs", filepath.Dir(configs), func(*v1.Config) {})
	return withFiles(t, opm, "/tmp/cache", cache, func(c *v1.Config) {
		c.Cmd = []string{"serve", "/configs", "--cache-dir=/tmp/cache"}
	})
}

// withRelease adds the newest release to the channel, unless it is there.
func withRelease(t *testing.T, text []byte, releases []release) []byte {
	t.Helper()
	newest, replaced := releases[len(releases)-1], releases[len(releases)-2]
	var out []byte
	for _, document := range strings.Split(string(text), "\n---\n") {
		var o unstructured.Unstructured
		must(t, yaml.Unmarshal([]byte(document), &o.Object))
		if o.Object["name"] == channel {
			entries, _, err := unstructured.NestedSlice(o.Object, "entries")
			must(t, err)
			if !slices.ContainsFunc(entries, func(e any) bool { return e.(map[string]any)["name"] == newest.csv() }) {
				entries = append(entries, map[string]any{"name": newest.csv(), "replaces": replaced.csv()})
			}
			must(t, unstructured.SetNestedSlice(o.Object, entries, "entries"))
		}
		content, err := yaml.Marshal(o.Object)
		must(t, err)
		out = append(append(out, "---\n"...), content...)
	}
	return out
}
