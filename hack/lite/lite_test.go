package main

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/test/scenario"
)

// The demo fails when it loses an acknowledged write, so running it is the test.
func TestTheDemoWithoutANodeLosesNothing(t *testing.T) {
	// An informer of metadata leaves this one behind when its watch ends with an event in hand.
	defer goleak.VerifyNone(t, goleak.IgnoreAnyFunction("k8s.io/apimachinery/pkg/watch.(*filteredWatch).loop"))
	t.Chdir("../..")
	o := options{once: true, metrics: "0", node: scenario.Image{Repository: "quay.io/open-redis-enterprise/emulator", Tag: "8.2.0-46.13"}}
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}
