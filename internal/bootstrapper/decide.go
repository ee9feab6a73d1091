// Package bootstrapper runs beside each node, in the same pod. It forms the cluster or joins the node to it, answers the
// kubelet's probes, drains the node before its pod ends, and tells the operator through the bulletin board how the node
// is doing. It never decides about databases.
package bootstrapper

import (
	"fmt"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/board"
)

// State is where the node is on its way into the cluster; the words are those of GET /v1/bootstrap.
type State string

// The states that matter here. Every other word means that a bootstrap is running.
const (
	Unreachable State = ""
	Idle        State = "idle"
	Completed   State = "completed"
	Error       State = "error"
)

// NodeFacts is what the node beside us says of itself.
type NodeFacts struct {
	State State
	// UID of the node in the cluster; empty before it is in one.
	UID string
	// ErrorCode and ErrorMessage of the last bootstrap that failed.
	ErrorCode, ErrorMessage string
}

// repairRequired is the error code of a cluster that has a dead node and takes only its replacement.
const repairRequired = "repair_required"

// Act is what to do next about the node's membership.
type Act string

// The acts.
const (
	Nothing Act = "nothing"
	Wait    Act = "wait"
	Create  Act = "create_cluster"
	Join    Act = "join_cluster"
)

// Decision is one Act with what it needs and a sentence that says why.
type Decision struct {
	Act     Act
	Members []string // Join: addresses to join through
	UID     string   // Join: take this node's place
	Why     string
}

// Decide says what the pod with the given ordinal should do. Only pod 0 forms a cluster, and only while the operator
// has never seen one: a pod that lost its volume must join, or there would be two clusters of the same name.
func Decide(ordinal int, self string, previousUID string, notes board.Data, node NodeFacts) Decision {
	switch node.State {
	case Unreachable:
		return Decision{Act: Wait, Why: "the node does not answer yet"}
	case Completed:
		return Decision{Act: Nothing, Why: "the node is in the cluster"}
	case Idle, Error:
	default:
		return Decision{Act: Wait, Why: fmt.Sprintf("bootstrap is running (%s)", node.State)}
	}
	if notes == nil {
		return Decision{Act: Wait, Why: "the bulletin board is not there yet"}
	}
	if !notes.Formed() {
		if ordinal == 0 {
			return Decision{Act: Create, Why: "no cluster exists yet and this is pod 0"}
		}
		return Decision{Act: Wait, Why: "pod 0 forms the cluster first"}
	}
	members := slices.DeleteFunc(notes.Members(), func(m string) bool { return m == self })
	if len(members) == 0 {
		return Decision{Act: Wait, Why: "no live node to join through is known yet"}
	}
	if node.ErrorCode == repairRequired && previousUID == "" {
		// The dead node's own pod will come back and take its place; a new node taking it would lock that pod out.
		return Decision{Act: Wait, Why: "the cluster has a dead node and takes no new ones until it is back or removed"}
	}
	return Decision{Act: Join, Members: members, UID: previousUID, Why: "the cluster exists and this node is not in it"}
}
