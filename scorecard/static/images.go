package static

import (
	"maps"
	"regexp"
	"strings"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

var digest = regexp.MustCompile(`^[a-z0-9.-]+(:\d+)?/[a-z0-9./_-]+@sha256:[0-9a-f]{64}$`)

// ImagesPinned checks that deployment, variables and related images name the same images, all by digest.
func ImagesPinned(t report.T, v Bundle) {
	t.Helper()
	related, used := map[string]bool{}, map[string]bool{}
	for _, image := range v.CSV.Spec.RelatedImages {
		related[image.Image] = true
	}
	variables := 0
	for _, d := range v.Deployments() {
		for _, c := range d.Spec.Template.Spec.Containers {
			used[c.Image] = true
			if c.Image != v.CSV.Annotations["containerImage"] {
				t.Errorf("containerImage is %s, the Deployment runs %s", v.CSV.Annotations["containerImage"], c.Image)
			}
			for _, variable := range c.Env {
				if strings.HasPrefix(variable.Name, "RELATED_IMAGE_") {
					used[variable.Value] = true
					variables++
				}
			}
		}
	}
	if variables == 0 || !maps.Equal(related, used) {
		t.Errorf("%d variables; related images %v, used %v", variables, related, used)
	}
	for image := range related {
		if !digest.MatchString(image) || strings.Contains(image, strings.Repeat("0", 16)) {
			t.Errorf("%s is not pinned by a digest", image)
		}
	}
}
