// Package catalog makes the file-based catalog: which releases there are, in which channels, and from which version each
// is reached.
package catalog

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/operator-registry/alpha/declcfg"
	"github.com/operator-framework/operator-registry/alpha/property"
	"sigs.k8s.io/yaml"
)

// Template is catalog/template.yaml: what a person decides about the catalog.
type Template struct {
	Package        string `json:"package"`
	DefaultChannel string `json:"defaultChannel"`
	// BundleImage is where the bundle images are, without tag.
	BundleImage string `json:"bundleImage"`
	// Releases by version: the folder of each bundle, below the repository's, and the channels it was promoted to.
	Releases []Release `json:"releases"`
}

// Release is one release of the catalog.
type Release struct {
	Version  string   `json:"version"`
	Folder   string   `json:"folder"`
	Channels []string `json:"channels"`
}

// ReadTemplate reads the file.
func ReadTemplate(path string) (Template, error) {
	var t Template
	raw, err := os.ReadFile(path)
	if err != nil {
		return t, err
	}
	return t, yaml.UnmarshalStrict(raw, &t)
}

// Community is the template of the catalog for any Kubernetes: the newest release alone, of which folder holds the bundle
// without kinds of OpenShift. Its image is the one given, or that of the other bundle with a suffix.
func (t Template) Community(folder, image string) Template {
	newest := t.Releases[len(t.Releases)-1]
	newest.Folder = folder
	t.Releases = []Release{newest}
	t.BundleImage = cmp.Or(image, t.BundleImage+"-community")
	return t
}

// Dockerfile packs the catalog of a folder as catalog.Dockerfile packs the one in the tree.
func Dockerfile(root, name, folder string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(root, "catalog.Dockerfile"))
	if err != nil {
		return nil, err
	}
	own, other := []byte("COPY catalog/"+name+" "), []byte("COPY "+folder+" ")
	if !bytes.Contains(raw, own) {
		return nil, fmt.Errorf("catalog.Dockerfile has no line %q", own)
	}
	return bytes.ReplaceAll(raw, own, other), nil
}

// Files makes the files of catalog/<package>.
func (t Template) Files(root string) (map[string][]byte, error) {
	var all []declcfg.Bundle
	var newest *manifests.Bundle
	channels := map[string]*declcfg.Channel{}
	for _, release := range t.Releases {
		b, err := manifests.GetBundleFromDir(filepath.Join(root, release.Folder))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", release.Folder, err)
		}
		if got := b.CSV.Spec.Version.String(); got != release.Version {
			return nil, fmt.Errorf("%s holds version %s, the template says %s", release.Folder, got, release.Version)
		}
		all, newest = append(all, t.bundle(b)), b
		for _, name := range release.Channels {
			c := channels[name]
			if c == nil {
				c = &declcfg.Channel{Schema: declcfg.SchemaChannel, Package: t.Package, Name: name}
				channels[name] = c
			}
			c.Entries = append(c.Entries, entry(b, c.Entries))
		}
	}
	head, err := t.head(newest)
	if err != nil {
		return nil, err
	}
	return files(head, all, channels)
}

// entry says from where a release is reached. What it replaces counts only where that release is in the same channel.
func entry(b *manifests.Bundle, before []declcfg.ChannelEntry) declcfg.ChannelEntry {
	e := declcfg.ChannelEntry{Name: b.CSV.Name}
	for _, earlier := range before {
		if earlier.Name == b.CSV.Spec.Replaces {
			e.Replaces, e.SkipRange = b.CSV.Spec.Replaces, b.CSV.Annotations["olm.skipRange"]
		}
	}
	return e
}

// bundle describes a release as opm would after unpacking its image.
func (t Template) bundle(b *manifests.Bundle) declcfg.Bundle {
	out := declcfg.Bundle{
		Schema: declcfg.SchemaBundle, Package: t.Package, Name: b.CSV.Name,
		Image: t.BundleImage + ":v" + b.CSV.Spec.Version.String(),
	}
	for _, owned := range b.CSV.Spec.CustomResourceDefinitions.Owned {
		out.Properties = append(out.Properties, property.MustBuildGVK(group(owned.Name), owned.Version, owned.Kind))
	}
	sort.Slice(out.Properties, func(i, j int) bool { return string(out.Properties[i].Value) < string(out.Properties[j].Value) })
	out.Properties = append(out.Properties,
		property.MustBuildPackage(t.Package, b.CSV.Spec.Version.String()),
		property.MustBuildCSVMetadata(*b.CSV))
	out.RelatedImages = append(out.RelatedImages, declcfg.RelatedImage{Image: out.Image})
	for _, image := range b.CSV.Spec.RelatedImages {
		out.RelatedImages = append(out.RelatedImages, declcfg.RelatedImage{Name: image.Name, Image: image.Image})
	}
	sort.Slice(out.RelatedImages, func(i, j int) bool {
		a, b := out.RelatedImages[i], out.RelatedImages[j]
		return a.Image < b.Image || a.Image == b.Image && a.Name < b.Name
	})
	return out
}

func group(crd string) string {
	for i := range crd {
		if crd[i] == '.' {
			return crd[i+1:]
		}
	}
	return ""
}

func files(head declcfg.Package, bundles []declcfg.Bundle, channels map[string]*declcfg.Channel) (map[string][]byte, error) {
	out := map[string][]byte{}
	write := func(file string, cfg declcfg.DeclarativeConfig) error {
		var text bytes.Buffer
		err := declcfg.WriteYAML(cfg, &text)
		out[file] = text.Bytes()
		return err
	}
	if err := write("package.yaml", declcfg.DeclarativeConfig{Packages: []declcfg.Package{head}}); err != nil {
		return nil, err
	}
	var list []declcfg.Channel
	for _, c := range channels {
		list = append(list, *c)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	if err := write("channels.yaml", declcfg.DeclarativeConfig{Channels: list}); err != nil {
		return nil, err
	}
	for _, b := range bundles {
		if err := write(filepath.Join("bundles", b.Name+".yaml"), declcfg.DeclarativeConfig{Bundles: []declcfg.Bundle{b}}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// head is the package itself, shown with the description and the icon of its newest release. The icon has to be here: opm
// replaces that of every release by that of the package, by none if it has none.
func (t Template) head(newest *manifests.Bundle) (declcfg.Package, error) {
	p := declcfg.Package{Schema: declcfg.SchemaPackage, Name: t.Package, DefaultChannel: t.DefaultChannel, Description: newest.CSV.Spec.Description}
	for _, icon := range newest.CSV.Spec.Icon {
		data, err := base64.StdEncoding.DecodeString(icon.Data)
		if err != nil {
			return p, fmt.Errorf("the icon of %s: %w", newest.CSV.Name, err)
		}
		p.Icon = &declcfg.Icon{Data: data, MediaType: icon.MediaType}
	}
	return p, nil
}
