package build

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Variant is which platform a bundle is for.
type Variant string

const (
	// OpenShift is the bundle of the tree. It holds kinds that every OpenShift has.
	OpenShift Variant = "openshift"
	// Community is the same for any Kubernetes: without kinds that may be absent there, since OLM fails an installation that
	// names one.
	Community Variant = "community"
)

// Files lists the files of a bundle.
func (s *Source) Files(variant Variant) ([]File, error) {
	csv, err := s.CSV()
	if err != nil {
		return nil, err
	}
	first, err := marshal(s.Release.Package+".clusterserviceversion.yaml", csv)
	if err != nil {
		return nil, err
	}
	files := []File{first, s.annotations()}
	for _, crd := range s.CRDs {
		file, err := marshal(crd.Spec.Group+"_"+crd.Spec.Names.Plural+".yaml", crd)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	for _, role := range s.Aggregated {
		file, err := marshal(role.Name+"_rbac.authorization.k8s.io_v1_clusterrole.yaml", role)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	scorecard, err := os.ReadFile(filepath.Join(s.Root, "config", "scorecard", "config.yaml"))
	if err != nil {
		return nil, err
	}
	files = append(files, File{Path: "tests/scorecard/config.yaml", Content: s.versions(scorecard)})
	if variant == OpenShift {
		console, err := s.console()
		if err != nil {
			return nil, err
		}
		files = append(files, console...)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files, nil
}

// versions fills this release and the one before it into a text.
func (s *Source) versions(text []byte) []byte {
	return []byte(strings.NewReplacer("${VERSION}", s.Release.Version, "${PREVIOUS}", s.Release.Replaces).Replace(string(text)))
}
