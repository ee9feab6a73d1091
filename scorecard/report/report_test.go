package report

import (
	"encoding/json"
	"strings"
	"testing"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
)

var _ T = (*testing.T)(nil)

func TestResult(t *testing.T) {
	for _, c := range []struct {
		name   string
		check  func(T)
		state  scorecard.State
		errors string
		log    string
	}{
		{"a check that finds nothing passes", func(t T) { t.Logf("%d looked at", 3) }, scorecard.PassState, "", "3 looked at\n"},
		{"every finding is told", func(t T) { t.Error("one"); t.Errorf("%s", "two") }, scorecard.FailState, "one|two", ""},
		{"a fatal finding is the last", func(t T) { t.Fatalf("%s", "one"); t.Error("two") }, scorecard.FailState, "one", ""},
		{"a fatal finding without a format", func(t T) { t.Fatal("a", 1) }, scorecard.FailState, "a 1", ""},
		{"a panic is an error of the test, not of what it tests", func(T) { panic("no bundle") }, scorecard.ErrorState, "panic: no bundle", "goroutine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Result("test", c.check)
			if got.Name != "test" || got.State != c.state || strings.Join(got.Errors, "|") != c.errors || !strings.Contains(got.Log, c.log) {
				t.Errorf("%+v", got)
			}
			if got.CreationTimestamp.IsZero() {
				t.Error("without a time")
			}
		})
	}
}

// TestStatusIsReadBack: the runner reads the result from JSON, as strictly as it can.
func TestStatusIsReadBack(t *testing.T) {
	raw, err := json.Marshal(Status("test", func(t T) { t.Error("one") }))
	if err != nil {
		t.Fatal(err)
	}
	var back scorecard.TestStatus
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if Passed(back) || back.Results[0].Errors[0] != "one" {
		t.Errorf("%s", raw)
	}
	if Passed(scorecard.TestStatus{}) {
		t.Error("a test without results passes")
	}
}
