package static

import (
	"slices"

	"github.com/open-redis-enterprise/operator/catalog/released"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// Check judges a bundle.
type Check func(t report.T, b Bundle)

// Test is one test of the suite: checks under the name that a scorecard configuration calls.
type Test struct {
	Name   string
	Checks []Check
}

// Tests is the suite redis-static.
var Tests = []Test{
	{"descriptors-complete", []Check{Descriptors, DescriptorsOnTheirKind, OwnedResources}},
	{"examples-valid", []Check{ExamplesComplete, ExamplesValid}},
	{"images-pinned", []Check{ImagesPinned, RestrictedNetwork}},
	{"certified-annotations", []Check{RequiredFields, CreatedAt, Icon, Features, Vocabulary, PlatformVersions, Spelling}},
	{"pod-security", []Check{PodSecurity, Probes, Architectures}},
	{"rbac-least-privilege", []Check{LeastRights, OperatorConditionRights, RulesOfOlderValidators}},
	{"upgrade-graph", []Check{PlainVersions, Channels, afterRelease(UpgradeGraph)}},
	{"crd-upgrade-safety", []Check{StoredVersions, afterRelease(UpgradeSafety)}},
	{"webhooks-sane", []Check{Webhooks, ReviewVersions}},
	{"olmv1-compatible", []Check{NoConversion, NothingRequired, KindsOLMApplies}},
	{"budget", []Check{Budget}},
}

// Run runs all checks of the test on a bundle.
func (test Test) Run(t report.T, b Bundle) {
	t.Helper()
	for _, check := range test.Checks {
		check(t, b)
	}
}

// Find returns the test of that name.
func Find(name string) (Test, bool) {
	i := slices.IndexFunc(Tests, func(t Test) bool { return t.Name == name })
	if i < 0 {
		return Test{}, false
	}
	return Tests[i], true
}

// afterRelease compares a bundle with the release that it replaces, which is part of this program. The first release
// replaces none.
func afterRelease(compare func(report.T, Bundle, Release)) Check {
	return func(t report.T, b Bundle) {
		t.Helper()
		if b.CSV.Spec.Replaces == "" {
			t.Logf("%s is the first release", b.CSV.Name)
			return
		}
		before, err := ReadRelease(released.Bundles, b.CSV.Spec.Replaces)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, b, before)
	}
}
