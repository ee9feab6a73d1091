package check

import (
	"testing"

	"github.com/open-redis-enterprise/operator/scorecard/static"
)

func TestDescriptors(t *testing.T) { all(t, static.Descriptors) }
