package build

import (
	"bytes"
	"fmt"
	"strings"
)

// label is an annotation of the bundle and a label of its image. The two must agree, so they come from one list.
type label struct{ key, value string }

func (s *Source) labels() []label {
	r := s.Release
	const bundle, metrics, test = "operators.operatorframework.io.bundle.", "operators.operatorframework.io.metrics.", "operators.operatorframework.io.test."
	return []label{
		{bundle + "mediatype.v1", "registry+v1"},
		{bundle + "manifests.v1", "manifests/"},
		{bundle + "metadata.v1", "metadata/"},
		{bundle + "package.v1", r.Package},
		{bundle + "channels.v1", strings.Join(r.Channels, ",")},
		{bundle + "channel.default.v1", r.DefaultChannel},
		{metrics + "mediatype.v1", "metrics+v1"},
		{metrics + "builder", "hack-bundle"},
		{metrics + "project_layout", "go.kubebuilder.io/v4"},
		{test + "mediatype.v1", "scorecard+v1"},
		{test + "config.v1", "tests/scorecard/"},
		{"com.redhat.openshift.versions", r.OpenShift},
	}
}

// annotations is metadata/annotations.yaml.
func (s *Source) annotations() File {
	var out bytes.Buffer
	fmt.Fprintln(&out, "annotations:")
	for _, l := range s.labels() {
		fmt.Fprintf(&out, "  %s: %q\n", l.key, l.value)
	}
	return File{Path: "metadata/annotations.yaml", Content: out.Bytes()}
}

// Dockerfile packs the bundle of a folder.
func (s *Source) Dockerfile(variant Variant, folder string) []byte {
	name := s.Release.Package + "-bundle"
	if variant != OpenShift {
		name += "-" + string(variant)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Made by make bundle; the labels are those of %s/metadata/annotations.yaml.\nFROM scratch\n\n", folder)
	for _, l := range s.labels() {
		fmt.Fprintf(&out, "LABEL %s=%q\n", l.key, l.value)
	}
	fmt.Fprintln(&out)
	for _, l := range []label{
		{"com.redhat.delivery.operator.bundle", "true"},
		{"name", name},
		{"vendor", s.Base.Spec.Provider.Name},
		{"maintainer", s.Base.Spec.Maintainers[0].Email},
		{"version", s.Release.Version},
		{"release", "1"},
		{"summary", s.Base.Spec.DisplayName},
		{"description", s.Base.Annotations["description"]},
	} {
		fmt.Fprintf(&out, "LABEL %s=%q\n", l.key, l.value)
	}
	fmt.Fprintf(&out, "\nCOPY %[1]s/manifests /manifests/\nCOPY %[1]s/metadata /metadata/\nCOPY %[1]s/tests/scorecard /tests/scorecard/\nCOPY LICENSE /licenses/\n", folder)
	return out.Bytes()
}
