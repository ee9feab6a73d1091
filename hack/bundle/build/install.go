package build

import (
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Install is the installation without OLM as one file: what kubectl kustomize makes of config/install, with the images of the
// release.
func Install(root string, release Release) ([]byte, error) {
	options := krusty.MakeDefaultOptions()
	// A namespace has to come before what is in it.
	options.Reorder = krusty.ReorderOptionLegacy
	made, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), filepath.Join(root, "config", "install"))
	if err != nil {
		return nil, err
	}
	text, err := made.AsYaml()
	if err != nil {
		return nil, err
	}
	head := "# " + release.Package + " " + release.Version + " without OLM. Apply with: kubectl apply --server-side -f install.yaml\n"
	return []byte(head + pinned(string(text), release)), nil
}

// pinned replaces the tags of the operator's image, which a release names by digest.
func pinned(text string, release Release) string {
	image := release.Images[operatorImage]
	repository, _, _ := strings.Cut(image, "@")
	var out strings.Builder
	for line := range strings.Lines(text) {
		if i := strings.Index(line, repository+":"); i >= 0 {
			line = line[:i] + image + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}
