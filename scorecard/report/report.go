// Package report collects what a check finds and makes the result of a scorecard test of it. A check tells its findings to a
// T; *testing.T is one, so that the same check runs under go test.
package report

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// T takes findings.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Result runs a check and returns what it found. It writes nowhere: the output of a scorecard test is its result and
// nothing else. A check that panics has the state error.
func Result(name string, check func(T)) (result scorecard.TestResult) {
	c := &collector{}
	state := scorecard.PassState
	defer func() {
		switch reason := recover(); reason {
		case nil, ended{}:
			if len(c.errors) > 0 {
				state = scorecard.FailState
			}
		default:
			state = scorecard.ErrorState
			c.errors = append(c.errors, fmt.Sprintf("panic: %v", reason))
			c.Logf("%s", debug.Stack())
		}
		result = scorecard.TestResult{
			Name: name, Log: c.log.String(), State: state, Errors: c.errors, Suggestions: []string{},
			CreationTimestamp: metav1.NewTime(time.Now()),
		}
	}()
	check(c)
	return result
}

// Status is a test with one result.
func Status(name string, check func(T)) scorecard.TestStatus {
	return scorecard.TestStatus{Results: []scorecard.TestResult{Result(name, check)}}
}

// Passed tells whether every result is a pass. A test without results proves nothing.
func Passed(status scorecard.TestStatus) bool {
	for _, r := range status.Results {
		if r.State != scorecard.PassState {
			return false
		}
	}
	return len(status.Results) > 0
}

// ended is the panic that ends a check after a fatal finding.
type ended struct{}

type collector struct {
	log    strings.Builder
	errors []string
}

// Helper does nothing: a finding is told without its place.
func (c *collector) Helper() {}

// Logf adds a line to the log.
func (c *collector) Logf(format string, args ...any) {
	_, _ = fmt.Fprintf(&c.log, format+"\n", args...) // a builder takes everything
}

// Error adds a finding.
func (c *collector) Error(args ...any) {
	c.errors = append(c.errors, strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

// Errorf is Error with a format.
func (c *collector) Errorf(format string, args ...any) {
	c.errors = append(c.errors, fmt.Sprintf(format, args...))
}

// Fatal adds a finding and ends the check.
func (c *collector) Fatal(args ...any) {
	c.Error(args...)
	panic(ended{})
}

// Fatalf is Fatal with a format.
func (c *collector) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	panic(ended{})
}
