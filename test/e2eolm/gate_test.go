//go:build e2eolm

package e2eolm

import (
	"encoding/json"
	"testing"
	"time"
)

// gate lets the scorecard's own stage approve the next release in the middle of a rolling change: OLM must keep the running
// operator until the change is through, because that operator says so, and then go on by itself. In the scorecard the stage begins
// with the published release, which says nothing; this is the operator's own word.
func gate(t *testing.T, s *suite) {
	ctx := t.Context()
	w := s.writer(t, "gate-orders", shardedDB)
	before := s.podIDs(t)
	t.Run("OLM holds the next release back while pods are replaced", func(t *testing.T) { s.stage(t, "lifecycle-upgrade-gate", s.head, s.next) })
	if n := s.replaced(t, before); n != len(before) {
		t.Errorf("%d of %d pods are new", n, len(before))
	}
	s.phase(t, s.next, "Succeeded", 5*time.Minute)
	must(t, s.AwaitDeployment(ctx, operator, 2*time.Minute))
	s.settled(t, s.next)
	t.Run("no acknowledged write is lost", func(t *testing.T) { s.nothingLost(t, w, time.Minute) })
	t.Run("the condition of the old release is gone", func(t *testing.T) {
		if _, err := s.object(ctx, conditionKind, s.head.csv()); err == nil {
			t.Error("it is still there")
		}
	})
}

// stage runs one stage of the suite redis-lifecycle on what is in this namespace, with the program that is in its image.
func (s *suite) stage(t *testing.T, name string, from, to release) {
	t.Helper()
	output, failed := s.try(t, "bin/linux-"+architecture()+"/redis-scorecard", name, "--namespace", s.Namespace, "--from", from.version, "--to", to.version,
		"--catalog-image", "quay.io/"+catalogs+":"+withNext, "--timeout", "15m", "--verbose")
	var status verdict
	if err := json.Unmarshal([]byte(output), &status); err != nil || len(status.Results) == 0 {
		t.Fatalf("%s (%v) printed what is no result: %v\n%s", name, failed, err, output)
	}
	for _, result := range status.Results {
		if result.State != "pass" {
			t.Errorf("%s: %s %v\n%s", result.Name, result.State, result.Errors, result.Log)
		}
	}
	must(t, failed)
}

// replaced counts the node pods that are not those from before.
func (s *suite) replaced(t *testing.T, before map[string]string) int {
	t.Helper()
	count := 0
	for name, id := range s.podIDs(t) {
		if before[name] != id {
			count++
		}
	}
	return count
}
