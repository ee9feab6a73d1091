package check

import (
	"testing"

	"github.com/open-redis-enterprise/operator/scorecard/static"
)

// TestCertificationBudget keeps the bundle inside the ConfigMap that it travels in.
func TestCertificationBudget(t *testing.T) { all(t, static.Budget) }
