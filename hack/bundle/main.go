// Command bundle makes the bundle and the catalog from config, apis and catalog/template.yaml, and the one file of an
// installation without OLM. With -check it writes nothing and fails when a file is not what it would write.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/open-redis-enterprise/operator/hack/bundle/build"
	"github.com/open-redis-enterprise/operator/hack/bundle/catalog"
	"github.com/open-redis-enterprise/operator/hack/bundle/measure"
)

func main() {
	root := flag.String("root", ".", "folder of the repository")
	what := flag.String("make", "bundle", "bundle, catalog, install, or measure to print a row for each CSV given")
	variant := flag.String("variant", string(build.OpenShift), "openshift or community")
	out := flag.String("out", "", "folder to write to, with its Dockerfile beside it; the default is the one in the repository")
	image := flag.String("bundle-image", "", "where a catalog finds the bundle of the community variant, without tag")
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if err := run(*root, *what, build.Variant(*variant), *out, *image, *check); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(root, what string, variant build.Variant, out, image string, check bool) error {
	var trees []tree
	var err error
	switch what {
	case "bundle":
		trees, err = bundleTrees(root, variant, out)
	case "catalog":
		trees, err = catalogTrees(root, variant, out, image)
	case "install":
		trees, err = installTrees(root, out)
	case "measure":
		return measureAll(flag.Args())
	default:
		err = fmt.Errorf("cannot make %q", what)
	}
	if err != nil {
		return err
	}
	for _, t := range trees {
		if err := t.put(check); err != nil {
			return err
		}
	}
	return nil
}

// tree is a folder that holds these files, or one file.
type tree struct {
	folder string
	files  []build.File
	single []byte
}

func (t tree) put(check bool) error {
	if t.single != nil {
		got, err := os.ReadFile(t.folder)
		if check && (err != nil || string(got) != string(t.single)) {
			return fmt.Errorf("%s is not current: run make bundle", t.folder)
		}
		if check {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(t.folder), 0o755); err != nil { //nolint:gosec // part of the source tree
			return err
		}
		return os.WriteFile(t.folder, t.single, 0o644) //nolint:gosec // part of the source tree
	}
	if !check {
		return build.Write(t.folder, t.files)
	}
	stale, err := build.Differences(t.folder, t.files)
	if err == nil && len(stale) > 0 {
		err = fmt.Errorf("not current: %v; run make bundle catalog", stale)
	}
	return err
}

func bundleTrees(root string, variant build.Variant, out string) ([]tree, error) {
	source, err := build.ReadSource(root)
	if err != nil {
		return nil, err
	}
	files, err := source.Files(variant)
	if err != nil {
		return nil, err
	}
	if out != "" {
		return withDockerfile(root, out, files, source.Dockerfile(variant, filepath.Base(out)))
	}
	if variant != build.OpenShift {
		return nil, fmt.Errorf("bundle/ holds the variant %s; name a folder for %s", build.OpenShift, variant)
	}
	return []tree{
		{folder: filepath.Join(root, "bundle"), files: files},
		{folder: filepath.Join(root, "bundle.Dockerfile"), single: source.Dockerfile(variant, "bundle")},
	}, nil
}

// withDockerfile is a folder with what its image is built from beside it; the folder around it is the context.
func withDockerfile(root, out string, files []build.File, dockerfile []byte) ([]tree, error) {
	license, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	return []tree{
		{folder: out, files: files},
		{folder: out + ".Dockerfile", single: dockerfile},
		{folder: filepath.Join(filepath.Dir(out), "LICENSE"), single: license},
	}, err
}

func catalogTrees(root string, variant build.Variant, out, image string) ([]tree, error) {
	template, err := catalog.ReadTemplate(filepath.Join(root, "catalog", "template.yaml"))
	if err != nil {
		return nil, err
	}
	var made map[string][]byte
	switch {
	case variant == build.OpenShift:
		made, err = template.Files(root)
	case out == "":
		err = fmt.Errorf("catalog/ holds the variant %s; name a folder for %s", build.OpenShift, variant)
	default:
		made, err = communityCatalog(root, template, image)
	}
	if err != nil {
		return nil, err
	}
	var files []build.File
	for path, content := range made {
		files = append(files, build.File{Path: path, Content: content})
	}
	if out == "" {
		return []tree{{folder: filepath.Join(root, "catalog", template.Package), files: files}}, nil
	}
	dockerfile, err := catalog.Dockerfile(root, template.Package, filepath.Base(out))
	if err != nil {
		return nil, err
	}
	return withDockerfile(root, out, files, dockerfile)
}

// communityCatalog is the catalog for any Kubernetes. The bundle that it describes is not in the tree, so it is made.
func communityCatalog(root string, template catalog.Template, image string) (map[string][]byte, error) {
	source, err := build.ReadSource(root)
	if err != nil {
		return nil, err
	}
	files, err := source.Files(build.Community)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "bundle-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := build.Write(folder, files); err != nil {
		return nil, err
	}
	return template.Community(folder, image).Files("")
}

func installTrees(root, out string) ([]tree, error) {
	release, err := build.ReadRelease(filepath.Join(root, "config", "manifests", "release.yaml"))
	if err != nil {
		return nil, err
	}
	content, err := build.Install(root, release)
	if out == "" {
		out = filepath.Join(root, "dist", "install.yaml")
	}
	return []tree{{folder: out, single: content}}, err
}

func measureAll(manifests []string) error {
	fmt.Println(measure.Line(measure.Columns))
	for _, path := range manifests {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		row, err := measure.Row(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Println(measure.Line(row))
	}
	return nil
}
