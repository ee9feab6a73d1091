package cluster

import (
	"time"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// facts are what the state of a cluster follows from.
type facts struct {
	deleting       bool // the resource is being deleted
	upgradeBlocked bool // an upgrade is wanted and a check forbids it
	invalid        bool // a rule refuses the spec, so that nothing is applied
	broken         bool // Kubernetes refuses an object, or the cluster has not answered for longer than an election takes
	built          bool // the StatefulSet exists
	formed         bool // the cluster exists
	rolling        bool // pods are being replaced
	upgrading      bool // ... with another node image
	complete       bool // all nodes are up and active
	silent         bool // the cluster did not answer just now, but did a moment ago
	previous       v1.ClusterState
}

// unreachableAfter is how long a cluster may be silent before that is an error: an election takes less.
const unreachableAfter = 30 * time.Second

// states are the states of a cluster (rule REC-27), from what a person must know first to the good end; the first row
// that holds is the state. docs/rec-states.md shows how they follow each other.
var states = []struct {
	state v1.ClusterState
	holds func(facts) bool
}{
	{v1.ClusterDeleting, func(f facts) bool { return f.deleting }},
	{v1.ClusterInvalidUpgrade, func(f facts) bool { return f.upgradeBlocked }},
	{v1.ClusterInvalid, func(f facts) bool { return f.invalid }},
	{v1.ClusterError, func(f facts) bool { return f.broken }},
	{v1.ClusterPendingCreation, func(f facts) bool { return !f.built }},
	{v1.ClusterBootstrappingFirstPod, func(f facts) bool { return !f.formed }},
	{v1.ClusterUpgrade, func(f facts) bool { return f.rolling && f.upgrading }},
	{v1.ClusterRunningRollingUpdate, func(f facts) bool { return f.rolling }},
	{v1.ClusterRunning, func(f facts) bool { return f.complete }},
	// A short silence, as during an election, changes no state.
	{v1.ClusterRunning, func(f facts) bool { return f.silent && f.previous == v1.ClusterRunning }},
	{v1.ClusterInitializing, func(facts) bool { return true }},
}

// stateOf is the first state that holds.
func stateOf(f facts) v1.ClusterState {
	for _, row := range states {
		if row.holds(f) {
			return row.state
		}
	}
	return v1.ClusterPendingCreation
}
