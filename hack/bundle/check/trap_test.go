package check

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/hack/bundle/build"
	"github.com/open-redis-enterprise/operator/scorecard/static"
)

// Each trap has been fallen into by a published bundle.

func TestTrap01_DescriptorsSitOnTheirOwnKindAndOnce(t *testing.T) {
	all(t, static.Descriptors, static.DescriptorsOnTheirKind)
}

func TestTrap02_EveryOwnedKindNamesItsResources(t *testing.T) { all(t, static.OwnedResources) }

func TestTrap03_FeaturesAreToldInPlainQuotes(t *testing.T) { all(t, static.Features) }

func TestTrap04_EveryFieldOfTheCSVIsSpeltAsOLMReadsIt(t *testing.T) { all(t, static.Spelling) }

var dockerLabel = regexp.MustCompile(`(?m)^LABEL ([^=\s]+)="(.*)"$`)

func TestTrap05_DockerfileAndAnnotationsAgree(t *testing.T) {
	raw, err := os.ReadFile(root + "/bundle.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, found := range dockerLabel.FindAllStringSubmatch(string(raw), -1) {
		labels[found[1]] = found[2]
	}
	annotations := head(t).Annotations(t)
	for key, value := range annotations {
		if labels[key] != value {
			t.Errorf("%s: the Dockerfile says %q, the annotations say %q", key, labels[key], value)
		}
		delete(labels, key)
	}
	for key := range labels {
		if strings.HasPrefix(key, "operators.operatorframework.io") || key == "com.redhat.openshift.versions" {
			t.Errorf("%s is in the Dockerfile alone", key)
		}
	}
}

func TestTrap06_WebhooksSpeakTheCurrentReview(t *testing.T) { all(t, static.ReviewVersions) }

func TestTrap07_ProbesAskAndResourcesAreAskedFor(t *testing.T) { all(t, static.Probes) }

func TestTrap08_CreatedAtIsTheDayOfTheRelease(t *testing.T) {
	at := func(v variant) time.Time {
		got, err := time.Parse(time.RFC3339, v.CSV.Annotations["createdAt"])
		if err != nil {
			t.Error(err)
		}
		return got
	}
	if now, before := at(head(t)), at(previous(t)); !now.After(before) {
		t.Errorf("1.1.0 of %s is not newer than 1.0.0 of %s", now, before)
	}
	first, err := source(t).Files(build.OpenShift)
	if err != nil {
		t.Fatal(err)
	}
	again, err := build.ReadSource(root)
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.Files(build.OpenShift)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(first, second, func(a, b build.File) bool { return a.Path == b.Path && slices.Equal(a.Content, b.Content) }) {
		t.Error("two builds differ")
	}
}

func TestTrap09_NoKindThatMayBeAbsent(t *testing.T) { all(t, static.KindsOLMApplies) }

func TestTrap10_EveryImageIsPinned(t *testing.T) { all(t, static.ImagesPinned) }

func TestTrap11_VersionsAreOurOwnAndPlain(t *testing.T) { all(t, static.PlainVersions) }

func TestTrap12_NothingIsConverted(t *testing.T) { all(t, static.NoConversion) }

func TestTrap13_NothingOfOLMItselfIsRequired(t *testing.T) { all(t, static.NothingRequired) }

func TestTrap14_NoRightThatACacheOfOperatorConditionsWouldNeed(t *testing.T) {
	all(t, static.OperatorConditionRights)
}

func TestTrap15_ScorecardTestsPrintOneResultAndGetTime(t *testing.T) {
	var config struct {
		Stages []struct {
			Tests []struct {
				Image      string
				Entrypoint []string
				Labels     map[string]string
			}
		}
	}
	raw, err := os.ReadFile(filepath.Join(root, "bundle/tests/scorecard/config.yaml"))
	if err == nil {
		err = yaml.Unmarshal(raw, &config)
	}
	if err != nil || len(config.Stages) == 0 {
		t.Fatalf("%d stages, error %v", len(config.Stages), err)
	}
	shells := []string{"sh", "bash", "/bin/sh", "/bin/bash"}
	for _, stage := range config.Stages {
		for _, test := range stage.Tests {
			if test.Image == "" || len(test.Entrypoint) < 2 || slices.Contains(shells, test.Entrypoint[0]) {
				t.Errorf("%v in %q: a program must run that prints its result and nothing else", test.Entrypoint, test.Image)
			}
			if test.Labels["suite"] == "" || test.Labels["test"] == "" {
				t.Errorf("%v has the labels %v", test.Entrypoint, test.Labels)
			}
		}
	}
	page, err := os.ReadFile(root + "/docs/olm.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for line := range strings.Lines(string(page)) {
		if strings.Contains(line, "operator-sdk scorecard") {
			shown++
			if !strings.Contains(line, "--wait-time") {
				t.Errorf("thirty seconds are not enough: %s", line)
			}
		}
	}
	if shown == 0 {
		t.Error("docs/olm.md does not show how to run the scorecard")
	}
}

func TestTrap16_NoDefaultIsAddedLater(t *testing.T) {
	for _, change := range static.CRDChanges(previous(t).V1CRDs, head(t).V1CRDs) {
		if strings.Contains(change, "default") {
			t.Error(change)
		}
	}
}
