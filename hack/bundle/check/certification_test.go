package check

import (
	"testing"

	"github.com/open-redis-enterprise/operator/scorecard/static"
)

// The checks that certification and the community catalogs make, as far as they read nothing but files. They are those of the
// scorecard suite redis-static, made here on every bundle that is or was published.

func TestCertificationRequiredFields(t *testing.T) { all(t, static.RequiredFields) }

func TestCertificationIcon(t *testing.T) { all(t, static.Icon) }

func TestCertificationVersionsOfThePlatform(t *testing.T) { all(t, static.PlatformVersions) }

func TestCertificationRestrictedNetwork(t *testing.T) { all(t, static.RestrictedNetwork) }

func TestCertificationVocabulary(t *testing.T) { all(t, static.Vocabulary) }

func TestCertificationPodSecurity(t *testing.T) { all(t, static.PodSecurity) }

func TestCertificationArchitectures(t *testing.T) { all(t, static.Architectures) }

func TestCertificationLeastRights(t *testing.T) { all(t, static.LeastRights) }

func TestCertificationWebhooks(t *testing.T) { all(t, static.Webhooks) }

func TestCertificationExamples(t *testing.T) { all(t, static.ExamplesComplete, static.ExamplesValid) }

func TestCertificationUpgradeGraph(t *testing.T) {
	static.UpgradeGraph(t, head(t), previous(t).Release())
	static.UpgradeGraph(t, community(t), previous(t).Release())
	if before := previous(t).CSV.Spec.Replaces; before != "" {
		t.Errorf("the first release replaces %s", before)
	}
	all(t, static.Channels)
}

// TestCertificationRulesOfOlderValidators: a rule names no version, so released validators take it for one of a version that is
// gone, unless an owned kind names the resource with the version in use.
func TestCertificationRulesOfOlderValidators(t *testing.T) { all(t, static.RulesOfOlderValidators) }

// TestScorecardSuite runs the suite redis-static, test by test, on every bundle.
func TestScorecardSuite(t *testing.T) {
	for _, test := range static.Tests {
		t.Run(test.Name, func(t *testing.T) { all(t, test.Checks...) })
	}
}
