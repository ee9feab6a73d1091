package bootstrapper

import (
	"slices"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestDecide(t *testing.T) {
	formed := board.Data{names.BoardFormed: "true", names.BoardMembers: "10.0.0.1,10.0.0.2"}
	alone := board.Data{names.BoardFormed: "true", names.BoardMembers: ""}
	fresh := board.Data{names.BoardFormed: ""}
	cases := []struct {
		name    string
		ordinal int
		prev    string
		board   board.Data
		node    NodeFacts
		want    Act
		members []string
		uid     string
	}{
		{name: "REC-22 pod 0 forms the cluster", board: fresh, node: NodeFacts{State: Idle}, want: Create},
		{name: "REC-22 the others wait until it is formed", ordinal: 1, board: fresh, node: NodeFacts{State: Idle}, want: Wait},
		{name: "REC-22 the others join through a live node", ordinal: 1, board: formed, node: NodeFacts{State: Idle}, want: Join, members: []string{"10.0.0.1", "10.0.0.2"}},
		{name: "pod 0 with an empty volume joins, it never forms a second cluster", board: formed, node: NodeFacts{State: Idle}, want: Join, members: []string{"10.0.0.1", "10.0.0.2"}},
		{name: "a node does not join through itself", ordinal: 1, board: board.Data{names.BoardFormed: "true", names.BoardMembers: "10.0.0.9"}, node: NodeFacts{State: Idle}, want: Wait},
		{name: "a node without peers waits", ordinal: 2, board: alone, node: NodeFacts{State: Idle}, want: Wait},
		{name: "a node that lost its disk takes its own place", ordinal: 2, prev: "3", board: formed, node: NodeFacts{State: Idle}, want: Join, members: []string{"10.0.0.1", "10.0.0.2"}, uid: "3"},
		{name: "a dead node's own pod takes its place again", ordinal: 2, prev: "3", board: formed, node: NodeFacts{State: Error, ErrorCode: "repair_required"}, want: Join, members: []string{"10.0.0.1", "10.0.0.2"}, uid: "3"},
		{name: "a new node does not take a dead node's place", ordinal: 3, board: formed, node: NodeFacts{State: Error, ErrorCode: "repair_required"}, want: Wait},
		{name: "REC-23 an error allows another attempt", board: fresh, node: NodeFacts{State: Error, ErrorCode: "config_error"}, want: Create},
		{name: "REC-23 a running bootstrap is left alone", board: fresh, node: NodeFacts{State: "creating_cluster"}, want: Wait},
		{name: "a member does nothing", board: formed, node: NodeFacts{State: Completed, UID: "1"}, want: Nothing},
		{name: "without a board nobody acts", node: NodeFacts{State: Idle}, want: Wait},
		{name: "a silent node is waited for", board: fresh, want: Wait},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Decide(c.ordinal, "10.0.0.9", c.prev, c.board, c.node)
			if got.Act != c.want || !slices.Equal(got.Members, c.members) || got.UID != c.uid {
				t.Errorf("got %+v", got)
			}
			if got.Why == "" {
				t.Error("every decision has a reason")
			}
		})
	}
}
