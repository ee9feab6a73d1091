package cluster

import (
	"os"
	"strings"
	"testing"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

func TestREC27_States(t *testing.T) {
	up := facts{built: true, formed: true, complete: true, previous: v1.ClusterRunning}
	with := func(change func(*facts)) facts { f := up; change(&f); return f }
	for _, c := range []struct {
		name  string
		facts facts
		want  v1.ClusterState
	}{
		{"a new resource", facts{}, v1.ClusterPendingCreation},
		{"a spec that was refused from the start", facts{invalid: true}, v1.ClusterInvalid},
		{"objects exist", facts{built: true}, v1.ClusterBootstrappingFirstPod},
		{"the cluster exists", facts{built: true, formed: true, previous: v1.ClusterBootstrappingFirstPod}, v1.ClusterInitializing},
		{"the cluster exists and cannot be read yet", facts{built: true, formed: true, silent: true, previous: v1.ClusterBootstrappingFirstPod}, v1.ClusterInitializing},
		{"all nodes are there", up, v1.ClusterRunning},
		{"a node is missing", with(func(f *facts) { f.complete = false }), v1.ClusterInitializing},
		{"an election", with(func(f *facts) { f.complete, f.silent = false, true }), v1.ClusterRunning},
		{"REC-29 a long silence", with(func(f *facts) { f.complete, f.broken = false, true }), v1.ClusterError},
		{"pods are being replaced", with(func(f *facts) { f.rolling, f.complete = true, false }), v1.ClusterRunningRollingUpdate},
		{"another node image", with(func(f *facts) { f.rolling, f.upgrading = true, true }), v1.ClusterUpgrade},
		{"an upgrade that cannot begin", with(func(f *facts) { f.upgradeBlocked, f.invalid = true, true }), v1.ClusterInvalidUpgrade},
		{"REC-28 a spec that became invalid", with(func(f *facts) { f.invalid = true }), v1.ClusterInvalid},
		{"REC-28 an invalid resource can be deleted", with(func(f *facts) { f.invalid, f.deleting = true, true }), v1.ClusterDeleting},
	} {
		if got := stateOf(c.facts); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestEveryStateIsInThePicture(t *testing.T) {
	page, err := os.ReadFile("../../docs/rec-states.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range states {
		if !strings.Contains(string(page), string(row.state)) {
			t.Errorf("docs/rec-states.md does not know %s", row.state)
		}
	}
}
