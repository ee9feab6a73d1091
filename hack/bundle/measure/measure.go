// Package measure counts what can be counted in a bundle, so that bundles of different projects stand side by side.
package measure

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"sigs.k8s.io/yaml"
)

// Columns are the headings of a row.
var Columns = []string{"bundle", "level", "owned", "with resources", "spec descriptors", "status descriptors", "described twice", "examples",
	"install modes", "related images", "by digest", "RELATED_IMAGE", "probes that ask", "review versions", "minKubeVersion", "features told"}

// Row measures a ClusterServiceVersion.
func Row(manifest []byte) ([]string, error) {
	var csv v1alpha1.ClusterServiceVersion
	if err := yaml.Unmarshal(manifest, &csv); err != nil {
		return nil, err
	}
	owned := csv.Spec.CustomResourceDefinitions.Owned
	resources, spec, status, twice := 0, 0, 0, 0
	for _, o := range owned {
		if len(o.Resources) > 0 {
			resources++
		}
		spec, status = spec+len(o.SpecDescriptors), status+len(o.StatusDescriptors)
		seen := map[string]bool{}
		for _, d := range o.SpecDescriptors {
			if seen[d.Path] {
				twice++
			}
			seen[d.Path] = true
		}
	}
	digests := 0
	for _, image := range csv.Spec.RelatedImages {
		if strings.Contains(image.Image, "@sha256:") {
			digests++
		}
	}
	variables, probes, containers := deployment(csv)
	return []string{csv.Name, csv.Annotations["capabilities"], number(len(owned)), number(resources), number(spec), number(status), number(twice),
		number(examples(csv)), number(modes(csv)), number(len(csv.Spec.RelatedImages)), number(digests), number(variables),
		fmt.Sprintf("%d/%d", probes, 2*containers), reviews(csv), orDash(csv.Spec.MinKubeVersion), number(features(csv))}, nil
}

func deployment(csv v1alpha1.ClusterServiceVersion) (variables, probes, containers int) {
	for _, d := range csv.Spec.InstallStrategy.StrategySpec.DeploymentSpecs {
		for _, c := range d.Spec.Template.Spec.Containers {
			containers++
			for _, e := range c.Env {
				if strings.HasPrefix(e.Name, "RELATED_IMAGE_") {
					variables++
				}
			}
			if c.LivenessProbe != nil && c.LivenessProbe.Exec == nil {
				probes++
			}
			if c.ReadinessProbe != nil && c.ReadinessProbe.Exec == nil {
				probes++
			}
		}
	}
	return variables, probes, containers
}

func examples(csv v1alpha1.ClusterServiceVersion) int {
	var all []json.RawMessage
	if json.Unmarshal([]byte(csv.Annotations["alm-examples"]), &all) != nil {
		return 0
	}
	return len(all)
}

func modes(csv v1alpha1.ClusterServiceVersion) int {
	n := 0
	for _, m := range csv.Spec.InstallModes {
		if m.Supported {
			n++
		}
	}
	return n
}

func reviews(csv v1alpha1.ClusterServiceVersion) string {
	var versions []string
	for _, w := range csv.Spec.WebhookDefinitions {
		for _, v := range w.AdmissionReviewVersions {
			if !slices.Contains(versions, v) {
				versions = append(versions, v)
			}
		}
	}
	slices.Sort(versions)
	return orDash(strings.Join(versions, " "))
}

func features(csv v1alpha1.ClusterServiceVersion) int {
	n := 0
	for key, value := range csv.Annotations {
		if strings.HasPrefix(key, "features.operators.openshift.io/") && (value == "true" || value == "false") {
			n++
		}
	}
	return n
}

func number(n int) string { return fmt.Sprint(n) }

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Line is a row of a Markdown table.
func Line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }
