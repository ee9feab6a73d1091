package main

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/test/scenario"
	"github.com/open-redis-enterprise/operator/test/standin"
)

// The demo fails when it loses an acknowledged write, so running it is the test.
func TestTheDemoWithoutANodeLosesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, standin.Leaks()...)
	t.Chdir("../..")
	o := options{once: true, metrics: "0", node: scenario.Image{Repository: "quay.io/open-redis-enterprise/emulator", Tag: "8.2.0-46.13"}}
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}
