package check

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/operator-framework/operator-registry/alpha/declcfg"
	"sigs.k8s.io/yaml"
)

func page(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestTheCertificationPageCitesTestsThatExist(t *testing.T) {
	there := tests(t)
	cited := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(page(t, "certification.md"), -1)
	for _, c := range cited {
		if !there[c[1]] && !slices.Contains([]string{"TestTrap01_", "TestTrap16_"}, c[1]) { // a range
			t.Errorf("there is no %s", c[1])
		}
	}
	if len(cited) < 20 {
		t.Errorf("%d tests are cited", len(cited))
	}
}

// blocks are the YAML blocks of a page by their kind.
func blocks(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, found := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		var block map[string]any
		if err := yaml.UnmarshalStrict([]byte(found[1]), &block); err != nil {
			t.Errorf("%v:\n%s", err, found[1])
		}
		if kind, ok := block["kind"].(string); ok {
			out[kind] = block
		}
	}
	return out
}

func repository(image string) string {
	name, _, _ := strings.Cut(image, "@")
	return name
}

func TestThePageAboutMirrorsNamesEveryImage(t *testing.T) {
	text := page(t, "disconnected.md")
	written := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		written[row[1]] = row[2]
	}
	var mirrors struct {
		Spec struct {
			ImageDigestMirrors []struct{ Source string }
		}
	}
	raw, err := yaml.Marshal(blocks(t, text)["ImageDigestMirrorSet"])
	if err == nil {
		err = yaml.Unmarshal(raw, &mirrors)
	}
	if err != nil || len(mirrors.Spec.ImageDigestMirrors) == 0 {
		t.Fatalf("%+v, %v", mirrors, err)
	}
	related := head(t).CSV.Spec.RelatedImages
	for _, image := range related {
		if written[image.Name] != repository(image.Image) {
			t.Errorf("%s is %s in the bundle and %q on the page", image.Name, repository(image.Image), written[image.Name])
		}
		if !slices.ContainsFunc(mirrors.Spec.ImageDigestMirrors, func(m struct{ Source string }) bool { return strings.HasPrefix(image.Image, m.Source+"/") }) {
			t.Errorf("the sample mirrors no %s", image.Image)
		}
	}
	if len(written) != len(related) {
		t.Errorf("the page lists %v, the bundle has %d", written, len(related))
	}
}

// What is named by a tag is in no set of digests.
func TestThePageAboutMirrorsCoversWhatIsNamedByATag(t *testing.T) {
	set, err := yaml.Marshal(blocks(t, page(t, "disconnected.md"))["ImageTagMirrorSet"])
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{template(t).BundleImage, strings.TrimSuffix(template(t).BundleImage, "operator-bundle") + "must-gather"} {
		if !strings.Contains(string(set), "source: "+source+"\n") {
			t.Errorf("no mirror for %q:\n%s", source, set)
		}
	}
}

// TestTheCommandForRelatedImages: the command on the page prints them and nothing else.
func TestTheCommandForRelatedImages(t *testing.T) {
	command := regexp.MustCompile("(?m)^sed .*$").FindString(page(t, "disconnected.md"))
	run := exec.CommandContext(t.Context(), "sh", "-c", command)
	run.Dir = root
	printed, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	var wanted []string
	for _, image := range head(t).CSV.Spec.RelatedImages {
		wanted = append(wanted, image.Image)
	}
	if got := strings.Fields(string(printed)); !slices.Equal(got, wanted) {
		t.Errorf("%s\nprints %v, the bundle has %v", command, got, wanted)
	}
}

// TestThePagesNameTheNodeImage: pages that name the image of nodes by its tag name the one that an installation without OLM takes.
func TestThePagesNameTheNodeImage(t *testing.T) {
	var image string
	for _, variable := range source(t).Deployment.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "RELATED_IMAGE_REDIS_ENTERPRISE" {
			image = variable.Value
		}
	}
	for _, name := range []string{"disconnected.md", "olm.md"} {
		if !strings.Contains(page(t, name), image) || image == "" {
			t.Errorf("docs/%s does not name %q", name, image)
		}
	}
}

func TestThePageAboutMirrorsIsOfThisRelease(t *testing.T) {
	text, release := page(t, "disconnected.md"), source(t).Release
	set, err := yaml.Marshal(blocks(t, text)["ImageSetConfiguration"])
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"operator-catalog:v" + release.Version, "name: " + release.Package, "name: " + release.DefaultChannel, "must-gather:" + release.Version} {
		if !strings.Contains(string(set), wanted) {
			t.Errorf("the sample for oc-mirror does not say %s:\n%s", wanted, set)
		}
	}
	if !strings.Contains(page(t, "must-gather.md"), "must-gather:"+release.Version) {
		t.Error("docs/must-gather.md names another release")
	}
}

// TestCertificationNames: one name, and none of the vendor's.
func TestCertificationNames(t *testing.T) {
	var project struct{ ProjectName string }
	raw, err := os.ReadFile(root + "/PROJECT")
	if err == nil {
		err = yaml.Unmarshal(raw, &project)
	}
	if err != nil {
		t.Fatal(err)
	}
	every(t, func(t *testing.T, v variant) {
		prefix, version, found := strings.Cut(v.CSV.Name, ".v")
		if !found || prefix != project.ProjectName || version != v.CSV.Spec.Version.String() || v.Annotations(t)["operators.operatorframework.io.bundle.package.v1"] != prefix {
			t.Errorf("CSV %s of %s, PROJECT %s", v.CSV.Name, v.Annotations(t)["operators.operatorframework.io.bundle.package.v1"], project.ProjectName)
		}
		if slices.Contains([]string{"redis-enterprise-operator", "redis-enterprise-operator-cert"}, prefix) {
			t.Errorf("%s is the vendor's", prefix)
		}
	})
}

// TestTheGraphOfTheCatalog: no bundle hangs loose, none is replaced by itself, and all come from where we publish.
func TestTheGraphOfTheCatalog(t *testing.T) {
	config, err := declcfg.LoadFS(context.Background(), os.DirFS(filepath.Join(root, "catalog", template(t).Package)))
	if err != nil {
		t.Fatal(err)
	}
	bundles, entered := map[string]bool{}, map[string]bool{}
	for _, b := range config.Bundles {
		bundles[b.Name] = true
		if !strings.HasPrefix(b.Image, "quay.io/open-redis-enterprise/") {
			t.Errorf("%s is pulled from %s", b.Name, b.Image)
		}
	}
	for _, channel := range config.Channels {
		replaces := map[string]string{}
		for _, entry := range channel.Entries {
			entered[entry.Name], replaces[entry.Name] = true, entry.Replaces
			if entry.Replaces != "" && !bundles[entry.Replaces] {
				t.Errorf("%s: %s replaces %s, which is not there", channel.Name, entry.Name, entry.Replaces)
			}
			if entry.SkipRange != "" && entry.Replaces == "" {
				t.Errorf("%s: %s hides what is before it", channel.Name, entry.Name)
			}
		}
		for name := range replaces {
			steps := 0
			for at := name; at != ""; at = replaces[at] {
				if steps++; steps > len(replaces) {
					t.Fatalf("%s: %s replaces itself in the end", channel.Name, name)
				}
			}
		}
	}
	for name := range bundles {
		if !entered[name] {
			t.Errorf("%s is in no channel", name)
		}
	}
}
