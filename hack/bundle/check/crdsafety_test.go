package check

import (
	"testing"

	"github.com/open-redis-enterprise/operator/scorecard/static"
)

func TestCRDsUpgradeSafely(t *testing.T) {
	static.UpgradeSafety(t, head(t), previous(t).Release())
	static.UpgradeSafety(t, community(t), previous(t).Release())
}

func TestCRDsOfTheVendorsReleasesStayStored(t *testing.T) { all(t, static.StoredVersions) }
