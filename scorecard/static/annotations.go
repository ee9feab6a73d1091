package static

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/blang/semver/v4"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"github.com/operator-framework/api/pkg/validation"
	validator "github.com/operator-framework/api/pkg/validation/interfaces"
	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// RequiredFields checks that what consoles and catalogs show is there, and has the length that they have room for.
func RequiredFields(t report.T, v Bundle) {
	t.Helper()
	csv := v.CSV
	if n := len(csv.Spec.DisplayName); n < 3 || n > 50 {
		t.Errorf("displayName has %d characters", n)
	}
	if n := len(csv.Spec.Description); n < 500 || n > 20000 {
		t.Errorf("the description has %d characters", n)
	}
	for _, heading := range []string{"## About the managed application", "## About this operator", "## Prerequisites", "## Upgrading", "## Uninstalling", "## Supported versions"} {
		if !strings.Contains(csv.Spec.Description, heading+"\n") {
			t.Errorf("the description has no %q", heading)
		}
	}
	if n := len(csv.Annotations["description"]); n == 0 || n > 135 {
		t.Errorf("the short description has %d characters", n)
	}
	for _, key := range []string{"capabilities", "categories", "containerImage", "createdAt", "repository", "support", "certified"} {
		if csv.Annotations[key] == "" {
			t.Errorf("annotation %s is missing", key)
		}
	}
	var subscriptions []string
	if err := json.Unmarshal([]byte(csv.Annotations["operators.openshift.io/valid-subscription"]), &subscriptions); err != nil || len(subscriptions) == 0 {
		t.Errorf("valid-subscription: %q, %v", subscriptions, err)
	}
	checkPeople(t, csv)
}

func checkPeople(t report.T, csv *v1alpha1.ClusterServiceVersion) {
	t.Helper()
	if len(csv.Spec.Provider.Name) < 3 || len(csv.Spec.Maintainers) == 0 || len(csv.Spec.Links) == 0 || len(csv.Spec.Keywords) == 0 {
		t.Error("provider, maintainers, links or keywords are missing")
	}
	for _, m := range csv.Spec.Maintainers {
		if m.Name == "" || !strings.Contains(m.Email, "@") {
			t.Errorf("maintainer %+v", m)
		}
	}
	for _, l := range csv.Spec.Links {
		if address, err := url.Parse(l.URL); err != nil || address.Scheme != "https" || l.Name == "" {
			t.Errorf("link %+v: %v", l, err)
		}
	}
}

// Icon checks that there is one square picture, of few bytes.
func Icon(t report.T, v Bundle) {
	t.Helper()
	if len(v.CSV.Spec.Icon) != 1 || v.CSV.Spec.Icon[0].MediaType != "image/svg+xml" {
		t.Fatalf("%d icons", len(v.CSV.Spec.Icon))
	}
	raw, err := base64.StdEncoding.DecodeString(v.CSV.Spec.Icon[0].Data)
	if err != nil || len(raw) > 20<<10 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
	}
	if err := xml.Unmarshal(raw, &svg); err != nil {
		t.Fatal(err)
	}
	if box := strings.Fields(svg.ViewBox); len(box) != 4 || box[2] != box[3] {
		t.Errorf("%q is not square", svg.ViewBox)
	}
}

// Features checks that each feature is told as true or false, in ASCII.
func Features(t report.T, v Bundle) {
	t.Helper()
	features := []string{"disconnected", "fips-compliant", "proxy-aware", "tls-profiles", "token-auth-aws", "token-auth-azure",
		"token-auth-gcp", "cnf", "cni", "csi"}
	for _, feature := range features {
		if got := v.CSV.Annotations["features.operators.openshift.io/"+feature]; got != "true" && got != "false" {
			t.Errorf("%s is %q", feature, got)
		}
	}
	for key, value := range v.CSV.Annotations {
		if i := strings.IndexFunc(key+value, func(r rune) bool { return r > 126 }); i >= 0 {
			t.Errorf("annotation %s holds a character beyond ASCII", key)
		}
	}
}

// The first OpenShift 4 minor version that is counted, and the minor version of Kubernetes in it; both go up by one.
const (
	firstOpenShift  = 18
	firstKubernetes = 31
)

// PlatformVersions checks that the range of OpenShift versions is closed, and the least Kubernetes is in the oldest of them.
func PlatformVersions(t report.T, v Bundle) {
	t.Helper()
	found := regexp.MustCompile(`^v4\.(\d+)-v4\.(\d+)$`).FindStringSubmatch(v.Annotations(t)["com.redhat.openshift.versions"])
	if found == nil {
		t.Fatal("com.redhat.openshift.versions is no closed range")
	}
	from, err := strconv.ParseUint(found[1], 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	least, err := semver.Parse(v.CSV.Spec.MinKubeVersion)
	if err != nil {
		t.Fatalf("minKubeVersion %q: %v", v.CSV.Spec.MinKubeVersion, err)
	}
	if lowest := from - firstOpenShift + firstKubernetes; from < firstOpenShift || least.Major != 1 || least.Minor > lowest {
		t.Errorf("minKubeVersion %s shuts out OpenShift 4.%d, which is Kubernetes 1.%d", least, from, lowest)
	}
}

// RestrictedNetwork checks that the bundle can be mirrored.
func RestrictedNetwork(t report.T, v Bundle) {
	t.Helper()
	if v.CSV.Annotations["features.operators.openshift.io/disconnected"] != "true" || len(v.CSV.Spec.RelatedImages) == 0 {
		t.Error("images cannot be mirrored")
	}
}

// Spelling checks that the CSV has no field that OLM would pass over.
func Spelling(t report.T, v Bundle) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(v.Folder, "manifests", v.Package+".clusterserviceversion.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var csv v1alpha1.ClusterServiceVersion
	if err := yaml.UnmarshalStrict(raw, &csv); err != nil {
		t.Error(err)
	}
	if !regexp.MustCompile(`(?m)^  minKubeVersion: \d+\.\d+\.\d+$`).Match(raw) {
		t.Error("spec.minKubeVersion is not there in that spelling")
	}
}

// CreatedAt checks that the release tells its date.
func CreatedAt(t report.T, v Bundle) {
	t.Helper()
	if _, err := time.Parse(time.RFC3339, v.CSV.Annotations["createdAt"]); err != nil {
		t.Error(err)
	}
}

// Vocabulary checks that the level and the categories are words that consoles know.
func Vocabulary(t report.T, v Bundle) {
	t.Helper()
	for _, validate := range []validator.Validator{validation.StandardCapabilitiesValidator, validation.StandardCategoriesValidator} {
		for _, result := range validate.Validate(append(v.ObjectsToValidate(), v.Bundle)...) {
			for _, problem := range append(result.Errors, result.Warnings...) {
				t.Error(problem.Error())
			}
		}
	}
}
